//! What calls of providers took and cost, in groups.

use super::{
    Node,
    figures::{Date, calendar, period},
    found,
    prelude::*,
    shared::project_asked,
    usage_figures::UsageFigures,
};
use crate::{
    auth::{Action, authorize},
    domain::calendar::Period,
    error::Error,
    store::{Figures, Group, at_most},
};
use async_graphql::{ComplexObject, Enum, Object, SimpleObject};
use chrono::NaiveDate;
use entity::{
    Id, Owned as _, Timestamp,
    api_usage::{ApiProvider, Column, Entity},
    execution_plan,
};
use sea_orm::{
    ActiveEnum,
    sea_query::{Alias, ExprTrait},
};
use std::collections::{HashMap, HashSet};
use tokio::sync::OnceCell;

/// How many groups come when the query does not say.
const USUAL_GROUPS: u64 = 100;
/// How many groups can come.
const MOST_GROUPS: u64 = 1000;

/// What calls of providers can be grouped by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageGroup {
    /// The day they were made on, in the workspace's timezone.
    Day,
    /// The model that was called.
    Model,
    /// Who was called.
    Provider,
    /// The role on whose budget they count.
    Role,
    /// The project they were made for.
    Project,
    /// The ticket they were made for.
    Ticket,
    /// The brief they were made for.
    Prd,
    /// The plan they were made for.
    Plan,
    /// Which attempt at its brief the plan was that they were made for: what is paid for again and again shows here.
    Attempt,
    /// On whose behalf they were made.
    User,
}

impl UsageGroup {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Role => "role",
            Self::Project => "project",
            Self::Ticket => "ticket",
            Self::Prd => "prd",
            Self::Plan => "plan",
            Self::Attempt => "attempt",
            Self::User => "user",
        }
    }

    /// The column that holds it; the day is not a column, and the attempt is one of the plan.
    fn column(self) -> Option<Column> {
        match self {
            Self::Day | Self::Attempt => None,
            Self::Plan => Some(Column::PlanId),
            Self::Model => Some(Column::Model),
            Self::Provider => Some(Column::Provider),
            Self::Role => Some(Column::RoleSlug),
            Self::Project => Some(Column::ProjectId),
            Self::Ticket => Some(Column::TicketId),
            Self::Prd => Some(Column::PrdId),
            Self::User => Some(Column::UserId),
        }
    }
}

/// What the calls of one group took and cost.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct UsageRow {
    /// What makes the group: a value for each of `groupBy`, in its order; null where its calls have none. A day is
    /// written as in `day`, a provider as in `provider`; a project, ticket, brief, plan or person is its id.
    keys: Vec<Option<String>>,
    #[graphql(flatten)]
    figures: UsageFigures,
    #[graphql(skip)]
    values: HashMap<UsageGroup, String>,
    #[graphql(skip)]
    on: Option<NaiveDate>,
}

impl UsageRow {
    fn read(group: &Group, groups: &[UsageGroup]) -> crate::Result<Self> {
        let figures = UsageFigures::read(group)?;
        let mut row = Self::new(figures);
        for by in groups {
            let value = match by {
                UsageGroup::Day => {
                    let day = i32::try_from(group.key(by.name())?).map_err(Error::internal)?;
                    row.on = NaiveDate::from_num_days_from_ce_opt(day);
                    row.on.map(|day| day.to_string())
                }
                // As the enum is written.
                UsageGroup::Provider => group
                    .text(by.name())?
                    .map(|provider| provider.to_ascii_uppercase()),
                _ => group.text(by.name())?,
            };
            row.keys.push(value.clone());
            row.values.extend(value.map(|value| (*by, value)));
        }
        Ok(row)
    }

    fn new(figures: UsageFigures) -> Self {
        Self {
            keys: Vec::new(),
            figures,
            values: HashMap::new(),
            on: None,
        }
    }

    /// A day without calls.
    fn empty(day: NaiveDate) -> Self {
        Self {
            keys: vec![Some(day.to_string())],
            on: Some(day),
            ..Self::new(UsageFigures::default())
        }
    }

    fn value(&self, group: UsageGroup) -> Option<&str> {
        self.values.get(&group).map(String::as_str)
    }

