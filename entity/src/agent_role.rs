//! `agent_roles`: the roles that tickets queue for, with what each may use and spend.

use crate::prelude::*;

text_enum! {
    /// What kind of work a role does.
    AgentRoleCategory {
        /// Advises: analyses, designs and writes documents.
        Consultant,
        /// Carries out: writes and tests code.
        Execution,
        /// Runs the others: plans, supervises and keeps the memory.
        Meta,
    }
}

/// A role that agents work in. A tenant's own role replaces the global one with the same slug.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_roles", rename_all = "camelCase")]
#[graphql(name = "AgentRoleRow")]
pub struct Model {
    /// The role's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is; a global role has no tenant.
    #[graphql(skip)]
    pub tenant_id: Option<Id>,
    /// The word that tickets queue under, such as `dev_agent`; unique within the tenant and among the global roles.
    pub slug: String,
    /// The name people see, in at most 80 characters.
    pub display_name: String,
    /// What the role does, in at most 2,000 characters. Empty when not given.
    pub description: String,
    /// What kind of work it does.
    pub category: AgentRoleCategory,
    /// The slug of the role above it; null for the root.
    pub parent_role_slug: Option<String>,
    /// The prompt its agents work under, with places to fill in, in at most 20,000 characters.
    #[graphql(skip)]
    pub system_prompt_template: Large<String>,
    /// The tools its agents may use, such as `Edit` and `Bash`; at most 32, empty when none.
    pub allowed_tools: Json<Vec<String>>,
    /// The model its agents use; null leaves the choice to the tenant's provider.
    pub default_model: Option<String>,
    /// How many tokens it may use in a calendar month; null means no limit.
    pub monthly_budget_tokens: Option<BigInt>,
    /// How many of its tickets may be worked on at the same time, from 1 to 32.
    pub default_concurrency: i32,
    /// After how many seconds a ticket of this role has failed, unless the ticket has a limit of its own.
    pub timeout_seconds: i32,
    /// Whether its results count without a person's approval.
    pub auto_approve: bool,
    /// Whether it came with the product.
    pub is_builtin: bool,
    /// Whether tickets of this role are handed out and plans may name it.
    pub is_active: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(AgentRole, or global, large [SystemPromptTemplate]);
