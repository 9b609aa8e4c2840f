//! `execution_plans`: how an approved brief is carried out, one row an attempt.

use crate::prelude::*;
use async_graphql::InputObject;

text_enum! {
    /// Where a plan stands.
    ExecutionPlanStatus {
        /// Waiting for someone to approve it; its tickets are not handed out.
        PendingApproval,
        /// Approved and being carried out.
        Active,
        /// Replaced by a later attempt.
        Superseded,
        /// All of its tickets are done.
        Done,
        /// Given up and escalated to a person.
        Failed,
        /// Stopped by a person.
        Cancelled,
    }
}

/// A step of a plan; it becomes one ticket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "PlanStepInput")]
pub struct PlanStep {
    /// What is to be done, in one line.
    pub title: String,
    /// What is to be done, in full.
    #[graphql(default)]
    pub description: String,
    /// The role that does it.
    pub role_slug: String,
    /// The specialist that does it; null leaves it to the role alone.
    pub subagent_slug: Option<String>,
    /// The slugs of the skills it may use; empty when none.
    #[graphql(default)]
    pub skills: Vec<String>,
    /// The steps that must be done first, by their places in the list, counted from 0.
    #[graphql(default)]
    pub depends_on: Vec<i32>,
}

/// A plan for carrying out a brief. A plan that fails is not repaired: the next attempt is a new plan.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "execution_plans", rename_all = "camelCase")]
#[graphql(name = "ExecutionPlanRow")]
pub struct Model {
    /// The plan's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The brief it carries out.
    pub prd_id: Id,
    /// The project of that brief.
    pub project_id: Id,
    /// The ticket of the chief of staff that made it.
    pub parent_ticket_id: Id,
    /// Its number among the plans of that ticket, from 1.
    pub attempt: i32,
    /// The round of attempts it is in, from 1; a retry by a person after an escalation opens the next.
    pub cycle: i32,
    /// Where it stands.
    pub status: ExecutionPlanStatus,
    /// By when it should be decided; null while it waits for no decision. Those who decide are told when it is over.
    pub approval_due_at: Option<Timestamp>,
    /// When those who decide were told that it is overdue; null while they were not.
    pub approval_reminded_at: Option<Timestamp>,
    /// Since when it is paused; null when it is not. None of its tickets is handed out while it is.
    pub paused_at: Option<Timestamp>,
    /// Who paused it; null when it is not paused or the person is gone.
    pub paused_by_id: Option<Id>,
    /// The model that made it; null for the fallback plan, which none made.
    pub model: Option<String>,
    /// What is done in which order, in one to six steps.
    #[graphql(skip)]
    pub steps: Large<Json<Vec<PlanStep>>>,
    /// How many steps it has, from 1 to 6.
    pub step_count: i32,
    /// The plan in a few sentences, as it is posted to the team's channel.
    pub channel_summary: String,
    /// Why the attempt before it was replaced; null for a first attempt.
    pub replan_reason: Option<String>,
    /// What that attempt failed of, without paths and numbers so that equal causes compare equal, in at most 200
    /// characters; null when nothing had failed.
    pub error_signature: Option<String>,
    /// How a second model judged it, from 0 to 25, where 20 passes; null when none did.
    pub critique_score: Option<i32>,
    /// Whether it was rewritten after that judgement.
    pub revised: bool,
    /// How many plans were drafted, of which this one was chosen.
    pub candidate_count: i32,
    /// How each model voted on the drafts; null when there was no vote.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub council_votes: Large<Json<serde_json::Value>>,
    /// The content hash of the code graph it was made with; null when the project had none.
    pub graph_content_hash: Option<String>,
    /// Whether a budget was used up, so that no model was asked.
    pub budget_exceeded: bool,
    /// Whether it is the one-step plan made when no model gave a usable one.
    pub is_fallback: bool,
    /// How many tokens carrying it out should take; null when not estimated.
    pub estimated_tokens: Option<BigInt>,
    /// What carrying it out should cost, in millionths of a US dollar; null when not estimated.
    pub estimated_cost_micros: Option<BigInt>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ExecutionPlan, large [Steps, CouncilVotes]);
