//! The errors of an answer, whichever way it goes out.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

/// Answers hold so many errors at most; one mistake in a long document is reported often enough.
const MOST_ERRORS: usize = 20;
/// An error that repeats what was sent is cut to so many characters.
const MESSAGE_LENGTH: usize = 500;

/// Gives every error a code and the request's name. Errors without a code come from the library's own checks.
pub(crate) fn complete(answer: &mut Response, request_id: &str) {
    answer.errors.truncate(MOST_ERRORS);
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
}

/// The code of an error that has one already.
pub(crate) fn code(error: &ServerError) -> Option<String> {
    let extensions = error.extensions.as_ref()?;
    match extensions.get("code") {
        Some(Value::String(code)) => Some(code.clone()),
        _ => None,
    }
}
