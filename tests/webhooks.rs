//! What other services tell by themselves, sent and signed as each of them does.

mod refused;
mod slack;
mod told;

use crate::support::{Client, TestApp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// HMAC-SHA256, as RFC 2104 has it, with a key of at most 64 bytes, in hex.
pub fn hmac(key: &str, signed: &[u8]) -> String {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key.as_bytes());
    let pad = |byte: u8| block.map(|part| part ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(signed);
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    hex::encode(outer.finalize())
}

/// What a service sends: its headers and its body.
#[derive(Clone)]
pub struct Delivery {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// A connection that tells things, and what it signs them with.
#[derive(Clone)]
pub struct Hook {
    pub id: Value,
    pub path: String,
    pub secret: String,
    base: String,
    http: reqwest::Client,
}

impl Hook {
    /// A service of a workspace that is connected and has a secret.
    pub async fn of(app: &TestApp, owner: &Client, service: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let values = match service {
            "JIRA" => {
                json!([{ "key": "site", "value": "acme" }, { "key": "email", "value": "ada@example.com" }, { "key": "apiToken", "value": "good-jira" }])
            }
            "SLACK" => json!([{ "key": "botToken", "value": "good-slack" }]),
            "GITHUB" => json!([{ "key": "token", "value": "good-github" }]),
            _ => json!([{ "key": "apiKey", "value": "good-linear" }]),
        };
        let label = format!("Hook {}", NEXT.fetch_add(1, Ordering::Relaxed));
        let connect = "mutation($input: ConnectIntegrationInput!) { connectIntegration(input: $input) { integrationConnection { id webhookPath } } }";
        let input = json!({ "service": service, "label": label, "values": values });
        let made = owner.data(connect, json!({ "input": input })).await["connectIntegration"]["integrationConnection"].clone();
        // Slack gives it, the others are given it.
        let given = (service == "SLACK").then_some("8f742231b10e8888abcd99yyyzzz85a5");
        let set = "mutation($id: ID!, $value: String) { setWebhookSecret(input: { id: $id, value: $value }) { secret } }";
        let input = json!({ "id": made["id"], "value": given });
        let shown = owner.data(set, input).await["setWebhookSecret"]["secret"].clone();
        let base = app.url.strip_suffix("/graphql").expect("the API's address");
        Self {
            id: made["id"].clone(),
            path: made["webhookPath"].as_str().expect("a path").to_owned(),
            secret: given.or(shown.as_str()).expect("a secret").to_owned(),
            base: base.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// The same at another server.
    pub fn at(&self, url: &str) -> Self {
        let base = url.strip_suffix("/graphql").expect("the API's address");
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// The same at another path.
    pub fn under(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }

    /// Sends a delivery. Returns the status, and what is answered.
    pub async fn send(&self, delivery: &Delivery) -> (u16, Value) {
        let mut request = self.http.post(format!("{}{}", self.base, self.path));
        for (name, value) in &delivery.headers {
            request = request.header(*name, value);
        }
        let response = request.body(delivery.body.clone()).send().await;
        let response = response.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.expect("JSON"))
    }

    /// Sends a delivery that is taken for genuine. Returns what came of it.
    pub async fn tell(&self, delivery: &Delivery) -> String {
        let (status, told) = self.send(delivery).await;
        assert_eq!(status, 200, "{told}");
        told["status"].as_str().expect("a word").to_owned()
    }

    /// As GitHub sends it.
    pub fn github(&self, name: &str, event: &str, body: impl Into<Vec<u8>>) -> Delivery {
        let body = body.into();
        Delivery {
            headers: vec![
                ("content-type", "application/json".into()),
                ("user-agent", "GitHub-Hookshot/044aadd".into()),
                ("x-github-delivery", name.into()),
                ("x-github-event", event.into()),
                (
                    "x-hub-signature-256",
                    format!("sha256={}", hmac(&self.secret, &body)),
                ),
            ],
            body,
        }
    }

    /// As Jira sends it.
    pub fn jira(&self, name: &str, body: &Value) -> Delivery {
        let body = body.to_string().into_bytes();
        Delivery {
            headers: vec![
                ("content-type", "application/json; charset=UTF-8".into()),
                ("x-atlassian-webhook-identifier", name.into()),
                (
                    "x-hub-signature",
                    format!("sha256={}", hmac(&self.secret, &body)),
                ),
            ],
            body,
        }
    }

    /// As Slack sends it at a moment, in seconds since 1970.
    pub fn slack(&self, at: i64, form: bool, body: impl Into<Vec<u8>>) -> Delivery {
        let body = body.into();
        let signed = [format!("v0:{at}:").as_bytes(), &body].concat();
        let media = if form {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        };
        Delivery {
            headers: vec![
                ("content-type", media.into()),
                ("x-slack-request-timestamp", at.to_string()),
                (
                    "x-slack-signature",
                    format!("v0={}", hmac(&self.secret, &signed)),
                ),
            ],
            body,
        }
    }

    /// As whatever sends it that signs as is said here.
    pub fn generic(&self, at: i64, body: &Value) -> Delivery {
        let body = body.to_string().into_bytes();
        let signed = [format!("{at}.").as_bytes(), &body].concat();
        Delivery {
            headers: vec![(
                "x-workgraph-signature",
                format!("t={at},v1={}", hmac(&self.secret, &signed)),
            )],
            body,
        }
    }
}

/// What GitHub says of a push to a repository's main branch at a moment.
pub fn push(repository: &str, at: i64) -> Value {
    json!({
        "ref": "refs/heads/main", "before": "1".repeat(40), "after": "2".repeat(40), "created": false, "deleted": false, "forced": false,
        "repository": { "id": 1, "full_name": repository, "default_branch": "main", "pushed_at": at },
        "pusher": { "name": "ada", "email": "ada@example.com" },
        "commits": [{ "id": "2".repeat(40), "message": "Fix it", "added": [], "modified": ["src/lib.rs"] }],
    })
}

/// What the ledger tells after a position.
pub async fn entries(owner: &Client, after: i64) -> Vec<Value> {
    let query = "query($after: BigInt!) { activity(first: 50, filter: { seq: { gt: $after } }, orderBy: [{ field: SEQ, direction: ASC }]) { nodes { action actor targetId message } } }";
    let told = owner
        .data(query, json!({ "after": after.to_string() }))
        .await;
    told["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone()
}
