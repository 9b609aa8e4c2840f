//! The runs that a connected daemon makes for a ticket.

use super::prelude::*;
use super::{
    constraints::length,
    shared::said,
    steps::{Shown, allowed, needs},
    write::{Once, Write, mutations},
};
use crate::{auth::Action, domain::machine::AgentJobStep, store::Tx, workflow};
use async_graphql::InputObject;
use entity::{Id, Json, agent_job};

node! {
    /// A run on a developer's or a build machine, made for a ticket by the daemon connected there.
    AgentJob in agent_job (agent_job, agent_jobs) {
        columns {
            id: IdFilter,
            ticket_id: IdFilter,
            project_id: IdFilter,
            agent_token_id: IdFilter,
            session_id: IdFilter,
            action: StringFilter,
            status: EnumFilter<agent_job::AgentJobStatus>,
            target_repo: StringFilter,
            pr_url: StringFilter,
            progress_percent: IntFilter,
            progress_message: StringFilter,
            error: StringFilter,
            attempt: IntFilter,
            dispatched_at: DateTimeFilter,
            acked_at: DateTimeFilter,
            started_at: DateTimeFilter,
            progress_seq: IntFilter,
            reported_at: DateTimeFilter,
            deadline_at: DateTimeFilter,
            completed_at: DateTimeFilter,
            lease_expires_at: DateTimeFilter,
            lease_seconds: IntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The ticket it works on.
            ticket: Ticket by ticket_id,
            /// The project it works in.
            project: Project by project_id,
            /// The agent that took it; null until one did.
            agent_token: AgentToken by agent_token_id,
            /// The connection over which it was sent; null before it was, and when that is gone.
            session: AgentSession by session_id,
        }
        many {
            /// Its journal, newest first.
            events: AgentJobEvent by job_id,
        }
        large {
            /// What the daemon is given, such as the branch and the brief's text, in at most 5 MB.
            payload: Json<serde_json::Value>,
            /// What the daemon handed in, such as the changed files and the counts of tests; null before it did.
            result: Json<serde_json::Value>,
            /// Where its daemon was when it last said so, for whoever goes on after it; null when it never did.
            checkpoint: Json<serde_json::Value>,
        }
    }
    fields {

        /// What you may do with it now; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<AgentJobStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for AgentJobStep {}

/// Which job to stop, and why.
#[derive(InputObject, Clone)]
pub struct CancelJobInput {
    /// The job.
    id: Id,
    /// Why, for the ledger: 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    reason: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CancelJobInput {
    type Entity = agent_job::Entity;
    const ACTION: Action = needs(AgentJobStep::Cancel.who());

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        workflow::cancel_job(tx, &self.id, said(self.reason)?).await
    }
}

mutations! { AgentJobMutation {
    /// Stops a run. Its agent hears of it by `agentCommands` and by its next heartbeat, and its ticket can be claimed again unless
    /// it waits for an answer; to stop that as well, `cancelTicket`.
    cancel_job(CancelJobInput) -> CancelJobPayload { agent_job: AgentJob };
} }
