mod constraints;
mod limits;
mod parse;
mod price;
mod suggestions;
mod values;
mod work;

use super::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static GUARD: LazyLock<Guard> =
    LazyLock::new(|| Guard::new(&crate::graph::sdl(), Limits::default(), true).unwrap());

fn asked(document: &str, variables: Value) -> Result<Judged, Vec<ServerError>> {
    let body = json!({ "query": document, "variables": variables }).to_string();
    GUARD.judge_body(body.as_bytes())
}

fn judged(document: &str, variables: Value) -> Judged {
    asked(document, variables).unwrap_or_else(|errors| panic!("{document:.200}\n{errors:#?}"))
}

fn code(document: &str, variables: Value) -> String {
    let Err(errors) = asked(document, variables) else {
        return String::new();
    };
    crate::answer::code(&errors[0]).unwrap()
}

/// The limit that a document passes.
fn limit(document: &str) -> Option<String> {
    let errors = asked(document, json!({})).err()?;
    if crate::answer::code(&errors[0]).unwrap() != "LIMIT_EXCEEDED" {
        return None;
    }
    let message = errors[0].message.split(" is at most").next()?;
    Some(message.split(" (").next()?.to_owned())
}

const PARSE: &str = "GRAPHQL_PARSE_FAILED";
const VALIDATE: &str = "GRAPHQL_VALIDATION_FAILED";
