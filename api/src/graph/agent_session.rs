//! Agents' connections, kept here so that they survive a restart of the server.

use super::{
    constraints::{length, size},
    prelude::*,
    shared::said,
    write::{Once, Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    store::Tx,
    workflow::{self, Registration},
};
use async_graphql::InputObject;
use entity::{Id, agent_session};

node! {
    /// A connection of an agent's machine, and what it can do. It resumes under the same id after an interruption.
    AgentSession in agent_session (agent_session, agent_sessions) {
        columns {
            id: IdFilter,
            agent_token_id: IdFilter,
            max_active_jobs: IntFilter,
            active_jobs: IntFilter,
            connected_at: DateTimeFilter,
            last_ping_at: DateTimeFilter,
            disconnected_at: DateTimeFilter,
            draining_at: DateTimeFilter,
            patience_seconds: IntFilter,
            instance_id: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The token the daemon signed in with.
            agent_token: AgentToken by agent_token_id,
        }
        many {
            /// Jobs that it was sent.
            jobs: AgentJob by session_id,
        }
    }
    fields {

        /// Whether the machine is there: it has not left, and was heard of within its `patienceSeconds`.
        async fn is_connected(&self, ctx: &Context<'_>) -> Result<bool> {
            let row = self.row()?;
            let silence = ctx.scope().now().inner() - row.last_ping_at.inner();
            Ok(row.disconnected_at.is_none() && silence <= workflow::patience(&row))
        }
    }
}

/// An agent, and what it can do.
#[derive(InputObject, Clone)]
pub struct RegisterAgentInput {
    /// The session that it takes up again after an interruption; left out, it gets a new one.
    session_id: Option<Id>,
    /// The repositories it has checked out, as `owner/name`, at most 50.
    #[graphql(default, directive = size::apply(0, 50))]
    repos: Vec<String>,
    /// The roles whose tickets it offers to claim, of those that its token is for; left out, all of these.
    #[graphql(directive = size::apply(1, 50))]
    roles: Option<Vec<String>>,
    /// The tools it found on its machine, such as `git` or `npm`, at most 50.
    #[graphql(default, directive = size::apply(0, 50))]
    capabilities: Vec<String>,
    /// How many jobs it takes at once, 1 to 32.
    #[graphql(default = 3)]
    max_active_jobs: i32,
    /// After so many seconds without `agentHeartbeat` the session ends and what it has is given back, 90 to 3,600. A daemon needs no
    /// more than the least; what works in an editor cannot show signs of life so often.
    #[graphql(default = 90)]
    patience_seconds: i32,
    #[graphql(skip)]
    is_full: Option<Error>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RegisterAgentInput {
    type Entity = agent_session::Entity;
    const ACTION: Action = Action::Work;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let is_full = ctx.scope().has_room_for_agent().await.err();
        Ok(Self { is_full, ..self })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_session::Model> {
        let asked = Registration {
            session: self.session_id,
            repos: self.repos,
            roles: self.roles,
            capabilities: self.capabilities,
            max_active_jobs: self.max_active_jobs,
            patience_seconds: self.patience_seconds,
            is_full: self.is_full,
        };
        workflow::register(tx, asked).await
    }
}

/// Which session ends.
#[derive(InputObject, Clone)]
pub struct DisconnectAgentInput {
    /// The session, which is the agent's own.
    session_id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for DisconnectAgentInput {
    type Entity = agent_session::Entity;
    const ACTION: Action = Action::Work;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_session::Model> {
        workflow::disconnect(tx, &self.session_id).await
    }
}

/// Which agent is to leave, and why.
#[derive(InputObject, Clone)]
pub struct DrainAgentInput {
    /// Its session.
    session_id: Id,
    /// Why: 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    reason: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for DrainAgentInput {
    type Entity = agent_session::Entity;
    const ACTION: Action = Action::ManageAgents;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_session::Model> {
        workflow::drain(tx, &self.session_id, said(self.reason)?).await
    }
}

mutations! { AgentSessionMutation {
    /// Connects an agent, or takes a session of it up again under the same id, with what it says of itself now. From then on it
    /// shows signs of life, by `agentHeartbeat` every 30 seconds: after `patienceSeconds` without any the session is over, and what it
    /// had can be claimed again. For agents.
    register_agent(RegisterAgentInput) -> RegisterAgentPayload { agent_session: AgentSession };
    /// Ends a session. What it had can be claimed again at once. For agents.
    disconnect_agent(DisconnectAgentInput) -> DisconnectAgentPayload { agent_session: AgentSession };
    /// Has an agent take no new work in this session, finish what it has, and leave: it hears of it by `agentCommands`, and its
    /// claims are answered with `DRAINING`. To keep it away, revoke its token.
    drain_agent(DrainAgentInput) -> DrainAgentPayload { agent_session: AgentSession };
} }
