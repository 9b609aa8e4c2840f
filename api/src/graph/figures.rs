//! What the fields that show figures have in common: their period and their calendar.

use super::prelude::*;
use crate::{
    domain::calendar::{Calendar, Period},
    store::Scope,
};
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{Datelike, NaiveDate};
use entity::{Timestamp, tenant};

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
                .ok()
                .filter(|day: &NaiveDate| (1..=9999).contains(&day.year()))
                .map(Self)
                .ok_or_else(|| InputValueError::custom("expected a day, such as 2026-05-04")),
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
