//! Pages of a list: what was asked for, decided once, and the rows that came back.

use super::{
    order::Ordering,
    row::{Columns, Row},
    seal::ListSeal,
    select::{self, Place},
};
use crate::error::{Error, Result};
use entity::{Column, Shape};
use sea_orm::{
    Condition, DbBackend, Value,
    sea_query::{Expr, ExprTrait, Func, JoinType, Query, SelectStatement},
};
use std::{fmt, sync::Arc};

/// How many rows a page has when the query does not say.
pub const DEFAULT_PAGE: u64 = 50;
/// How many rows a page can have.
const MAX_PAGE: u64 = 200;

/// What is said of a position of the ledger that is taken for a place in another list.
const NO_POSITION: Error = Error::CursorMismatch(
    "A `feedCursor` or a frame's cursor is a place in the ledger: follow a subscription from it, or read `activity` from it \
     with the order named, `orderBy: {field: SEQ}`.",
);

/// The slice of a list a client asks for, as in the Relay specification.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// So many rows from the start.
    pub first: Option<i32>,
    /// Start after this cursor.
    pub after: Option<String>,
    /// So many rows from the end.
    pub last: Option<i32>,
    /// End before this cursor.
    pub before: Option<String>,
}

/// A list of a table's rows, narrowed, ordered and cut: everything but whose rows and which parent's.
pub struct List {
    shape: &'static Shape,
    /// Names tenant, list, order and filter, so that equal questions share a batch and cursors know their list.
    pub(super) name: String,
    seal: ListSeal,
    pub(super) condition: Condition,
    pub(super) ordering: Ordering,
    slice: Slice,
}

/// From where, in which direction, how many.
struct Slice {
    limit: u64,
    backward: bool,
    beyond: Option<Vec<Option<Value>>>,
    asked: String,
}

/// The rows of one page, in the list's order.
#[derive(Clone, Debug, Default)]
pub struct PageRows {
    /// The rows.
    pub rows: Vec<Arc<Row>>,
    /// Whether rows come before the first one.
    pub has_previous: bool,
    /// Whether rows come after the last one.
    pub has_next: bool,
}

/// How many rows a page has, when its argument `field` asks for so many.
///
/// # Errors
/// When that is negative or too large.
pub fn page_size(field: &str, size: Option<i32>) -> Result<u64> {
    at_most("The page size", field, size, DEFAULT_PAGE, MAX_PAGE)
}

/// How many of something come when its argument `field` asks for so many: `usual` when it asks for none.
///
/// # Errors
/// When that is negative, or more than `most`: then the error says what it is that is limited.
pub fn at_most(
    name: &'static str,
    field: &str,
    asked: Option<i32>,
    usual: u64,
    most: u64,
) -> Result<u64> {
    match asked.map(u64::try_from) {
        None => Ok(usual),
        Some(Ok(asked)) if asked <= most => Ok(asked),
        Some(Ok(actual)) => Err(Error::LimitExceeded {
            name,
            limit: most,
            actual,
        }),
        Some(Err(_)) => Err(Error::bad_input(field, "cannot be negative")),
    }
}

impl List {
    /// Decides direction, size and bounds. `position` reads the cursor of a place in the ledger.
    ///
    /// # Errors
    /// When both ends are asked for, a size is negative or too large, or the cursor does not fit.
    pub(super) fn new(
        shape: &'static Shape,
        name: String,
        condition: Condition,
        ordering: Ordering,
        page: &PageArgs,
        seal: ListSeal,
        position: impl Fn(&str) -> Option<i64>,
    ) -> Result<Self> {
        let (size, cursor, backward, field) = match page {
            PageArgs {
                first: Some(_),
                last: Some(_),
                ..
            } => {
                return Err(Error::bad_input(
                    "last",
                    "ask for `first` or for `last`, not both",
                ));
            }
            PageArgs {
                last: Some(last),
                before,
                after: None,
                ..
            } => (Some(*last), before, true, "last"),
            PageArgs {
                last: None,
                before: None,
                first,
                after,
            } => (*first, after, false, "first"),
            PageArgs { last: Some(_), .. } => {
                return Err(Error::bad_input(
                    "after",
                    "`after` goes with `first`, `before` goes with `last`",
                ));
            }
            PageArgs { last: None, .. } => {
                return Err(Error::bad_input(
                    "before",
                    "`before` needs `last`, and `after` goes with `first`",
                ));
            }
        };
        let limit = page_size(field, size)?;
        let beyond = cursor
            .as_ref()
            .map(|cursor| {
                // The ledger in its own order can also be read from a live frame or a `feedCursor` on.
                match position(cursor) {
                    Some(seq) if ordering.is_the_ledgers() => Ok(vec![Some(seq.into())]),
                    Some(_) => Err(NO_POSITION),
                    None => ordering.parse(cursor, &seal),
                }
            })
            .transpose()?;
        let asked = format!("{limit}{backward}{}", cursor.as_deref().unwrap_or_default());
        Ok(Self {
            shape,
            name,
            seal,
            condition,
            ordering,
            slice: Slice {
                limit,
                backward,
                beyond,
                asked,
            },
        })
    }

