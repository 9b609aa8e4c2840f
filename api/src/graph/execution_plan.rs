//! How an approved brief is carried out, one row an attempt.

use super::prelude::*;
use entity::project_graph;
use entity::{Json, execution_plan};

node! {
    /// A plan for carrying out a brief. A plan that fails is not repaired: the next attempt is a new plan.
    ExecutionPlan in execution_plan (execution_plan, execution_plans) {
        columns {
            id: IdFilter,
            prd_id: IdFilter,
            project_id: IdFilter,
            parent_ticket_id: IdFilter,
            attempt: IntFilter,
            cycle: IntFilter,
            status: EnumFilter<execution_plan::ExecutionPlanStatus>,
            paused_at: DateTimeFilter,
            paused_by_id: IdFilter,
            model: StringFilter,
            step_count: IntFilter,
            channel_summary: StringFilter,
            replan_reason: StringFilter,
            error_signature: StringFilter,
            critique_score: IntFilter,
            revised: BooleanFilter,
            candidate_count: IntFilter,
            graph_content_hash: StringFilter,
            budget_exceeded: BooleanFilter,
            is_fallback: BooleanFilter,
            estimated_tokens: BigIntFilter,
            estimated_cost_micros: BigIntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The brief it carries out.
            prd: PRD by prd_id,
            /// The project it works in.
            project: Project by project_id,
            /// The chief-of-staff ticket that made it.
            parent_ticket: Ticket by parent_ticket_id,
            /// Who paused it; null while it is not paused.
            paused_by: User by paused_by_id,
        }
        many {
            /// The plan's steps as work.
            tickets: Ticket by plan_id,
            /// Decisions on this plan, newest first.
            approvals: Approval by plan_id,
            /// Model calls spent on this plan.
            api_usages: ApiUsage by plan_id,
        }
        large {
            /// What is done in which order, in one to six steps.
            steps: Json<Vec<execution_plan::PlanStep>>,
            /// How each model voted on the drafts; null when there was no vote.
            council_votes: Json<serde_json::Value>,
        }
    }
    fields {

        /// Whether the code changed since the plan was made: its map's hash differs from the project's present one. Null
        /// when either is unknown.
        async fn graph_stale(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
            let Some(planned) = &self.row.graph_content_hash else { return Ok(None) };
            let project = project_graph::Column::ProjectId;
            let graph = ctx.scope().find_by::<project_graph::Entity>(project, &self.row.project_id).await?;
            Ok(graph.map(|graph| graph.content_hash != *planned))
        }
    }
}
