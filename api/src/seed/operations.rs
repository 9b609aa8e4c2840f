//! What keeps a workspace running: credentials, connections, routes and schedules.

use super::{
    agenda::Who,
    secrets,
    workspace::{Workspace, raw},
};
use crate::{
    domain::machine::{ConnectionStep, step_to},
    error::Result,
    integrations::credential_name,
    store::standing,
    workflow::{AI_PROVIDER, CREDENTIAL, create_credential, replace_credential},
};
use entity::{
    Id, Json, Secret,
    channel_route::{self, RouteChannel, RouteMessageType},
    credential::{self, CredentialHealth, CredentialKind},
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

pub(super) fn tell(
    ws: &mut Workspace<'_>,
    credentials: Vec<Credential>,
    connections: Vec<Connection>,
    routes: Vec<Route>,
    schedules: Vec<Schedule>,
) {
    let admin = Who::Person(UserRole::Admin);
    for credential in credentials {
        ws.at(ws.ago(credential.ago), admin.clone(), |ws| {
            Box::pin(async move { write_credential(ws, credential).await.map(drop) })
        });
    }
    for connection in connections {
        ws.at(ws.ago(connection.ago), admin.clone(), |ws| {
            Box::pin(write_connection(ws, connection))
        });
    }
    for (place, route) in routes.into_iter().enumerate() {
        let at = ws.ago(61.0 - 0.1 * place as f64);
        ws.at(at, admin.clone(), |ws| Box::pin(write_route(ws, route)));
    }
    for (place, schedule) in schedules.into_iter().enumerate() {
        let at = ws.ago(58.0 - 0.1 * place as f64);
        ws.at(at, admin.clone(), |ws| {
            Box::pin(write_schedule(ws, schedule))
        });
    }
}

async fn write_credential(ws: &mut Workspace<'_>, credential: Credential) -> Result<Id> {
    let Credential {
        kind, name, hint, ..
    } = credential;
    let told = match kind {
        CredentialKind::AiProvider => AI_PROVIDER,
        _ => CREDENTIAL,
    };
    let kept = secrets::invented(kind, &name, &hint)?;
    let again = secrets::invented(kind, &name, &hint)?;
    let row = create_credential(&mut ws.tx, kind, name, kept, told).await?;
    let id = row.id.clone();
    let changed = ws.ago(credential.rotated.unwrap_or(credential.ago));
    if let Some(days) = credential.rotated {
        let row = row.clone();
        ws.at(ws.ago(days), Who::Person(UserRole::Admin), move |ws| {
            Box::pin(async move {
                let replaced = replace_credential(&mut ws.tx, &row, again, told);
                replaced.await.map(drop)
            })
        });
    }
    ws.at(ws.ago(credential.used), Who::Server("vault"), move |ws| {
        Box::pin(async move {
            let changes = credential::ActiveModel {
                last_used_at: Set(Some(ws.moment)),
                health: Set(CredentialHealth::Healthy),
                last_checked_at: Set(Some(ws.moment)),
                updated_at: Set(changed),
                ..Default::default()
            };
            ws.tx.update_untold(&row, changes).await.map(drop)
        })
    });
    Ok(id)
}

async fn write_connection(ws: &mut Workspace<'_>, connection: Connection) -> Result<()> {
    use IntegrationStatus::{Connected, Disconnected};
    let name = connection.name.to_value();
    let used = if connection.error.is_some() { 1.1 } else { 0.1 };
    let credential_id = match connection.hint {
        Some(hint) => {
            let credential = Credential {
                kind: CredentialKind::Integration,
                name: credential_name(connection.name, &connection.label),
                hint,
                ago: connection.ago,
                used,
                rotated: None,
            };
            Some(write_credential(ws, credential).await?)
        }
        None => None,
    };
    let connected = credential_id.is_some();
    let row = integration_connection::ActiveModel {
        name: Set(connection.name),
        label: Set(connection.label),
        status: Set(if connected { Connected } else { Disconnected }),
        credential_id: Set(Secret(credential_id)),
        metadata: Set(Json(or_empty(connection.shows))),
        last_tested_at: Set(connected.then_some(ws.moment)),
        connected_by_id: Set(connected.then(|| ws.user(UserRole::Admin)).transpose()?),
        connected_at: Set(connected.then_some(ws.moment)),
        ..Default::default()
    };
    let action = match connected {
        true => "integration.connected",
        false => "integration.created",
    };
    let row = ws.tx.insert(row, action).await?;
    ws.remember(format!("connection:{name}"), &row.id);
    let (status, error) = (connection.status, connection.error);
    if connected {
        ws.at(ws.ago(used), Who::Server("integrations"), move |ws| {
            Box::pin(async move {
                let tested = integration_connection::ActiveModel {
                    last_tested_at: Set(Some(ws.moment)),
                    last_error: Set(error),
                    ..Default::default()
                };
                let tested = match step_to::<ConnectionStep>(
                    &standing::<integration_connection::Entity>(&row)?,
                    status,
                )? {
                    None => ws.tx.update_untold(&row, tested).await,
                    Some(step) => ws.tx.take(&row, step, tested).await,
                };
                tested.map(drop)
            })
        });
    }
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
        ..Default::default()
    };
    ws.tx.insert(row, "channel_route.created").await?;
    Ok(())
}

async fn write_schedule(ws: &mut Workspace<'_>, schedule: Schedule) -> Result<()> {
    let row = scheduled_job::ActiveModel {
        name: Set(schedule.name),
        cron_expression: Set(schedule.cron),
        job_type: Set(schedule.job),
        payload: Set(Json(or_empty(schedule.payload))),
        enabled: Set(!schedule.off),
        next_run_at: Set(schedule.next.map(|days| ws.ago(-days))),
        created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "schedule.created").await?;
    let Some(days) = schedule.ran else {
        return Ok(());
    };
    let outcome = match schedule.error {
        Some(_) => ScheduledJobOutcome::Error,
        None => ScheduledJobOutcome::Success,
    };
    // Digests go out early, whatever the hours of work are.
    let ran = raw(ws.now, -24.0 * days);
    ws.at(ws.ago(days), Who::Server("scheduler"), move |ws| {
        Box::pin(async move {
            let changes = scheduled_job::ActiveModel {
                last_run_at: Set(Some(ran)),
                last_status: Set(Some(outcome)),
                last_error: Set(schedule.error),
                consecutive_failures: Set(schedule.failures),
                ..Default::default()
            };
            ws.tx.update_untold(&row, changes).await.map(drop)
        })
    });
    Ok(())
}

fn or_empty(value: Value) -> Value {
    if value.is_null() { json!({}) } else { value }
}
