//! `agent_tokens`: what lets an agent's machine claim work, and which work.

use crate::prelude::*;

/// Lets an agent's machine claim work for a tenant. The token itself is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_tokens", rename_all = "camelCase")]
#[graphql(name = "AgentTokenRow")]
pub struct Model {
    /// The token's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it is for, such as the machine it runs on, in 1 to 100 characters.
    pub name: String,
    /// SHA-256 of the token, in hex.
    #[graphql(skip)]
    pub token_hash: Secret<String>,
    /// The token's last four characters, to tell it from others.
    pub token_hint: String,
    /// The roles whose tickets it may claim; empty means none.
    pub role_slugs: Json<Vec<String>>,
    /// The projects whose tickets it may claim; null means all of them, later ones included.
    pub project_ids: Option<Json<Vec<Id>>>,
    /// Who made it; null when that person is gone.
    pub created_by_id: Option<Id>,
    /// When it stops working; null when it does not.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, exact to a minute; null when it never was.
    pub last_used_at: Option<Timestamp>,
    /// When an admin revoked it; null while it works.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(AgentToken, secret [TokenHash], agent Id);
