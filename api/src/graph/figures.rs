//! What the fields that show figures have in common: their period, their calendar and their project.

use super::prelude::*;
use crate::{
    domain::calendar::{Calendar, Period},
    error::Error,
    store::Scope,
};
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDate;
use entity::{Id, Timestamp, project, tenant};

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub(super) NaiveDate);

/// A day of the calendar, such as `2026-05-04`.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .map(Self)
                .map_err(|_| InputValueError::custom("expected a day, such as 2026-05-04")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// The workspace's calendar.
pub(super) async fn calendar(scope: &Scope) -> crate::Result<Calendar> {
    let tenant = scope.get::<tenant::Entity>(scope.actor().tenant()).await?;
    Ok(Calendar::of(&tenant.timezone))
}

/// The period that a field asks for; see [`Period::asked`].
pub(super) fn period(
    ctx: &Context<'_>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> crate::Result<Period> {
    Period::asked(from, to, ctx.scope().now())
}

/// The project that a field asks for, if any, is one of the workspace's.
pub(super) async fn known_project(scope: &Scope, id: Option<&Id>) -> crate::Result<()> {
    if let Some(id) = id {
        scope.get::<project::Entity>(id).await?;
    }
    Ok(())
}

/// A number of rows, as the API counts.
pub(super) fn int(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// How many rows an argument `first` asks for.
///
/// # Errors
/// When that is negative or more than `most`.
pub(super) fn at_most(
    name: &'static str,
    first: Option<i32>,
    usual: u64,
    most: u64,
) -> crate::Result<u64> {
    match first.map(u64::try_from) {
        None => Ok(usual),
        Some(Ok(first)) if first <= most => Ok(first),
        Some(Ok(actual)) => Err(Error::LimitExceeded {
            name,
            limit: most,
            actual,
        }),
        Some(Err(_)) => Err(Error::bad_input("first", "cannot be negative")),
    }
}
