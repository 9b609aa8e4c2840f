//! `agent_role_versions`: what a workspace's role was like after each change. Rows are added, never changed.

use crate::{agent_role::AgentRoleCategory, prelude::*};

/// What a role was like, all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentRoleSnapshot {
    /// The name people see.
    pub display_name: String,
    /// What the role does.
    pub description: String,
    /// What kind of work it does.
    pub category: AgentRoleCategory,
    /// The slug of the role above it; null for the root.
    pub parent_role_slug: Option<String>,
    /// The prompt its agents work under.
    pub system_prompt_template: String,
    /// The tools its agents may use.
    pub allowed_tools: Vec<String>,
    /// The model its agents use; null leaves the choice to the tenant's provider.
    pub default_model: Option<String>,
    /// How many tokens it may use in a calendar month; null means no limit.
    pub monthly_budget_tokens: Option<BigInt>,
    /// How many of its tickets may be worked on at the same time.
    pub default_concurrency: i32,
    /// After how many seconds a ticket of this role has failed.
    pub timeout_seconds: i32,
    /// Whether its results count without a person's approval.
    pub auto_approve: bool,
    /// Whether tickets of this role are handed out and plans may name it.
    pub is_active: bool,
}

/// What a workspace's role was like after a change. `restoreAgentRoleVersion` brings it back.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_role_versions", rename_all = "camelCase")]
#[graphql(name = "AgentRoleVersionRow")]
pub struct Model {
    /// The version's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The role it is of.
    pub role_id: Id,
    /// Its number among the role's versions, from 1.
    pub version: i32,
    /// What the role was like.
    #[graphql(skip)]
    pub snapshot: Large<Json<AgentRoleSnapshot>>,
    /// Why it was changed; null when nobody said.
    pub note: Option<String>,
    /// Who changed it; null when the system did or the person is gone.
    pub created_by_id: Option<Id>,
    /// When it was changed.
    pub created_at: Timestamp,
}

owned!(AgentRoleVersion, large[Snapshot]);
