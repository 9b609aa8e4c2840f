//! People are told that a cap is nearly, or all, used up.

use crate::{
    domain::budget::BudgetState,
    error::Result,
    store::{Cap, Tx},
    workflow::notice,
};
use entity::{
    BigInt,
    budget_counter::{self, BudgetKind},
    project,
};
use sea_orm::ActiveValue::Set;

/// The part of the server that watches what may be used.
const COMPONENT: &str = "budgets";

/// Tells of all caps of the day and its month that are nearly, or all, used up: after they were changed, or what calls cost.
///
/// # Errors
/// If the database fails.
pub(crate) async fn tell_all(tx: &mut Tx<'_>) -> Result<()> {
    let (_, day) = tx.today().await?;
    let caps = tx.all_caps(&day).await?;
    let used: Vec<_> = { caps.into_iter() }
        .filter(|cap| told_of(cap).is_some())
        .map(|cap| cap.limited)
        .collect();
    if used.is_empty() {
        return Ok(());
    }
    let counters = tx.hold_counters(used).await?;
    // Read again: others may have told of them before they were held.
    for cap in tx.all_caps(&day).await? {
        if let Some(told) = told_of(&cap) {
            tell(tx, &cap, &counters, told).await?;
        }
    }
    Ok(())
}

/// What there is to tell of a cap.
pub(super) fn told_of(cap: &Cap) -> Option<Told> {
    match cap.used().state() {
        BudgetState::Blocked => Some(Told::Exceeded),
        BudgetState::Warning => Some(Told::Warned),
        BudgetState::Ok | BudgetState::Unlimited => None,
    }
}

/// What there is to tell of a cap that did not allow an ordinary call: as good as nothing is left of it, or not much.
pub(super) fn told_of_refusal(cap: &Cap) -> Option<Told> {
    let taken = cap.taken();
    let limit = i128::from(taken.limit?);
    let share = i128::from(taken.used) * 100;
    match () {
        () if share >= limit * 99 => Some(Told::Exceeded),
        () if taken.state() == BudgetState::Warning => Some(Told::Warned),
        () => None,
    }
}

/// What people are told of a cap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Warned,
    Exceeded,
}

pub(super) fn counter_of<'c>(
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
pub(super) async fn tell(
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
    let (action, warned_at, exceeded_at) = match what {
        Told::Warned => ("budget.warned", now, None),
        Told::Exceeded => ("budget.exceeded", cap.warned_at.filter(|_| was_told), now),
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
