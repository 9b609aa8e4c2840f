//! What is used and set aside is counted.

use super::{Amount, Limited, month_of};
use crate::{
    error::Result,
    store::{Tx, select},
};
use entity::{
    Id,
    budget_counter::{self, BudgetKind},
};
use sea_orm::{
    ActiveEnum, ConnectionTrait, FromQueryResult,
    sea_query::{Expr, OnConflict, Query},
};
use std::collections::HashMap;

/// Those who count go beside each other, and who counts anew alone, under this name.
pub(super) const COUNTING: &str = "budgets";

/// So many counters are written in one statement.
const AT_ONCE: usize = 500;

/// For whom calls are made, and on which day of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct OnBudget<'b> {
    pub(crate) day: &'b str,
    pub(crate) role: &'b str,
    pub(crate) project: Option<&'b Id>,
}

impl OnBudget<'_> {
    /// What a call counts to.
    pub(crate) fn limited(&self) -> Vec<Limited> {
        let month = month_of(self.day);
        let of = |kind, key: &str, period: &str| Limited {
            kind,
            key: key.to_owned(),
            period: period.to_owned(),
        };
        let project = self.project.map(Id::as_str);
        let workspace = [
            of(BudgetKind::TenantMonthCost, "", month),
            of(BudgetKind::TenantDayTokens, "", self.day),
            of(BudgetKind::RoleMonthTokens, self.role, month),
        ];
        let project = project.map(|project| of(BudgetKind::ProjectMonthCost, project, month));
        workspace.into_iter().chain(project).collect()
    }
}

/// What some calls took, by what is limited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Amounts(HashMap<Limited, Amount>);

impl Amounts {
    /// Adds what a call takes, or what is set aside for one, and no longer is.
    pub(crate) fn add(
        &mut self,
        on: &OnBudget<'_>,
        tokens: i64,
        cost_micros: i64,
        how: impl Fn(&mut Amount, i64),
    ) {
        for limited in on.limited() {
            let share = match limited.kind {
                BudgetKind::TenantDayTokens | BudgetKind::RoleMonthTokens => tokens,
                BudgetKind::TenantMonthCost | BudgetKind::ProjectMonthCost => cost_micros,
            };
            // What takes nothing of it need not wait for others that do.
            if share != 0 {
                how(self.0.entry(limited).or_default(), share);
            }
        }
    }

    /// The same, taken back.
    pub(crate) fn reversed(mut self) -> Self {
        for amount in self.0.values_mut() {
            amount.used = -amount.used;
            amount.reserved = -amount.reserved;
        }
        self
    }

    /// In the order in which counters are locked.
    fn in_order(self) -> Vec<(Limited, Amount)> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_by_cached_key(|(limited, _)| {
            let Limited { kind, key, period } = limited.clone();
            (kind.to_value(), key, period)
        });
        all
    }
}

impl Tx<'_> {
    /// Counts what was used, and set aside. The counters are this transaction's until it ends.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn count_usage(&self, amounts: Amounts) -> Result<Vec<budget_counter::Model>> {
        self.queue_up_beside(COUNTING).await?;
        self.add_to_counters(amounts).await
    }

    /// Holds these counters as who counts does, and counts nothing.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn hold_counters(
        &self,
        limited: Vec<Limited>,
    ) -> Result<Vec<budget_counter::Model>> {
        let nothing = limited
            .into_iter()
            .map(|limited| (limited, Amount::default()));
        self.count_usage(Amounts(nothing.collect())).await
    }

    /// The same, for who counts under the lock already.
    pub(super) async fn add_to_counters(
        &self,
        amounts: Amounts,
    ) -> Result<Vec<budget_counter::Model>> {
        let mut counters = Vec::new();
        for some in amounts.in_order().chunks(AT_ONCE) {
            counters.extend(self.upsert(some).await?);
        }
        Ok(counters)
    }

    async fn upsert(&self, amounts: &[(Limited, Amount)]) -> Result<Vec<budget_counter::Model>> {
        use budget_counter::Column::{
            CreatedAt, Id, Key, Kind, Period, Reserved, TenantId, UpdatedAt, Used,
        };
        let mut insert = Query::insert();
        insert.into_table(budget_counter::Entity).columns([
            Id, TenantId, Kind, Key, Period, Used, Reserved, CreatedAt, UpdatedAt,
        ]);
        for (Limited { kind, key, period }, Amount { used, reserved }) in amounts {
            insert.values_panic([
                cuid2::create_id().into(),
                self.tenant().as_str().into(),
                kind.to_value().into(),
                key.as_str().into(),
                period.as_str().into(),
                (*used).into(),
                (*reserved).into(),
                Expr::val(self.now()),
                Expr::val(self.now()),
            ]);
        }
        let more = |column: &str| {
            Expr::cust(format!(
                r#"budget_counters."{column}" + excluded."{column}""#
            ))
        };
        let known = OnConflict::columns([TenantId, Kind, Key, Period])
            .value(Used, more("used"))
            .value(Reserved, more("reserved"))
            .value(UpdatedAt, Expr::val(self.now()))
            .to_owned();
        insert.on_conflict(known);
        insert.returning(Query::returning().columns(select::ordinary::<budget_counter::Entity>()));
        let rows = self.transaction().query_all(&insert).await?;
        rows.iter()
            .map(|row| Ok(budget_counter::Model::from_query_result(row, "")?))
            .collect()
    }
}
