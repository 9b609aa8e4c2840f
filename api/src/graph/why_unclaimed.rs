//! Why nobody works on a ticket.

use super::{
    by_slug::by_slug,
    figures::calendar,
    found::{rows_by, rows_where},
    prelude::*,
    ticket::brief_and_plan,
};
use crate::{
    auth::Action,
    store::{OnBudget, Which},
};
use async_graphql::{Enum, value};
use entity::{
    Owned, agent_role, agent_session, agent_token,
    execution_plan::ExecutionPlanStatus,
    project,
    ticket::{self, TicketStatus},
};
use futures_util::future::try_join_all;

/// The most sessions that are looked at.
const MOST: i32 = 200;

/// The most tickets of a role that are worked on at once.
const MOST_CLAIMED: i32 = 32;

/// What a ticket that nobody works on waits for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnclaimed {
    /// Other tickets, which are not done yet: see `dependencies`.
    Dependencies,
    /// Its plan is not active: it is not approved yet, or has failed.
    Plan,
    /// Its brief or its plan is paused.
    Paused,
    /// Its project is archived.
    ProjectArchived,
    /// Its role is not active, or there is none of that name.
    NoSuchRole,
    /// It failed in passing, and is tried again at `nextAttemptAt`.
    BackingOff,
    /// The budget of the workspace, of its role or of its project is used up: see `budgets`.
    Budget,
    /// As many tickets of its role are worked on as may be at once.
    Concurrency,
    /// No agent is connected that offers its role, has its repository, and may work in its project.
    NoAgent,
    /// The agents that could do it have as many jobs as they take, or were asked to leave.
    AgentsBusy,
    /// Nothing: it is claimed when it is its turn.
    Nothing,
}

/// What a ticket waits for; nothing when somebody works on it, a person must act, or it has ended.
pub(super) async fn why_unclaimed(
    ctx: &Context<'_>,
    row: &ticket::Model,
) -> crate::Result<Option<WhyUnclaimed>> {
    // Of roles, plans and other agents, an agent knows nothing.
    if !ctx.may(Action::Read) {
        return Ok(None);
    }
    match row.status {
        TicketStatus::Blocked => why_blocked(ctx, row).await.map(Some),
        TicketStatus::Ready => why_ready(ctx, row).await.map(Some),
        _ => Ok(None),
    }
}

async fn why_blocked(ctx: &Context<'_>, row: &ticket::Model) -> crate::Result<WhyUnclaimed> {
    if row.open_dependency_count > 0 {
        return Ok(WhyUnclaimed::Dependencies);
    }
    let (brief, plan) = brief_and_plan(ctx, row).await?;
    let paused = brief.is_some_and(|brief| brief.paused_at.is_some())
        || plan.as_ref().is_some_and(|plan| plan.paused_at.is_some());
    Ok(match plan {
        _ if paused => WhyUnclaimed::Paused,
        Some(plan) if plan.status != ExecutionPlanStatus::Active => WhyUnclaimed::Plan,
        _ => WhyUnclaimed::Nothing,
    })
}

async fn why_ready(ctx: &Context<'_>, row: &ticket::Model) -> crate::Result<WhyUnclaimed> {
    let scope = ctx.scope();
    let project = scope.find::<project::Entity>(&row.project_id).await?;
    if project.is_some_and(|project| project.is_archived) {
        return Ok(WhyUnclaimed::ProjectArchived);
    }
    let slug = row.role_slug.as_str();
    let role = by_slug::<AgentRole>(ctx, agent_role::Column::Slug, slug).await?;
    let role = role
        .map(|role| role.model::<agent_role::Entity>())
        .transpose()?;
    let Some(role) = role.filter(|role| role.is_active) else {
        return Ok(WhyUnclaimed::NoSuchRole);
    };
    if row.next_attempt_at.is_some_and(|at| scope.now() < at) {
        return Ok(WhyUnclaimed::BackingOff);
    }
    if is_spent(ctx, row).await? {
        return Ok(WhyUnclaimed::Budget);
    }
    let claimed = value!({ "status": { "eq": "CLAIMED" } });
    let of_role = ticket::Column::RoleSlug;
    let claimed = rows_where::<Ticket>(ctx, of_role, slug, Some(claimed), MOST_CLAIMED).await?;
    if claimed.len() >= usize::try_from(role.default_concurrency).unwrap_or_default() {
        return Ok(WhyUnclaimed::Concurrency);
    }
    let (mut able, mut free) = (false, false);
    let sessions = connected(ctx).await?;
    // Their tokens are asked for together.
    let fits = try_join_all(sessions.iter().map(|session| is_for(ctx, session, row))).await?;
    for (session, _) in sessions.iter().zip(fits).filter(|(_, fits)| *fits) {
        able = true;
        free |= session.draining_at.is_none() && session.active_jobs < session.max_active_jobs;
    }
    Ok(match (able, free) {
        (false, _) => WhyUnclaimed::NoAgent,
        (true, false) => WhyUnclaimed::AgentsBusy,
        (true, true) => WhyUnclaimed::Nothing,
    })
}

/// Whether a budget that its work counts to is used up. Who does not see the figures is told that much.
async fn is_spent(ctx: &Context<'_>, row: &ticket::Model) -> crate::Result<bool> {
    let day = calendar(ctx.scope()).await?.day(ctx.scope().now());
    let day = day.to_string();
    let on = OnBudget {
        day: &day,
        role: &row.role_slug,
        project: Some(&row.project_id),
    };
    let limited = on.limited();
    let spent = ctx.scope().caps(day, Which::Spent).await?;
    Ok(spent.iter().any(|cap| limited.contains(&cap.limited)))
}

/// The sessions that are connected. All tickets of an operation ask for the same ones.
async fn connected(ctx: &Context<'_>) -> crate::Result<Vec<agent_session::Model>> {
    let tenant = ctx.scope().actor().tenant().as_str();
    let connected = value!({ "disconnectedAt": { "isNull": true } });
    let of_tenant = agent_session::Entity::TENANT;
    let rows = rows_where::<AgentSession>(ctx, of_tenant, tenant, Some(connected), MOST).await?;
    rows.iter()
        .map(|row| row.model::<agent_session::Entity>())
        .collect()
}

/// Whether a session can take a ticket, as far as its role, its repository and its project are concerned.
async fn is_for(
    ctx: &Context<'_>,
    session: &agent_session::Model,
    row: &ticket::Model,
) -> crate::Result<bool> {
    let repo = row.target_repo.as_ref();
    if !session.roles.0.contains(&row.role_slug)
        || repo.is_some_and(|repo| !session.repos.0.contains(repo))
    {
        return Ok(false);
    }
    let by_id = agent_token::Column::Id;
    let token = rows_by::<AgentToken>(ctx, by_id, session.agent_token_id.as_str(), 1).await?;
    let Some(token) = token.first() else {
        return Ok(false);
    };
    let token = token.model::<agent_token::Entity>()?;
    let projects = token.project_ids.map(|projects| projects.0);
    Ok(projects.is_none_or(|projects| projects.contains(&row.project_id)))
}
