//! What keeps a workspace running: credentials, connections, routes and schedules.

use super::{secrets, workspace::Workspace};
use crate::error::Result;
use entity::{
    Json, Secret,
    channel_route::{self, RouteChannel, RouteMessageType},
    credential::{self, CredentialKind},
    integration_connection::{self, IntegrationName, IntegrationStatus},
    scheduled_job::{self, ScheduledJobOutcome},
    user::UserRole,
};
use sea_orm::{ActiveEnum, ActiveValue::Set};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credential {
    kind: CredentialKind,
    name: String,
    hint: String,
    ago: f64,
    /// Days since it was last used.
    used: f64,
    rotated: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connection {
    name: IntegrationName,
    #[serde(default)]
    label: String,
    status: IntegrationStatus,
    ago: f64,
    /// The end of its credential; none without a credential.
    hint: Option<String>,
    #[serde(default)]
    shows: Value,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    channel: RouteChannel,
    via: Option<String>,
    target: String,
    takes: Option<RouteMessageType>,
    project: Option<String>,
    role: Option<String>,
    #[serde(default)]
    dm: bool,
    #[serde(default)]
    off: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    name: String,
    cron: String,
    job: String,
    #[serde(default)]
    payload: Value,
    /// Days since it last ran.
    ran: Option<f64>,
    /// Days until it runs next.
    next: Option<f64>,
    error: Option<String>,
    #[serde(default)]
    failures: i32,
    #[serde(default)]
    off: bool,
}

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    credentials: Vec<Credential>,
    connections: Vec<Connection>,
    routes: Vec<Route>,
    schedules: Vec<Schedule>,
) -> Result<()> {
    for credential in credentials {
        write_credential(ws, credential).await?;
    }
    for connection in connections {
        write_connection(ws, connection).await?;
    }
    for route in routes {
        write_route(ws, route).await?;
    }
    for schedule in schedules {
        write_schedule(ws, schedule).await?;
    }
    Ok(())
}

async fn write_credential(ws: &mut Workspace<'_>, credential: Credential) -> Result<entity::Id> {
    let row = credential::ActiveModel {
        kind: Set(credential.kind),
        name: Set(credential.name),
        ciphertext: Set(Secret::new(secrets::random::<56>())),
        nonce: Set(Secret::new(secrets::random::<12>())),
        key_id: Set("demo-key-1".to_owned()),
        hint: Set(Some(credential.hint)),
        last_used_at: Set(Some(ws.ago(credential.used))),
        rotated_at: Set(credential.rotated.map(|days| ws.ago(days))),
        created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
        created_at: Set(ws.ago(credential.ago)),
        updated_at: Set(ws.ago(credential.rotated.unwrap_or(credential.ago))),
        ..Default::default()
    };
    let is_provider = credential.kind == CredentialKind::AiProvider;
    let action = if is_provider {
        "ai_provider.added"
    } else {
        "credential.created"
    };
    Ok(ws.tx.insert(row, action).await?.id)
}

async fn write_connection(ws: &mut Workspace<'_>, connection: Connection) -> Result<()> {
    let name = connection.name.to_value();
    let used = if connection.error.is_some() { 1.1 } else { 0.1 };
    let credential_id = match connection.hint {
        Some(hint) => {
            let (kind, name, ago) = (CredentialKind::Integration, name.clone(), connection.ago);
            Some(
                write_credential(
                    ws,
                    Credential {
                        kind,
                        name,
                        hint,
                        ago,
                        used,
                        rotated: None,
                    },
                )
                .await?,
            )
        }
        None => None,
    };
    let connected = credential_id.is_some();
    let row = integration_connection::ActiveModel {
        name: Set(connection.name),
        label: Set(connection.label),
        status: Set(connection.status),
        credential_id: Set(Secret(credential_id)),
        metadata: Set(Json(or_empty(connection.shows))),
        last_tested_at: Set(connected.then(|| ws.ago(used))),
        last_error: Set(connection.error),
        connected_by_id: Set(connected.then(|| ws.user(UserRole::Admin)).transpose()?),
        connected_at: Set(connected.then(|| ws.ago(connection.ago))),
        created_at: Set(ws.ago(connection.ago)),
        updated_at: Set(ws.ago(used)),
        ..Default::default()
    };
    let action = if connected {
        "integration.connected"
    } else {
        "integration.created"
    };
    let row = ws.tx.insert(row, action).await?;
    ws.remember(format!("connection:{name}"), &row.id);
    Ok(())
}

async fn write_route(ws: &mut Workspace<'_>, route: Route) -> Result<()> {
    let row = channel_route::ActiveModel {
        project_id: Set(ws.some("project", route.project.as_ref())?),
        role_slug: Set(route.role),
        message_type: Set(route.takes),
        connection_id: Set(ws.some("connection", route.via.as_ref())?),
        channel: Set(route.channel),
        target: Set(route.target),
        is_dm: Set(route.dm),
        enabled: Set(!route.off),
        created_at: Set(ws.ago(61.0)),
        updated_at: Set(ws.ago(61.0)),
        ..Default::default()
    };
    ws.tx.insert(row, "channel_route.created").await?;
    Ok(())
}

async fn write_schedule(ws: &mut Workspace<'_>, schedule: Schedule) -> Result<()> {
    let outcome = if schedule.error.is_some() {
        ScheduledJobOutcome::Error
    } else {
        ScheduledJobOutcome::Success
    };
    let row = scheduled_job::ActiveModel {
        name: Set(schedule.name),
        cron_expression: Set(schedule.cron),
        job_type: Set(schedule.job),
        payload: Set(Json(or_empty(schedule.payload))),
        enabled: Set(!schedule.off),
        last_run_at: Set(schedule.ran.map(|days| ws.ago(days))),
        next_run_at: Set(schedule.next.map(|days| ws.ago(-days))),
        last_status: Set(schedule.ran.map(|_| outcome)),
        last_error: Set(schedule.error),
        consecutive_failures: Set(schedule.failures),
        created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
        created_at: Set(ws.ago(58.0)),
        updated_at: Set(ws.ago(schedule.ran.unwrap_or(30.0))),
        ..Default::default()
    };
    ws.tx.insert(row, "schedule.created").await?;
    Ok(())
}

fn or_empty(value: Value) -> Value {
    if value.is_null() { json!({}) } else { value }
}