    async fn related<N: Node>(&self, ctx: &Context<'_>, group: UsageGroup) -> Nullable<N> {
        let id = self.value(group).map(Id::from);
        Ok(found::one(ctx, id.as_ref()).await?)
    }
}

#[ComplexObject]
impl UsageRow {
    /// The day in the workspace's timezone; null unless grouped by `DAY`.
    async fn day(&self) -> Option<Date> {
        self.on.map(Date)
    }

    /// The model's full name; null unless grouped by `MODEL`.
    async fn model(&self) -> Option<&str> {
        self.value(UsageGroup::Model)
    }

    /// Who was called; null unless grouped by `PROVIDER`.
    async fn provider(&self) -> Option<ApiProvider> {
        let word = self.value(UsageGroup::Provider)?.to_ascii_lowercase();
        ApiProvider::try_from_value(&word).ok()
    }

    /// The role on whose budget the calls count; null unless grouped by `ROLE`.
    async fn role_slug(&self) -> Option<&str> {
        self.value(UsageGroup::Role)
    }

    /// The project; null unless grouped by `PROJECT`, and for calls that were made for none.
    async fn project(&self, ctx: &Context<'_>) -> Nullable<Project> {
        self.related(ctx, UsageGroup::Project).await
    }

    /// The ticket; null unless grouped by `TICKET`, and for calls that were made for none.
    async fn ticket(&self, ctx: &Context<'_>) -> Nullable<Ticket> {
        self.related(ctx, UsageGroup::Ticket).await
    }

    /// The brief; null unless grouped by `PRD`, and for calls that were made for none.
    async fn prd(&self, ctx: &Context<'_>) -> Nullable<PRD> {
        self.related(ctx, UsageGroup::Prd).await
    }

    /// The plan; null unless grouped by `PLAN`, and for calls that were made for none.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<ExecutionPlan> {
        self.related(ctx, UsageGroup::Plan).await
    }

    /// Which attempt the plan was; null unless grouped by `ATTEMPT`, and for calls that were made for none.
    async fn attempt(&self) -> Option<i32> {
        self.value(UsageGroup::Attempt)?.parse().ok()
    }

    /// The person on whose behalf the calls were made; null unless grouped by `USER`, and for calls of the system.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<User> {
        self.related(ctx, UsageGroup::User).await
    }
}

/// What calls of providers took and cost over a period.
pub struct UsageSummary {
    period: Period,
    project: Option<Id>,
    groups: Vec<UsageGroup>,
    first: u64,
    /// One more than asked for, if there are more.
    rows: OnceCell<Vec<UsageRow>>,
}

impl UsageSummary {
    fn narrow(&self, ask: &mut Figures<'_, Entity>) {
        ask.within(Column::CreatedAt, self.period);
        if let Some(project) = &self.project {
            ask.only(ask.column(Column::ProjectId).eq(project.as_str()));
        }
    }

    fn is_by_day_alone(&self) -> bool {
        self.groups == [UsageGroup::Day]
    }

    async fn rows(&self, ctx: &Context<'_>) -> crate::Result<&[UsageRow]> {
        let rows = self.rows.get_or_try_init(|| self.fetch(ctx)).await?;
        Ok(rows)
    }

    async fn fetch(&self, ctx: &Context<'_>) -> crate::Result<Vec<UsageRow>> {
        if self.groups.is_empty() {
            return Ok(Vec::new());
        }
        let calendar = if self.groups.contains(&UsageGroup::Day) {
            Some(calendar(ctx.scope()).await?)
        } else {
            None
        };
        let stretches = calendar.map(|calendar| calendar.stretches(self.period));
        let groups = ctx
            .scope()
            .figures::<Entity>(|ask| {
                self.narrow(ask);
                for group in &self.groups {
                    let key = match group.column() {
                        Some(column) => ask.column(column),
                        None if *group == UsageGroup::Attempt => {
                            let attempt =
                                execution_plan::Entity::column(execution_plan::Column::Attempt);
                            ask.pointed(Column::PlanId, attempt)
                                .cast_as(Alias::new("text"))
                        }
                        None => ask.day(Column::CreatedAt, stretches.as_deref().unwrap_or(&[])),
                    };
                    ask.group(group.name(), key);
                }
                UsageFigures::ask(ask);
                if !self.is_by_day_alone() {
                    ask.largest_first("costMicros");
                    ask.limit(self.first + 1);
                }
            })
            .await?;
        let rows = groups
            .iter()
            .map(|group| UsageRow::read(group, &self.groups));
        let rows: Vec<_> = rows.collect::<crate::Result<_>>()?;
        match calendar {
            Some(calendar) if self.is_by_day_alone() => {
                let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.on, row)).collect();
                let day = |day| {
                    rows.remove(&Some(day))
                        .unwrap_or_else(|| UsageRow::empty(day))
                };
                Ok(calendar.days(self.period).map(day).collect())
            }
            _ => Ok(rows),
        }
    }

    /// How many of the rows are shown.
    fn shown(&self, rows: usize) -> usize {
        if self.is_by_day_alone() {
            return rows;
        }
        usize::try_from(self.first).map_or(rows, |first| rows.min(first))
    }
}

