//! The next ticket for an agent, or why there is none; and why nobody has a ticket.

use super::{
    job::of_ticket,
    job_leased, later, lease_seconds, leased, must_be_connected,
    payload::{action, payload},
};
use crate::{
    domain::{
        check,
        machine::{AgentJobConsequence, TicketConsequence},
        plan::check_role,
    },
    error::{Error, Result},
    store::{Cap, Sought, Tx},
    workflow::references::{active, all_of, roles},
};
use async_graphql::Enum;
use chrono::TimeDelta;
use entity::{
    Id, Json, Large,
    agent_job::{self, AgentJobStatus},
    agent_role, agent_session, agent_token,
    budget_counter::BudgetKind,
    ticket,
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

/// Those who claim queue up under this name, so that none is counted twice.
const CLAIMS: &str = "claims";

/// What an agent asks for.
pub(crate) struct Wanted {
    pub(crate) session: Id,
    /// None for all that the session offers.
    pub(crate) role: Option<String>,
    /// Of the session's repositories, only these.
    pub(crate) repos: Option<Vec<String>>,
}

/// Why an agent gets no ticket now.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclaimed {
    /// No ticket is ready for it. `workAvailable` tells when one is.
    NoneReady,
    /// Tickets are ready, and as many of their roles are worked on already as may be.
    Concurrency,
    /// Tickets are ready in repositories that the session has not checked out.
    Repository,
    /// Tickets are ready that failed in passing a moment ago, and are tried again a little later.
    BackingOff,
    /// Tickets are ready, and the budget of the workspace, of their role or of their project is used up.
    Budget,
    /// What there is to do is held back: its brief or its plan is paused, or the plan is not approved yet.
    Held,
    /// No role of the session is active any more and allowed by its token.
    NoSuchRole,
    /// The session has as many jobs as it takes.
    SessionFull,
    /// An admin asked the session to finish what it has, and to leave.
    Draining,
}

/// What an agent has claimed.
pub(crate) struct Taken {
    pub(crate) ticket: ticket::Model,
    pub(crate) job: agent_job::Model,
    pub(crate) role: agent_role::Model,
}

/// Gives an agent the ticket that is next, with a job.
///
/// # Errors
/// [`Error::NotFound`] when the session is none of the token's; [`Error::Conflict`] when it was ended;
/// [`Error::BadUserInput`] when it does not offer the role.
pub(crate) async fn claim(tx: &mut Tx<'_>, wanted: Wanted) -> Result<Result<Taken, Unclaimed>> {
    for (place, repo) in wanted.repos.iter().flatten().enumerate() {
        check::repository(&format!("repos[{place}]"), repo)?;
    }
    let session = tx.find::<agent_session::Entity>(&wanted.session).await?;
    let session = session.ok_or(Error::NotFound {
        kind: "AgentSession",
    })?;
    if let Some(no) = may_claim(&session)? {
        return Ok(Err(no));
    }
    let token = tx
        .find::<agent_token::Entity>(&session.agent_token_id)
        .await?;
    let token = token.ok_or(Error::NotFound { kind: "AgentToken" })?;
    let offered: Vec<String> = { session.roles.0.iter() }
        .filter(|role| token.role_slugs.0.contains(role))
        .cloned()
        .collect();
    if let Some(role) = &wanted.role {
        check_role("roleSlug", role, &offered)?;
    }
    let roles: Vec<String> = { offered.into_iter() }
        .filter(|role| wanted.role.as_ref().is_none_or(|wanted| wanted == role))
        .collect();
    let repos: Vec<String> = { session.repos.0.iter() }
        .filter(|repo| wanted.repos.as_ref().is_none_or(|some| some.contains(repo)))
        .cloned()
        .collect();
    let found = tx.unseen(|tx| {
        Box::pin(async move {
            let projects = token.project_ids.map(|projects| projects.0);
            find(tx, roles, repos, projects).await
        })
    });
    let (found, role) = match found.await? {
        Ok(found) => found,
        Err(no) => return Ok(Err(no)),
    };
    let (ticket, job) = take(tx, &session, found, &role).await?;
    // Last, as everybody does; others of its own may have been faster.
    let session = tx.get_gently::<agent_session::Entity>(&session.id).await?;
    if let Some(no) = may_claim(&session)? {
        return Ok(Err(no));
    }
    tx.count_locked(&session.id);
    Ok(Ok(Taken { ticket, job, role }))
}

