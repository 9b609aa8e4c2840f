//! What calls of models cost: recorded, set aside for, and held against what may be used.

mod reprice;
mod tell;

pub(crate) use self::{
    reprice::{count_in_new_days, count_older, recount, reprice, repriced_then},
    tell::tell_all,
};

use self::tell::{counter_of, tell, told_of, told_of_refusal};
use super::{
    active_roles,
    agent::{had_job, has_job},
    references::all_of,
};
use crate::{
    domain::{
        plan::check_role,
        price::{Rates, Taken},
    },
    error::{Error, Result},
    store::{Amount, Amounts, Cap, OnBudget, Tx},
};
use chrono::TimeDelta;
use entity::{
    BigInt, Id, Owned as _, Timestamp, agent_job, agent_token,
    api_usage::{self, ApiOperation, ApiProvider},
    budget_counter::BudgetKind,
    budget_reservation, project, ticket,
};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Condition};

/// How long something is set aside for a call.
const RESERVED: TimeDelta = TimeDelta::minutes(15);

/// What a call is made for: a job, or work of a role beside any job.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    pub(crate) job: Option<Id>,
    pub(crate) role: Option<String>,
    pub(crate) project: Option<Id>,
}

/// A model that is called, and what that takes.
#[derive(Clone, Debug)]
pub(crate) struct ModelCall {
    pub(crate) purpose: Purpose,
    pub(crate) provider: ApiProvider,
    pub(crate) model: String,
    pub(crate) taken: Taken,
}

/// What became of a call.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) operation: ApiOperation,
    pub(crate) latency_ms: Option<i32>,
    /// What the provider called the failure; none when it succeeded.
    pub(crate) error_code: Option<String>,
    pub(crate) request_id: Option<String>,
    /// What was set aside for it.
    pub(crate) reservation: Option<Id>,
}

/// A cap that does not allow a call, and when it begins anew.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) cap: Cap,
    pub(crate) ends_at: Timestamp,
}

/// On whose account a call is.
#[derive(Debug)]
struct Account {
    role: String,
    project: Option<Id>,
    ticket: Option<ticket::Model>,
}

impl Account {
    fn on<'b>(&'b self, day: &'b str) -> OnBudget<'b> {
        OnBudget {
            day,
            role: &self.role,
            project: self.project.as_ref(),
        }
    }
}

/// Records a call that was made, at what it costs now, also when the job is another agent's by now: it was paid for.
///
/// # Errors
/// [`Error::NotFound`] for a job that the actor never had or a reservation that it did not make, [`Error::BadUserInput`] for a
/// role that is none of its token's, and for a job that a service names.
pub(crate) async fn record_usage(
    tx: &mut Tx<'_>,
    call: ModelCall,
    made: Made,
) -> Result<api_usage::Model> {
    let account = account(tx, call.purpose, Held::Once).await?;
    let (price, cost) = priced(tx, call.provider, &call.model, call.taken).await?;
    let (_, day) = tx.today().await?;
    let reservation = match &made.reservation {
        Some(id) => Some(own_reservation(tx, id).await?),
        None => None,
    };
    let of = account.ticket.as_ref();
    let row = api_usage::ActiveModel {
        user_id: Set(None),
        project_id: Set(account.project.clone()),
        prd_id: Set(of.and_then(|ticket| ticket.prd_id.clone())),
        plan_id: Set(of.and_then(|ticket| ticket.plan_id.clone())),
        ticket_id: Set(of.map(|ticket| ticket.id.clone())),
        role_slug: Set(account.role.clone()),
        provider: Set(call.provider),
        model: Set(call.model),
        operation: Set(made.operation),
        input_tokens: Set(BigInt(call.taken.input)),
        output_tokens: Set(BigInt(call.taken.output)),
        cached_tokens: Set(BigInt(call.taken.cached)),
        audio_seconds: Set(i32::try_from(call.taken.seconds).unwrap_or(i32::MAX)),
        cost_micros: Set(BigInt(cost)),
        price_id: Set(price),
        latency_ms: Set(made.latency_ms),
        success: Set(made.error_code.is_none()),
        error_code: Set(made.error_code),
        request_id: Set(made.request_id),
        ..Default::default()
    };
    let row = tx.insert_untold(row).await?;
    let mut amounts = Amounts::default();
    let tokens = call.taken.input + call.taken.output;
    let on = account.on(&day);
    amounts.add(&on, tokens, cost, |amount, share| amount.used += share);
    if let Some(reservation) = reservation {
        give_back(tx, &reservation, &mut amounts).await?;
    }
    let counters = tx.count_usage(amounts).await?;
    for cap in tx.caps_on(&on).await? {
        if let Some(told) = told_of(&cap) {
            tell(tx, &cap, &counters, told).await?;
        }
    }
    Ok(row)
}

