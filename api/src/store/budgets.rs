//! What may be used of models in a month and on a day, and what was.
//!
//! A cap stands where it belongs: with the workspace, the role or the project. What was used of it is counted in
//! `budget_counters` by the transactions that use it. Whoever counts holds the counter's row until the commit, so that of
//! several who use at once each sees what the others used.

mod caps;
mod count;
mod recount;

pub(crate) use self::{
    caps::{Cap, Which},
    count::{Amounts, OnBudget},
};

use entity::budget_counter::BudgetKind;

/// Something that is limited: of a role, by its slug, of a project, by its id, or of the whole workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Limited {
    pub(crate) kind: BudgetKind,
    pub(crate) key: String,
    pub(crate) period: String,
}

/// How much of it was used, and is set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) used: i64,
    pub(crate) reserved: i64,
}

/// The month of a day such as `2026-05-04`.
fn month_of(day: &str) -> &str {
    day.get(..7).unwrap_or(day)
}
