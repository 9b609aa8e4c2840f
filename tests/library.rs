//! What a company makes its own: its projects and goals, and what its agents work under.

mod entries;
mod imports;
mod projects;
mod races;
mod roles;
mod skills;

use crate::support::Client;
use serde_json::{Value, json};

/// What the ledger tells since a position: action and message of each entry.
pub async fn told(client: &Client, since: i64) -> Vec<(String, Value)> {
    let query = "query($since: BigInt!) { activity(first: 200, filter: { seq: { gt: $since } }, orderBy: [{ field: SEQ }]) {
        nodes { action message } } }";
    let variables = json!({ "since": since.to_string() });
    let data = client.data(query, variables).await;
    let entries = data["activity"]["nodes"].as_array().expect("entries");
    let entry = |entry: &Value| {
        let action = entry["action"].as_str().expect("an action").to_owned();
        (action, entry["message"].clone())
    };
    entries.iter().map(entry).collect()
}

/// The actions alone.
pub async fn actions(client: &Client, since: i64) -> Vec<String> {
    let told = told(client, since).await;
    told.into_iter().map(|(action, _)| action).collect()
}

/// Sends a mutation and returns what it answers with, or its error.
pub async fn send(
    client: &Client,
    mutation: &str,
    shown: &str,
    input: Value,
) -> Result<Value, Value> {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {shown} }} }}");
    let answer = client.send(&query, json!({ "input": input })).await;
    match answer.body.get("errors") {
        Some(errors) => Err(errors[0].clone()),
        None => Ok(answer.body["data"][mutation].clone()),
    }
}

/// The same, which succeeds.
pub async fn run(client: &Client, mutation: &str, shown: &str, input: Value) -> Value {
    let answer = send(client, mutation, shown, input).await;
    answer.unwrap_or_else(|error| panic!("{mutation}: {error}"))
}

/// The same, which is refused: its code, and what it says.
pub async fn refused(client: &Client, mutation: &str, input: Value) -> (String, String) {
    let answer = send(client, mutation, "feedCursor", input).await;
    let error = answer.expect_err(mutation);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}