/// Sets aside what a call may take, for some minutes; or says which cap it would pass.
///
/// # Errors
/// [`Error::StaleLease`] when the actor has the job no longer; otherwise as [`record_usage`].
pub(crate) async fn reserve(
    tx: &mut Tx<'_>,
    call: ModelCall,
) -> Result<Result<budget_reservation::Model, Refused>> {
    if call.taken == Taken::default() {
        return Err(Error::bad_input(
            "inputTokens",
            "or `outputTokens` or `audioSeconds` must say what the call takes",
        ));
    }
    let account = account(tx, call.purpose, Held::Now).await?;
    let (_, cost) = priced(tx, call.provider, &call.model, call.taken).await?;
    let (calendar, day) = tx.today().await?;
    let tokens = call.taken.input + call.taken.output;
    let on = account.on(&day);
    let mut amounts = Amounts::default();
    amounts.add(&on, tokens, cost, |amount, share| amount.reserved += share);
    let counters = tx.count_usage(amounts.clone()).await?;
    let caps = tx.caps_on(&on).await?;
    let passed = { caps.into_iter() }
        .filter(|cap| counter_of(&counters, cap).is_some())
        .find(Cap::is_overdrawn);
    if let Some(mut passed) = passed {
        let counters = tx.count_usage(amounts.reversed()).await?;
        if let Some(without) = counter_of(&counters, &passed) {
            let (BigInt(used), BigInt(reserved)) = (without.used, without.reserved);
            passed.amount = Amount { used, reserved };
        }
        // One call that is too large says nothing of what others take.
        if let Some(told) = told_of_refusal(&passed) {
            tell(tx, &passed, &counters, told).await?;
        }
        let ends_at = match passed.limited.kind {
            BudgetKind::TenantDayTokens => calendar.day_around(tx.now()).to,
            _ => calendar.month_around(tx.now()).to,
        };
        return Ok(Err(Refused {
            cap: passed,
            ends_at,
        }));
    }
    let row = budget_reservation::ActiveModel {
        agent_token_id: Set(tx.writer().agent_token_id().cloned()),
        service_token_id: Set(tx.writer().service_token_id().cloned()),
        role_slug: Set(account.role.clone()),
        project_id: Set(account.project.clone()),
        ticket_id: Set(account.ticket.map(|ticket| ticket.id)),
        tokens: Set(BigInt(tokens)),
        cost_micros: Set(BigInt(cost)),
        day: Set(day),
        expires_at: Set(Timestamp::new(tx.now().inner() + RESERVED)),
        settled_at: Set(None),
        ..Default::default()
    };
    Ok(Ok(tx.insert_untold(row).await?))
}

/// What whoever writes set aside, locked. A service has what it made, also where its role does not read reservations.
///
/// # Errors
/// [`Error::NotFound`] for what others made.
pub(crate) async fn own_reservation(tx: &mut Tx<'_>, id: &Id) -> Result<budget_reservation::Model> {
    let Some(service) = tx.writer().service_token_id().cloned() else {
        return tx.get::<budget_reservation::Entity>(id).await;
    };
    let id = id.clone();
    let found =
        tx.unseen(|tx| Box::pin(async move { tx.get::<budget_reservation::Entity>(&id).await }));
    let found = found.await?;
    match found.service_token_id == Some(service) {
        true => Ok(found),
        false => Err(Error::NotFound {
            kind: budget_reservation::Entity::KIND,
        }),
    }
}

/// "A reservation whose time is over": what [`tend_reservation`] gives back.
pub(crate) fn overdue_reservations(now: Timestamp) -> Condition {
    use budget_reservation::Column::{ExpiresAt, SettledAt};
    all_of(SettledAt.is_null()).add(ExpiresAt.lte(now))
}

/// Gives back what was set aside for a call that nobody recorded. Says whether it was.
///
/// # Errors
/// If the database fails.
pub(crate) async fn tend_reservation(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    let reservation = tx.get::<budget_reservation::Entity>(id).await?;
    if reservation.settled_at.is_some() || tx.now() < reservation.expires_at {
        return Ok(false);
    }
    let mut amounts = Amounts::default();
    give_back(tx, &reservation, &mut amounts).await?;
    tx.count_usage(amounts).await?;
    Ok(true)
}

