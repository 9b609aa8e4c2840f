//! What may be used of models now, and how far it is used up.

use super::{by_slug::by_slug, found, prelude::*, spending::BudgetState};
use crate::{
    auth::{Action, authorize},
    domain::calendar::{Calendar, Period},
    graph::figures::calendar,
    store::{Cap, Which},
    workflow::Refused,
};
use async_graphql::{Object, SimpleObject};
use entity::{BigInt, Id, Timestamp, agent_role, budget_counter::BudgetKind};

/// A cap, or what the workspace uses without one.
pub struct Budget {
    cap: Cap,
    now: Timestamp,
    calendar: Calendar,
}

impl Budget {
    fn span(&self) -> Period {
        match self.cap.limited.kind {
            BudgetKind::TenantDayTokens => self.calendar.day_around(self.now),
            _ => self.calendar.month_around(self.now),
        }
    }
}

/// What may be used of models in this month or on this day, and how far it is used up.
#[Object]
impl Budget {
    /// What is limited.
    async fn kind(&self) -> BudgetKind {
        self.cap.limited.kind
    }

    /// The role whose calls count, as it counts for the workspace; null for other kinds.
    async fn role(&self, ctx: &Context<'_>) -> Nullable<AgentRole> {
        if self.cap.limited.kind != BudgetKind::RoleMonthTokens {
            return Ok(None);
        }
        let slug = &self.cap.limited.key;
        let role = by_slug::<AgentRole>(ctx, agent_role::Column::Slug, slug).await?;
        Ok(role.map(AgentRole::from))
    }

    /// The project whose calls count; null for other kinds.
    async fn project(&self, ctx: &Context<'_>) -> Nullable<Project> {
        if self.cap.limited.kind != BudgetKind::ProjectMonthCost {
            return Ok(None);
        }
        let id = Id::from(self.cap.limited.key.as_str());
        Ok(found::one(ctx, Some(&id)).await?)
    }

    /// The month, such as `2026-05`, or the day, such as `2026-05-04`, in the workspace's timezone.
    async fn period(&self) -> &str {
        &self.cap.limited.period
    }

    /// When it begins anew.
    async fn ends_at(&self) -> Timestamp {
        self.span().to
    }

    /// What was used: tokens, or millionths of a US dollar, as the kind says.
    async fn used(&self) -> BigInt {
        BigInt(self.cap.amount.used)
    }

    /// What is set aside for calls that are not recorded yet, in the same unit.
    async fn reserved(&self) -> BigInt {
        BigInt(self.cap.amount.reserved)
    }

    /// What may be used, in the same unit; null when there is no limit.
    #[graphql(name = "cap")]
    async fn limit(&self) -> Option<BigInt> {
        self.cap.used().limit.map(BigInt)
    }

    /// What is neither used nor set aside, and 0 when it is overdrawn; null when there is no limit.
    async fn remaining(&self) -> Option<BigInt> {
        self.cap.taken().remaining().map(BigInt)
    }

    /// How much of it is used, in percent, with two decimals; null when there is no limit.
    async fn percent(&self) -> Option<f64> {
        self.cap.used().percent()
    }

    /// How far it is used up, with what is set aside: agents begin nothing new when it is `BLOCKED`.
    async fn state(&self) -> BudgetState {
        self.cap.taken().state().into()
    }

    /// What will have been used when the month, or the day, is over, if it goes on as it has so far.
    async fn forecast(&self) -> BigInt {
        let period = self.span();
        let length = |from: Timestamp, to: Timestamp| {
            i128::from((to.inner() - from.inner()).num_seconds().max(1))
        };
        let (past, whole) = (
            length(period.from, self.now),
            length(period.from, period.to),
        );
        let forecast = i128::from(self.cap.amount.used) * whole / past;
        BigInt(i64::try_from(forecast).unwrap_or(i64::MAX))
    }

    /// When people were told that most of it is used; null as long as they were not.
    async fn warned_at(&self) -> Option<Timestamp> {
        self.cap.warned_at
    }

    /// When people were told that all of it is used; null as long as they were not.
    async fn exceeded_at(&self) -> Option<Timestamp> {
        self.cap.exceeded_at
    }
}

/// The root field for what may be used.
#[derive(Default)]
pub struct BudgetQuery;

#[Object]
impl BudgetQuery {
    /// What may be used of models now, and how far it is used up: of the workspace in this month and on this day, limited or
    /// not, and of each role and each project that is limited, 200 at most. For admins.
    async fn budgets(&self, ctx: &Context<'_>) -> Nullable<Vec<Budget>> {
        let scope = ctx.scope();
        authorize(scope.actor(), Action::ReadAllCosts)?;
        let (calendar, now) = (calendar(scope).await?, scope.now());
        let day = calendar.day(now).to_string();
        let caps = scope.caps(day, Which::All).await?;
        let budget = |cap: &Cap| Budget {
            cap: cap.clone(),
            now,
            calendar,
        };
        Ok(Some(caps.iter().map(budget).collect()))
    }
}

/// A budget that does not allow a call.
#[derive(SimpleObject)]
pub struct BudgetRefusal {
    /// What is limited.
    kind: BudgetKind,
    /// The month, such as `2026-05`, or the day, such as `2026-05-04`, in the workspace's timezone, in which it is used up.
    period: String,
    /// When it begins anew: try again then, or when an admin has raised it.
    ends_at: Timestamp,
}

impl From<Refused> for BudgetRefusal {
    fn from(refused: Refused) -> Self {
        let limited = refused.cap.limited;
        Self {
            kind: limited.kind,
            period: limited.period,
            ends_at: refused.ends_at,
        }
    }
}
