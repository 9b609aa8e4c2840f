//! Decisions by reply to a message.

use super::{brief, plans, version};
use crate::{
    support::{Client, DEMO, TestApp},
    writes::{Made, head},
};
use serde_json::{Value, json};
use std::time::Duration;

const REPLY: &str = "mutation($input: DecideByReplyInput!) { decideByReply(input: $input) { subjectType subjectId status } }";

async fn reply(app: &TestApp, token: &str, decision: &str, change: Value) -> Value {
    let mut input = json!({ "token": token, "decision": decision, "channelIdentity": "U1" });
    input
        .as_object_mut()
        .expect("an input")
        .extend(change.as_object().expect("fields").clone());
    Client::anonymous(&app.url)
        .send(REPLY, json!({ "input": input }))
        .await
        .body
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

on_both_databases! {
    async fn a_reply_decides_once_in_the_name_of_whom_it_was_asked(app) {
        let owner = app.owner().await;
        let (admin, client) = (app.user(DEMO, "admin").await, app.client(DEMO, "admin").await);
        let made = Made { app: &app, client: &owner };
        let id = made.submitted().await;
        let token = Made { app: &app, client: &client }.reply_token("BRIEF", &id).await;
        let before = head(&owner).await;
        for (decision, change, expected) in [
            ("APPROVE", json!({ "channelIdentity": "U2" }), "FORBIDDEN"),
            ("RETRY", json!({}), "BAD_USER_INPUT"),
            ("APPROVE", json!({ "messageLink": "javascript:alert(1)" }), "BAD_USER_INPUT"),
            ("REJECT", json!({}), "BAD_USER_INPUT"),
            ("APPROVE", json!({ "token": format!("wgp_{}", "a".repeat(43)) }), "UNAUTHENTICATED"),
            ("APPROVE", json!({ "token": "nothing" }), "UNAUTHENTICATED"),
            ("APPROVE", json!({ "token": token.replace("wgp_", "wgr_") }), "UNAUTHENTICATED"),
        ] {
            let answer = reply(&app, &token, decision, change.clone()).await;
            assert_eq!(code(&answer), expected, "{decision} {change}: {answer}");
        }
        assert_eq!(head(&owner).await, before, "nothing was decided");
        let answer = reply(&app, &token, "APPROVE", json!({ "messageLink": "https://chat.example/1" })).await;
        assert_eq!(answer["data"]["decideByReply"], json!({ "subjectType": "PRD", "subjectId": id, "status": "APPROVED" }));
        let query = "query($id: ID!) { prd(id: $id) { approvals { nodes { channel externalActorRef messageLink user { id } actorEmail } } } }";
        let told = owner.data(query, json!({ "id": id })).await;
        assert_eq!(told["prd"]["approvals"]["nodes"], json!([{ "channel": "SLACK", "externalActorRef": "U1", "messageLink": "https://chat.example/1",
            "user": { "id": admin.id }, "actorEmail": admin.email }]));
        // The same again is answered and decides nothing; another is too late.
        let before = head(&owner).await;
        let again = reply(&app, &token, "APPROVE", json!({})).await;
        assert_eq!(again["data"]["decideByReply"]["status"], "APPROVED", "{again}");
        let other = reply(&app, &token, "REJECT", json!({ "reason": "No." })).await;
        assert_eq!(code(&other), "CONFLICT");
        assert!(other["errors"][0]["message"].as_str().expect("text").contains("answered with APPROVE already"), "{other}");
        assert_eq!(code(&reply(&app, &token, "APPROVE", json!({ "channelIdentity": "U2" })).await), "FORBIDDEN");
        assert_eq!(head(&owner).await, before);
    }

    async fn who_ended_all_sessions_is_not_spoken_for_by_a_reply(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let id = Made { app: &app, client: &owner }.submitted().await;
        let token = Made { app: &app, client: &admin }.reply_token("BRIEF", &id).await;
        admin.data("mutation { signOutEverywhere(input: {}) { feedCursor } }", json!({})).await;
        let answer = reply(&app, &token, "APPROVE", json!({})).await;
        assert_eq!(code(&answer), "CONFLICT", "{answer}");
        assert!(answer["errors"][0]["message"].as_str().expect("text").contains("ended all sessions"), "{answer}");
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL");
    }

    async fn a_reply_that_is_too_late_says_so(app) {
        let owner = app.owner().await;
        let client = app.client(DEMO, "admin").await;
        let of_admin = Made { app: &app, client: &client };
        let made = Made { app: &app, client: &owner };
        // Somebody decided otherwise, somebody changed it, and time went by.
        let rejected = made.submitted().await;
        let changed = made.submitted().await;
        let forgotten = made.submitted().await;
        let mut tokens = Vec::new();
        for id in [&rejected, &changed, &forgotten] {
            tokens.push(of_admin.reply_token("BRIEF", id).await);
        }
        made.run("rejectPrd", json!({ "id": rejected, "expectedVersion": 1, "reason": "No." })).await;
        made.run("updatePrd", json!({ "id": changed, "expectedVersion": 1, "title": "Another" })).await;
        for (token, says) in tokens.iter().zip(["rejected by", "at version 2 by now"]) {
            let answer = reply(&app, token, "APPROVE", json!({})).await;
            assert_eq!(code(&answer), "CONFLICT");
            assert!(answer["errors"][0]["message"].as_str().expect("text").contains(says), "{answer}");
        }
        app.wait(Duration::from_secs(8 * 24 * 3600));
        let answer = reply(&app, &tokens[2], "APPROVE", json!({})).await;
        assert_eq!(code(&answer), "CONFLICT");
        assert!(answer["errors"][0]["message"].as_str().expect("text").contains("until"), "{answer}");
        assert_eq!(brief(&app.owner().await, &forgotten).await["status"], "PENDING_APPROVAL");
    }

    async fn who_may_not_decide_any_more_does_not_by_reply(app) {
        let owner = app.owner().await;
        let admin = json!(app.user(DEMO, "admin").await.id);
        let client = app.client(DEMO, "admin").await;
        let of_admin = Made { app: &app, client: &client };
        let made = Made { app: &app, client: &owner };
        let id = made.submitted().await;
        let token = of_admin.reply_token("BRIEF", &id).await;
        made.set("users", &admin, "role = 'member'").await;
        assert_eq!(code(&reply(&app, &token, "APPROVE", json!({})).await), "FORBIDDEN");
        made.set("users", &admin, "role = 'admin'").await;
        assert_eq!(code(&reply(&app, &token, "APPROVE", json!({})).await), "", "it was not used up");
        let input = json!({ "subjectType": "BRIEF", "subjectId": id, "channel": "EMAIL", "channelIdentity": "a@example.com" });
        let create = "mutation($input: CreateReplyTokenInput!) { createReplyToken(input: $input) { token } }";
        assert_eq!(owner.code(create, json!({ "input": input })).await, "CONFLICT", "nothing is to be decided");
        let mut other = input;
        other["subjectId"] = made.submitted().await;
        made.run("setDelegate", json!({ "userId": null })).await;
        for role in ["member", "viewer"] {
            let code = app.client(DEMO, role).await.code(create, json!({ "input": other })).await;
            assert_eq!(code, "FORBIDDEN", "{role}");
        }
    }

    async fn an_escalation_is_answered_by_retry_pause_or_cancel(app) {
        let owner = app.owner().await;
        let client = app.client(DEMO, "admin").await;
        let of_admin = Made { app: &app, client: &client };
        let made = Made { app: &app, client: &owner };
        for (decision, status) in [("RETRY", "SUPERSEDED"), ("PAUSE", "FAILED"), ("CANCEL", "CANCELLED")] {
            let id = made.plan().await;
            made.run("approvePlan", version(&id, 1)).await;
            made.set("execution_plans", &id, "status = 'failed'").await;
            let token = of_admin.reply_token("PLAN", &id).await;
            assert_eq!(code(&reply(&app, &token, "APPROVE", json!({})).await), "BAD_USER_INPUT");
            let answer = reply(&app, &token, decision, json!({})).await;
            assert_eq!(answer["data"]["decideByReply"]["status"], status, "{answer}");
            let parent = plans::plan(&owner, &id).await["parentTicket"]["status"].clone();
            assert_eq!(parent, if decision == "RETRY" { "READY" } else { "DONE" });
        }
    }

    async fn a_reply_sent_twice_at_once_decides_once(app) {
        let owner = app.owner().await;
        let client = app.client(DEMO, "admin").await;
        let of_admin = Made { app: &app, client: &client };
        let made = Made { app: &app, client: &owner };
        for _ in 0..40 {
            let id = made.submitted().await;
            let token = of_admin.reply_token("BRIEF", &id).await;
            let no = json!({ "reason": "No." });
            let (a, b) = tokio::join!(reply(&app, &token, "APPROVE", json!({})), reply(&app, &token, "REJECT", no));
            let mut codes = [code(&a), code(&b)];
            codes.sort_unstable();
            assert_eq!(codes, ["", "CONFLICT"], "{a} {b}");
            assert_eq!(brief(&owner, &id).await["approvals"]["nodes"].as_array().map(Vec::len), Some(1));
        }
    }
}
