//! The company and its people: tenant, users and invitations.

use super::{
    agents::{Legacy, Session, Token},
    graphs::Graph,
    library::{Library, Playbook},
    messages::{Notice, Subscription},
    operations::{Connection, Credential, Route, Schedule},
    projects::Project,
    secrets,
    workspace::{Workspace, later},
};
use crate::error::Result;
use entity::{
    BigInt, Json, Secret,
    invitation::{self, InvitationRole, InvitationStatus},
    tenant::{self, TenantSettings, TenantSetup},
    user::{self, ChannelIds, PreferredChannel, UserPersona, UserRole},
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

/// `company.yaml`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Company {
    name: String,
    timezone: String,
    monthly_cap_usd: i64,
    daily_tokens: i64,
    /// Days since it signed up.
    since: f64,
    pub(super) settings: TenantSettings,
    pub(super) people: Vec<Person>,
    invitations: Vec<Invitation>,
    pub(super) projects: Vec<Project>,
    pub(super) graphs: Vec<Graph>,
    pub(super) library: Library,
    pub(super) playbooks: Vec<Playbook>,
    pub(super) credentials: Vec<Credential>,
    pub(super) connections: Vec<Connection>,
    pub(super) routes: Vec<Route>,
    pub(super) schedules: Vec<Schedule>,
    pub(super) tokens: Vec<Token>,
    pub(super) sessions: Vec<Session>,
    pub(super) legacy: Vec<Legacy>,
    pub(super) notifications: Vec<Notice>,
    pub(super) subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    role: UserRole,
    name: String,
    persona: UserPersona,
    channel: PreferredChannel,
    slack: Option<String>,
    /// Days since they last signed in.
    seen: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    email: String,
    role: InvitationRole,
    status: InvitationStatus,
    ago: f64,
}

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    company: &mut Company,
    hashes: Vec<String>,
) -> Result<()> {
    let since = ws.ago(company.since);
    let row = tenant::ActiveModel {
        name: Set(company.name.clone()),
        slug: Set(ws.slug.to_owned()),
        settings: Set(Json(company.settings.clone())),
        monthly_spend_cap_micros: Set(Some(BigInt(company.monthly_cap_usd * 1_000_000))),
        daily_token_budget: Set(Some(BigInt(company.daily_tokens))),
        timezone: Set(company.timezone.clone()),
        created_at: Set(since),
        ..Default::default()
    };
    let tenant = ws.tx.insert(row, "tenant.created").await?;
    for (place, (person, hash)) in company.people.iter().zip(hashes).enumerate() {
        write_person(ws, person, hash, company.since - 24.0 * place as f64).await?;
    }
    for invitation in company.invitations.drain(..) {
        write_invitation(ws, invitation).await?;
    }
    let owner = ws.user(UserRole::Owner)?;
    let setup = TenantSetup {
        completed: true,
        completed_at: Some(later(since, 2.0)),
        completed_by: Some(owner),
    };
    let delegate_user_id = Some(ws.user(UserRole::Member)?);
    let settings = TenantSettings {
        setup,
        delegate_user_id,
        ..company.settings.clone()
    };
    let row = tenant::ActiveModel {
        settings: Set(Json(settings)),
        ..Default::default()
    };
    ws.tx
        .update::<tenant::Entity, _>(&tenant, row, "settings.updated")
        .await?;
    Ok(())
}

async fn write_person(
    ws: &mut Workspace<'_>,
    person: &Person,
    hash: String,
    joined: f64,
) -> Result<()> {
    let joined = ws.ago(joined);
    let row = user::ActiveModel {
        email: Set(ws.email(person.role)),
        password_hash: Set(Secret::new(hash)),
        name: Set(person.name.clone()),
        role: Set(person.role),
        preferred_channel: Set(person.channel),
        channel_ids: Set(Json(ChannelIds {
            slack: person.slack.clone(),
            ..Default::default()
        })),
        persona: Set(Some(person.persona)),
        has_seen_tour: Set(person.role != UserRole::Viewer),
        last_login_at: Set(Some(ws.ago(person.seen))),
        created_at: Set(joined),
        updated_at: Set(ws.ago(person.seen)),
        ..Default::default()
    };
    let user = ws.tx.insert(row, "user.joined").await?;
    ws.remember(
        format!("user:{}", sea_orm::ActiveEnum::to_value(&person.role)),
        &user.id,
    );
    ws.people.push((person.name.clone(), person.role));
    Ok(())
}

async fn write_invitation(ws: &mut Workspace<'_>, invitation: Invitation) -> Result<()> {
    let sent = ws.ago(invitation.ago);
    let accepted = invitation.status == InvitationStatus::Accepted;
    let row = invitation::ActiveModel {
        email: Set(invitation.email),
        role: Set(invitation.role),
        token_hash: Set(secrets::token_hash()),
        status: Set(invitation.status),
        invited_by_id: Set(Some(ws.user(UserRole::Owner)?)),
        accepted_by_id: Set(accepted.then(|| ws.user(UserRole::Member)).transpose()?),
        expires_at: Set(later(sent, 7.0 * 24.0)),
        accepted_at: Set(accepted.then(|| later(sent, 5.0))),
        created_at: Set(sent),
        updated_at: Set(later(sent, if accepted { 5.0 } else { 0.0 })),
        ..Default::default()
    };
    ws.tx.insert(row, "user.invited").await?;
    Ok(())
}
