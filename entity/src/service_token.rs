//! `service_tokens`: what lets a company's own programs, such as its CI, use the API without being anybody.

use crate::prelude::*;

text_enum! {
    /// What a service may do: what a person of this role may, but for what needs a person.
    ServiceRole {
        /// Reads.
        Viewer,
        /// Works.
        Member,
        /// Manages settings, and reads what admins read.
        Admin,
    }
}

/// Lets a program use the API with a role of its own. It is nobody's: it outlives who made it. The token itself is shown
/// once, when it is made.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "service_tokens", rename_all = "camelCase")]
#[graphql(name = "ServiceTokenRow")]
pub struct Model {
    /// The token's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it is for, such as the pipeline it runs in, in 1 to 100 characters.
    pub name: String,
    /// SHA-256 of the token, in hex.
    #[graphql(skip)]
    pub token_hash: Secret<String>,
    /// The token's last four characters, to tell it from others.
    pub token_hint: String,
    /// What it may do.
    pub role: ServiceRole,
    /// Who made it; null when that person is gone.
    pub created_by_id: Option<Id>,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was last used, exact to a minute; null when it never was.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked; null while it is valid.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ServiceToken, secret[TokenHash]);
