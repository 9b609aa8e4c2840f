//! What is said of a document that is refused: the errors, where in the document they are, and their codes.

use super::{places::Places, suggestions::Suggestions};
use crate::{answer::first_of, error::Error};
use apollo_compiler::{
    diagnostic::{Diagnostic, ToCliReport},
    parser::SourceSpan,
    validation::{DiagnosticData, DiagnosticList},
};
use async_graphql::{Pos, ServerError};
use std::collections::HashSet;

/// A mistake that this server's own rules find.
struct Fault {
    error: Error,
    at: Option<SourceSpan>,
}

/// What is wrong with a document.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes what does not fit the schema.
    pub(super) fn add(&mut self, at: Option<SourceSpan>, message: impl FnOnce() -> String) {
        self.refuse(at, Error::ValidationFailed(message()));
    }

    /// Notes a mistake.
    pub(super) fn refuse(&mut self, at: Option<SourceSpan>, error: Error) {
        self.0.push(Fault { error, at });
    }

    /// Refuses if there is any.
    ///
    /// # Errors
    /// The mistakes: what does not fit the schema first, each kind in the document's order.
    pub(super) fn none(mut self, places: &Places) -> Result<(), Vec<ServerError>> {
        if self.0.is_empty() {
            return Ok(());
        }
        // What is no GraphQL for this schema comes before what this server alone does not take.
        self.0.sort_by_key(|Fault { error, at }| {
            let ours = !matches!(error, Error::ValidationFailed(_));
            (ours, at.map(|span| span.offset()))
        });
        let count = self.0.len();
        let errors = self.0.into_iter().map(|fault| {
            let at = fault.at.map(|span| places.at(span.offset()));
            located(fault.error, at)
        });
        Err(first_of(count, errors))
    }
}

/// What the parser found: of each place the first, since everything that was open there is told otherwise.
pub(super) fn unparsed(found: &DiagnosticList, places: &Places) -> Vec<ServerError> {
    let mut seen = HashSet::new();
    let firsts: Vec<_> = found
        .iter()
        .filter(|diagnostic| seen.insert(diagnostic.error.location().map(|span| span.offset())))
        .collect();
    let count = firsts.len();
    told(count, firsts.into_iter(), places, |message, at, _| {
        let message = match message.trim_start_matches("syntax error: ") {
            "Unexpected <EOF>." => "it holds no operation".to_owned(),
            other => in_signs(other.trim_end_matches('.')),
        };
        let place = at.map_or_else(String::new, |at| {
            format!(" in line {}, column {}", at.line, at.column)
        });
        Error::ParseFailed(format!("The document is not GraphQL{place}: {message}."))
    })
}

/// The parser's message with signs in place of its names for them.
fn in_signs(message: &str) -> String {
    const NAMES: [(&str, &str); 8] = [
        (", got EOF", ", but the document ends"),
        ("L_CURLY", "`{`"),
        ("R_CURLY", "`}`"),
        ("L_PAREN", "`(`"),
        ("R_PAREN", "`)`"),
        ("L_BRACK", "`[`"),
        ("R_BRACK", "`]`"),
        ("COLON", "`:`"),
    ];
    NAMES.iter().fold(message.to_owned(), |text, (name, sign)| {
        text.replace(name, sign)
    })
}

/// What the parser passed over.
pub(super) fn unexpected(at: Pos) -> ServerError {
    let Pos { line, column } = at;
    let message = format!(
        "The document is not GraphQL in line {line}, column {column}: a `:` or a value is missing before this."
    );
    located(Error::ParseFailed(message), Some(at))
}

/// What does not fit the schema.
pub(super) fn invalid(
    found: &DiagnosticList,
    places: &Places,
    suggestions: &Suggestions<'_>,
) -> Vec<ServerError> {
    told(found.len(), found.iter(), places, |message, _, found| {
        Error::ValidationFailed(suggestions.complete(message, found))
    })
}

fn told<'f>(
    count: usize,
    found: impl Iterator<Item = Diagnostic<'f, DiagnosticData>>,
    places: &Places,
    error: impl Fn(String, Option<Pos>, &DiagnosticData) -> Error,
) -> Vec<ServerError> {
    let errors = found.map(|diagnostic| {
        let at = diagnostic.error.location();
        let at = at.map(|span| places.at(span.offset()));
        let message = diagnostic.error.unstable_compat_message();
        let message = message.unwrap_or_else(|| diagnostic.error.to_string());
        located(error(message, at, diagnostic.error), at)
    });
    first_of(count, errors)
}

fn located(error: Error, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::from(error);
    error.locations.extend(at);
    error
}
