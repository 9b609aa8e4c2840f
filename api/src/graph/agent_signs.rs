//! Signs of life of agents: what they say every few seconds, which the ledger does not tell of.

use super::{
    constraints::size,
    prelude::*,
    write::{Sign, sign},
};
use crate::{
    store::Tx,
    workflow::{self, Event, Progress},
};
use async_graphql::{InputObject, Object, SimpleObject};
use entity::{Id, agent_job, agent_job_event::AgentJobEventKind, agent_session};

/// Which session is alive, and what it works on.
#[derive(InputObject, Clone)]
pub struct AgentHeartbeatInput {
    /// The session.
    session_id: Id,
    /// The jobs it works on, at most 32.
    #[graphql(default, directive = size::apply(0, 32))]
    active_job_ids: Vec<Id>,
}

/// What `agentHeartbeat` answers with.
#[derive(SimpleObject)]
pub struct AgentHeartbeatPayload {
    /// The session as it is now.
    agent_session: AgentSession,
    /// Of the jobs you named, those that are not yours any more: stopped, given to another agent, or over. Leave off.
    lost_job_ids: Vec<Id>,
}

/// How far a job has come.
#[derive(InputObject, Clone)]
pub struct ReportJobProgressInput {
    /// The job.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    /// The report's number, which grows: one that is not above the last one's changes nothing. Left out, it is the next one.
    seq: Option<i32>,
    /// How far it has come, from 0 to 100; left out, as before.
    percent: Option<i32>,
    /// What it does now, at most 500 characters; left out, as before.
    message: Option<String>,
}

/// An entry for a run's journal.
#[derive(InputObject, Clone)]
pub struct JobEventInput {
    /// Its place among what this try wrote: 1, then one more each.
    seq: i32,
    /// What kind of thing it is.
    kind: AgentJobEventKind,
    /// What happened, 1 to 4,000 characters.
    text: String,
    /// What belongs to it, such as a command and what it printed; at most 20,000 characters as JSON.
    data: Option<serde_json::Value>,
}

/// What goes into a run's journal.
#[derive(InputObject, Clone)]
pub struct RecordJobEventsInput {
    /// The job.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    /// The entries in order, 1 to 100. What this try wrote already is left as it is.
    #[graphql(directive = size::apply(1, 100))]
    events: Vec<JobEventInput>,
}

/// Where a run is.
#[derive(InputObject, Clone)]
pub struct SaveCheckpointInput {
    /// The job.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    /// Whatever you must know to go on from here, or another agent after you; at most 200,000 characters as JSON.
    checkpoint: serde_json::Value,
}

/// What signs of life about a job answer with.
#[derive(SimpleObject)]
pub struct AgentSignPayload {
    /// The job as it is now.
    agent_job: AgentJob,
}

impl Sign for AgentHeartbeatInput {
    type Answer = (agent_session::Model, Vec<Id>);

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Self::Answer> {
        workflow::heard(tx, &self.session_id, &self.active_job_ids).await
    }
}

impl Sign for ReportJobProgressInput {
    type Answer = agent_job::Model;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        let progress = Progress {
            seq: self.seq,
            percent: self.percent,
            message: self.message,
        };
        workflow::report(tx, &self.job_id, self.attempt, progress).await
    }
}

impl Sign for RecordJobEventsInput {
    type Answer = agent_job::Model;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        let event = |event: JobEventInput| Event {
            seq: event.seq,
            kind: event.kind,
            text: event.text,
            data: event.data,
        };
        let events = self.events.into_iter().map(event).collect();
        workflow::record(tx, &self.job_id, self.attempt, events).await
    }
}

impl Sign for SaveCheckpointInput {
    type Answer = agent_job::Model;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        workflow::checkpoint(tx, &self.job_id, self.attempt, self.checkpoint).await
    }
}

/// A sign of life about a job.
async fn about_job<S: Sign<Answer = agent_job::Model>>(
    ctx: &Context<'_>,
    input: S,
) -> Nullable<AgentSignPayload> {
    let job = sign(ctx, input).await?;
    Ok(Some(AgentSignPayload {
        agent_job: AgentJob::of(&job),
    }))
}

/// Signs of life of agents.
#[derive(Default)]
pub struct AgentSignMutation;

#[Object]
impl AgentSignMutation {
    /// Says every 30 seconds that a session is alive, and keeps what it has for two minutes more, or for as long as its
    /// `patienceSeconds` say. For agents.
    async fn agent_heartbeat(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and what it works on.")] input: AgentHeartbeatInput,
    ) -> Nullable<AgentHeartbeatPayload> {
        let (session, lost_job_ids) = sign(ctx, input).await?;
        Ok(Some(AgentHeartbeatPayload {
            agent_session: AgentSession::of(&session),
            lost_job_ids,
        }))
    }

    /// Says how far a job has come. For agents.
    async fn report_job_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How far.")] input: ReportJobProgressInput,
    ) -> Nullable<AgentSignPayload> {
        about_job(ctx, input).await
    }

    /// Writes into the journal of a job, at most 2,000 entries in each try. What was written already may be sent again. For
    /// agents.
    async fn record_job_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to write.")] input: RecordJobEventsInput,
    ) -> Nullable<AgentSignPayload> {
        about_job(ctx, input).await
    }

    /// Keeps where a job is: whoever goes on with it finds it in `AgentJob.checkpoint`. For agents.
    async fn save_checkpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where it is.")] input: SaveCheckpointInput,
    ) -> Nullable<AgentSignPayload> {
        about_job(ctx, input).await
    }
}
