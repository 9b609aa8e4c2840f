//! What people say of themselves.

use super::actions;
use crate::support::{Client, DEMO};
use serde_json::{Value, json};

const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
    user { name preferredChannel persona hasSeenTour channelIds { slack email whatsapp teams sms gchat } } } }";

async fn update(client: &Client, input: Value) -> Value {
    client.data(UPDATE, json!({ "input": input })).await["updateProfile"]["user"].clone()
}

on_both_databases! {
    async fn everybody_changes_their_own_profile(app) {
        let viewer = app.client(DEMO, "viewer").await;
        let before = update(&viewer, json!({})).await;
        let now = update(&viewer, json!({
            "name": " Vera ", "preferredChannel": "SMS", "persona": "DESIGNER", "hasSeenTour": true,
            "channelIds": { "sms": "+4915112345678", "email": "Vera@Home.Example", "slack": null },
        })).await;
        assert_eq!(now, json!({
            "name": "Vera", "preferredChannel": "SMS", "persona": "DESIGNER", "hasSeenTour": true, "channelIds": {
                "slack": null, "email": "vera@home.example", "whatsapp": before["channelIds"]["whatsapp"], "teams": null,
                "sms": "+4915112345678", "gchat": null,
            },
        }));
        let later = update(&viewer, json!({ "persona": null, "channelIds": { "sms": null } })).await;
        assert_eq!((&later["persona"], &later["channelIds"]["sms"], &later["channelIds"]["email"], &later["name"]),
            (&Value::Null, &Value::Null, &json!("vera@home.example"), &json!("Vera")), "what is left out stays");
        let id = app.user(DEMO, "viewer").await.id;
        assert_eq!(actions(&super::told(&app, &id).await)[..2], ["user.updated", "user.updated"]);
        app.verify_ledger(DEMO).await;
    }

    async fn a_profile_has_names_that_reach_somebody(app) {
        let viewer = app.client(DEMO, "viewer").await;
        for (input, field) in [
            (json!({ "name": "" }), "name"),
            (json!({ "name": null }), "name"),
            (json!({ "channelIds": null }), "channelIds"),
            (json!({ "channelIds": { "sms": "0151 12345678" } }), "channelIds.sms"),
            (json!({ "channelIds": { "whatsapp": "+49" } }), "channelIds.whatsapp"),
            (json!({ "channelIds": { "email": "vera" } }), "channelIds.email"),
            (json!({ "channelIds": { "slack": "" } }), "channelIds.slack"),
        ] {
            let answer = viewer.send(UPDATE, json!({ "input": input })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{input}");
            assert_eq!(answer.body["errors"][0]["extensions"]["field"], field);
        }
        let owner = app.owner().await;
        let agent = app.agent_for(&owner, &["dev_agent"]).await;
        assert_eq!(agent.code(UPDATE, json!({ "input": { "name": "x" } })).await, "FORBIDDEN");
    }
}
