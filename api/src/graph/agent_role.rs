//! The roles that tickets queue for, with what each may use and spend.

use super::{
    by_slug::{by_slug, naming},
    prelude::*,
};
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
        many {
            /// What the role was like after each change, the newest first. A role that all workspaces share has none here.
            versions: AgentRoleVersion by role_id,
        }
        large {
            /// The prompt its agents work under, with places to fill in, in at most 20,000 characters.
            system_prompt_template: String,
        }
    }
    fields {

        /// The role that it reports to, as it counts for the workspace; null at the top.
        async fn parent_role(&self, ctx: &Context<'_>) -> Nullable<AgentRole> {
            Ok(match self.row()?.parent_role_slug {
                Some(slug) => { by_slug::<AgentRole>(ctx, agent_role::Column::Slug, &slug).await? }
                    .map(AgentRole::from),
                None => None,
            })
        }

        /// The roles that report to it, as they count for the workspace.
        async fn child_roles(&self, ctx: &Context<'_>) -> Nullable<Vec<AgentRole>> {
            use agent_role::Column::{ParentRoleSlug, Slug};
            let slug = self.row()?.slug;
            let roles = naming::<AgentRole>(ctx, ParentRoleSlug, Slug, &slug).await?;
            Ok(Some(roles.into_iter().map(AgentRole::from).collect()))
        }
    }
}
