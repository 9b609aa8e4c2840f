//! What is given up is given up once, and only what was meant.

use super::{RETEST, given};
use crate::{
    support::{Client, DEMO, TestApp, Waiting},
    vault::connected,
    writes::Made,
};
use serde_json::{Value, json};

const DISCONNECT: &str = "mutation($id: ID!, $key: String) { disconnectIntegration(input: { id: $id, idempotencyKey: $key }) {
    integrationConnection { status } } }";
const STATUS: &str = "query($id: ID!) { integrationConnection(id: $id) { status } }";

/// Connects Slack, which can take a token back, with this one.
async fn slack(app: &TestApp, client: &Client, token: &str) -> Value {
    let mut input = given("SLACK", &[("botToken", token)]);
    input["label"] = json!("Given up");
    Made { app, client }.run("connectIntegration", input).await
}

/// The tokens that Slack was asked to take back.
fn taken_back(app: &TestApp) -> Vec<String> {
    let heard = app.outside.heard().into_iter();
    let token = |request: String| {
        let (_, rest) = request.split_once("Bearer ")?;
        Some(rest.lines().next()?.to_owned())
    };
    heard
        .filter(|request| request.starts_with("POST /api/auth.revoke "))
        .filter_map(token)
        .collect()
}

on_both_databases! {
    async fn a_request_that_is_repeated_gives_up_nothing_that_came_after_it(app) {
        let owner = app.owner().await;
        let id = slack(&app, &owner, "good-first-token").await;
        let once = json!({ "id": id, "key": "once" });
        let gone = owner.data(DISCONNECT, once.clone()).await;
        assert_eq!(gone["disconnectIntegration"]["integrationConnection"]["status"], "DISCONNECTED");
        assert_eq!(slack(&app, &owner, "good-second-token").await, id);
        // It is answered with what became of the connection.
        let again = owner.data(DISCONNECT, once).await;
        assert_eq!(again["disconnectIntegration"]["integrationConnection"]["status"], "CONNECTED");
        assert_eq!(taken_back(&app), ["good-first-token"]);
        let other = json!({ "id": connected(&owner, "Another", "good-token").await, "key": "once" });
        assert_eq!(owner.code(DISCONNECT, other).await, "IDEMPOTENCY_MISMATCH");
        assert_eq!(taken_back(&app), ["good-first-token"]);
    }

    async fn what_was_connected_anew_meanwhile_stays_connected(app) {
        let owner = app.owner().await;
        let id = slack(&app, &owner, "good-first-token").await;
        app.outside.holds(Some("/api/auth.revoke"));
        let giving_up = tokio::spawn({
            let (owner, id) = (owner.clone(), id.clone());
            async move { owner.code(DISCONNECT, json!({ "id": id })).await }
        });
        let waiting = Waiting::until("Slack is asked");
        while taken_back(&app).is_empty() {
            waiting.a_moment().await;
        }
        slack(&app, &owner, "good-second-token").await;
        app.outside.holds(None);
        assert_eq!(giving_up.await.expect("ends"), "CONFLICT");
        assert_eq!(owner.data(STATUS, json!({ "id": id })).await["integrationConnection"]["status"], "CONNECTED");
        owner.data(RETEST, json!({ "id": id })).await;
        assert!(app.outside.heard().pop().expect("it was asked").contains("Bearer good-second-token"));
        owner.data(DISCONNECT, json!({ "id": id })).await;
        assert_eq!(taken_back(&app), ["good-first-token", "good-second-token"]);
        app.verify_ledger(DEMO).await;
    }

    async fn what_cannot_be_connected_here_can_be_given_up(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        for name in ["teams", "twilio"] {
            let id = connected(&owner, name, "good-token").await;
            // As it was kept by a server that could.
            made.set("integration_connections", &id, &format!("name = '{name}'")).await;
            let gone = owner.data(DISCONNECT, json!({ "id": id })).await;
            assert_eq!(gone["disconnectIntegration"]["integrationConnection"]["status"], "DISCONNECTED", "{name}");
            let left = "query($name: String!) { credentials(filter: { name: { eq: $name } }) { totalCount } }";
            let left = owner.data(left, json!({ "name": format!("github/{name}") })).await;
            assert_eq!(left["credentials"]["totalCount"], 0);
        }
        app.verify_ledger(DEMO).await;
    }
}
