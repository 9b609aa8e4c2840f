//! `agent_tasks`: work from before there were tickets. Read only.

use crate::prelude::*;

text_enum! {
    /// Where a legacy task stood when it was last touched.
    AgentTaskStatus {
        /// Not begun.
        Pending,
        /// Being worked on.
        Processing,
        /// Waiting for an answer.
        AwaitingClarification,
        /// Waiting for someone to approve its output.
        AwaitingApproval,
        /// Its output was approved.
        Approved,
        /// Its output was rejected.
        Rejected,
        /// Finished without needing an approval.
        Completed,
        /// Failed, with its error.
        Failed,
    }
}

/// Legacy: a piece of work from before there were tickets. Kept to be read; none is created or changed any more.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_tasks", rename_all = "camelCase")]
#[graphql(name = "AgentTaskRow")]
pub struct Model {
    /// The task's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The ticket that took its place; null when there is none.
    pub ticket_id: Option<Id>,
    /// The meeting it came from; null when none or deleted.
    pub meeting_id: Option<Id>,
    /// The project it belongs to; null when none or deleted.
    pub project_id: Option<Id>,
    /// The goal it served; null when none or deleted.
    pub goal_id: Option<Id>,
    /// The agent it was for: `ba_agent`, `dev_agent`, `qa_agent`, `sales_agent` or `marketing_agent`.
    pub agent_type: String,
    /// Where it stood when it was last touched.
    pub status: AgentTaskStatus,
    /// What the agent was given.
    #[graphql(skip)]
    pub input: Large<Json<serde_json::Value>>,
    /// What the agent handed in; null when it did not.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub output: Large<Json<serde_json::Value>>,
    /// How sure the agent was of its output, from 0 to 1.
    pub confidence: f64,
    /// Whether its output needed a person's approval.
    pub requires_approval: bool,
    /// Who approved its output, as written down then; null when nobody did.
    pub approved_by: Option<String>,
    /// When its output was approved; null when it was not.
    pub approved_at: Option<Timestamp>,
    /// Why it failed; null when it did not.
    pub error: Option<String>,
    /// How often it was tried again.
    pub retry_count: i32,
    /// When it was finished; null when it never was.
    pub completed_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(AgentTask, large [Input, Output]);
