//! Figures: counts and sums over the tenant's rows of one table, in one statement, of all rows or of groups of them.
//!
//! ```text
//! let groups = scope.figures::<ticket::Entity>(|ask| {
//!     ask.only(ask.column(ticket::Column::ProjectId).eq(project.as_str()));
//!     ask.group("status", ask.column(ticket::Column::Status));
//!     ask.count("tickets");
//! }).await?;
//! let (status, tickets) = (groups[0].text("status")?, groups[0].number("tickets")?);
//! ```
//!
//! All figures are whole numbers, so that both databases say the same; averages and shares are made of them in Rust.

use super::{
    Scope, Tx, json,
    select::{self, Place},
};
use crate::{
    domain::calendar::{Period, Stretch},
    error::{Error, Result},
};
use chrono::Datelike;
use entity::{Column, Owned};
use sea_orm::{
    Condition, ConnectionTrait, DbBackend, QueryResult,
    sea_query::{
        Alias, CaseStatement, Expr, ExprTrait, Func, IntoCondition, NullOrdering, Order,
        SelectStatement,
    },
};
use std::marker::PhantomData;

const SECONDS_A_DAY: i64 = 86_400;

/// A question of figures, being put together. Names are the asker's own; [`Group`] finds the answers under them.
pub struct Figures<'p, E> {
    place: Place<'p>,
    select: SelectStatement,
    groups: Vec<&'static str>,
    largest: Option<&'static str>,
    table: PhantomData<fn() -> E>,
}

/// The figures of one group of rows.
#[derive(Debug)]
pub struct Group(QueryResult);

impl Scope {
    /// Asks for figures of groups of rows, in one statement. They come in the order of their keys, those without one
    /// last.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the actor sees no row of the table; or if the database fails.
    pub async fn figures<E: Owned>(
        &self,
        ask: impl FnOnce(&mut Figures<'_, E>) + Send,
    ) -> Result<Vec<Group>> {
        self.sees::<E>()?;
        let view = self.view();
        let select = {
            let mut figures = Figures::new(view.place());
            ask(&mut figures);
            figures.finish()
        };
        let rows = view.snapshot.all(&select).await?;
        Ok(rows.into_iter().map(Group).collect())
    }

    /// Asks for figures of all rows that satisfy what `ask` says, in one statement.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn figure<E: Owned>(
        &self,
        ask: impl FnOnce(&mut Figures<'_, E>) + Send,
    ) -> Result<Group> {
        let mut groups = self.figures::<E>(ask).await?;
        groups
            .pop()
            .ok_or_else(|| Error::internal("figures of no group are one row"))
    }
}

impl Tx<'_> {
    /// Asks for figures of groups of rows, as this transaction sees them, whoever asks.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn figures<E: Owned>(
        &self,
        ask: impl FnOnce(&mut Figures<'_, E>) + Send,
    ) -> Result<Vec<Group>> {
        let actor = self.all_seeing();
        let select = {
            let mut figures =
                Figures::new(Place::outermost(&actor, self.scope().store().backend()));
            ask(&mut figures);
            figures.finish()
        };
        let rows = self.transaction().query_all(&select).await?;
        Ok(rows.into_iter().map(Group).collect())
    }
}

impl<'p, E: Owned> Figures<'p, E> {
    fn new(place: Place<'p>) -> Self {
        Self {
            place,
            select: select::bare::<E>(place),
            groups: Vec::new(),
            largest: None,
            table: PhantomData,
        }
    }

    /// A column, to say something about.
    pub fn column(&self, column: E::Column) -> Expr {
        self.place.column(column)
    }

    /// A column of the row that one of this table's columns points to; NULL where it points to none.
    pub(crate) fn pointed(&self, ours: E::Column, column: &'static Column) -> Expr {
        let value = self.place.value_of(column, E::column(ours));
        value.unwrap_or_else(|_| unreachable!("figures stand outermost"))
    }

    /// Only rows that satisfy this count; may be said several times.
    pub fn only(&mut self, condition: impl IntoCondition) {
        self.select.cond_where(condition.into_condition());
    }

    /// Only rows with a moment within a period count.
    pub(crate) fn within(&mut self, column: E::Column, period: Period) {
        self.only(within(&self.column(column), period));
    }