/// What calls of providers took and cost over a period, in groups and together.
#[Object]
impl UsageSummary {
    /// The period's first moment.
    async fn from(&self) -> Timestamp {
        self.period.from
    }

    /// The first moment after the period.
    async fn to(&self) -> Timestamp {
        self.period.to
    }

    /// The groups: the most expensive first, equally expensive ones by their keys. By `DAY` alone it is every day of
    /// the period in order, those without calls too, and `first` does not cut them. Empty without `groupBy`.
    #[graphql(name = "rows")]
    async fn shown_rows(&self, ctx: &Context<'_>) -> Nullable<Vec<UsageRow>> {
        let rows = self.rows(ctx).await?;
        Ok(Some(rows[..self.shown(rows.len())].to_vec()))
    }

    /// Whether there are more groups than `first` let through.
    async fn has_more(&self, ctx: &Context<'_>) -> Nullable<bool> {
        let rows = self.rows(ctx).await?;
        Ok(Some(rows.len() > self.shown(rows.len())))
    }

    /// All groups together, those that `first` cut off too.
    async fn total(&self, ctx: &Context<'_>) -> Nullable<UsageFigures> {
        let ask = |ask: &mut Figures<'_, Entity>| {
            self.narrow(ask);
            UsageFigures::ask(ask);
        };
        let group = ctx.scope().figure::<Entity>(ask).await?;
        Ok(Some(UsageFigures::read(&group)?))
    }
}

/// The root field for costs.
#[derive(Default)]
pub struct UsageQuery;

#[Object]
impl UsageQuery {
    /// What calls of providers took and cost, by day, model, role, project and so on. Admins read the whole
    /// workspace's costs, members those of a project they name, viewers none.
    async fn usage_summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only calls from this moment on; 30 days before `to` if not given, at most 400 days."
        )]
        from: Option<Timestamp>,
        #[graphql(desc = "Only calls before this moment; now if not given.")] to: Option<Timestamp>,
        #[graphql(
            desc = "What makes a group; several make groups within groups.",
            default
        )]
        group_by: Vec<UsageGroup>,
        #[graphql(
            desc = "Only calls made for this project; if not given, the one of X-Project-Id. Members must name one."
        )]
        project_id: Option<Id>,
        #[graphql(desc = "So many groups: 100 if not given, at most 1,000.")] first: Option<i32>,
    ) -> Nullable<UsageSummary> {
        let scope = ctx.scope();
        authorize(scope.actor(), Action::ReadCosts)?;
        let project = project_asked(scope, project_id).await?;
        if project.is_none() && !ctx.may(Action::ReadAllCosts) {
            return Err(Error::Forbidden(
                "Name a `projectId`: your role reads the costs of one project at a time."
                    .to_owned(),
            )
            .into());
        }
        if group_by.iter().collect::<HashSet<_>>().len() < group_by.len() {
            return Err(Error::bad_input("groupBy", "names something twice").into());
        }
        Ok(Some(UsageSummary {
            period: period(ctx, from, to)?,
            first: at_most(
                "The number of groups",
                "first",
                first,
                USUAL_GROUPS,
                MOST_GROUPS,
            )?,
            project,
            groups: group_by,
            rows: OnceCell::new(),
        }))
    }
}
