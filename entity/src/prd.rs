//! `prds`: the briefs that come out of meetings and go to approval.

use crate::prelude::*;
use async_graphql::InputObject;

text_enum! {
    /// Where a brief stands.
    #[graphql(name = "PRDStatus")]
    PrdStatus {
        /// Being written; can still be edited.
        Draft,
        /// Waiting for answers before it is drafted again.
        NeedsClarification,
        /// Waiting for someone to approve or reject it.
        PendingApproval,
        /// Approved, and final: a change is a new brief that supersedes this one.
        Approved,
        /// Rejected, with a reason.
        Rejected,
        /// Replaced by an approved revision.
        Superseded,
    }
}

text_enum! {
    /// How much a requirement matters.
    RequirementPriority {
        /// Wanted; taken where a draft names no priority.
        Medium,
        /// The result is worthless without it.
        Critical,
        /// Important, yet the result could ship without it.
        High,
        /// Nice to have.
        Low,
    }
}

text_enum! {
    /// What a requirement is about.
    RequirementType {
        /// What the product does.
        Functional,
        /// How well it does it: speed, safety, accessibility.
        NonFunctional,
        /// How it is built.
        Technical,
    }
}

/// Something that a brief asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "RequirementInput")]
pub struct Requirement {
    /// Its id within the brief, at most 100 characters; by its place, such as `REQ-1`, if none is given.
    #[graphql(default)]
    pub id: String,
    /// What is required, in a few words: 1 to 300 characters.
    pub title: String,
    /// What is required, in full, in at most 10,000 characters.
    #[graphql(default)]
    pub description: String,
    /// How much it matters.
    #[graphql(default)]
    pub priority: RequirementPriority,
    /// What it is about.
    #[serde(rename = "type")]
    #[graphql(default, name = "type")]
    pub kind: RequirementType,
    /// The statements that must hold for it to count as met, at most 100 of at most 2,000 characters.
    #[graphql(default)]
    pub acceptance_criteria: Vec<String>,
}

/// Something that could go wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "RiskInput")]
pub struct Risk {
    /// What could happen, 1 to 2,000 characters.
    pub description: String,
    /// What it would cost, in words, at most 2,000 characters.
    #[graphql(default)]
    pub impact: String,
    /// What is done about it, in at most 2,000 characters.
    #[graphql(default)]
    pub mitigation: String,
}

/// A brief: what is to be built and why, drafted from a meeting or written by hand.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "prds", rename_all = "camelCase")]
#[graphql(name = "PRDRow")]
pub struct Model {
    /// The brief's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The project it belongs to.
    pub project_id: Id,
    /// The goal it serves, if any.
    pub goal_id: Option<Id>,
    /// The meeting it was drafted from; null for a brief written by hand or when the meeting was deleted.
    pub meeting_id: Option<Id>,
    /// The version of the transcript it was drafted from; null like the meeting.
    pub transcript_id: Option<Id>,
    /// The brief that this one revises; null for a first version.
    pub supersedes_id: Option<Id>,
    /// What it is about, in one line.
    pub title: String,
    /// The brief in a paragraph, as lists show it.
    pub summary: String,
    /// What is to be reached, in the one-page form; null when not given.
    pub goal_text: Option<String>,
    /// Whom it is for, in the one-page form; null when not given.
    pub target_users: Option<String>,
    /// How success is measured, in the one-page form; null when not given.
    pub success_metrics: Option<String>,
    /// What is part of it, in the one-page form; null when not given.
    pub scope: Option<String>,
    /// What is not part of it, in the one-page form; null when not given.
    pub non_scope: Option<String>,
    /// What its author left open when it was written, at most two. What somebody asked is `clarifications`.
    pub open_questions: Json<Vec<String>>,
    /// What it should achieve, one sentence each.
    #[graphql(skip)]
    pub objectives: Large<Json<Vec<String>>>,
    /// What it asks for, the most important first.
    #[graphql(skip)]
    pub requirements: Large<Json<Vec<Requirement>>>,
    /// The statements that must hold for the whole to count as done.
    #[graphql(skip)]
    pub acceptance_criteria: Large<Json<Vec<String>>>,
    /// What is deliberately left out.
    #[graphql(skip)]
    pub out_of_scope: Large<Json<Vec<String>>>,
    /// What was taken for granted when it was written.
    #[graphql(skip)]
    pub assumptions: Large<Json<Vec<String>>>,
    /// What could go wrong.
    #[graphql(skip)]
    pub risks: Large<Json<Vec<Risk>>>,
    /// How many requirements it has.
    pub requirement_count: i32,
    /// The ways to build it that were compared, each as the architect wrote it.
    #[graphql(skip)]
    pub architecture_options: Large<Json<Vec<serde_json::Value>>>,
    /// The design of the way that was chosen; null before there is one.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub architecture_design: Large<Json<serde_json::Value>>,
    /// The name of the way that was chosen; null before the choice.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub selected_architecture: Large<String>,
    /// How several models judged it: votes, critique, consensus, cost and timing; null when they were not asked.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub council: Large<Json<serde_json::Value>>,
    /// By when it is wanted, in words; null when not given.
    pub timeline: Option<String>,
    /// How sure the drafting model is of it, from 0 to 1.
    pub confidence: f64,
    /// How often it was drafted, starting at 1. An approval names the version it saw.
    pub version: i32,
    /// Where it stands.
    pub status: PrdStatus,
    /// By when it should be decided; null while it waits for no decision. Those who decide are told when it is over.
    pub approval_due_at: Option<Timestamp>,
    /// When those who decide were told that it is overdue; null while they were not.
    pub approval_reminded_at: Option<Timestamp>,
    /// Since when it is paused; null when it is not. Nothing new is handed out while it is.
    pub paused_at: Option<Timestamp>,
    /// Who paused it; null when it is not paused or the person is gone.
    pub paused_by_id: Option<Id>,
    /// The repository its work goes to, as `owner/name`; null leaves it to the project's graph.
    pub target_repo: Option<String>,
    /// The id of its copy in Google Docs; null when there is none.
    pub google_doc_id: Option<String>,
    /// The address of its copy in Google Docs; null when there is none.
    pub google_doc_url: Option<String>,
    /// Who wrote it; null when the system did or the person is gone.
    pub created_by_id: Option<Id>,
    /// Who decided on it last; null before a decision, after an automatic one, or when the person is gone.
    pub decided_by_id: Option<Id>,
    /// When it was last decided on; null before a decision.
    pub decided_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(PRD, large [
    Objectives,
    Requirements,
    AcceptanceCriteria,
    OutOfScope,
    Assumptions,
    Risks,
    ArchitectureOptions,
    ArchitectureDesign,
    SelectedArchitecture,
    Council
]);
