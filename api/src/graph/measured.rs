//! The answer is measured while it is made, value by value, so that one that is too large is never whole.

use crate::{
    error::Error,
    store::{Meter, Scope},
};
use async_graphql::{
    PathSegment, QueryPathNode, QueryPathSegment, ServerError, ServerResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
};
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};

/// The signs around a field's name in JSON: two quotes, a colon and a comma.
const AROUND_NAME: u64 = 4;

/// A value of so many bytes is counted as soon as it is there; smaller ones with the object that they are part of.
const LARGE: u64 = 64;

/// What an error takes beside its message: its place, its code, the request's name.
const AROUND_ERROR: u64 = 200;

/// Measures what each operation answers, introspection included, by the [`Meter`] in its data or in its [`Scope`].
pub(super) struct Measured;

impl ExtensionFactory for Measured {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Measuring::default())
    }
}

/// The measuring of one operation.
#[derive(Default)]
struct Measuring(OnceLock<Option<Arc<Meter>>>);

impl Measuring {
    fn meter(&self, ctx: &ExtensionContext<'_>) -> Option<&Arc<Meter>> {
        let find = || {
            let given = ctx.data_opt::<Arc<Meter>>();
            let given = given.or_else(|| ctx.data_opt::<Scope>().map(Scope::meter));
            given.cloned()
        };
        self.0.get_or_init(find).as_ref()
    }
}

#[async_trait]
impl Extension for Measuring {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let Some(meter) = self.meter(ctx) else {
            return next.run(ctx, info).await;
        };
        meter.begin().await;
        let at = info.path_node;
        if let Some(error) = meter.stopped() {
            return Err(told(error.clone(), at));
        }
        let is_leaf = info.field.selection_set.node.items.is_empty();
        let is_list = info.return_type.ends_with(']') || info.return_type.ends_with("]!");
        let resolved = next.run(ctx, info).await;
        let (values, bytes) = match &resolved {
            // The items were measured each.
            Ok(Some(Value::List(items))) if is_list => (1, 2 + items.len() as u64),
            Ok(Some(value)) if is_leaf => match (length(value), at.segment) {
                (bytes, QueryPathSegment::Name(_)) if bytes < LARGE => return resolved,
                (bytes, _) => (1, bytes),
            },
            Ok(Some(Value::Object(fields))) => (fields.len() as u64, small_parts(fields.iter())),
            Ok(_) => return resolved,
            Err(error) => (1, AROUND_ERROR + error.message.len() as u64),
        };
        meter
            .answer(values, bytes)
            .map_err(|error| told(error, at))?;
        resolved
    }
}

/// The names of an object's fields, and the values that are not counted yet.
fn small_parts<'v>(fields: impl Iterator<Item = (&'v async_graphql::Name, &'v Value)>) -> u64 {
    let sizes = fields.map(|(name, value)| {
        let small = match value {
            Value::Object(_) | Value::List(_) => 0,
            value => Some(length(value))
                .filter(|bytes| *bytes < LARGE)
                .unwrap_or(0),
        };
        AROUND_NAME + name.len() as u64 + small
    });
    2 + sizes.sum::<u64>()
}

/// How many bytes a value has as JSON.
fn length(value: &Value) -> u64 {
    match value {
        Value::Null => 4,
        Value::Boolean(_) => 5,
        Value::Number(number) => number.to_string().len() as u64,
        Value::String(text) => 2 + text.bytes().map(escaped).sum::<u64>(),
        Value::Enum(name) => 2 + name.len() as u64,
        Value::Binary(bytes) => bytes.len() as u64,
        Value::List(items) => 2 + items.iter().map(|item| 1 + length(item)).sum::<u64>(),
        Value::Object(fields) => {
            let sizes = fields
                .iter()
                .map(|(name, value)| AROUND_NAME + name.len() as u64 + length(value));
            2 + sizes.sum::<u64>()
        }
    }
}

/// How many bytes a byte of a text has in JSON.
fn escaped(byte: u8) -> u64 {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// The error of a field.
fn told(error: Error, at: &QueryPathNode<'_>) -> ServerError {
    let mut path: Vec<_> = std::iter::once(at)
        .chain(at.parents())
        .map(|node| match node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(index),
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        })
        .collect();
    path.reverse();
    ServerError::from(error).with_path(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    #[test]
    fn a_value_is_as_long_as_its_json() {
        let values = [
            value!(null),
            value!("plain"),
            value!("\"quoted\" \\ \n \u{1} \u{7f} ß 漢"),
            value!(-12.5),
            value!(1234567890),
        ];
        for value in values {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(length(&value), json.len() as u64, "{json}");
        }
        let nested = value!({ "a": [1, { "b": "c" }], "d": "e" });
        let json = serde_json::to_string(&nested).unwrap().len() as u64;
        assert!(
            (json..json + 6).contains(&length(&nested)),
            "but for a comma or two"
        );
    }
}
