//! Providers of models that fail, move, or are where nobody may ask.

use super::{ADD, PROBE, health};
use crate::support::{Client, DEMO, TestApp, Waiting};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::background::run_due;

const ROTATE: &str = "mutation($input: RotateAiProviderInput!) { rotateAiProvider(input: $input) { credential { baseUrl hint } } }";

/// Adds a provider whose API is at this path of the service that stands in place of all, and returns its id.
async fn added(app: &TestApp, client: &Client, path: &str) -> Value {
    let url = format!("{}{path}", app.outside.url);
    let input = json!({ "provider": "CUSTOM", "apiKey": "good-first-key", "baseUrl": url });
    let added = client.data(ADD, json!({ "input": input })).await;
    added["addAiProvider"]["credential"]["id"].clone()
}

/// Lets so many seconds pass, and has the server try those that are due. Returns how many it asked.
async fn asked_after(app: &TestApp, seconds: u64) -> usize {
    app.wait(Duration::from_secs(seconds));
    for (which, at) in [("<>", "2999"), ("=", "2020")] {
        app.execute(&format!(
            "UPDATE background_tasks SET \"lockedUntil\" = NULL, \"nextAt\" = '{at}-01-01T00:00:00.000+00:00' WHERE name {which} 'ai_providers'"
        ))
        .await;
    }
    let before = app.outside.heard().len();
    run_due(&app.store).await.expect("runs");
    app.outside.heard().len() - before
}

on_both_databases! {
    async fn a_provider_that_goes_on_failing_is_asked_ever_more_seldom(app) {
        run_due(&app.store).await.expect("runs");
        let owner = app.owner().await;
        let id = added(&app, &owner, "/v1").await;
        app.outside.breaks(true);
        owner.data(PROBE, json!({ "id": id })).await;
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            assert_eq!(asked_after(&app, minutes * 60 - 20).await, 0, "{minutes} min are not over");
            assert_eq!(asked_after(&app, 21).await, 1, "{minutes} min are over");
        }
        assert_eq!(health(&app.owner().await, &id).await, "DEGRADED");
        app.outside.breaks(false);
        assert_eq!(asked_after(&app, 3601).await, 1);
        let owner = app.owner().await;
        assert_eq!(health(&owner, &id).await, "HEALTHY");
        assert_eq!(asked_after(&app, 3601).await, 0);
        // Then it is counted from the beginning.
        app.outside.breaks(true);
        app.owner().await.data(PROBE, json!({ "id": id })).await;
        assert_eq!(asked_after(&app, 61).await, 1);
        app.verify_ledger(DEMO).await;
    }

    async fn another_key_does_not_go_to_where_a_provider_was(app) {
        let owner = app.owner().await;
        let id = added(&app, &owner, "/v1").await;
        app.outside.holds(Some("/v1/models"));
        let rotating = tokio::spawn({
            let (owner, id) = (owner.clone(), id.clone());
            async move { owner.code(ROTATE, json!({ "input": { "id": id, "apiKey": "good-second-key" } })).await }
        });
        let waiting = Waiting::until("the provider is asked");
        while !app.outside.heard().iter().any(|request| request.contains("good-second-key")) {
            waiting.a_moment().await;
        }
        let moved = format!("{}/v2", app.outside.url);
        let third = json!({ "id": id, "apiKey": "good-third-key", "baseUrl": moved });
        owner.data(ROTATE, json!({ "input": third })).await;
        app.outside.holds(None);
        assert_eq!(rotating.await.expect("ends"), "CONFLICT");
        owner.data(PROBE, json!({ "id": id })).await;
        let asked = app.outside.heard().pop().expect("it was asked");
        assert!(asked.starts_with("GET /v2/models ") && asked.contains("good-third-key"), "{asked}");
        // Without anybody in the way it stays where it is.
        let rotated = owner.data(ROTATE, json!({ "input": { "id": id, "apiKey": "good-fourth-key-Ab3d" } })).await;
        assert_eq!(rotated["rotateAiProvider"]["credential"], json!({ "baseUrl": moved, "hint": "Ab3d" }));
    }

    async fn names_of_the_servers_own_network_are_told_from_no_others(app) {
        let owner = app.owner_elsewhere_asking_the_public().await;
        let told = async |host: &str| {
            let input = json!({ "provider": "CUSTOM", "apiKey": "good-custom-key", "baseUrl": format!("https://{host}/v1") });
            let refused = owner.send(ADD, json!({ "input": input })).await;
            let error = refused.body["errors"][0].clone();
            (error["message"].clone(), error["extensions"]["code"].clone(), error["extensions"]["field"].clone())
        };
        // No name has a part as long as this, which nobody need be asked for.
        let nowhere = format!("{}.internal", "x".repeat(64));
        assert_eq!(told("localhost").await, told(&nowhere).await);
        assert!(app.outside.heard().is_empty());
    }
}
