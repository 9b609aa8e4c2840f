//! `agent_sessions`: agents' connections, kept here so that they survive a restart of the server.

use crate::prelude::*;

/// A connection of an agent's machine, and what it can do. It resumes under the same id after an interruption.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "agent_sessions", rename_all = "camelCase")]
#[graphql(name = "AgentSessionRow")]
pub struct Model {
    /// The session's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The token it signed in with.
    pub agent_token_id: Id,
    /// The repositories it has checked out, as `owner/name`.
    pub repos: Json<Vec<String>>,
    /// The roles whose tickets it offers to claim, as slugs.
    pub roles: Json<Vec<String>>,
    /// The tools it found on its machine, such as `claude`, `git`, `npm` or `gh`.
    pub capabilities: Json<Vec<String>>,
    /// How many jobs it takes at once.
    pub max_active_jobs: i32,
    /// How many jobs it has now.
    pub active_jobs: i32,
    /// When it connected.
    pub connected_at: Timestamp,
    /// When it was last heard of.
    pub last_ping_at: Timestamp,
    /// After so many seconds of silence it counts as lost.
    pub patience_seconds: i32,
    /// When it left or was lost; null while connected.
    pub disconnected_at: Option<Timestamp>,
    /// Since when it takes no new work, because an admin asked it to finish and leave; null while it takes some.
    pub draining_at: Option<Timestamp>,
    /// The server process that holds the connection.
    pub instance_id: String,
    /// When it first registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(AgentSession, agent AgentTokenId);
