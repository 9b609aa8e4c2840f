//! The briefs that come out of meetings and go to approval.

use super::prelude::*;
use entity::{Json, prd};

node! {
    /// A brief: what is to be built and why, drafted from a meeting or written by hand.
    PRD in prd (prd, prds) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            goal_id: IdFilter,
            meeting_id: IdFilter,
            transcript_id: IdFilter,
            supersedes_id: IdFilter,
            title: StringFilter,
            summary: StringFilter,
            goal_text: StringFilter,
            target_users: StringFilter,
            success_metrics: StringFilter,
            scope: StringFilter,
            non_scope: StringFilter,
            requirement_count: IntFilter,
            timeline: StringFilter,
            confidence: FloatFilter,
            version: IntFilter,
            status: EnumFilter<prd::PrdStatus>,
            paused_at: DateTimeFilter,
            paused_by_id: IdFilter,
            target_repo: StringFilter,
            google_doc_id: StringFilter,
            google_doc_url: StringFilter,
            created_by_id: IdFilter,
            decided_by_id: IdFilter,
            decided_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it is for.
            project: Project by project_id,
            /// The goal it serves; null when it serves none in particular.
            goal: Goal by goal_id,
            /// The meeting it came out of; null when written by hand or when the meeting was deleted.
            meeting: Meeting by meeting_id,
            /// The transcript version it was drafted from; null when written by hand.
            transcript: Transcript by transcript_id,
            /// The approved brief it revises; null when it is the first.
            supersedes: PRD by supersedes_id,
            /// Who paused it; null while it is not paused.
            paused_by: User by paused_by_id,
            /// Who wrote it; null when the system did or the person is gone.
            created_by: User by created_by_id,
            /// Who decided last; null while nobody has.
            decided_by: User by decided_by_id,
        }
        many {
            /// Later briefs that revise this one.
            superseded_by: PRD by supersedes_id,
            /// Places in the code that the brief touches.
            symbol_links: PRDSymbolLink by prd_id,
            /// Plans to carry it out, newest attempt first.
            execution_plans: ExecutionPlan by prd_id,
            /// All work for this brief.
            tickets: Ticket by prd_id,
            /// Decisions on this brief, newest first.
            approvals: Approval by prd_id,
            /// Questions asked while drafting this brief.
            clarifications: ClarificationRequest by prd_id,
            /// Model calls spent on this brief.
            api_usages: ApiUsage by prd_id,
        }
        large {
            /// What it should achieve, one sentence each.
            objectives: Json<Vec<String>>,
            /// What it asks for, the most important first.
            requirements: Json<Vec<prd::Requirement>>,
            /// The statements that must hold for the whole to count as done.
            acceptance_criteria: Json<Vec<String>>,
            /// What is deliberately left out.
            out_of_scope: Json<Vec<String>>,
            /// What was taken for granted when it was written.
            assumptions: Json<Vec<String>>,
            /// What could go wrong.
            risks: Json<Vec<prd::Risk>>,
            /// The ways to build it that were compared, each as the architect wrote it.
            architecture_options: Json<Vec<serde_json::Value>>,
            /// The design of the way that was chosen; null before there is one.
            architecture_design: Json<serde_json::Value>,
            /// The name of the way that was chosen; null before the choice.
            selected_architecture: String,
            /// How several models judged it: votes, critique, consensus, cost and timing; null when they were not asked.
            council: Json<serde_json::Value>,
        }
    }
}
