//! Agents: their tokens, their connections, and the tasks from before there were tickets.

use super::{agenda::Who, secrets, workspace::Workspace};
use crate::error::Result;
use entity::{
    Id, Json, Large, agent_session,
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

pub(super) fn tell(ws: &mut Workspace<'_>, tokens: Vec<Token>, sessions: Vec<Session>) {
    for session in sessions {
        let made = tokens.iter().find(|token| token.key == session.token);
        let made = made.map_or(session.since, |token| token.ago);
        tell_session(ws, session, made - 0.2);
    }
    for token in tokens {
        ws.at(ws.ago(token.ago), Who::Person(UserRole::Admin), |ws| {
            Box::pin(write_token(ws, token))
        });
    }
}

async fn write_token(ws: &mut Workspace<'_>, token: Token) -> Result<()> {
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
        ..Default::default()
    };
    let row = ws.tx.insert(row, "agent_token.created").await?;
    let id = row.id.clone();
    ws.remember(format!("token:{}", token.key), &id);
    ws.tokens.insert(token.key, row);
    let used = id.clone();
    ws.at(ws.ago(token.used), Who::Server("agents"), move |ws| {
        Box::pin(async move {
            let token = ws.row::<agent_token::Entity>(&used).await?;
            let changes = agent_token::ActiveModel {
                last_used_at: Set(Some(ws.moment)),
                ..Default::default()
            };
            ws.tx.update_untold(&token, changes).await.map(drop)
        })
    });
    let Some(revoked) = token.revoked else {
        return Ok(());
    };
    ws.at(ws.ago(revoked), Who::Person(UserRole::Admin), move |ws| {
        Box::pin(async move {
            let token = ws.row::<agent_token::Entity>(&id).await?;
            let changes = agent_token::ActiveModel {
                revoked_at: Set(Some(ws.moment)),
                ..Default::default()
            };
            let revoked = ws.tx.update(&token, changes, "agent_token.revoked").await;
            revoked.map(drop)
        })
    });
    Ok(())
}

/// An agent connects, is lost for a while, comes back under the same id, and perhaps leaves.
fn tell_session(ws: &mut Workspace<'_>, session: Session, first: f64) {
    let agent = Who::Agent(session.token.clone());
    let (since, left, active) = (ws.ago(session.since), session.left, session.active);
    let lost = ws.later(since, -6.0);
    ws.at(ws.ago(first), agent.clone(), move |ws| {
        Box::pin(async move {
            let row = agent_session::ActiveModel {
                agent_token_id: Set(ws.id(&format!("token:{}", session.token))?),
                repos: Set(Json(session.repos)),
                roles: Set(Json(session.roles)),
                capabilities: Set(Json(session.capabilities)),
                connected_at: Set(ws.moment),
                last_ping_at: Set(ws.moment),
                instance_id: Set("server-1".to_owned()),
                ..Default::default()
            };
            let row = ws.tx.insert(row, "agent.connected").await?;
            if left.is_none() {
                ws.remember("session:connected".to_owned(), &row.id);
            }
            let id = row.id.clone();
            ws.at(lost, Who::Server("agents"), move |ws| {
                Box::pin(is_gone(ws, id))
            });
            let id = row.id.clone();
            ws.at(since, agent.clone(), move |ws| Box::pin(is_back(ws, id)));
            let id = row.id;
            match left {
                Some(left) => ws.at(ws.ago(left), agent, move |ws| Box::pin(is_gone(ws, id))),
                None => ws.at(ws.ago(0.0002), agent, move |ws| {
                    Box::pin(async move {
                        let session = ws.row::<agent_session::Entity>(&id).await?;
                        let alive = agent_session::ActiveModel {
                            active_jobs: Set(active),
                            last_ping_at: Set(ws.moment),
                            ..Default::default()
                        };
                        ws.tx.update_untold(&session, alive).await.map(drop)
                    })
                }),
            }
            Ok(())
        })
    });
}

async fn is_gone(ws: &mut Workspace<'_>, id: Id) -> Result<()> {
    let session = ws.row::<agent_session::Entity>(&id).await?;
    let gone = agent_session::ActiveModel {
        disconnected_at: Set(Some(ws.moment)),
        last_ping_at: Set(ws.moment),
        ..Default::default()
    };
    let gone = ws.tx.update(&session, gone, "agent.disconnected").await;
    gone.map(drop)
}

async fn is_back(ws: &mut Workspace<'_>, id: Id) -> Result<()> {
    let session = ws.row::<agent_session::Entity>(&id).await?;
    let back = agent_session::ActiveModel {
        connected_at: Set(ws.moment),
        last_ping_at: Set(ws.moment),
        disconnected_at: Set(None),
        ..Default::default()
    };
    let back = ws.tx.update(&session, back, "agent.connected").await;
    back.map(drop)
}

/// The tasks of old. Nothing makes such rows any more.
pub(super) fn tell_legacy(ws: &mut Workspace<'_>, tasks: Vec<Legacy>) {
    for task in tasks {
        ws.at(ws.ago(task.ago), Who::Server("agents"), |ws| {
            Box::pin(write_legacy(ws, task))
        });
    }
}

async fn write_legacy(ws: &mut Workspace<'_>, task: Legacy) -> Result<()> {
    use AgentTaskStatus::{Approved, AwaitingApproval, Completed, Failed, Pending, Rejected};
    let status = task.status;
    let needs_approval = matches!(status, Approved | AwaitingApproval | Rejected);
    let row = agent_task::ActiveModel {
        project_id: Set(ws.some("project", task.project.as_ref())?),
        goal_id: Set(ws.some("goal", task.goal.as_ref())?),
        agent_type: Set(task.agent),
        status: Set(Pending),
        input: Set(Large::new(Json(task.input))),
        requires_approval: Set(needs_approval),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "agent_task.created").await?;
    let (who, action) = match status {
        Approved => (Who::Person(UserRole::Owner), "agent_task.approved"),
        Rejected => (Who::Person(UserRole::Owner), "agent_task.rejected"),
        _ => (Who::Server("agents"), "agent_task.transitioned"),
    };
    ws.at(ws.soon(7.0), who, move |ws| {
        Box::pin(async move {
            let approved = status == Approved;
            let changes = agent_task::ActiveModel {
                status: Set(status),
                output: Set(Large(task.output.map(Json))),
                confidence: Set(task.confidence),
                approved_by: Set(approved.then(|| ws.email(UserRole::Owner))),
                approved_at: Set(approved.then_some(ws.moment)),
                error: Set(task.error),
                retry_count: Set(task.retries),
                completed_at: Set(
                    matches!(status, Approved | Completed | Failed | Rejected).then_some(ws.moment)
                ),
                ..Default::default()
            };
            ws.tx.update(&row, changes, action).await.map(drop)
        })
    });
    Ok(())
}
