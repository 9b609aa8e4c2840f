//! Signing in through a provider of identities.

mod attempts;
mod browser;
mod newcomers;
mod proofs;
mod provider;
mod roles;

use crate::support::{DEMO, TestApp, Waiting};
use provider::Provider;
use serde_json::{Value, json};

/// A provider, and a server of the demo whose people come from there.
async fn begun(app: &TestApp) -> (Provider, String) {
    let provider = Provider::start().await;
    let server = provider.server(app, &[DEMO]).await;
    (provider, server)
}

/// What the demo's owner is answered, once their server knows of what another one did to them.
async fn owner_is_told(app: &TestApp, query: &str, variables: Value) -> Value {
    let waiting = Waiting::until("the owner is known");
    loop {
        let answer = app.owner().await.send(query, variables.clone()).await;
        if answer.body["errors"].is_null() {
            return answer.body["data"].clone();
        }
        assert_eq!(answer.code(), "UNAUTHENTICATED");
        waiting.a_moment().await;
    }
}

/// What the ledger tells of a person, the newest first: what, who did it, and what was said of it.
async fn told(app: &TestApp, id: &str) -> Vec<(String, String, String)> {
    let query = "query($id: ID!) { activity(first: 20, filter: { targetId: { eq: $id } }) { nodes { action actor message } } }";
    let data = owner_is_told(app, query, json!({ "id": id })).await;
    let nodes = data["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone();
    let text = |node: &Value, name: &str| node[name].as_str().unwrap_or_default().to_owned();
    nodes
        .iter()
        .map(|node| {
            (
                text(node, "action"),
                text(node, "actor"),
                text(node, "message"),
            )
        })
        .collect()
}

async fn actions(app: &TestApp, id: &str) -> Vec<String> {
    told(app, id)
        .await
        .into_iter()
        .map(|(action, ..)| action)
        .collect()
}

/// The person of the demo with this address: who they are, and what.
async fn person(app: &TestApp, email: &str) -> Value {
    let query = "query($email: String!) { users(filter: { email: { eq: $email } }) { nodes { id name role identity { issuer subject } } } }";
    let data = owner_is_told(app, query, json!({ "email": email })).await;
    data["users"]["nodes"][0].clone()
}

fn id(person: &Value) -> &str {
    person["id"].as_str().expect("an id")
}
