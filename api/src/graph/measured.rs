//! The answer is measured while it is made, value by value and error by error, so that one that is too large is never
//! whole. And a nullable field that fails is null here, which keeps what is around it: the library would make its parent
//! null.

use crate::{
    answer::Errors,
    error::Error,
    store::{Meter, Scope},
};
use async_graphql::{
    ContextSelectionSet, DataContext, PathSegment, QueryPathNode, QueryPathSegment, Response,
    ServerError, ServerResult, Value,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
    },
};
use async_trait::async_trait;
use std::{
    mem,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};
use tokio::time::timeout_at;

/// The signs around a field's name in JSON: two quotes, a colon and a comma.
const AROUND_NAME: u64 = 4;

/// A value of so many bytes is counted as soon as it is there; smaller ones with the object that they are part of.
const LARGE: u64 = 64;

/// The type of the root of mutations.
const MUTATION: &str = "Mutation";

/// What an error takes beside its message and its path: its place, its code, the request's name.
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
struct Measuring {
    meter: OnceLock<Option<Arc<Meter>>>,
    errors: Mutex<Errors>,
}

impl Measuring {
    fn meter(&self, ctx: &ExtensionContext<'_>) -> Option<&Arc<Meter>> {
        let find = || meter(ctx).cloned();
        self.meter.get_or_init(find).as_ref()
    }
}

/// The operation's meter.
fn meter<'a>(ctx: &impl DataContext<'a>) -> Option<&'a Arc<Meter>> {
    let given = ctx.data_opt::<Arc<Meter>>();
    given.or_else(|| ctx.data_opt::<Scope>().map(Scope::meter))
}

/// Measures what one object has at hand, which is resolved without the library: see [`super::object`].
pub(super) struct Measure<'a>(Option<&'a Arc<Meter>>);

impl<'a> Measure<'a> {
    /// Begins a row.
    ///
    /// # Errors
    /// When the operation must not go on.
    pub(super) async fn begin(ctx: &ContextSelectionSet<'a>) -> ServerResult<Self> {
        let meter = meter(ctx);
        if let Some(meter) = meter {
            meter.take_turn().await;
            if let Some(error) = meter.stopped() {
                return Err(ctx.set_error_path(error.clone().into()));
            }
        }
        Ok(Self(meter))
    }

    /// Counts a column's value, unless it is counted with its row.
    ///
    /// # Errors
    /// When the answer is too large.
    pub(super) fn column(&self, ctx: &ContextSelectionSet<'_>, value: &Value) -> ServerResult<()> {
        let Some(meter) = self.0 else { return Ok(()) };
        meter.spend_turn();
        if is_small(value) {
            return Ok(());
        }
        let counted = meter.answer(1, length(value));
        counted.map_err(|error| ctx.set_error_path(error.into()))
    }
}

/// Whether a type, as the schema writes it, is a list.
fn is_list(returns: &str) -> bool {
    returns.trim_end_matches('!').ends_with(']')
}

#[async_trait]
impl Extension for Measuring {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (at, is_nullable) = (info.path_node, !info.return_type.ends_with('!'));
        let resolved = match self.meter(ctx) {
            Some(meter) => measured(meter, ctx, info, next).await,
            None => next.run(ctx, info).await,
        };
        match resolved {
            Err(error) if is_nullable => {
                let error = placed(error, at);
                let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
                errors.add(error);
                Ok(Some(Value::Null))
            }
            resolved => resolved,
        }
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut answer = next.run(ctx, operation_name).await;
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = mem::take(&mut *errors);
        answer.errors.drain(..).for_each(|error| all.add(error));
        answer.errors = all.told(&answer.data);
        answer
    }
}

