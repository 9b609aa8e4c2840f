//! A filter as a field's argument.

use crate::error::{Error, Result};
use async_graphql::{InputType, InputValueError, InputValueResult, Value, registry::Registry};
use std::borrow::Cow;

/// A filter that may be left out, and in which nothing is null, however deep.
///
/// A null within a filter is most often a variable that somebody forgot to set. If it counted as left out, a list would
/// show everything where it should show little. So every field that takes a filter takes it as this type. A null in
/// place of the whole filter is none, as everywhere in GraphQL: Relay sends every variable that has no value as null.
#[derive(Clone, Debug)]
pub struct FilterArgument<F>(Result<Option<F>>);

impl<F> FilterArgument<F> {
    /// The filter, if one was given.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] with the place of the first null.
    pub fn given(self) -> Result<Option<F>> {
        self.0
    }
}

impl<F: InputType> InputType for FilterArgument<F> {
    type RawValueType = F::RawValueType;

    fn type_name() -> Cow<'static, str> {
        F::type_name()
    }

    fn qualified_type_name() -> String {
        F::type_name().into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        F::create_type_info(registry);
        F::type_name().into()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let Some(value) = value.filter(|value| *value != Value::Null) else {
            return Ok(Self(Ok(None)));
        };
        if let Some(place) = null_in(&value) {
            return Ok(Self(Err(Error::bad_input(
                format!("filter{place}"),
                "cannot be null; leave it out, or use `isNull: true` for what has no value",
            ))));
        }
        let filter = F::parse(Some(value)).map_err(InputValueError::propagate)?;
        Ok(Self(Ok(Some(filter))))
    }

    fn to_value(&self) -> Value {
        match &self.0 {
            Ok(Some(filter)) => filter.to_value(),
            _ => Value::Null,
        }
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_ref().ok()?.as_ref()?.as_raw_value()
    }
}

/// Where the first null of a value is, such as `.or[1].title`.
fn null_in(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, field)| Some(format!(".{name}{}", null_in(field)?))),
        Value::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| Some(format!("[{index}]{}", null_in(item)?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    #[test]
    fn the_first_null_is_found_however_deep() {
        let place = |value: Value| null_in(&value);
        assert_eq!(place(value!(null)).as_deref(), Some(""));
        assert_eq!(place(value!({ "title": null })).as_deref(), Some(".title"));
        let deep = value!({ "and": [{ "id": { "eq": "a" } }, { "tickets": { "none": { "id": { "in": ["a", null] } } } }] });
        assert_eq!(
            place(deep).as_deref(),
            Some(".and[1].tickets.none.id.in[1]")
        );
        assert_eq!(place(value!({ "or": [], "title": { "eq": "" } })), None);
    }
}
