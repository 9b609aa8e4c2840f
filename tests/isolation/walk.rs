//! Sends what was made up, many at once, and holds each answer against the oracle.

use super::{callers::Caller, oracle::Oracle};
use crate::support::Client;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How many operations are on their way at once.
const AT_ONCE: usize = 12;

/// An operation, who sends it, and what may come back.
pub struct Ask {
    pub caller: usize,
    /// The project at work in.
    pub project: Option<String>,
    pub query: Arc<str>,
    pub variables: Value,
    pub expect: Expect,
}

/// What an answer must be, beside holding nothing that is hidden.
pub enum Expect {
    /// Whatever it is.
    Anything,
    /// This field is refused.
    Forbidden(String),
    /// This field is null, and nothing is wrong.
    Null(String),
    /// This field is the row with this id.
    Row(String, String),
    /// This list has so many rows.
    Count(String, usize),
    /// This list has exactly these rows, or so many of them.
    Rows(String, Arc<BTreeSet<String>>, usize),
    /// This list has no others than these, or the cursor is refused.
    Within(String, Arc<BTreeSet<String>>),
    /// This plain list has these, in this order.
    Listed(String, Vec<Option<String>>),
}

/// Something that came back and should not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    pub caller: &'static str,
    pub asked: String,
    pub found: String,
}

/// Sends all, and returns what leaked.
pub async fn send(asks: Vec<Ask>, callers: &[Caller], oracle: &Arc<Oracle>) -> Vec<Leak> {
    let (asks, next) = (Arc::new(asks), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (asks, next, callers, oracle) =
                (asks.clone(), next.clone(), callers.to_vec(), oracle.clone());
            tokio::spawn(async move {
                let mut leaks = Vec::new();
                while let Some(ask) = asks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caller = &callers[ask.caller];
                    let answer = answer(ask, &caller.client).await;
                    let mut found = Vec::new();
                    oracle.callers[ask.caller].find(&answer, &mut found);
                    found.extend(ask.expect.wrong(&answer));
                    let asked = || format!("{} {}", ask.query, ask.variables);
                    leaks.extend(found.into_iter().map(|found| Leak {
                        caller: caller.name,
                        asked: asked(),
                        found,
                    }));
                }
                leaks
            })
        })
        .collect();
    let mut leaks = Vec::new();
    for sender in senders {
        leaks.extend(sender.await.expect("does not panic"));
    }
    leaks
}

async fn answer(ask: &Ask, client: &Client) -> Value {
    let narrowed = ask
        .project
        .as_ref()
        .map(|project| client.in_project(project));
    let client = narrowed.as_ref().unwrap_or(client);
    loop {
        let answer = client.send(&ask.query, ask.variables.clone()).await.body;
        // There are more of us than of those for whom the limits are.
        if code(&answer) != Some("UNAVAILABLE") {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

fn code(answer: &Value) -> Option<&str> {
    answer["errors"][0]["extensions"]["code"].as_str()
}

impl Expect {
    /// What is wrong with an answer.
    fn wrong(&self, answer: &Value) -> Option<String> {
        let (data, code) = (&answer["data"], code(answer));
        let refused = |field: &str| data[field].is_null() && code == Some("FORBIDDEN");
        let ids = |field: &str| {
            let nodes = data[field]["nodes"].as_array().into_iter().flatten();
            nodes
                .filter_map(|node| node["id"].as_str())
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        let holds = match self {
            Self::Anything => true,
            Self::Forbidden(field) => refused(field),
            Self::Null(field) => data[field].is_null() && code.is_none(),
            Self::Row(field, id) => data[field]["id"].as_str() == Some(id),
            Self::Count(field, count) => data[field]["totalCount"].as_u64() == Some(*count as u64),
            Self::Rows(field, rows, most) => {
                let ids = ids(field);
                code.is_none() && ids.is_subset(rows) && ids.len() == rows.len().min(*most)
            }
            Self::Within(field, rows) => {
                code == Some("CURSOR_MISMATCH") || code.is_none() && ids(field).is_subset(rows)
            }
            Self::Listed(field, expected) => {
                let found = data[field].as_array().into_iter().flatten();
                found
                    .map(|node| node["id"].as_str())
                    .eq(expected.iter().map(Option::as_deref))
            }
        };
        (!holds).then(|| {
            let mut text = answer.to_string();
            text.truncate(
                text.char_indices()
                    .nth(300)
                    .map_or(text.len(), |(at, _)| at),
            );
            match self {
                Self::Count(_, count) => format!("{count} were due: {text}"),
                Self::Rows(_, rows, _) => format!("{} rows were due: {text}", rows.len()),
                _ => text,
            }
        })
    }
}
