//! `agent_jobs`: the runs that a connected daemon makes for a ticket.

use crate::prelude::*;

text_enum! {
    /// Where a job stands.
    AgentJobStatus {
        /// Waiting for a daemon that has the repository and a free place; fails after 24 hours.
        Pending,
        /// Sent to a daemon that has not confirmed it yet; pending again after five minutes without an answer.
        Dispatched,
        /// Being carried out.
        InProgress,
        /// Finished, with its result.
        Done,
        /// Failed, with its error.
        Failed,
        /// Stopped: by a person, or because its ticket is not needed any more.
        Cancelled,
    }
}

/// A run on a developer's or a build machine, made for a ticket by the daemon connected there.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_jobs", rename_all = "camelCase")]
#[graphql(name = "AgentJobRow")]
pub struct Model {
    /// The job's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The ticket it is made for.
    pub ticket_id: Id,
    /// The project of that ticket.
    pub project_id: Id,
    /// The agent token that has or had it last; null before it was sent or when the token is gone.
    pub agent_token_id: Option<Id>,
    /// The daemon's connection that has or had it; null before it was sent.
    pub session_id: Option<Id>,
    /// What the daemon is to do, such as `implement_prd`, `review_pr` or `run_tests`.
    pub action: String,
    /// Where it stands.
    pub status: AgentJobStatus,
    /// The repository it works in, as `owner/name`; empty when its ticket names none.
    pub target_repo: String,
    /// What the daemon is given, such as the branch and the brief's text, in at most 5 MB.
    #[graphql(skip)]
    pub payload: Large<Json<serde_json::Value>>,
    /// What the daemon handed in, such as the changed files and the counts of tests; null before it did.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub result: Large<Json<serde_json::Value>>,
    /// Where its daemon was when it last said so, for whoever goes on after it; null when it never did.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub checkpoint: Large<Json<serde_json::Value>>,
    /// The address of the pull request it opened; null when there is none.
    pub pr_url: Option<String>,
    /// How far it has come as last reported, from 0 to 100; null before the first report.
    pub progress_percent: Option<i32>,
    /// What it was doing as last reported; null before the first report.
    pub progress_message: Option<String>,
    /// The number of the last report of its progress, as the daemon counts them; null before the first one.
    pub progress_seq: Option<i32>,
    /// When its daemon last reported something; null before that.
    pub reported_at: Option<Timestamp>,
    /// Why it failed, in at most 5,000 characters; null when it did not.
    pub error: Option<String>,
    /// The number of the current try, from 1; a lost connection starts another.
    pub attempt: i32,
    /// When it was sent to a daemon; null before that.
    pub dispatched_at: Option<Timestamp>,
    /// When the daemon confirmed it; null before that.
    pub acked_at: Option<Timestamp>,
    /// When the daemon began; null before that.
    pub started_at: Option<Timestamp>,
    /// When it has failed if it is not done by then; null when no daemon has had it.
    pub deadline_at: Option<Timestamp>,
    /// For how many seconds each sign of life keeps it.
    pub lease_seconds: i32,
    /// When it was done, failed or cancelled; null before that.
    pub completed_at: Option<Timestamp>,
    /// Until when it belongs to its daemon, which must show signs of life before; null when no daemon has it.
    pub lease_expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(AgentJob, large [Payload, Result, Checkpoint], agent AgentTokenId);
