//! The order of a list, and where a cursor stands in it.
//!
//! NULLs come last in either direction, on both databases. Every order ends with the id, so it is total.

use super::{
    diff::CREATED_AT,
    row::Row,
    seal::{DAMAGED, ListSeal},
    select::Place,
};
use crate::error::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use entity::{Column, Kind, Shape, Table};
use sea_orm::{
    Condition, Value,
    sea_query::{Expr, ExprTrait, NullOrdering, Order, SelectStatement, sea_value_to_json_value},
};
use serde_json::Value as Json;

/// One column of an order.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    column: &'static Column,
    descending: bool,
    /// Whether the operation names it, or it is what a list is sorted by anyway.
    named: bool,
}

impl SortKey {
    /// Sorts by this column.
    pub fn new(column: &'static Column, descending: bool) -> Self {
        Self {
            column,
            descending,
            named: true,
        }
    }

    /// Sorts by this column, the largest first, where the operation names no order.
    pub fn usual(column: &'static Column) -> Self {
        Self {
            named: false,
            ..Self::new(column, true)
        }
    }
}

/// A total order over a table's rows.
#[derive(Clone, Debug)]
pub struct Ordering(Vec<SortKey>);

impl Ordering {
    /// Ends the keys with the id, in the direction of the last one.
    pub fn new(shape: &'static Shape, mut keys: Vec<SortKey>) -> Self {
        let descending = keys.last().is_some_and(|key| key.descending);
        keys.push(SortKey {
            column: shape.id(),
            descending,
            named: false,
        });
        Self(keys)
    }

    /// Whether it is the order of the ledger itself, so that a position says where one stands in it. The operation must name
    /// it: whoever asks for what comes after a position without saying which way means what came later, and lists begin
    /// with the newest.
    pub(super) fn is_the_ledgers(&self) -> bool {
        let is_seq = |key: &SortKey| {
            key.column.table == Table::AuditLog && key.column.name == "seq" && key.named
        };
        self.0.first().is_some_and(is_seq)
    }

    /// The columns it sorts by.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static Column> {
        self.0.iter().map(|key| key.column)
    }

    /// The order in words, for cursors and batches to compare.
    pub(super) fn name(&self) -> String {
        self.0
            .iter()
            .map(|key| {
                format!(
                    "{}{}",
                    if key.descending { '-' } else { '+' },
                    key.column.name
                )
            })
            .collect()
    }

    /// Adds ORDER BY, reversed when the page is counted from the end.
    pub(super) fn apply(
        &self,
        select: &mut SelectStatement,
        column: impl Fn(&'static Column) -> Expr,
        backward: bool,
    ) {
        for key in &self.0 {
            let order = if key.descending == backward {
                Order::Asc
            } else {
                Order::Desc
            };
            if key.column.nullable {
                let nulls = if backward {
                    NullOrdering::First
                } else {
                    NullOrdering::Last
                };
                select.order_by_expr_with_nulls(column(key.column), order, nulls);
            } else {
                select.order_by_expr(column(key.column), order);
            }
        }
    }

    /// The rows after (or, counting from the end, before) the one with these values. They may be those of the first
    /// columns only, if those are unique by themselves.
    pub(super) fn beyond(
        &self,
        place: Place<'_>,
        values: &[Option<Value>],
        backward: bool,
    ) -> Condition {
        let column = |key: &SortKey| place.named(key.column.name);
        let keys = &self.0[..values.len()];
        // One row-value comparison lets both databases walk the index.
        if let Some(values) = values.iter().cloned().collect::<Option<Vec<_>>>()
            && keys
                .iter()
                .all(|key| !key.column.nullable && key.descending == keys[0].descending)
        {
            let left = Expr::tuple(keys.iter().map(column));
            let right = Expr::tuple(values.into_iter().map(Expr::val));
            let ascending = keys[0].descending == backward;
            return Condition::all().add(if ascending {
                left.gt(right)
            } else {
                left.lt(right)
            });
        }
        let mut any = Condition::any();
        for (position, key) in keys.iter().enumerate() {
            let Some(step) = key.step(column(key), values[position].as_ref(), backward) else {
                continue;
            };
            let mut all = Condition::all();
            for (key, value) in keys.iter().zip(values).take(position) {
                all = all.add(match value {
                    Some(value) => column(key).eq(value.clone()),
                    None => column(key).is_null(),
                });
            }
            any = any.add(all.add(step));
        }
        any
    }

    /// The opaque cursor of a row.
    ///
    /// # Errors
    /// When the row was read without the columns it is sorted by.
    pub(super) fn cursor(&self, row: &Row, seal: &ListSeal) -> Result<String> {
        let values = self.0.iter().map(|key| Ok(to_json(row.get(key.column)?)));
        Ok(seal.close(values.collect::<Result<_>>()?))
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// [`Error::CursorMismatch`](crate::Error::CursorMismatch) when it is damaged or forged, or belongs to another list.
    pub(super) fn parse(&self, cursor: &str, seal: &ListSeal) -> Result<Vec<Option<Value>>> {
        let items = seal.open(cursor, self.0.len())?;
        self.0
            .iter()
            .zip(&items)
            .map(|(key, item)| from_json(key.column.kind, item))
            .collect()
    }
}

/// The order in which rows came about.
pub(super) fn oldest_first(shape: &'static Shape) -> Ordering {
    let created_at = shape.column(CREATED_AT);
    let keys = created_at.map(|column| SortKey::new(column, false));
    Ordering::new(shape, keys.into_iter().collect())
}

impl SortKey {
    /// "Strictly further on in this one column"; `None` when nothing can be.
    fn step(&self, column: Expr, value: Option<&Value>, backward: bool) -> Option<Condition> {
        let Some(value) = value else {
            return backward.then(|| Condition::all().add(column.is_not_null()));
        };
        let ascending = self.descending == backward;
        let beyond = if ascending {
            column.clone().gt(value.clone())
        } else {
            column.clone().lt(value.clone())
        };
        let mut any = Condition::any().add(beyond);
        if self.column.nullable && !backward {
            any = any.add(column.is_null());
        }
        Some(any)
    }
}

/// A column's value as JSON; moments are RFC 3339.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::ChronoDateTimeUtc(Some(at)) => {
            Json::String(at.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
        other => sea_value_to_json_value(other),
    }
}

pub(super) fn from_json(kind: Kind, item: &Json) -> Result<Option<Value>> {
    if item.is_null() {
        return Ok(None);
    }
    let value = match kind {
        Kind::Boolean => item.as_bool().map(Value::from),
        Kind::Integer => item
            .as_i64()
            .and_then(|number| i32::try_from(number).ok())
            .map(Value::from),
        Kind::BigInteger => item.as_i64().map(Value::from),
        Kind::Float => item.as_f64().map(Value::from),
        Kind::Moment => item
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|at| Value::from(at.with_timezone(&Utc))),
        Kind::Text | Kind::Json => item.as_str().map(Value::from),
    };
    value.map(Some).ok_or(DAMAGED)
}