/// Why a session gets no ticket, whatever there is.
fn may_claim(session: &agent_session::Model) -> Result<Option<Unclaimed>> {
    must_be_connected(session)?;
    Ok(if session.draining_at.is_some() {
        Some(Unclaimed::Draining)
    } else if session.active_jobs >= session.max_active_jobs {
        Some(Unclaimed::SessionFull)
    } else {
        None
    })
}

type Found = (ticket::Model, agent_role::Model);

/// The next ticket, with its role. Read as a part of the server, which sees all tickets. Whoever finds one keeps the others
/// waiting until the commit, and nobody else does.
async fn find(
    tx: &mut Tx<'_>,
    wanted: Vec<String>,
    repos: Vec<String>,
    projects: Option<Vec<Id>>,
) -> Result<Result<Found, Unclaimed>> {
    let known = roles(tx).await?;
    let usable: Vec<_> = { active(&known).into_iter() }
        .filter(|role| wanted.contains(&role.slug))
        .collect();
    if usable.is_empty() {
        return Ok(Err(Unclaimed::NoSuchRole));
    }
    let wanted: Vec<String> = usable.iter().map(|role| role.slug.clone()).collect();
    let (_, day) = tx.today().await?;
    let spent = Spent::of(tx.spent(&day).await?);
    let affordable = Sought {
        roles: { wanted.iter() }
            .filter(|slug| spent.may_begin(slug))
            .cloned()
            .collect(),
        repos: Some(repos),
        projects,
        shut: spent.projects,
        is_patient: true,
    };
    let all = Sought {
        roles: wanted,
        shut: Vec::new(),
        ..affordable.clone()
    };
    loop {
        tx.queue_up_for_now(CLAIMS).await?;
        let claimed = tx.claimed_by_role(&affordable.roles).await?;
        let is_free = |role: &&&agent_role::Model| {
            let claimed = claimed.get(&role.slug).copied().unwrap_or_default();
            claimed < i64::from(role.default_concurrency)
        };
        let sought = Sought {
            roles: { usable.iter().filter(is_free) }
                .map(|role| role.slug.clone())
                .filter(|slug| affordable.roles.contains(slug))
                .collect(),
            ..affordable.clone()
        };
        if let Some(ticket) = tx.next_ticket(&sought).await? {
            let role = usable.iter().find(|role| role.slug == ticket.role_slug);
            let role =
                role.ok_or_else(|| Error::internal("a ticket of a role nobody asked for"))?;
            return Ok(Ok((ticket, (*role).clone())));
        }
        tx.leave_queue().await?;
        let why = why_none(tx, &sought, &affordable, &all).await?;
        // One that came meanwhile is no reason why there is none.
        if why == Unclaimed::NoneReady || !tx.has_ticket(&sought).await? {
            return Ok(Err(why));
        }
    }
}

/// Whose budget is used up.
#[derive(Default)]
struct Spent {
    workspace: bool,
    roles: Vec<String>,
    projects: Vec<Id>,
}

impl Spent {
    fn of(caps: Vec<Cap>) -> Self {
        let mut spent = Self::default();
        for Cap { limited, .. } in caps {
            match limited.kind {
                BudgetKind::TenantMonthCost | BudgetKind::TenantDayTokens => spent.workspace = true,
                BudgetKind::RoleMonthTokens => spent.roles.push(limited.key),
                BudgetKind::ProjectMonthCost => spent.projects.push(limited.key.into()),
            }
        }
        spent
    }

