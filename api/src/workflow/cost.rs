//! What calls of models cost: recorded, set aside for, and held against what may be used.

use super::{
    agent::{had_job, has_job},
    notice,
    references::all_of,
};
use crate::{
    domain::{
        budget::BudgetState,
        calendar::Period,
        price::{Rates, Taken},
    },
    error::{Error, Result},
    store::{Amounts, Cap, OnBudget, Store, Tx, Which, retried},
};
use chrono::{NaiveDate, TimeDelta};
use entity::{
    BigInt, Id, Timestamp, agent_job, agent_token,
    api_usage::{self, ApiOperation, ApiProvider},
    budget_counter::{self, BudgetKind},
    budget_reservation, project, tenant, ticket,
};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Condition};
use serde_json::json;

/// The part of the server that watches what may be used.
const COMPONENT: &str = "budgets";

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
    pub(crate) error_code: Option<String>,
    pub(crate) success: bool,
    pub(crate) request_id: Option<String>,
    /// What was set aside for it.
    pub(crate) reservation: Option<Id>,
}

/// On whose account a call is.
#[derive(Debug, Default)]
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
/// role that is none of its token's.
pub(crate) async fn record_usage(
    tx: &mut Tx<'_>,
    call: ModelCall,
    made: Made,
) -> Result<api_usage::Model> {
    let account = account(tx, call.purpose, Held::Once).await?;
    let (price, cost) = priced(tx, call.provider, &call.model, call.taken).await?;
    let (_, day) = tx.today().await?;
    let reservation = match &made.reservation {
        Some(id) => Some(tx.get::<budget_reservation::Entity>(id).await?),
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
        success: Set(made.success),
        error_code: Set(made.error_code),
        request_id: Set(made.request_id),
        ..Default::default()
    };
    let mut written = tx.insert_untold(vec![row]).await?;
    let mut amounts = Amounts::default();
    let tokens = call.taken.input + call.taken.output;
    let on = account.on(&day);
    amounts.add(&on, tokens, cost, |amount, share| amount.used += share);
    if let Some(reservation) = reservation {
        give_back(tx, &reservation, &mut amounts).await?;
    }
    let counters = tx.count_usage(amounts).await?;
    let caps = tx.caps(&day, Which::Of(&on.limited())).await?;
    for cap in caps {
        match cap.budget().state() {
            BudgetState::Blocked => tell(tx, &cap, &counters, Told::Exceeded).await?,
            BudgetState::Warning => tell(tx, &cap, &counters, Told::Warned).await?,
            BudgetState::Ok | BudgetState::Unlimited => {}
        }
    }
    let row = written.pop();
    row.ok_or_else(|| Error::internal("an insert returned nothing"))
}

/// Sets aside what a call may take, for some minutes; or says which cap it would pass.
///
/// # Errors
/// [`Error::StaleLease`] when the actor has the job no longer; otherwise as [`record_usage`].
pub(crate) async fn reserve(
    tx: &mut Tx<'_>,
    call: ModelCall,
) -> Result<Result<budget_reservation::Model, Cap>> {
    let account = account(tx, call.purpose, Held::Now).await?;
    let (_, cost) = priced(tx, call.provider, &call.model, call.taken).await?;
    let (_, day) = tx.today().await?;
    let tokens = call.taken.input + call.taken.output;
    let on = account.on(&day);
    let mut amounts = Amounts::default();
    amounts.add(&on, tokens, cost, |amount, share| amount.reserved += share);
    let counters = tx.count_usage(amounts.clone()).await?;
    let caps = tx.caps(&day, Which::Of(&on.limited())).await?;
    let is_counted = |cap: &Cap| counter_of(&counters, cap).is_some();
    let passed = caps
        .into_iter()
        .find(|cap| is_counted(cap) && cap.is_overdrawn());
    if let Some(passed) = passed {
        let counters = tx.count_usage(amounts.reversed()).await?;
        tell(tx, &passed, &counters, Told::Exceeded).await?;
        let now = tx.caps(&day, Which::Of(std::slice::from_ref(&passed.limited)));
        return Ok(Err(now.await?.pop().unwrap_or(passed)));
    }
    let row = budget_reservation::ActiveModel {
        agent_token_id: Set(tx.writer().agent_token_id().cloned()),
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
    let row = tx.insert_untold(vec![row]).await?.pop();
    let row = row.ok_or_else(|| Error::internal("an insert returned nothing"))?;
    Ok(Ok(row))
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

/// The most calls whose costs are said anew at once.
const MOST_REPRICED: i64 = 100_000;

/// What saying anew what calls cost came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repriced {
    pub(crate) calls: i64,
    pub(crate) before: i64,
    pub(crate) after: i64,
}

/// Says anew what the calls of a period cost, and counts them anew to what may be used.
///
/// # Errors
/// [`Error::LimitExceeded`] when they are too many.
pub(crate) async fn reprice(tx: &mut Tx<'_>, period: Period) -> Result<Repriced> {
    let (calls, before) = tx.usage_of(period).await?;
    if calls > MOST_REPRICED {
        return Err(Error::LimitExceeded {
            name: "The number of calls between `from` and `to`",
            limit: MOST_REPRICED.unsigned_abs(),
            actual: calls.unsigned_abs(),
        });
    }
    tx.reprice(period).await?;
    let (calendar, _) = tx.today().await?;
    tx.recount_usage(calendar.day(period.from)).await?;
    let (_, after) = tx.usage_of(period).await?;
    let tenant = tx.workspace().await?;
    tx.note_with::<tenant::Entity>(
        &tenant,
        "usage.repriced",
        json!({
            "before": { "costMicros": before.to_string() },
            "after": { "costMicros": after.to_string() },
        }),
    );
    tx.explain(format!(
        "{calls} calls from {} to {}",
        period.from, period.to
    ));
    Ok(Repriced {
        calls,
        before,
        after,
    })
}

/// Counts anew what a workspace used, from its calls, over all months. Returns the first day there was a call.
///
/// # Errors
/// If the database fails.
pub async fn recount(store: &Store, tenant: &Id) -> Result<Option<NaiveDate>> {
    let scope = store.system().tenant(tenant.clone(), "command_line");
    retried(|| async {
        let tx = scope.begin().await?;
        let first = tx.first_day_of_usage().await?;
        if let Some(first) = first {
            tx.recount_usage(first).await?;
        }
        tx.commit().await?;
        Ok(first)
    })
    .await
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
            let job = tx.find::<agent_job::Entity>(&job).await?;
            let job = job.ok_or(Error::NotFound { kind: "AgentJob" })?;
            let ticket = tx.find::<ticket::Entity>(&job.ticket_id).await?;
            ticket.ok_or(Error::NotFound { kind: "AgentJob" })
        })
    });
    let ticket = ticket.await?;
    Ok(Account {
        role: ticket.role_slug.clone(),
        project: Some(ticket.project_id.clone()),
        ticket: Some(ticket),
    })
}

