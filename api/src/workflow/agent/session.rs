//! Agents' connections: begun, taken up again, asked to end, and ended.

use super::{
    PATIENCE,
    back::{Back, give_back, lock_all},
    later, patience, under_way,
};
use crate::{
    domain::check,
    error::{Error, Result},
    store::Tx,
    workflow::{
        decider,
        references::{active_roles, all_of},
    },
};
use entity::{Id, Json, agent_job, agent_session, agent_token};
use sea_orm::{ActiveValue::Set, Condition, sea_query::ExprTrait};
use std::{collections::BTreeSet, sync::LazyLock};

/// The most capabilities that an agent names.
const MOST: usize = 50;

/// The most jobs that an agent takes at once.
const MOST_JOBS: i32 = 32;

/// What tells this server process apart from others.
static INSTANCE: LazyLock<String> = LazyLock::new(|| format!("server-{}", cuid2::create_id()));

/// What an agent says of itself.
pub(crate) struct Registration {
    /// The session that it takes up again.
    pub(crate) session: Option<Id>,
    pub(crate) repos: Vec<String>,
    /// None for all that its token is for.
    pub(crate) roles: Option<Vec<String>>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) max_active_jobs: i32,
    /// How long it may be silent.
    pub(crate) patience_seconds: i32,
    /// Why no agent more may connect to any workspace.
    pub(crate) is_full: Option<Error>,
}

/// Connects an agent, or takes a session of it up again.
///
/// # Errors
/// [`Error::BadUserInput`]; [`Error::NotFound`] when the session is none of the token's; [`Error::LimitExceeded`] when
/// there are too many agents.
pub(crate) async fn register(tx: &mut Tx<'_>, asked: Registration) -> Result<agent_session::Model> {
    if !(1..=MOST_JOBS).contains(&asked.max_active_jobs) {
        let reason = format!("must be from 1 to {MOST_JOBS}");
        return Err(Error::bad_input("maxActiveJobs", reason));
    }
    if !PATIENCE.contains(&asked.patience_seconds) {
        let reason = format!("must be from {} to {}", PATIENCE.start(), PATIENCE.end());
        return Err(Error::bad_input("patienceSeconds", reason));
    }
    let repos = { asked.repos.iter().enumerate() }
        .map(|(place, repo)| check::repository(&format!("repos[{place}]"), repo));
    let repos = repos.collect::<Result<Vec<_>>>()?;
    let capabilities = check::texts("capabilities", &asked.capabilities, MOST, 64)?;
    let token = tx.writer().agent_token_id().cloned();
    let token = token.ok_or_else(|| Error::Forbidden("Only agents connect.".to_owned()))?;
    // A token that is revoked meanwhile ends what is begun with it here.
    let held = tx.hold::<agent_token::Entity>(&token).await?;
    if held.revoked_at.is_some() {
        return Err(Error::Unauthenticated("This token was revoked."));
    }
    let allowed = held.role_slugs.0;
    let session = match &asked.session {
        Some(session) => Some(tx.get::<agent_session::Entity>(session).await?),
        None => None,
    };
    let active = tx
        .unseen(|tx| Box::pin(async move { active_roles(tx).await }))
        .await?;
    let usable: Vec<String> = { active.into_iter() }
        .filter(|role| allowed.contains(role))
        .collect();
    let roles = match asked.roles {
        None => usable,
        Some(roles) => {
            if let Some(other) = roles.iter().find(|role| !usable.contains(role)) {
                let reason = format!(
                    "names `{other}`, and this token is for: {}",
                    usable.join(", ")
                );
                return Err(Error::bad_input("roles", reason));
            }
            roles
        }
    };
    let said = agent_session::ActiveModel {
        repos: Set(Json(distinct(repos))),
        roles: Set(Json(distinct(roles))),
        capabilities: Set(Json(distinct(capabilities))),
        max_active_jobs: Set(asked.max_active_jobs),
        patience_seconds: Set(asked.patience_seconds),
        connected_at: Set(tx.now()),
        last_ping_at: Set(tx.now()),
        disconnected_at: Set(None),
        ..Default::default()
    };
    match session {
        Some(session) => {
            let mut said = said;
            if session.disconnected_at.is_some() {
                must_have_room(tx, asked.is_full).await?;
                // Who left as it was asked to, and comes back, works again.
                said.draining_at = Set(None);
            }
            tx.update(&session, said, "agent.connected").await
        }
        None => {
            must_have_room(tx, asked.is_full).await?;
            let row = agent_session::ActiveModel {
                agent_token_id: Set(token),
                active_jobs: Set(0),
                instance_id: Set(INSTANCE.clone()),
                ..said
            };
            tx.insert(row, "agent.connected").await
        }
    }
}

