//! The company and its people: they sign up, invite each other, and agree on who decides what.

use super::{
    agenda::Who,
    agents::{Legacy, Session, Token},
    graphs::Graph,
    library::{Library, Playbook},
    messages::{Notice, Subscription},
    operations::{Connection, Credential, Route, Schedule},
    projects::Project,
    secrets,
    services::Service,
    workspace::{Workspace, raw},
};
use crate::{
    domain::machine::{InvitationConsequence, InvitationStep},
    error::Result,
};
use entity::{
    BigInt, Json, Secret, Timestamp,
    invitation::{self, InvitationRole, InvitationStatus},
    tenant::{self, AutoApproval, Delegation, TenantSettings, TenantSetup},
    user::{self, ChannelIds, PreferredChannel, UserPersona, UserRole},
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

/// `company.yaml`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Company {
    name: String,
    pub(super) timezone: String,
    monthly_cap_usd: i64,
    daily_tokens: i64,
    /// Days since it signed up.
    pub(super) since: f64,
    pub(super) settings: TenantSettings,
    /// The project in which a rule approved briefs for a while.
    auto_approve_in: String,
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
    pub(super) services: Vec<Service>,
    pub(super) sessions: Vec<Session>,
    pub(super) legacy: Vec<Legacy>,
    pub(super) notifications: Vec<Notice>,
    pub(super) subscriptions: Vec<Subscription>,
}

#[derive(Clone, Deserialize)]
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

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    email: String,
    role: InvitationRole,
    status: InvitationStatus,
    ago: f64,
}

/// For so many days it has been settled who decides what.
const SETTLED: f64 = 54.0;
/// Days since the company thought better of the rule that approved briefs.
const RULED: f64 = 1.3;

pub(super) fn tell(ws: &mut Workspace<'_>, company: &mut Company, hashes: Vec<String>) {
    let since = ws.ago(company.since);
    let row = tenant::ActiveModel {
        name: Set(company.name.clone()),
        slug: Set(ws.slug.to_owned()),
        settings: Set(Json(company.settings.clone())),
        monthly_spend_cap_micros: Set(Some(BigInt(company.monthly_cap_usd * 1_000_000))),
        daily_token_budget: Set(Some(BigInt(company.daily_tokens))),
        timezone: Set(company.timezone.clone()),
        ..Default::default()
    };
    ws.at(since, Who::Server("seed"), move |ws| {
        Box::pin(async move { ws.tx.insert(row, "tenant.created").await.map(drop) })
    });
    let invitations: Vec<Invitation> = company.invitations.drain(..).collect();
    let accepted = |invitation: &&Invitation| invitation.status == InvitationStatus::Accepted;
    let accepted = invitations.iter().find(accepted).map(|found| found.ago);
    for (person, hash) in std::mem::take(&mut company.people).into_iter().zip(hashes) {
        ws.people.push((person.name.clone(), person.role));
        let joined = match person.role {
            UserRole::Owner => since,
            UserRole::Admin => ws.ago(company.since - 1.0),
            UserRole::Member => ws.later(ws.ago(accepted.unwrap_or(company.since)), 5.0),
            UserRole::Viewer => ws.ago(company.since - 27.0),
        };
        tell_person(ws, person, hash, joined);
    }
    for invitation in invitations {
        tell_invitation(ws, invitation);
    }
    let (owner, project) = (
        Who::Person(UserRole::Owner),
        company.auto_approve_in.clone(),
    );
    ws.at(ws.later(since, 2.0), owner.clone(), |ws| {
        Box::pin(async move {
            let setup = TenantSetup {
                completed: true,
                completed_at: Some(ws.moment),
                completed_by: Some(ws.user(UserRole::Owner)?),
                skipped: Vec::new(),
            };
            set(ws, |settings| settings.setup = setup).await
        })
    });
    ws.at(ws.ago(RULED), owner.clone(), |ws| {
        Box::pin(async move {
            set(ws, |settings| {
                settings.auto_approval = AutoApproval::default();
            })
            .await
        })
    });
    ws.at(ws.ago(SETTLED), owner, move |ws| {
        Box::pin(async move {
            let delegation = Some(Delegation {
                user_id: ws.user(UserRole::Member)?,
                for_user_id: ws.user(UserRole::Owner)?,
                until: ws.ago(-30.0),
            });
            set(ws, |settings| settings.delegation = delegation).await?;
            let auto_approval = AutoApproval {
                enabled: true,
                project_ids: Some(vec![ws.id(&format!("project:{project}"))?]),
                most_plan_cost_micros: None,
            };
            set(ws, |settings| settings.auto_approval = auto_approval).await
        })
    });
}

