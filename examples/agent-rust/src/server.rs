//! The server, as an agent asks it: again and again while it is out of reach.

use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;
use tracing::warn;

/// All that an agent sends. Each request names the operation of it that is meant.
const OPERATIONS: &str = include_str!("operations.graphql");
/// How often it tries what others stand in the way of.
const CONTENDED_TRIES: u32 = 4;

/// Where the server is, and who asks.
pub struct Server {
    client: reqwest::Client,
    /// The address of its GraphQL, such as `http://127.0.0.1:8080/graphql`.
    pub url: String,
    /// The agent token.
    pub token: String,
}

/// An answer that says no, and would again.
#[derive(Debug, Default, Deserialize, thiserror::Error)]
#[error("{}: {message}", extensions.code)]
#[serde(default)]
pub struct Refused {
    message: String,
    extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extensions {
    code: String,
    reason: String,
    retry_after_ms: u64,
}

impl Refused {
    /// The token does not hold, as a WebSocket says it.
    pub fn unauthenticated(reason: &str) -> Self {
        let mut refused = Self::default();
        let code = "UNAUTHENTICATED";
        refused.message = reason
            .trim_start_matches(code)
            .trim_start_matches(": ")
            .to_owned();
        code.clone_into(&mut refused.extensions.code);
        refused
    }

    /// Whether it has this code.
    pub fn is(&self, code: &str) -> bool {
        self.extensions.code == code
    }

    /// Whether somebody else has the job by now, or nobody: leave it.
    pub fn is_stale(&self) -> bool {
        self.extensions.reason == "STALE_LEASE"
    }

    /// Whether the same may be taken a moment later.
    fn may_pass(&self, tries: u32) -> bool {
        match self.extensions.code.as_str() {
            "UNAVAILABLE" | "RATE_LIMITED" | "DEADLINE_EXCEEDED" | "INTERNAL" => true,
            // It may be that others wrote the same rows.
            "CONFLICT" => !self.is_stale() && tries < CONTENDED_TRIES,
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<Refused>,
}

/// Pauses that grow from 1 s to 30 s, each cut by chance, so that not all agents come back at once.
#[derive(Default)]
pub struct BackOff(u32);

impl BackOff {
    /// How long to wait now.
    pub fn pause(&mut self) -> Duration {
        let most = 30.0_f64.min(f64::from(1_u32 << self.0.min(5)));
        self.0 += 1;
        Duration::from_secs_f64(most * rand::random_range(0.5..1.0))
    }

    /// It went well: the next pause is a short one.
    pub fn reset(&mut self) {
        self.0 = 0;
    }
}

/// Gives an input the key under which it is carried out once, however often it is sent.
pub fn once(mut input: Value) -> Value {
    input["idempotencyKey"] = format!("{:032x}", rand::random::<u128>()).into();
    input
}

impl Server {
    /// The server at an address, asked with a token.
    pub fn new(url: &str, token: String) -> reqwest::Result<Self> {
        let timeout = Duration::from_secs(30);
        Ok(Self {
            client: reqwest::Client::builder().timeout(timeout).build()?,
            url: format!("{}/graphql", url.trim_end_matches('/')),
            token,
        })
    }

    /// What is sent to run an operation.
    pub fn request(operation: &str, variables: &Value) -> Value {
        json!({ "query": OPERATIONS, "operationName": operation, "variables": variables })
    }

    /// Sends a mutation.
    pub async fn tell(&self, mutation: &str, input: Value) -> Result<Value, Refused> {
        self.ask(mutation, json!({ "input": input })).await
    }

    /// Sends an operation, which can be sent again, until there is an answer.
    pub async fn ask(&self, operation: &str, variables: Value) -> Result<Value, Refused> {
        let request = Self::request(operation, &variables);
        let mut back_off = BackOff::default();
        loop {
            let (why, least) = match self.answer(&request).await {
                Ok(mut answer) => match answer.errors.pop() {
                    None => return Ok(answer.data),
                    Some(refused) if !refused.may_pass(back_off.0) => return Err(refused),
                    Some(refused) => (refused.to_string(), refused.extensions.retry_after_ms),
                },
                Err(error) => (format!("{error:?}"), 0),
            };
            let pause = back_off.pause().max(Duration::from_millis(least));
            warn!("{operation} is sent again in {pause:.1?}: {why}");
            sleep(pause).await;
        }
    }

    async fn answer(&self, request: &Value) -> reqwest::Result<Answer> {
        let request = self.client.post(&self.url).json(request);
        let response = request.bearer_auth(&self.token).send().await?;
        response.json().await
    }
}
