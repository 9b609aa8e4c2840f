//! What lets an agent's machine claim work, and which work.

use super::{
    constraints::size,
    prelude::*,
    write::{Once, Write, mutations},
};
use crate::{
    auth::{self, Action},
    domain::{check, plan::check_role},
    error::Error,
    store::Tx,
    workflow::{self, active_roles},
};
use async_graphql::InputObject;
use entity::{Id, Json, Secret, Timestamp, agent_token, project};
use sea_orm::ActiveValue::Set;

node! {
    /// Lets an agent's machine claim work for a tenant. The token itself is shown once, when it is made.
    AgentToken in agent_token (agent_token, agent_tokens) {
        columns {
            id: IdFilter,
            name: StringFilter,
            token_hint: StringFilter,
            created_by_id: IdFilter,
            expires_at: DateTimeFilter,
            last_used_at: DateTimeFilter,
            revoked_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who made it; null when that person is gone.
            created_by: User by created_by_id,
        }
        many {
            /// Daemons that signed in with this token.
            sessions: AgentSession by agent_token_id,
            /// What the agent with this token did.
            activity: AuditLog by agent_token_id,
            /// Tickets the agent with this token holds or held last.
            claimed_tickets: Ticket by claimed_by_token_id,
            /// Runs taken with this token.
            jobs: AgentJob by agent_token_id,
            /// What the agent with this token wrote into the journals of runs.
            job_events: AgentJobEvent by agent_token_id,
            /// What the agent with this token set aside for calls of models.
            budget_reservations: BudgetReservation by agent_token_id,
        }
    }
}

/// A token for an agent's machine.
#[derive(InputObject, Clone)]
pub struct CreateAgentTokenInput {
    /// What it is for, such as the machine it runs on, in 1 to 100 characters.
    name: String,
    /// The roles whose tickets it may claim, such as `dev_agent`: 1 to 50.
    #[graphql(directive = size::apply(1, 50))]
    role_slugs: Vec<String>,
    /// The projects whose tickets it may claim, 1 to 100; left out or null, all of them, later ones included.
    #[graphql(directive = size::apply(1, 100))]
    project_ids: Option<Vec<Id>>,
    /// When it stops working; left out, it does not.
    expires_at: Option<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateAgentTokenInput {
    type Entity = agent_token::Entity;
    const ACTION: Action = Action::ManageAgentTokens;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_token::Model> {
        let name = check::line("name", &self.name, 1, 100)?;
        let roles = active_roles(tx).await?;
        for slug in &self.role_slugs {
            check_role("roleSlugs", slug, &roles)?;
        }
        for id in self.project_ids.iter().flatten() {
            tx.keep::<project::Entity>(id).await?;
        }
        if self.expires_at.is_some_and(|at| at <= tx.now()) {
            return Err(Error::bad_input("expiresAt", "is in the past"));
        }
        let token = auth::mint(auth::AGENT);
        let row = agent_token::ActiveModel {
            name: Set(name),
            token_hash: Set(Secret::new(auth::hash(&token))),
            token_hint: Set(auth::hint(&token).to_owned()),
            role_slugs: Set(Json(self.role_slugs)),
            project_ids: Set(self.project_ids.map(Json)),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            expires_at: Set(self.expires_at),
            ..Default::default()
        };
        let row = tx.insert(row, "agent_token.created").await?;
        tx.show_once(token);
        Ok(row)
    }
}

/// Which token.
#[derive(InputObject, Clone)]
pub struct RevokeAgentTokenInput {
    /// The token's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RevokeAgentTokenInput {
    type Entity = agent_token::Entity;
    const ACTION: Action = Action::ManageAgentTokens;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_token::Model> {
        // What is written with it at this moment points to it.
        let token = tx.get_gently::<agent_token::Entity>(&self.id).await?;
        if token.revoked_at.is_some() {
            return Ok(token);
        }
        let changes = agent_token::ActiveModel {
            revoked_at: Set(Some(tx.now())),
            ..Default::default()
        };
        let token = tx.update(&token, changes, "agent_token.revoked").await?;
        workflow::end_of_token(tx, &token.id).await?;
        Ok(token)
    }
}

mutations! {
    AgentTokenMutation {
        /// Makes a token for an agent's machine.
        create_agent_token(CreateAgentTokenInput) -> CreateAgentTokenPayload {
            agent_token: AgentToken,
            /// The token itself, shown this once: null when the answer is repeated.
            once token
        };
        /// Makes a token stop working, for good, and ends the sessions of agents that hold it: what they had can be claimed
        /// again. One that was revoked stays as it is.
        revoke_agent_token(RevokeAgentTokenInput) -> RevokeAgentTokenPayload { agent_token: AgentToken };
    }
}