/// Resolves a field, or an entry of a list, and counts what comes of it.
async fn measured(
    meter: &Arc<Meter>,
    ctx: &ExtensionContext<'_>,
    info: ResolveInfo<'_>,
    next: NextResolve<'_>,
) -> ServerResult<Option<Value>> {
    let at = info.path_node;
    let is_leaf = info.field.selection_set.node.items.is_empty();
    let is_list = is_list(info.return_type);
    let _pending = meter.enter().map_err(|error| told(error, at))?;
    // A value of a row that is there takes no time, and the rest of its row would be kept waiting with it.
    match is_leaf {
        true => meter.spend_turn(),
        false => meter.take_turn().await,
    }
    if let Some(error) = meter.stopped() {
        return Err(told(error.clone(), at));
    }
    let resolved = if at.parent.is_none() && info.parent_type == MUTATION {
        if let Some(scope) = ctx.data_opt::<Scope>() {
            // It may need a connection, and what the one before it reads from is one.
            scope.renew();
        }
        in_time(meter, at, next.run(ctx, info)).await
    } else {
        next.run(ctx, info).await
    };
    let (values, bytes) = match &resolved {
        // The items were measured each.
        Ok(Some(Value::List(items))) if is_list => (1, 2 + items.len() as u64),
        Ok(Some(value)) if is_leaf => match at.segment {
            QueryPathSegment::Name(_) if is_small(value) => return resolved,
            _ => (1, length(value)),
        },
        Ok(Some(Value::Object(fields))) => (fields.len() as u64, small_parts(fields.iter())),
        Ok(_) => return resolved,
        Err(error) => (1, AROUND_ERROR + error.message.len() as u64 + depth(at)),
    };
    meter
        .answer(values, bytes)
        .map_err(|error| told(error, at))?;
    resolved
}

/// Runs a mutation until the operation's time is up: what the others before it answered with stays.
async fn in_time(
    meter: &Arc<Meter>,
    at: &QueryPathNode<'_>,
    resolving: impl Future<Output = ServerResult<Option<Value>>>,
) -> ServerResult<Option<Value>> {
    if let QueryPathSegment::Name(name) = at.segment {
        meter.commits().begin(name);
    }
    let Some(until) = meter.until() else {
        return resolving.await;
    };
    // One whose turn comes too late is not begun.
    if Instant::now() < until {
        if let Ok(resolved) = timeout_at(until.into(), resolving).await {
            return resolved;
        }
        meter.commits().settled().await;
    }
    Err(told(Error::TOO_SLOW, at))
}

/// The names of an object's fields, and the values that are not counted yet.
fn small_parts<'v>(fields: impl Iterator<Item = (&'v async_graphql::Name, &'v Value)>) -> u64 {
    let sizes = fields.map(|(name, value)| {
        let small = if is_small(value) { length(value) } else { 0 };
        AROUND_NAME + name.len() as u64 + small
    });
    2 + sizes.sum::<u64>()
}

/// Whether a value is counted with the object that it is part of, and not by itself as soon as it is there.
fn is_small(value: &Value) -> bool {
    match value {
        Value::String(text) => (text.len() as u64) < LARGE,
        Value::Binary(bytes) => (bytes.len() as u64) < LARGE,
        Value::List(_) | Value::Object(_) => false,
        _ => true,
    }
}

/// How many bytes a value has as JSON.
fn length(value: &Value) -> u64 {
    match value {
        Value::Null => 4,
        Value::Boolean(_) => 5,
        Value::Number(number) => number.to_string().len() as u64,
        Value::String(text) => {
            // Most texts have nothing to escape, and finding that out takes a fraction of the time.
            let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
            let specials = text
                .as_bytes()
                .iter()
                .filter(|byte| is_special(byte))
                .count();
            match specials {
                0 => 2 + text.len() as u64,
                _ => 2 + text.bytes().map(escaped).sum::<u64>(),
            }
        }
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

/// How many bytes a path has in JSON.
fn depth(at: &QueryPathNode<'_>) -> u64 {
    let segments = std::iter::once(at).chain(at.parents());
    let lengths = segments.map(|node| match node.segment {
        QueryPathSegment::Index(_) => 4,
        QueryPathSegment::Name(name) => 3 + name.len() as u64,
    });
    lengths.sum()
}

/// The error of a field.
fn told(error: Error, at: &QueryPathNode<'_>) -> ServerError {
    placed(error.into(), at)
}

/// An error with its path. What the library says of an argument has none.
fn placed(error: ServerError, at: &QueryPathNode<'_>) -> ServerError {
    if !error.path.is_empty() {
        return error;
    }
    let mut path: Vec<_> = std::iter::once(at)
        .chain(at.parents())
        .map(|node| match node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(index),
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        })
        .collect();
    path.reverse();
    error.with_path(path)
}

#[cfg(test)]
mod tests;
