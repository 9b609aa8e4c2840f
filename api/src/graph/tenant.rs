//! The companies that use the product, each with its settings and budgets.

use super::prelude::*;
use entity::tenant_feed;

node! {
    /// A company and everything it owns; nothing of one tenant can be seen by another.
    Tenant in tenant (tenant, tenants) {
        columns {
            id: IdFilter,
            name: StringFilter,
            slug: StringFilter,
            monthly_spend_cap_micros: BigIntFilter,
            daily_token_budget: BigIntFilter,
            timezone: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        many {
            /// The workspace's people.
            users: User by tenant_id,
            /// The workspace's projects.
            projects: Project by tenant_id,
            /// The workspace's goals, over all projects.
            goals: Goal by tenant_id,
        }
    }
    fields {

        /// How far the workspace's ledger has come; null before its first entry.
        async fn feed(&self, ctx: &Context<'_>) -> Nullable<Arc<tenant_feed::Model>> {
            Ok(ctx.scope().find::<tenant_feed::Entity>(&self.row.id).await?)
        }
    }
}
