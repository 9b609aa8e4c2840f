//! What calls cost is said anew, and counted anew.

use super::tell::tell_all;
use crate::{
    domain::calendar::{Calendar, Period},
    error::{Error, Result},
    store::{Store, Tx, retried},
};
use chrono::Months;
use entity::{Id, tenant};
use serde_json::{Value, json};

/// The most calls whose costs are said anew at once.
const MOST: i64 = 100_000;

/// What saying anew what calls cost came to.
#[derive(Clone, Copy, Debug, Default)]
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
    let tenant = tx.workspace().await?;
    let (calls, before) = tx.usage_of(period).await?;
    if calls > MOST {
        return Err(Error::LimitExceeded {
            name: "The number of calls between `from` and `to`",
            limit: MOST.unsigned_abs(),
            actual: calls.unsigned_abs(),
        });
    }
    let mut after = before;
    if calls > 0 {
        tx.reprice(period).await?;
        let (calendar, _) = tx.today().await?;
        tx.recount_usage(calendar.day(period.from), Some(calendar.day(period.to)))
            .await?;
        after = tx.usage_of(period).await?.1;
    }
    let told = json!({
        "before": { "costMicros": before.to_string() },
        "after": {
            "costMicros": after.to_string(), "calls": calls, "from": period.from.to_string(), "to": period.to.to_string(),
        },
    });
    // First of what the ledger tells here, where it is looked for when this is asked for again.
    tx.note_with::<tenant::Entity>(&tenant, "price.repriced", told);
    tell_all(tx).await?;
    Ok(Repriced {
        calls,
        before,
        after,
    })
}

/// What it came to when it was done, as the ledger tells: in the last entry of this kind up to this position.
///
/// # Errors
/// If the database fails.
pub(crate) async fn repriced_then(tx: &Tx<'_>, seq: i64) -> Result<Repriced> {
    let entry = tx.entry_up_to(seq, "price.repriced").await?;
    let diff = entry.and_then(|entry| entry.diff.0).map(|diff| diff.0);
    let Some(diff) = diff else {
        return Ok(Repriced::default());
    };
    let cost = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str);
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    let calls = diff.became("calls").and_then(Value::as_i64);
    Ok(Repriced {
        calls: calls.unwrap_or_default(),
        before: cost(diff.was("costMicros")),
        after: cost(diff.became("costMicros")),
    })
}

/// Counts anew what was used and set aside in this month and the last, after the workspace's days begin at other moments than
/// they did in this timezone. Months before stay as they were counted.
///
/// # Errors
/// If the database fails.
pub(crate) async fn count_in_new_days(tx: &mut Tx<'_>, before: &str) -> Result<()> {
    let (calendar, _) = tx.today().await?;
    let now = tx.now();
    let today = Ord::min(calendar.day(now), Calendar::of(before).day(now));
    let last_month = today.checked_sub_months(Months::new(1));
    tx.recount_usage(last_month.unwrap_or(today), None).await?;
    tell_all(tx).await
}

/// Counts anew what a workspace used, from its calls, over all months.
///
/// # Errors
/// If the database fails.
pub(crate) async fn recount(store: &Store, tenant: &Id, component: &'static str) -> Result<()> {
    let scope = store.system().tenant(tenant.clone(), component);
    retried(|| async {
        let tx = scope.begin().await?;
        let (calendar, _) = tx.today().await?;
        let today = calendar.day(tx.now());
        let first = tx.first_day_of_usage().await?;
        tx.recount_usage(first.unwrap_or(today), None).await?;
        tx.commit().await.map(drop)
    })
    .await
}

/// Counts what the workspaces used that have calls and no counters: those whose calls are older than the counters.
///
/// # Errors
/// If the database fails.
pub(crate) async fn count_older(store: &Store) -> Result<()> {
    let mut after = None;
    while let Some(tenant) = store.system().uncounted(after.as_ref()).await? {
        recount(store, &tenant, "budgets").await?;
        after = Some(tenant);
    }
    Ok(())
}
