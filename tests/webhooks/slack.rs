//! Buttons in Slack's messages.

use super::{Delivery, Hook, entries};
use crate::{
    decisions::brief,
    support::{ACME, DEMO, TestApp},
    writes::{Made, head},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// What Slack says when somebody presses a button.
fn pressed(user: &str, action: &str, value: &str, reason: Option<&str>) -> Value {
    let inputs = reason.map_or(json!({}), |text| {
        json!({ "b1": { "workgraph_reason": { "type": "plain_text_input", "value": text } } })
    });
    json!({
        "type": "block_actions", "team": { "id": "T1", "domain": "acme" }, "user": { "id": user, "username": "ada", "team_id": "T1" },
        "api_app_id": "A1", "token": "deprecated", "trigger_id": "12466734323.1395872398", "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "message": { "type": "message", "ts": "1.2", "text": "A brief waits" }, "state": { "values": inputs },
        "actions": [{ "type": "button", "block_id": "b2", "action_id": format!("workgraph_{action}"), "value": value, "action_ts": "1.3" }],
    })
}

/// The same as it is sent.
fn sent(app: &TestApp, hook: &Hook, said: &Value) -> Delivery {
    let said = said.to_string();
    let encoded: String = { said.bytes() }
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    hook.slack(app.now().timestamp(), true, format!("payload={encoded}"))
}

on_both_databases! {
    async fn the_address_is_confirmed_to_slack(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "SLACK").await;
        let before = head(&owner).await;
        let asked = json!({ "token": "deprecated", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification" });
        let (status, told) = hook.send(&hook.slack(app.now().timestamp(), false, asked.to_string())).await;
        assert_eq!((status, told), (200, json!({ "challenge": asked["challenge"] })));
        let other = Hook { secret: "another signing secret".into(), ..hook.clone() };
        let (status, told) = hook.send(&other.slack(app.now().timestamp(), false, asked.to_string())).await;
        assert_eq!(status, 401, "{told}");
        assert!(!told.to_string().contains("3eZbrw1a"));
        assert_eq!(head(&owner).await, before);
    }

    async fn a_button_decides_once_in_the_name_of_whom_it_was_sent_to(app) {
        let owner = app.owner().await;
        let (admin, client) = (app.user(DEMO, "admin").await, app.client(DEMO, "admin").await);
        let hook = Hook::of(&app, &owner, "SLACK").await;
        let made = Made { app: &app, client: &owner };
        let id = made.submitted().await;
        let token = Made { app: &app, client: &client }.reply_token("BRIEF", &id).await;
        let before = head(&owner).await;
        for said in [
            pressed("U2", "approve", &token, None),
            pressed("U1", "retry", &token, None),
            pressed("U1", "reject", &token, None),
            pressed("U1", "reject", &token, Some("  ")),
            pressed("U1", "other", &token, None),
            pressed("U1", "approve", "", None),
            pressed("U1", "approve", &format!("wgp_{}", "a".repeat(43)), None),
            json!({ "type": "block_actions", "actions": [] }),
            json!({ "type": "view_submission" }),
        ] {
            assert_eq!(hook.tell(&sent(&app, &hook, &said)).await, "ignored", "{said}");
        }
        assert_eq!(head(&owner).await, before, "nothing was decided");
        let approved = sent(&app, &hook, &pressed("U1", "approve", &token, None));
        let mut told = join_all((0..64).map(|_| hook.tell(&approved))).await;
        told.sort();
        assert_eq!(told.iter().filter(|word| *word == "taken").count(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|word| *word == "repeated").count(), 63, "{told:?}");
        let query = "query($id: ID!) { prd(id: $id) { status approvals { nodes { channel externalActorRef user { id } actorEmail } } } }";
        let shown = owner.data(query, json!({ "id": id })).await["prd"].clone();
        assert_eq!(shown, json!({ "status": "APPROVED", "approvals": { "nodes": [{ "channel": "SLACK", "externalActorRef": "U1", "user": { "id": admin.id }, "actorEmail": admin.email }] } }));
        let told = entries(&owner, before).await;
        let received: Vec<_> = told.iter().filter(|entry| entry["action"] == "webhook.received").collect();
        assert_eq!((received.len(), &received[0]["actor"]), (1, &json!("system:webhook:slack")));
        assert!(told.iter().any(|entry| entry["action"] == "brief.approved"), "{told:?}");
        assert!(!json!(told).to_string().contains(&token));
        // The token is used up.
        let before = head(&owner).await;
        let late = sent(&app, &hook, &pressed("U1", "reject", &token, Some("No.")));
        let (status, told) = hook.send(&late).await;
        assert_eq!((status, told["status"].as_str()), (200, Some("ignored")));
        assert!(told["message"].as_str().expect("text").contains("answered with APPROVE already"), "{told}");
        let mut again = pressed("U1", "approve", &token, None);
        again["trigger_id"] = json!("12466734323.1395872399");
        assert_eq!(hook.tell(&sent(&app, &hook, &again)).await, "ignored", "it was pressed twice");
        assert_eq!(head(&owner).await, before);
        app.verify_ledger(DEMO).await;
    }

    async fn a_reason_is_what_was_written_beside_the_button(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let hook = Hook::of(&app, &owner, "SLACK").await;
        let id = Made { app: &app, client: &owner }.submitted().await;
        let token = Made { app: &app, client: &admin }.reply_token("BRIEF", &id).await;
        let said = pressed("U1", "reject", &token, Some("Too large: split it."));
        assert_eq!(hook.tell(&sent(&app, &hook, &said)).await, "taken");
        assert_eq!(brief(&owner, &id).await["status"], "REJECTED");
    }

    async fn a_button_decides_nothing_of_another_workspace_or_channel(app) {
        let (owner, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let hook = Hook::of(&app, &acme, "SLACK").await;
        let id = Made { app: &app, client: &owner }.submitted().await;
        let admin = app.client(DEMO, "admin").await;
        let token = Made { app: &app, client: &admin }.reply_token("BRIEF", &id).await;
        let (before, theirs) = (head(&owner).await, head(&acme).await);
        assert_eq!(hook.tell(&sent(&app, &hook, &pressed("U1", "approve", &token, None))).await, "ignored");
        let create = "mutation($input: CreateReplyTokenInput!) { createReplyToken(input: $input) { token } }";
        let input = json!({ "subjectType": "BRIEF", "subjectId": id, "channel": "EMAIL", "channelIdentity": "U1" });
        let mailed = admin.data(create, json!({ "input": input })).await["createReplyToken"]["token"].as_str().expect("a token").to_owned();
        let own = Hook::of(&app, &owner, "SLACK").await;
        assert_eq!(own.tell(&sent(&app, &own, &pressed("U1", "approve", &mailed, None))).await, "ignored");
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL");
        assert_eq!(head(&acme).await, theirs);
        assert!(entries(&owner, before).await.iter().all(|entry| entry["action"] != "webhook.received"));
    }
}