async fn must_have_room(tx: &Tx<'_>, is_full: Option<Error>) -> Result<()> {
    match is_full {
        Some(error) => Err(error),
        None => tx.has_room_for_agent().await,
    }
}

fn distinct(mut texts: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts
}

/// Asks an agent to take no new work, to finish what it has, and to leave.
///
/// # Errors
/// [`Error::Conflict`] when it has left already.
pub(crate) async fn drain(
    tx: &mut Tx<'_>,
    id: &Id,
    reason: Option<String>,
) -> Result<agent_session::Model> {
    let session = tx.get::<agent_session::Entity>(id).await?;
    if session.disconnected_at.is_some() {
        return Err(Error::Conflict("This agent has left already.".to_owned()));
    }
    if session.draining_at.is_some() {
        return Ok(session);
    }
    let changes = agent_session::ActiveModel {
        draining_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let session = tx.update(&session, changes, "agent.draining").await?;
    if let Some(reason) = reason {
        tx.explain(reason);
    }
    Ok(session)
}

/// Ends a session of the actor's own. What it had can be claimed again at once.
///
/// # Errors
/// [`Error::NotFound`] when it is none of the token's.
pub(crate) async fn disconnect(tx: &mut Tx<'_>, id: &Id) -> Result<agent_session::Model> {
    end(tx, id, End::Left("It left.")).await
}

/// Why a session ends.
#[derive(Clone, Copy)]
pub(super) enum End<'w> {
    /// It was silent for too long.
    Silent(&'w str),
    /// It left, or its token was revoked.
    Left(&'w str),
}

/// Ends a session: its jobs are given back, and it is connected no longer.
///
/// # Errors
/// [`Error::NotFound`] when it is none of the actor's; [`Error::Contended`] when it began something meanwhile, or was heard
/// of after all.
pub(super) async fn end(tx: &mut Tx<'_>, id: &Id, why: End<'_>) -> Result<agent_session::Model> {
    let (why, back) = match why {
        End::Silent(why) => (why, Back::Lost(why)),
        End::Left(why) => (why, Back::Left(why)),
    };
    let is_silent = matches!(back, Back::Lost(_));
    decider::settings(tx).await?;
    let session = tx.find::<agent_session::Entity>(id).await?;
    session.ok_or(Error::NotFound {
        kind: "AgentSession",
    })?;
    for job in jobs_of(tx, id).await? {
        give_back(tx, &job.id, back.clone()).await?;
    }
    tx.count_later(Some(id));
    tx.count_jobs().await?;
    let session = tx.get_gently::<agent_session::Entity>(id).await?;
    if session.disconnected_at.is_some() {
        return Ok(session);
    }
    let is_heard_of = is_silent && later(tx.now(), -patience(&session)) < session.last_ping_at;
    if is_heard_of || !jobs_of(tx, id).await?.is_empty() {
        return Err(Error::Contended);
    }
    let changes = agent_session::ActiveModel {
        disconnected_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let session = tx.update(&session, changes, "agent.disconnected").await?;
    tx.explain(why);
    Ok(session)
}

/// The jobs that a session has. Where there are several, their tickets are locked in order.
async fn jobs_of(tx: &mut Tx<'_>, session: &Id) -> Result<Vec<agent_job::Model>> {
    use agent_job::Column::SessionId;
    let session = session.clone();
    tx.unseen(|tx| {
        Box::pin(async move {
            let jobs = tx
                .unlocked_rows::<agent_job::Entity>(|place| {
                    all_of(place.column(SessionId).eq(session.as_str())).add(under_way(place))
                })
                .await?;
            let tickets: Vec<Id> = jobs.iter().map(|job| job.ticket_id.clone()).collect();
            lock_all(tx, &tickets).await?;
            Ok(jobs)
        })
    })
    .await
}

/// Ends the sessions that were begun with a token, which stopped working.
///
/// # Errors
/// If the database fails.
pub(crate) async fn end_of_token(tx: &mut Tx<'_>, token: &Id) -> Result<()> {
    use agent_session::Column::{AgentTokenId, DisconnectedAt};
    let connected = tx.unlocked_rows::<agent_session::Entity>(|place| {
        Condition::all()
            .add(place.column(AgentTokenId).eq(token.as_str()))
            .add(place.column(DisconnectedAt).is_null())
    });
    for session in connected.await? {
        end(tx, &session.id, End::Left("Its token was revoked.")).await?;
    }
    Ok(())
}
