//! Every stream, followed by everybody at once: so that what is made once for several is made for the right ones.

use super::{callers::Caller, oracle::Oracle, walk::Leak};
use crate::support::{Events, Field, Schema, TestApp};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;

/// Follows every stream from a cursor to the head as every caller, and returns what leaked.
pub async fn follow_all(
    app: &TestApp,
    schema: &Schema,
    oracle: &Oracle,
    callers: &[Caller],
    after: &Value,
) -> Vec<Leak> {
    let head = position(&callers[0], app).await;
    let after = after.as_str().expect("a cursor");
    let mut streams = Vec::new();
    for field in &schema.get("Subscription").fields {
        for narrowed in narrowed(field, oracle, callers) {
            for caller in 0..callers.len() {
                let query = query(schema, field, &narrowed, after);
                streams.push(follow(app, oracle, callers, caller, field, query, head));
            }
        }
    }
    let leaks = join_all(streams).await;
    leaks.into_iter().flatten().collect()
}

/// The arguments that a stream is opened with.
fn narrowed(field: &Field, oracle: &Oracle, callers: &[Caller]) -> Vec<String> {
    match field.name.as_str() {
        "activity" => {
            let kinds = [
                "Notification",
                "CredentialVault",
                "AuthToken",
                "ApiUsage",
                "Goal",
            ];
            let filter = |kind| format!("filter: {{ targetType: [\"{kind}\"] }},");
            kinds
                .into_iter()
                .map(filter)
                .chain([String::new()])
                .collect()
        }
        // What must be named, such as `sessionId`: of each kind two.
        _ => match { field.args.iter() }
            .find(|argument| argument.of.required && argument.of.name == "ID")
        {
            Some(argument) => {
                let kind = match argument.name.as_str() {
                    "sessionId" => "AgentSession",
                    "jobId" => "AgentJob",
                    other => panic!("what is a {other}?"),
                };
                let rows = oracle.of(kind, &callers[0].tenant).take(2);
                rows.map(|row| format!("{}: \"{}\",", argument.name, row.id))
                    .collect()
            }
            None => vec![String::new()],
        },
    }
}

fn query(schema: &Schema, field: &Field, narrowed: &str, after: &str) -> String {
    let frame = schema.get(&field.of.name);
    let mut selection: Vec<_> = frame.leaves().map(|field| field.name.clone()).collect();
    for inner in frame.fields.iter().filter(|field| !field.of.is_leaf()) {
        let row = schema.get(&inner.of.name);
        let mut leaves: Vec<_> = row.leaves().map(|field| field.name.as_str()).collect();
        if row.name == "AuditLog" {
            leaves.extend(["target { id }", "user { id }", "diff { before after }"]);
        }
        for numbers in row.fields.iter().filter(|_| inner.of.name == "Dashboard") {
            let counts = schema.get(&numbers.of.name);
            let counts: Vec<_> = counts.leaves().map(|count| count.name.as_str()).collect();
            selection.push(format!(
                "{} {{ {} {{ {} }} }}",
                inner.name,
                numbers.name,
                counts.join(" ")
            ));
        }
        if !leaves.is_empty() {
            selection.push(format!("{} {{ {} }}", inner.name, leaves.join(" ")));
        }
    }
    let arguments = format!("{narrowed} after: \"{after}\", heartbeatSeconds: 5");
    format!(
        "subscription {{ {}({arguments}) {{ {} }} }}",
        field.name,
        selection.join(" ")
    )
}

async fn follow(
    app: &TestApp,
    oracle: &Oracle,
    callers: &[Caller],
    n: usize,
    field: &Field,
    query: String,
    head: i64,
) -> Vec<Leak> {
    let caller = &callers[n];
    let whole = field.name == "activity" && !query.contains("targetType:");
    let entries: BTreeMap<i64, &str> = oracle
        .of("AuditLog", &caller.tenant)
        .filter_map(|row| {
            let seen = row.seen >> n & 1 == 1;
            Some((
                row.value("seq").as_i64()?,
                if seen { row.id.as_str() } else { "" },
            ))
        })
        .collect();
    let (mut leaks, mut last) = (Vec::new(), None);
    let leak = |found: String| Leak {
        caller: caller.name,
        asked: query.clone(),
        found,
    };
    let mut events = loop {
        match Events::ask(&app.url, &caller.token, &query, None).await {
            Ok(events) => break events,
            // Everybody begins everything at once: whoever has no turn asks again.
            Err((503, _)) => tokio::task::yield_now().await,
            Err((status, body)) => return vec![leak(format!("no stream: {status} {body}"))],
        }
    };
    while let Some((name, _, answer)) = events.next().await {
        let mut found = Vec::new();
        oracle.callers[n].find(&answer, &mut found);
        leaks.extend(found.into_iter().map(leak));
        if name == "complete" || answer["data"].is_null() {
            let refused = answer["errors"][0]["extensions"]["code"].as_str();
            let may_be = ["FORBIDDEN", "NOT_FOUND"]
                .iter()
                .any(|code| refused == Some(code));
            if !may_be || caller.role != "agent" {
                leaks.push(leak(format!("ended: {answer}")));
            }
            break;
        }
        let frame = &answer["data"][&field.name];
        let (at, event) = (number(&frame["position"]), frame["event"]["id"].as_str());
        if last.is_some_and(|last| number(&frame["previous"]) != last) {
            leaks.push(leak(format!("{at} does not follow {last:?}")));
        }
        let due = entries.get(&at).copied().unwrap_or_default();
        if whole
            && last.is_some_and(|last| {
                at != last && (at != last + 1 || event.unwrap_or_default() != due)
            })
        {
            leaks.push(leak(format!("{at} after {last:?} is {event:?}, not {due}")));
        }
        if event.is_some_and(|event| event != due) {
            leaks.push(leak(format!("{at} is {event:?}, not {due}")));
        }
        last = Some(at);
        if at >= head {
            break;
        }
    }
    leaks
}

async fn position(caller: &Caller, app: &TestApp) -> i64 {
    let query = "subscription { activity { position } }";
    let mut events = Events::open(&app.url, &caller.token, query, None).await;
    let (_, _, first) = events.next().await.expect("a frame");
    number(&first["data"]["activity"]["position"])
}

fn number(value: &Value) -> i64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a position")
}
