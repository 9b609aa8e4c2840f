//! The roles that tickets queue for, with what each may use and spend.

use super::prelude::*;
use entity::agent_role;

node! {
    /// A role that agents work in. A tenant's own role replaces the global one with the same slug.
    AgentRole in agent_role (agent_role, agent_roles) {
        columns {
            id: IdFilter,
            slug: StringFilter,
            display_name: StringFilter,
            description: StringFilter,
            category: EnumFilter<agent_role::AgentRoleCategory>,
            parent_role_slug: StringFilter,
            default_model: StringFilter,
            monthly_budget_tokens: BigIntFilter,
            default_concurrency: IntFilter,
            timeout_seconds: IntFilter,
            auto_approve: BooleanFilter,
            is_builtin: BooleanFilter,
            is_active: BooleanFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        large {
            /// The prompt its agents work under, with places to fill in, in at most 20,000 characters.
            system_prompt_template: String,
        }
    }
}
