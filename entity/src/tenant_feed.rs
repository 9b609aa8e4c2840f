//! `tenant_feeds`: the head of each tenant's ledger. Its row's lock is what makes the positions dense.

use crate::prelude::*;

/// How far a tenant's ledger has come. It outlives the tenant, as the ledger does.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "tenant_feeds", rename_all = "camelCase")]
#[graphql(name = "TenantFeedRow")]
pub struct Model {
    /// Whose ledger it is; `system` for changes to what all tenants share.
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The position of the ledger's last entry.
    pub head_seq: BigInt,
    /// The hash of the ledger's last entry, which the next one builds on.
    pub head_hash: String,
    /// When the ledger ended, because its workspace was deleted; null while it goes on.
    #[graphql(skip)]
    pub closed_at: Option<Timestamp>,
}

owned!(TenantFeed, id TenantId, tenant TenantId);