    /// The table whose rows it has.
    pub fn shape(&self) -> &'static Shape {
        self.shape
    }

    /// The opaque cursor of a row of this list.
    ///
    /// # Errors
    /// When the row is none of this list.
    pub fn cursor(&self, row: &Row) -> Result<String> {
        self.ordering.cursor(row, &self.seal)
    }

    /// These columns and those that the list is sorted by.
    pub(super) fn columns(&self, columns: &Arc<Columns>) -> Arc<Columns> {
        columns.and(self.ordering.columns())
    }

    /// The page's rows without a parent, with some of their large columns.
    pub(super) fn root_select(
        &self,
        place: Place<'_>,
        columns: &Columns,
        large: &[&'static Column],
    ) -> SelectStatement {
        let mut select = select::read(columns, large, place);
        self.cut(place, &mut select);
        select
    }

    /// The page's rows for each of these parents: one statement that reads only the rows it returns.
    ///
    /// A window function would read every child of every parent first (measured: hundreds of milliseconds where this
    /// takes less than one).
    pub(super) fn nested_select<'k>(
        &self,
        place: Place<'_>,
        parent: &'static Column,
        keys: impl Iterator<Item = &'k str>,
        columns: &Columns,
        large: &[&'static Column],
    ) -> SelectStatement {
        let outer = |column: &'static Column| Expr::col(("page", column.name));
        let mut out = Query::select();
        out.exprs(columns.read().iter().chain(large).copied().map(outer));
        match place.backend() {
            DbBackend::Sqlite => {
                let mut inner = select::of(self.shape, place);
                inner.expr(Expr::col((place.alias(), "rowid")));
                inner.and_where(place.named(parent.name).eq(Expr::col(("k", "value"))));
                self.cut(place, &mut inner);
                out.from_function(Func::cust("json_each").arg(select::json_list(keys)), "k")
                    .join_as(
                        JoinType::InnerJoin,
                        self.shape.name,
                        "page",
                        Expr::col(("page", "rowid")).in_subquery(inner),
                    );
            }
            _ => {
                let mut inner = select::read(columns, large, place);
                inner.and_where(place.named(parent.name).eq(Expr::col(("k", "k"))));
                self.cut(place, &mut inner);
                out.from_function(Func::cust("unnest").arg(select::text_array(keys)), "k")
                    .join_lateral(JoinType::InnerJoin, inner, "page", Expr::cust("TRUE"));
            }
        }
        self.ordering.apply(&mut out, outer, self.slice.backward);
        out
    }

    /// Filter, bound, order and limit; one row more than asked tells whether there are more.
    fn cut(&self, place: Place<'_>, select: &mut SelectStatement) {
        select.cond_where(self.condition.clone());
        if let Some(values) = &self.slice.beyond {
            select.cond_where(self.ordering.beyond(place, values, self.slice.backward));
        }
        let named = |column: &'static Column| place.named(column.name);
        self.ordering.apply(select, named, self.slice.backward);
        select.limit(self.slice.limit + 1);
    }

    /// Turns rows as the database gave them into the page.
    pub(super) fn page(&self, mut rows: Vec<Arc<Row>>) -> PageRows {
        let Slice {
            limit,
            backward,
            beyond,
            ..
        } = &self.slice;
        let more = rows.len() as u64 > *limit;
        rows.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
        let bounded = beyond.is_some();
        if *backward {
            rows.reverse();
            return PageRows {
                rows,
                has_previous: more,
                has_next: bounded,
            };
        }
        PageRows {
            rows,
            has_previous: bounded,
            has_next: more,
        }
    }

    fn identity(&self) -> (&str, &str) {
        (&self.name, &self.slice.asked)
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for List {}

impl std::hash::Hash for List {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({} {})", self.name, self.slice.asked)
    }
}
