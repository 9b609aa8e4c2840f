//! `tickets`: the pieces of work that agents claim.

use crate::prelude::*;

text_enum! {
    /// Where a ticket stands.
    TicketStatus {
        /// Free to be claimed.
        Ready,
        /// Waiting for other tickets to be done, for its plan to become active, or for its brief or its plan to go on after a
        /// pause.
        Blocked,
        /// Being worked on by whoever holds the lease.
        Claimed,
        /// Held until a person acts; `waitingReason` says on what.
        Waiting,
        /// Finished, with its result.
        Done,
        /// Failed for good; a person may retry it.
        Failed,
        /// Stopped by a person.
        Cancelled,
        /// Dropped because its plan was replaced.
        Superseded,
    }
}

text_enum! {
    /// What a waiting ticket waits for.
    WaitingReason {
        /// Someone who approves or rejects its result.
        Approval,
        /// The answer to a question.
        Clarification,
        /// Someone who resumes its brief or plan. A ticket that nobody works on is `BLOCKED` then.
        Paused,
    }
}

text_enum! {
    /// An outside tracker in which a ticket is mirrored.
    ExternalSystem {
        /// Atlassian Jira.
        Jira,
        /// Linear.
        Linear,
    }
}

/// A piece of work for one role: the chief of staff's planning of a brief, or a step of a plan.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "tickets", rename_all = "camelCase")]
#[graphql(name = "TicketRow")]
pub struct Model {
    /// The ticket's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The project it belongs to.
    pub project_id: Id,
    /// The goal it serves, taken from its parent; null when that has none.
    pub goal_id: Option<Id>,
    /// The meeting it comes from; null when none or deleted.
    pub meeting_id: Option<Id>,
    /// The brief it carries out; null when it has to do with none.
    pub prd_id: Option<Id>,
    /// The plan it is a step of; null on a top-level ticket.
    pub plan_id: Option<Id>,
    /// Which step of that plan, from 0; null on a top-level ticket.
    pub step_index: Option<i32>,
    /// The chief of staff's ticket above it; null on a top-level ticket.
    pub parent_ticket_id: Option<Id>,
    /// The role whose queue it is in, in at most 64 characters.
    pub role_slug: String,
    /// The specialist it is meant for; null leaves it to the role alone.
    pub subagent_slug: Option<String>,
    /// The slugs of the skills its agent may use; empty when none.
    pub skills: Json<Vec<String>>,
    /// What is to be done, in at most 200 characters.
    pub title: String,
    /// What is to be done in full, in at most 10,000 characters. Empty when the title says it all.
    #[graphql(skip)]
    pub description: Large<String>,
    /// Where it stands.
    pub status: TicketStatus,
    /// What it waits for; null unless it is waiting.
    pub waiting_reason: Option<WaitingReason>,
    /// How urgent it is, from 0 to 1,000, the highest first: low 50, normal 100, high 200, urgent 400.
    pub priority: i32,
    /// The repository it is about, as `owner/name`; null when it touches none.
    pub target_repo: Option<String>,
    /// The agent token that claimed it; null when it is free or a worker of the server has it.
    pub claimed_by_token_id: Option<Id>,
    /// The worker of the server that claimed it; null when it is free or an agent token has it.
    pub claimed_by: Option<String>,
    /// When it was claimed; null when it is free.
    pub claimed_at: Option<Timestamp>,
    /// Until when it belongs to its claimer, who must ask for more before; null when it is free.
    pub lease_expires_at: Option<Timestamp>,
    /// When its claimer last showed signs of life; null when it is free.
    pub heartbeat_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempt_count: i32,
    /// How often it may be tried before it fails.
    pub max_attempts: i32,
    /// Before when it is not handed out again after a failed try; null when it need not wait.
    pub next_attempt_at: Option<Timestamp>,
    /// After how many seconds of work it has failed; null takes the role's limit.
    pub timeout_seconds: Option<i32>,
    /// What its agent is given besides the title and the description; its shape depends on the role.
    #[graphql(skip)]
    pub payload: Large<Json<serde_json::Value>>,
    /// What its agent handed in; null before it did. Its shape depends on the role.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub result: Large<Json<serde_json::Value>>,
    /// Why its last try failed, in at most 5,000 characters; null when none failed.
    pub error: Option<String>,
    /// That reason without paths and numbers so that equal causes compare equal, in at most 200 characters; null
    /// when there is none.
    pub error_signature: Option<String>,
    /// How sure its agent is of the result, from 0 to 1.
    pub confidence: f64,
    /// Whether a person must approve the result before it is done.
    pub requires_approval: bool,
    /// Who approved the result; null before that or when the person is gone.
    pub approved_by_id: Option<Id>,
    /// When the result was approved; null before that.
    pub approved_at: Option<Timestamp>,
    /// How many of the tickets it depends on are not done yet.
    pub open_dependency_count: i32,
    /// The outside tracker it is mirrored in; null when it is in none.
    pub external_system: Option<ExternalSystem>,
    /// Its key in that tracker, such as `SHOP-12`; null when it is in none.
    pub external_key: Option<String>,
    /// Its status in that tracker, in the tracker's words; null when unknown.
    pub external_status: Option<String>,
    /// As of when `externalStatus` is known: when it was mirrored, or when the tracker says that it was so; null when never.
    pub external_synced_at: Option<Timestamp>,
    /// Who created it, such as `user:ada@example.com` or `system:chief_of_staff`.
    pub created_by: String,
    /// When it was done, failed or stopped; null before that, and again after a retry.
    pub completed_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Ticket, large [Description, Payload, Result], agent ClaimedByTokenId);
