//! The errors of an answer, whichever way it goes out.

use crate::error::Error;
use async_graphql::{ErrorExtensionValues, PathSegment, Response, ServerError, Value};
use tracing::Span;

/// So many errors are told; one mistake in a long document is reported often enough.
const TOLD: usize = 20;
/// An error that repeats what was sent is cut to so many characters.
const MESSAGE_LENGTH: usize = 500;

/// The errors of an answer that is being made: those that are told, and how many more there were. However many there are,
/// they take no more room than these.
#[derive(Default)]
pub(crate) struct Errors {
    told: Vec<ServerError>,
    /// Where the first one stands that is left out, and how many are.
    left_out: Option<(Vec<PathSegment>, u64)>,
}

impl Errors {
    /// Takes an error. Of each kind one is told, and of each root field, however late it comes: what became of a mutation
    /// is known by its error.
    pub(crate) fn add(&mut self, error: ServerError) {
        let is_new = || {
            let (code, mut told) = (code(&error), self.told.iter());
            code.is_some() && told.all(|told| self::code(told) != code)
                || self
                    .told
                    .iter()
                    .all(|told| told.path.first() != error.path.first())
        };
        if self.told.len() < TOLD || is_new() {
            self.told.push(error);
        } else {
            self.left_out.get_or_insert((error.path, 0)).1 += 1;
        }
    }

    /// The errors, in the order of the root fields that they stand below. The last one may tell of those that are left out,
    /// with the place of the first of them.
    pub(crate) fn told(self, data: &Value) -> Vec<ServerError> {
        let Self { mut told, left_out } = self;
        if let Value::Object(fields) = data {
            let place = |error: &ServerError| match error.path.first()? {
                PathSegment::Field(name) => fields.get_index_of(name.as_str()),
                PathSegment::Index(_) => None,
            };
            told.sort_by_key(|error| place(error).unwrap_or(usize::MAX));
        }
        if let Some((path, more)) = left_out {
            let limit = told.len() as u64;
            let actual = limit + more;
            let error = ServerError::from(Error::MoreErrors { limit, actual });
            told.push(error.with_path(path));
        }
        told
    }
}

/// The first of so many errors, as many as are told, and one that says how many there are. The others are never made.
pub(crate) fn first_of(
    count: usize,
    errors: impl Iterator<Item = ServerError>,
) -> Vec<ServerError> {
    let mut told: Vec<_> = errors.take(TOLD).collect();
    let (limit, actual) = (told.len() as u64, count as u64);
    if actual > limit {
        told.push(Error::MoreErrors { limit, actual }.into());
    }
    told
}

impl From<Vec<ServerError>> for Errors {
    fn from(all: Vec<ServerError>) -> Self {
        let mut errors = Self::default();
        all.into_iter().for_each(|error| errors.add(error));
        errors
    }
}

/// Gives every error a code and the request's name, and the log the first one's. Errors without a code come from the
/// library's own checks.
pub(crate) fn complete(answer: &mut Response, request_id: &str) {
    for error in &mut answer.errors {
        if let Some((end, _)) = error.message.char_indices().nth(MESSAGE_LENGTH) {
            error.message.truncate(end);
            error.message.push('…');
        }
        let extensions = error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_none() {
            if error.path.is_empty() {
                extensions.set("code", "GRAPHQL_VALIDATION_FAILED");
            } else {
                extensions.set("code", "BAD_USER_INPUT");
                extensions.set("reason", error.message.clone());
            }
        }
        extensions.set("requestId", request_id);
    }
    if let Some(code) = answer.errors.first().and_then(code) {
        Span::current().record("code", code);
    }
}

/// The code of an error that has one already.
pub(crate) fn code(error: &ServerError) -> Option<String> {
    let extensions = error.extensions.as_ref()?;
    match extensions.get("code") {
        Some(Value::String(code)) => Some(code.clone()),
        _ => None,
    }
}
