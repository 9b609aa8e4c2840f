//! `model_prices`: what calls of providers cost, from which moment on.

use crate::{api_usage::ApiProvider, prelude::*};

/// What calls of a provider's models cost from a moment on. A workspace's own price counts before one that all share, the
/// longest prefix before shorter ones, and of those the newest that is not later than the call.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "model_prices", rename_all = "camelCase")]
#[graphql(name = "ModelPriceRow")]
pub struct Model {
    /// The price's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is; a price that all share has no tenant.
    #[graphql(skip)]
    pub tenant_id: Option<Id>,
    /// Who is called.
    pub provider: ApiProvider,
    /// How the names of the models begin that it is for, such as `claude-sonnet`; empty for all of the provider.
    pub model_prefix: String,
    /// What a million tokens sent cost, in millionths of a US dollar.
    pub input_micros_per_million: BigInt,
    /// What a million tokens received cost, in millionths of a US dollar.
    pub output_micros_per_million: BigInt,
    /// What a million tokens sent cost that the provider had in its cache, in millionths of a US dollar.
    pub cached_micros_per_million: BigInt,
    /// What a minute of speech costs, in millionths of a US dollar.
    pub audio_micros_per_minute: BigInt,
    /// From when on calls cost this.
    pub valid_from: Timestamp,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ModelPrice, or global);
