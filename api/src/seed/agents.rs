//! Agents: their tokens, their connections, and the tasks from before there were tickets.

use super::{secrets, workspace::Workspace};
use crate::error::Result;
use entity::{
    Json, Large, agent_session,
    agent_task::{self, AgentTaskStatus},
    agent_token,
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    key: String,
    name: String,
    roles: Vec<String>,
    projects: Option<Vec<String>>,
    hint: String,
    ago: f64,
    /// Days since it was last used.
    used: f64,
    revoked: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    token: String,
    repos: Vec<String>,
    roles: Vec<String>,
    capabilities: Vec<String>,
    #[serde(default)]
    active: i32,
    /// Days since it connected.
    since: f64,
    /// Days since it left; none while it is connected.
    left: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Legacy {
    agent: String,
    status: AgentTaskStatus,
    project: Option<String>,
    goal: Option<String>,
    input: Value,
    output: Option<Value>,
    #[serde(default)]
    confidence: f64,
    error: Option<String>,
    #[serde(default)]
    retries: i32,
    ago: f64,
}

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    tokens: Vec<Token>,
    sessions: Vec<Session>,
) -> Result<()> {
    for token in tokens {
        let projects = token.projects.map(|slugs| {
            slugs
                .iter()
                .map(|slug| ws.id(&format!("project:{slug}")))
                .collect()
        });
        let projects: Option<Vec<_>> = projects.transpose()?;
        let row = agent_token::ActiveModel {
            name: Set(token.name),
            token_hash: Set(secrets::token_hash()),
            token_hint: Set(token.hint),
            role_slugs: Set(Json(token.roles)),
            project_ids: Set(projects.map(Json)),
            created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
            last_used_at: Set(Some(ws.ago(token.used))),
            revoked_at: Set(token.revoked.map(|days| ws.ago(days))),
            created_at: Set(ws.ago(token.ago)),
            updated_at: Set(ws.ago(token.used)),
            ..Default::default()
        };
        let row = ws.tx.insert(row, "agent_token.created").await?;
        ws.remember(format!("token:{}", token.key), &row.id);
    }
    for session in sessions {
        write_session(ws, session).await?;
    }
    Ok(())
}

async fn write_session(ws: &mut Workspace<'_>, session: Session) -> Result<()> {
    let last_ping = ws.ago(session.left.unwrap_or(0.0002));
    let row = agent_session::ActiveModel {
        agent_token_id: Set(ws.id(&format!("token:{}", session.token))?),
        repos: Set(Json(session.repos)),
        roles: Set(Json(session.roles)),
        capabilities: Set(Json(session.capabilities)),
        active_jobs: Set(session.active),
        connected_at: Set(ws.ago(session.since)),
        last_ping_at: Set(last_ping),
        disconnected_at: Set(session.left.map(|days| ws.ago(days))),
        instance_id: Set("server-1".to_owned()),
        // It keeps its id when it comes back after an interruption.
        created_at: Set(ws.ago(session.since + 40.0)),
        updated_at: Set(last_ping),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "agent_session.created").await?;
    if session.left.is_none() {
        ws.remember("session:connected".to_owned(), &row.id);
    }
    Ok(())
}

/// Writes the tasks of old. Nothing makes such rows any more.
pub(super) async fn write_legacy(ws: &mut Workspace<'_>, tasks: Vec<Legacy>) -> Result<()> {
    for task in tasks {
        use AgentTaskStatus::{Approved, AwaitingApproval, Completed, Failed, Rejected};
        let needs_approval = matches!(task.status, Approved | AwaitingApproval | Rejected);
        let ended = matches!(task.status, Approved | Completed | Failed | Rejected);
        let end = ws.ago(task.ago - 0.3);
        let approved = task.status == Approved;
        let row = agent_task::ActiveModel {
            project_id: Set(ws.some("project", task.project.as_ref())?),
            goal_id: Set(ws.some("goal", task.goal.as_ref())?),
            agent_type: Set(task.agent),
            status: Set(task.status),
            input: Set(Large::new(Json(task.input))),
            output: Set(Large(task.output.map(Json))),
            confidence: Set(task.confidence),
            requires_approval: Set(needs_approval),
            approved_by: Set(approved.then(|| ws.email(UserRole::Owner))),
            approved_at: Set(approved.then_some(end)),
            error: Set(task.error),
            retry_count: Set(task.retries),
            completed_at: Set(ended.then_some(end)),
            created_at: Set(ws.ago(task.ago)),
            updated_at: Set(end),
            ..Default::default()
        };
        ws.tx.insert(row, "agent_task.created").await?;
    }
    Ok(())
}