    /// Whether new work of a role begins, as far as it and the workspace are concerned.
    fn may_begin(&self, role: &str) -> bool {
        !self.workspace && !self.roles.iter().any(|spent| spent == role)
    }
}

/// What stands in the way where no ticket was found, of several things the one that is nearest.
async fn why_none(
    tx: &Tx<'_>,
    sought: &Sought,
    affordable: &Sought,
    all: &Sought,
) -> Result<Unclaimed> {
    if affordable.roles.len() > sought.roles.len() && tx.has_ticket(affordable).await? {
        return Ok(Unclaimed::Concurrency);
    }
    let is_short = affordable.roles.len() < all.roles.len() || !affordable.shut.is_empty();
    if is_short && tx.has_ticket(all).await? {
        return Ok(Unclaimed::Budget);
    }
    let anywhere = Sought {
        repos: None,
        ..all.clone()
    };
    if tx.has_ticket(&anywhere).await? {
        return Ok(Unclaimed::Repository);
    }
    let later = Sought {
        is_patient: false,
        ..all.clone()
    };
    if tx.has_ticket(&later).await? {
        return Ok(Unclaimed::BackingOff);
    }
    Ok(match tx.has_held_ticket(all).await? {
        true => Unclaimed::Held,
        false => Unclaimed::NoneReady,
    })
}

/// The ticket is the agent's, and a job tells of it: the one that was given back, or a new one.
async fn take(
    tx: &mut Tx<'_>,
    session: &agent_session::Model,
    found: ticket::Model,
    role: &agent_role::Model,
) -> Result<(ticket::Model, agent_job::Model)> {
    let claimed = ticket::ActiveModel {
        claimed_by_token_id: Set(Some(session.agent_token_id.clone())),
        claimed_by: Set(None),
        claimed_at: Set(Some(tx.now())),
        attempt_count: Set(found.attempt_count + 1),
        next_attempt_at: Set(None),
        ..leased(tx, lease_seconds(session))
    };
    let ticket = tx.take(&found, TicketConsequence::Claim, claimed).await?;
    let given = ticket::Model {
        description: found.description,
        payload: found.payload,
        ..ticket.clone()
    };
    let (given, last) = tx
        .unseen(|tx| {
            Box::pin(async move {
                let (of_ticket, kept) =
                    (agent_job::Column::TicketId, [agent_job::Column::Checkpoint]);
                let last = tx.newest_row_with::<agent_job::Entity>(&kept, |place| {
                    all_of(place.column(of_ticket).eq(given.id.as_str()))
                });
                let last = last.await?;
                Ok((payload(tx, &given).await?, last))
            })
        })
        .await?;
    let seconds = ticket.timeout_seconds.unwrap_or(role.timeout_seconds);
    let sent = agent_job::ActiveModel {
        agent_token_id: Set(Some(session.agent_token_id.clone())),
        session_id: Set(Some(session.id.clone())),
        payload: Set(Large::new(Json(given))),
        action: Set(action(&ticket).to_owned()),
        target_repo: Set(ticket.target_repo.clone().unwrap_or_default()),
        dispatched_at: Set(Some(tx.now())),
        acked_at: Set(None),
        started_at: Set(None),
        reported_at: Set(None),
        deadline_at: Set(Some(later(tx.now(), TimeDelta::seconds(seconds.into())))),
        ..job_leased(tx, lease_seconds(session))
    };
    let job = match last {
        Some(last) if last.status == AgentJobStatus::Pending => {
            tx.take(&last, AgentJobConsequence::Dispatch, sent).await?
        }
        last => {
            let checkpoint = last.and_then(|last| last.checkpoint.0);
            let row = agent_job::ActiveModel {
                ticket_id: Set(ticket.id.clone()),
                project_id: Set(ticket.project_id.clone()),
                status: Set(AgentJobStatus::Dispatched),
                attempt: Set(1),
                checkpoint: Set(Large(checkpoint)),
                ..sent
            };
            tx.insert(row, "job.dispatched").await?
        }
    };
    of_ticket(tx, &ticket);
    Ok((ticket, job))
}