/// Nothing is set aside any more. One that was given back already stays so.
async fn give_back(
    tx: &mut Tx<'_>,
    reservation: &budget_reservation::Model,
    amounts: &mut Amounts,
) -> Result<()> {
    if reservation.settled_at.is_some() {
        return Ok(());
    }
    let settled = budget_reservation::ActiveModel {
        settled_at: Set(Some(tx.now())),
        ..Default::default()
    };
    tx.update_untold(reservation, settled).await?;
    let on = OnBudget {
        day: &reservation.day,
        role: &reservation.role_slug,
        project: reservation.project_id.as_ref(),
    };
    let (BigInt(tokens), BigInt(cost)) = (reservation.tokens, reservation.cost_micros);
    amounts.add(&on, tokens, cost, |amount, share| amount.reserved -= share);
    Ok(())
}

/// When an agent must have had a job whose calls it speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Now,
    Once,
}

async fn account(tx: &mut Tx<'_>, purpose: Purpose, held: Held) -> Result<Account> {
    let Some(job) = purpose.job else {
        return beside_jobs(tx, purpose).await;
    };
    if tx.writer().is_service() {
        return Err(Error::bad_input(
            "jobId",
            "is for the agent that has the job: name the `roleSlug` and the `projectId` of the call instead",
        ));
    }
    match held {
        Held::Now => has_job(tx, &job).await?,
        Held::Once => had_job(tx, &job).await?,
    }
    if purpose.role.is_some() || purpose.project.is_some() {
        return Err(Error::bad_input(
            "jobId",
            "says the role and the project already: leave `roleSlug` and `projectId` out",
        ));
    }
    let ticket = tx.unseen(|tx| {
        Box::pin(async move {
            match tx.find::<agent_job::Entity>(&job).await? {
                Some(job) => tx.find::<ticket::Entity>(&job.ticket_id).await,
                None => Ok(None),
            }
        })
    });
    let ticket = ticket.await?.ok_or_else(|| {
        Error::Conflict(
            "This job is gone, with its ticket. Name the `roleSlug` and the `projectId` of the call instead of its `jobId`."
                .to_owned(),
        )
    })?;
    if held == Held::Now {
        keep_project(tx, &ticket.project_id).await?;
    }
    Ok(Account {
        role: ticket.role_slug.clone(),
        project: Some(ticket.project_id.clone()),
        ticket: Some(ticket),
    })
}

/// A role of the token, or any for a service, and a project that it may work in.
async fn beside_jobs(tx: &mut Tx<'_>, purpose: Purpose) -> Result<Account> {
    let role = purpose
        .role
        .ok_or_else(|| Error::bad_input("roleSlug", "is needed where no `jobId` says the role"))?;
    if tx.writer().is_service() {
        check_role("roleSlug", &role, &active_roles(tx).await?)?;
    }
    let token = match tx.writer().agent_token_id().cloned() {
        Some(token) => tx.find::<agent_token::Entity>(&token).await?,
        None => None,
    };
    let (roles, projects) = match token {
        Some(token) => (Some(token.role_slugs.0), token.project_ids.map(|ids| ids.0)),
        None => (None, None),
    };
    if let Some(roles) = roles.filter(|roles| !roles.contains(&role)) {
        let reason = format!(
            "names `{role}`, and your token is for: {}",
            roles.join(", ")
        );
        return Err(Error::bad_input("roleSlug", reason));
    }
    // What is done for some projects counts to one of them.
    let project = match (purpose.project, projects.as_deref()) {
        (None, Some([only])) => Some(only.clone()),
        (None, Some(_)) => {
            return Err(Error::bad_input(
                "projectId",
                "is needed: your token is for some projects only",
            ));
        }
        (Some(id), Some(projects)) if !projects.contains(&id) => {
            return Err(Error::NotFound { kind: "Project" });
        }
        (project, _) => project,
    };
    if let Some(id) = &project {
        keep_project(tx, id).await?;
    }
    Ok(Account {
        role,
        project,
        ticket: None,
    })
}

/// A project that something is about to point to, before counters are held: projects come before them.
async fn keep_project(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    let id = id.clone();
    tx.unseen(|tx| Box::pin(async move { tx.keep::<project::Entity>(&id).await.map(drop) }))
        .await
}

/// What a call costs now, and at which price.
async fn priced(
    tx: &Tx<'_>,
    provider: ApiProvider,
    model: &str,
    taken: Taken,
) -> Result<(Option<Id>, i64)> {
    let price = tx.price(provider, model).await?;
    let rates = match (&price, provider) {
        (Some(price), _) => Rates::from(price),
        (None, ApiProvider::Custom) => Rates::NOTHING,
        (None, _) => Rates::UNKNOWN,
    };
    Ok((price.map(|price| price.id), rates.cost(taken)))
}