    /// Only rows whose value is one of these count.
    pub fn any_of<'k>(&mut self, column: E::Column, keys: impl Iterator<Item = &'k str>) {
        let any = select::is_any_of(self.column(column), keys, self.place.backend());
        self.only(any);
    }

    /// Rows with the same `key` are a group; said several times, those with the same keys.
    pub fn group(&mut self, name: &'static str, key: Expr) {
        let alias = key_alias(name);
        self.select
            .expr_as(key, alias.clone())
            .add_group_by([Expr::col(alias)]);
        self.groups.push(name);
    }

    /// A figure: how many rows the group has.
    pub fn count(&mut self, name: &'static str) {
        self.figure(name, Expr::cust("COUNT(*)"));
    }

    /// A figure: how many of the group's rows satisfy this.
    pub fn count_if(&mut self, name: &'static str, condition: impl IntoCondition) {
        self.sum_if(name, Expr::cust("1"), condition);
    }

    /// A figure: the sum of a whole number over the group's rows; rows without a value add nothing.
    pub fn sum(&mut self, name: &'static str, of: Expr) {
        let sum = Func::coalesce([of.sum(), Expr::cust("0")]);
        self.figure(name, Expr::from(sum).cast_as(Alias::new("bigint")));
    }

    /// Like [`sum`](Self::sum), over those of the group's rows that satisfy this.
    pub fn sum_if(&mut self, name: &'static str, of: Expr, condition: impl IntoCondition) {
        let chosen = CaseStatement::new()
            .case(condition.into_condition(), of)
            .finally(Expr::cust("0"));
        self.sum(name, chosen.into());
    }

    fn figure(&mut self, name: &'static str, figure: Expr) {
        self.select.expr_as(figure, Alias::new(name));
    }

    /// The groups with the largest of this figure come first; equal ones in the order of their keys.
    pub fn largest_first(&mut self, figure: &'static str) {
        self.largest = Some(figure);
    }

    /// At most so many groups come.
    pub fn limit(&mut self, groups: u64) {
        self.select.limit(groups);
    }

    /// The day that a moment lies in, counted from the first of the year 1. What lies before the first stretch counts to it.
    pub(crate) fn day(&self, column: E::Column, stretches: &[Stretch]) -> Expr {
        let at = self.column(column);
        let seconds = seconds(at.clone(), self.place.backend());
        let day = |stretch: &Stretch| {
            // Never negative, where databases could round either way.
            let shift = i64::from(stretch.day.num_days_from_ce()) * SECONDS_A_DAY
                - stretch.begins.inner().timestamp();
            seconds.clone().add(shift).div(SECONDS_A_DAY)
        };
        let Some((first, later)) = stretches.split_first() else {
            return seconds.clone().div(SECONDS_A_DAY);
        };
        let latest_first = later.iter().rev().map(|stretch| {
            let begun = at.clone().gte(stretch.begins);
            (begun, day(stretch))
        });
        latest_first
            // A CASE needs a branch; this one changes nothing.
            .chain([(at.clone().lt(first.begins), day(first))])
            .fold(CaseStatement::new(), |case, (begun, day)| {
                case.case(begun, day)
            })
            .finally(day(first))
            .into()
    }

    /// How many elements the list under a key of a JSON column has; 0 when there is no list.
    pub fn list_length(&self, column: E::Column, key: &'static str) -> Expr {
        json::length(self.column(column), key, self.place.backend())
    }

    /// The text under a key of a JSON object: `absent` when the object has no such key, NULL when it is no text or
    /// there is no object.
    pub fn text_of(&self, column: E::Column, key: &'static str, absent: &'static str) -> Expr {
        json::text(self.column(column), key, absent, self.place.backend())
    }

    /// Instead of rows, the texts in the list under a key of a JSON column count, each for itself. The expression is
    /// the text. Whatever is no list or no text is left out.
    pub fn each_text(&mut self, column: E::Column, key: &'static str) -> Expr {
        let backend = self.place.backend();
        let (elements, is_text, text) = json::elements(self.column(column), key, backend);
        self.select
            .from_function(elements, json::ELEMENT)
            .and_where(is_text);
        text
    }

    fn finish(mut self) -> SelectStatement {
        if let Some(figure) = self.largest {
            self.select
                .order_by_expr(Expr::col(Alias::new(figure)), Order::Desc);
        }
        for name in self.groups {
            self.select.order_by_expr_with_nulls(
                Expr::col(key_alias(name)),
                Order::Asc,
                NullOrdering::Last,
            );
        }
        self.select
    }
}

/// "This moment is within the period."
pub(crate) fn within(at: &Expr, period: Period) -> Condition {
    Condition::all()
        .add(at.clone().gte(period.from))
        .add(at.clone().lt(period.to))
}

/// No column is called so: PostgreSQL would group by the column instead.
fn key_alias(name: &str) -> Alias {
    Alias::new(format!("by {name}"))
}

/// Whole seconds since 1970.
fn seconds(at: Expr, backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Postgres => {
            Expr::cust_with_expr("CAST(floor(extract(epoch FROM $1)) AS bigint)", at)
        }
        _ => Func::cust("unixepoch").arg(at).into(),
    }
}

impl Group {
    /// A key that is a text; none for the rows without one.
    ///
    /// # Errors
    /// If there is no such key.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        Ok(self.0.try_get("", &format!("by {name}"))?)
    }

    /// A key that is a whole number, such as a `day`.
    ///
    /// # Errors
    /// If there is no such key.
    pub fn key(&self, name: &str) -> Result<i64> {
        Ok(self.0.try_get("", &format!("by {name}"))?)
    }

    /// A figure.
    ///
    /// # Errors
    /// If there is no such figure.
    pub fn number(&self, name: &str) -> Result<i64> {
        Ok(self.0.try_get("", name)?)
    }
}
