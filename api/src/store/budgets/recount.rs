//! What was used is counted anew, from the calls themselves.

use super::{Amount, Amounts, OnBudget, count::COUNTING};
use crate::{
    domain::calendar::Period,
    error::{Error, Result},
    store::{
        Tx,
        aggregate::Group,
        select::{self, Place},
    },
};
use chrono::{Datelike as _, Months, NaiveDate};
use entity::{Id, api_usage, budget_counter, budget_reservation};
use sea_orm::{
    ConnectionTrait,
    sea_query::{Expr, ExprTrait, Order, Query},
};

impl Tx<'_> {
    /// Counts anew what was used in the months from the one of a day to that of another, or to the end of all that was counted.
    /// Nobody else counts meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn recount_usage(&self, from: NaiveDate, to: Option<NaiveDate>) -> Result<()> {
        self.queue_up(COUNTING).await?;
        let calendar = self.calendar().await?;
        // Others may have counted to another day while this waited.
        let today = calendar.day(Ord::max(self.scope().store().clock().now(), self.now()));
        let first = month(from);
        let last = to.map_or(today, |to| Ord::min(to, today));
        let after = month(last).checked_add_months(Months::new(1));
        let Some(after) = after.filter(|after| first < *after) else {
            return Ok(());
        };
        let mut words = [first, after].map(|day| day.format("%Y-%m").to_string());
        if to.is_none() {
            // Where the timezone was another one, it may have been tomorrow there.
            words[1] = "9999-99".to_owned();
        }
        self.reset_counters(&words).await?;
        let period = Period {
            from: calendar.beginning(first),
            to: calendar.beginning(after),
        };
        let mut amounts = Amounts::default();
        let used = |amount: &mut Amount, share| amount.used += share;
        for group in self
            .usage_by_day(&calendar.stretches(period), period)
            .await?
        {
            let number = i32::try_from(group.key("day")?).map_err(Error::internal)?;
            let day = NaiveDate::from_num_days_from_ce_opt(number);
            let day = day.ok_or_else(|| Error::internal("a day that is none"))?;
            add(&mut amounts, &group, &day.to_string(), used)?;
        }
        let reserved = |amount: &mut Amount, share| amount.reserved += share;
        for group in self.reservations_by_day(&words).await? {
            let day = group.text("day")?.unwrap_or_default();
            add(&mut amounts, &group, &day, reserved)?;
        }
        self.add_to_counters(amounts).await.map(drop)
    }

    /// The day of the workspace's first call; none when there was no call yet.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn first_day_of_usage(&self) -> Result<Option<NaiveDate>> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let mut select = select::bare::<api_usage::Entity>(place);
        let at = place.column(api_usage::Column::CreatedAt);
        select
            .expr_as(at.clone(), "at")
            .order_by_expr(at, Order::Asc)
            .limit(1);
        let Some(row) = self.transaction().query_one(&select).await? else {
            return Ok(None);
        };
        Ok(Some(self.calendar().await?.day(row.try_get("", "at")?)))
    }

    /// Nothing is used in any of the months from the first of these on, before the second.
    async fn reset_counters(&self, [from, before]: &[String; 2]) -> Result<()> {
        use budget_counter::Column::{Period, Reserved, TenantId, Used};
        // A day's word comes after that of its month, and before that of the next.
        let reset = Query::update()
            .table(budget_counter::Entity)
            .value(Used, 0)
            .value(Reserved, 0)
            .and_where(Expr::col(TenantId).eq(self.tenant().as_str()))
            .and_where(Expr::col(Period).gte(from.as_str()))
            .and_where(Expr::col(Period).lt(before.as_str()))
            .take();
        self.transaction().execute(&reset).await?;
        Ok(())
    }

    async fn usage_by_day(
        &self,
        stretches: &[crate::domain::calendar::Stretch],
        period: Period,
    ) -> Result<Vec<Group>> {
        use api_usage::Column::{
            CostMicros, CreatedAt, InputTokens, OutputTokens, ProjectId, RoleSlug,
        };
        self.figures::<api_usage::Entity>(|ask| {
            ask.within(CreatedAt, period);
            ask.group("day", ask.day(CreatedAt, stretches));
            ask.group("role", ask.column(RoleSlug));
            ask.group("project", ask.column(ProjectId));
            let tokens = ask.column(InputTokens).add(ask.column(OutputTokens));
            ask.sum("tokens", tokens);
            ask.sum("cost", ask.column(CostMicros));
        })
        .await
    }

    async fn reservations_by_day(&self, [from, before]: &[String; 2]) -> Result<Vec<Group>> {
        use budget_reservation::Column::{CostMicros, Day, ProjectId, RoleSlug, SettledAt, Tokens};
        self.figures::<budget_reservation::Entity>(|ask| {
            ask.only(ask.column(SettledAt).is_null());
            ask.only(ask.column(Day).gte(from.as_str()));
            ask.only(ask.column(Day).lt(before.as_str()));
            ask.group("day", ask.column(Day));
            ask.group("role", ask.column(RoleSlug));
            ask.group("project", ask.column(ProjectId));
            ask.sum("tokens", ask.column(Tokens));
            ask.sum("cost", ask.column(CostMicros));
        })
        .await
    }
}

fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn add(
    amounts: &mut Amounts,
    group: &Group,
    day: &str,
    how: impl Fn(&mut Amount, i64),
) -> Result<()> {
    let role = group.text("role")?.unwrap_or_default();
    let project = group.text("project")?.map(Id);
    let on = OnBudget {
        day,
        role: &role,
        project: project.as_ref(),
    };
    amounts.add(&on, group.number("tokens")?, group.number("cost")?, how);
    Ok(())
}