/// A role of the token, and a project that it may work in.
async fn beside_jobs(tx: &mut Tx<'_>, purpose: Purpose) -> Result<Account> {
    let role = purpose
        .role
        .ok_or_else(|| Error::bad_input("roleSlug", "is needed where no `jobId` says the role"))?;
    let token = match tx.writer().agent_token_id().cloned() {
        Some(token) => tx.find::<agent_token::Entity>(&token).await?,
        None => None,
    };
    if let Some(token) = &token {
        crate::domain::plan::check_role("roleSlug", &role, &token.role_slugs.0)?;
    }
    if let Some(id) = purpose.project.clone() {
        let projects = token.and_then(|token| token.project_ids);
        if projects.is_some_and(|projects| !projects.0.contains(&id)) {
            return Err(Error::NotFound { kind: "Project" });
        }
        tx.unseen(|tx| Box::pin(async move { tx.keep::<project::Entity>(&id).await.map(drop) }))
            .await?;
    }
    Ok(Account {
        role,
        project: purpose.project,
        ticket: None,
    })
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

/// What people are told of a cap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Warned,
    Exceeded,
}

fn counter_of<'c>(
    counters: &'c [budget_counter::Model],
    cap: &Cap,
) -> Option<&'c budget_counter::Model> {
    let limited = &cap.limited;
    { counters.iter() }.find(|counter| {
        counter.kind == limited.kind
            && counter.key == limited.key
            && counter.period == limited.period
    })
}

/// Tells those who can raise a cap that it is nearly or all used up, once for each of both: again only when it was changed
/// meanwhile.
async fn tell(
    tx: &mut Tx<'_>,
    cap: &Cap,
    counters: &[budget_counter::Model],
    what: Told,
) -> Result<()> {
    let Some(counter) = counter_of(counters, cap) else {
        return Ok(());
    };
    let was_told = cap.told_cap == cap.cap;
    let (exceeded, warned) = (cap.exceeded_at.is_some(), cap.warned_at.is_some());
    let is_known = match what {
        Told::Exceeded => exceeded,
        Told::Warned => exceeded || warned,
    };
    if was_told && is_known {
        return Ok(());
    }
    let now = Some(tx.now());
    let kept = |at: Option<Timestamp>| at.filter(|_| was_told);
    let (action, warned_at, exceeded_at) = match what {
        Told::Warned => ("budget.warned", now, kept(cap.exceeded_at)),
        Told::Exceeded => ("budget.exceeded", kept(cap.warned_at), now),
    };
    let changes = budget_counter::ActiveModel {
        warned_at: Set(warned_at),
        exceeded_at: Set(exceeded_at),
        told_cap: Set(cap.cap.map(BigInt)),
        ..Default::default()
    };
    let counter = counter.clone();
    let is_all = what == Told::Exceeded;
    tx.by_itself(COMPONENT, |tx| {
        Box::pin(async move {
            let counter = tx
                .update::<budget_counter::Entity, _>(&counter, changes, action)
                .await?;
            let project = match counter.kind {
                BudgetKind::ProjectMonthCost => {
                    tx.find::<project::Entity>(&counter.key.as_str().into())
                        .await?
                }
                _ => None,
            };
            if let Some(project) = &project {
                tx.belong_to(1, &project.id, None);
            }
            notice::budget(tx, &counter, project.as_ref(), is_all).await
        })
    })
    .await
}
