//! `agent_job_events`: the journal of a run. Rows are added, never changed.

use crate::prelude::*;

text_enum! {
    /// What kind of thing a daemon wrote down.
    AgentJobEventKind {
        /// What it did.
        Action,
        /// What it thought.
        Thought,
        /// What it saw come of it.
        Observation,
        /// What it asked somebody.
        Question,
        /// What went wrong.
        Error,
        /// That it kept a checkpoint.
        Checkpoint,
    }
}

/// An entry in the journal of a run, in the words of the daemon.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_job_events", rename_all = "camelCase")]
#[graphql(name = "AgentJobEventRow")]
pub struct Model {
    /// The entry's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The run whose journal it is in.
    pub job_id: Id,
    /// The agent token that wrote it; null when that is gone.
    pub agent_token_id: Option<Id>,
    /// Its place among what this try of the run wrote, from 1 and without gaps.
    pub seq: i32,
    /// Which try of the run wrote it; see `AgentJob.attempt`.
    pub attempt: i32,
    /// What kind of thing it is.
    pub kind: AgentJobEventKind,
    /// What happened, in at most 4,000 characters.
    pub text: String,
    /// What belongs to it, such as a command and what it printed; null when nothing does.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub data: Large<Json<serde_json::Value>>,
    /// When it was written.
    pub created_at: Timestamp,
}

owned!(AgentJobEvent, large [Data], agent AgentTokenId);
