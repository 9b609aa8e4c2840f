//! How far a workspace's budgets are used up.

use super::prelude::*;
use crate::{
    auth::{Action, authorize},
    domain::{budget::Budget, calendar::Calendar, money},
    store::{Scope, within},
};
use async_graphql::{Enum, Object};
use entity::{
    BigInt, Timestamp,
    api_usage::{Column, Entity},
    tenant,
};
use sea_orm::sea_query::ExprTrait;

/// How far a budget is used up.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::budget::BudgetState")]
pub enum BudgetState {
    /// There is no limit.
    Unlimited,
    /// Less than 80 % is used.
    Ok,
    /// At least 80 % is used.
    Warning,
    /// All of it is used: no new work is begun until it is raised or the next month, or day, begins.
    Blocked,
}

/// What a workspace spends, held against what it may spend.
pub struct Spending {
    now: Timestamp,
    calendar: Calendar,
    cost: Budget,
    tokens: Budget,
}

impl Spending {
    async fn of(scope: &Scope) -> crate::Result<Self> {
        let tenant = scope.get::<tenant::Entity>(scope.actor().tenant()).await?;
        let (calendar, now) = (Calendar::of(&tenant.timezone), scope.now());
        let (month, today) = (calendar.month_around(now), calendar.day_around(now));
        let figures = scope
            .figure::<Entity>(|ask| {
                ask.within(Column::CreatedAt, month);
                ask.sum("cost", ask.column(Column::CostMicros));
                let tokens = ask
                    .column(Column::InputTokens)
                    .add(ask.column(Column::OutputTokens));
                let is_today = within(&ask.column(Column::CreatedAt), today);
                ask.sum_if("tokens", tokens, is_today);
            })
            .await?;
        Ok(Self {
            now,
            calendar,
            cost: Budget::new(figures.number("cost")?, tenant.monthly_spend_cap_micros),
            tokens: Budget::new(figures.number("tokens")?, tenant.daily_token_budget),
        })
    }
}

/// What a workspace spends, held against what it may spend. Days and months begin at midnight in its timezone.
#[Object]
impl Spending {
    /// The IANA timezone in which the month and the day begin.
    async fn timezone(&self) -> &str {
        self.calendar.timezone()
    }

    /// When this month began.
    async fn month_began_at(&self) -> Timestamp {
        self.calendar.month_around(self.now).from
    }

    /// When the next month begins, and with it the month's budget anew.
    async fn month_ends_at(&self) -> Timestamp {
        self.calendar.month_around(self.now).to
    }

    /// When the next day begins, and with it the day's budget anew.
    async fn day_ends_at(&self) -> Timestamp {
        self.calendar.day_around(self.now).to
    }

    /// What this month's calls have cost so far, in millionths of a US dollar.
    async fn cost_micros(&self) -> BigInt {
        BigInt(self.cost.used)
    }

    /// What this month's calls have cost so far, in US dollars, such as `0.001500`.
    async fn cost_usd(&self) -> String {
        money::usd(BigInt(self.cost.used))
    }

    /// What a month's calls may cost, in millionths of a US dollar; null when there is no cap.
    async fn cap_micros(&self) -> Option<BigInt> {
        self.cost.limit.map(BigInt)
    }

    /// How much of the cap is used, in percent, with two decimals; null when there is no cap.
    async fn percent(&self) -> Option<f64> {
        self.cost.percent()
    }

    /// What is left of the cap, in millionths of a US dollar, and 0 when it is overdrawn; null when there is no cap.
    async fn remaining_micros(&self) -> Option<BigInt> {
        self.cost.remaining().map(BigInt)
    }

    /// How far the month's cap is used up.
    async fn state(&self) -> BudgetState {
        self.cost.state().into()
    }

    /// How many tokens today's calls have sent and received so far.
    async fn tokens_today(&self) -> BigInt {
        BigInt(self.tokens.used)
    }

    /// How many tokens a day's calls may take; null when there is no budget.
    async fn daily_token_budget(&self) -> Option<BigInt> {
        self.tokens.limit.map(BigInt)
    }

    /// How much of the day's budget is used, in percent, with two decimals; null when there is no budget.
    async fn daily_percent(&self) -> Option<f64> {
        self.tokens.percent()
    }

    /// How far the day's budget is used up.
    async fn daily_state(&self) -> BudgetState {
        self.tokens.state().into()
    }
}

/// The root field for budgets.
#[derive(Default)]
pub struct SpendingQuery;

#[Object]
impl SpendingQuery {
    /// What the workspace spends this month and today, held against its budgets. For admins.
    async fn spending(&self, ctx: &Context<'_>) -> Nullable<Spending> {
        authorize(ctx.scope().actor(), Action::ReadAllCosts)?;
        Ok(Some(Spending::of(ctx.scope()).await?))
    }
}
