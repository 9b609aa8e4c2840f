//! A filter as it was given, before it is SQL: how large it is, and what it names.

use super::filter::Filter;
use crate::error::{Error, Result};
use async_graphql::Value;

/// The most conditions of a filter. SQLite nests them as deep as they are many, and stops at a thousand.
const MOST_CONDITIONS: u64 = 300;
/// The most values that a filter compares with. PostgreSQL takes twice as many in a statement, SQLite three times.
const MOST_VALUES: u64 = 10_000;

/// Whether all that satisfies a filter is in one project.
pub(super) fn names_project(filter: &Value) -> bool {
    let Value::Object(fields) = filter else {
        return false;
    };
    let is_text = |value: &Value| matches!(value, Value::String(_));
    let here = match fields.get("projectId") {
        Some(Value::Object(comparison)) => comparison.get("eq").is_some_and(is_text),
        _ => false,
    };
    here || match fields.get("and") {
        Some(Value::List(all)) => all.iter().any(names_project),
        _ => false,
    }
}

/// A filter as it was given, if it is not too large.
pub(super) fn limited(filter: &dyn Filter) -> Result<&Value> {
    let asked = filter.given();
    let (conditions, values) = size(asked);
    let name = "The number of conditions of a filter";
    Error::within(name, MOST_CONDITIONS, conditions)?;
    Error::within("The number of values of a filter", MOST_VALUES, values)?;
    Ok(asked)
}

/// How many conditions a filter has at all levels, and how many values they compare with. A condition is a comparison, or
/// that there is none: `{}` holds for everything, but it is asked.
fn size(filter: &Value) -> (u64, u64) {
    let sum = |parts: &mut dyn Iterator<Item = &Value>| {
        parts
            .map(size)
            .fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
    };
    match filter {
        Value::Object(fields) if fields.is_empty() => (1, 0),
        Value::Object(fields) => sum(&mut fields.values()),
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Object(_))) => {
            sum(&mut items.iter())
        }
        Value::List(items) => (1, items.len() as u64),
        _ => (1, 1),
    }
}