async fn set(ws: &mut Workspace<'_>, change: impl FnOnce(&mut TenantSettings)) -> Result<()> {
    let tenant = ws.row::<tenant::Entity>(&ws.tenant.clone()).await?;
    let mut settings = tenant.settings.0.clone();
    change(&mut settings);
    let changes = tenant::ActiveModel {
        settings: Set(Json(settings)),
        ..Default::default()
    };
    let updated = ws.tx.update(&tenant, changes, "settings.updated").await;
    updated.map(drop)
}

fn tell_person(ws: &mut Workspace<'_>, person: Person, hash: String, joined: Timestamp) {
    let (role, seen) = (person.role, ws.ago(person.seen));
    let row = user::ActiveModel {
        email: Set(ws.email(role)),
        password_hash: Set(Secret::new(hash)),
        name: Set(person.name),
        role: Set(role),
        preferred_channel: Set(person.channel),
        channel_ids: Set(Json(ChannelIds {
            slack: person.slack,
            ..Default::default()
        })),
        persona: Set(Some(person.persona)),
        has_seen_tour: Set(role != UserRole::Viewer),
        ..Default::default()
    };
    ws.at(joined, Who::Server("sign_up"), move |ws| {
        Box::pin(async move {
            let action = match role {
                UserRole::Owner => "user.signup",
                _ => "user.joined",
            };
            let user = ws.tx.insert(row, action).await?;
            ws.users.push(user);
            Ok(())
        })
    });
    ws.at(seen, Who::Person(role), move |ws| {
        Box::pin(async move {
            let user = ws.row::<user::Entity>(&ws.user(role)?).await?;
            let changes = user::ActiveModel {
                last_login_at: Set(Some(ws.moment)),
                ..Default::default()
            };
            ws.tx.update(&user, changes, "user.login").await.map(drop)
        })
    });
}

fn tell_invitation(ws: &mut Workspace<'_>, invitation: Invitation) {
    use InvitationStatus::{Accepted, Expired, Pending, Revoked};
    let sent = ws.ago(invitation.ago);
    let status = invitation.status;
    ws.at(sent, Who::Person(UserRole::Owner), move |ws| {
        Box::pin(async move {
            let row = invitation::ActiveModel {
                email: Set(invitation.email),
                role: Set(invitation.role),
                token_hash: Set(secrets::token_hash()),
                status: Set(Pending),
                invited_by_id: Set(Some(ws.user(UserRole::Owner)?)),
                expires_at: Set(raw(ws.moment, 7.0 * 24.0)),
                ..Default::default()
            };
            let row = ws.tx.insert(row, "user.invited").await?;
            let (at, who) = match status {
                Pending => return Ok(()),
                Accepted => {
                    let member = Who::Person(UserRole::Member);
                    (ws.soon(5.0), member)
                }
                Expired => {
                    let at = ws.hours.next(row.expires_at);
                    (at, Who::Server("invitations"))
                }
                Revoked => {
                    let owner = Who::Person(UserRole::Owner);
                    (ws.soon(30.0), owner)
                }
            };
            ws.at(at, who, move |ws| Box::pin(end(ws, row, status)));
            Ok(())
        })
    });
}

async fn end(
    ws: &mut Workspace<'_>,
    row: invitation::Model,
    status: InvitationStatus,
) -> Result<()> {
    let accepted = status == InvitationStatus::Accepted;
    let by = accepted.then(|| ws.user(UserRole::Member)).transpose()?;
    let changes = invitation::ActiveModel {
        accepted_by_id: Set(by),
        accepted_at: Set(accepted.then_some(ws.moment)),
        ..Default::default()
    };
    let ended = match status {
        InvitationStatus::Pending => return Ok(()),
        InvitationStatus::Revoked => ws.tx.take(&row, InvitationStep::Revoke, changes).await,
        InvitationStatus::Accepted => {
            let step = InvitationConsequence::Accept;
            ws.tx.take(&row, step, changes).await
        }
        InvitationStatus::Expired => {
            let step = InvitationConsequence::Expire;
            ws.tx.take(&row, step, changes).await
        }
    };
    ended.map(drop)
}
