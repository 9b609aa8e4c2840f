//! What was decided, by whom and through which channel. Rows are added, never changed.

use super::prelude::*;
use crate::auth::Action;
use entity::{Json, approval};

node! {
    /// A decision on exactly one brief, plan, ticket or skill package. It is never changed; a new one follows it.
    Approval in approval (approval, approvals) {
        columns {
            id: IdFilter,
            subject_type: EnumFilter<approval::ApprovalSubject>,
            prd_id: IdFilter,
            plan_id: IdFilter,
            ticket_id: IdFilter,
            skill_package_id: IdFilter,
            project_id: IdFilter,
            decision: EnumFilter<approval::ApprovalDecision>,
            reason: StringFilter,
            user_id: IdFilter,
            actor: StringFilter,
            actor_email: StringFilter,
            on_behalf_of_user_id: IdFilter,
            channel: EnumFilter<approval::ApprovalChannel>,
            subject_version: IntFilter,
            subject_digest: StringFilter,
            rule_matched: StringFilter,
            idempotency_key: StringFilter,
            created_at: DateTimeFilter,
        }
        one {
            /// The brief decided on; null when it was something else.
            prd: PRD by prd_id,
            /// The plan decided on; null when it was something else.
            plan: ExecutionPlan by plan_id,
            /// The ticket decided on; null when it was something else.
            ticket: Ticket by ticket_id,
            /// The skill package decided on; null when it was something else.
            skill_package: SkillPackage by skill_package_id,
            /// The project it was decided in; null when it concerns the whole workspace.
            project: Project by project_id,
            /// Who decided; null for the system and when the person is gone.
            user: User by user_id,
            /// For whom the delegate decided; null when for nobody else.
            on_behalf_of: User by on_behalf_of_user_id,
        }
        large {
            /// What the decision changed, as `before` and `after`; empty when nothing but the status.
            diff: Json<serde_json::Value>,
        }
    }
    fields {

        /// Who decided in the channel's own terms, such as a Slack user id; null for the dashboard and the API, and for all
        /// but admins.
        async fn external_actor_ref(&self, ctx: &Context<'_>) -> Nullable<String> {
            Ok(self.row()?.external_actor_ref.filter(|_| ctx.may(Action::ReadAudit)))
        }

        /// A link to the message that was answered; null for decisions made in the dashboard, and for all but admins.
        async fn message_link(&self, ctx: &Context<'_>) -> Nullable<String> {
            Ok(self.row()?.message_link.filter(|_| ctx.may(Action::ReadAudit)))
        }
    }
}
