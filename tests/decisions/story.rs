//! The first chapter: from what was said in a meeting to tickets that agents can claim.

use super::{because, version};
use crate::{
    support::{Client, DEMO, PASSWORD, Socket},
    writes::Made,
};
use serde_json::{Value, json};

const TRANSCRIPT: &str = "Ann: Customers ask for their invoices as files.\nBob: All of them, or one by one?\n\
                          Ann: All of a month. The accountant wants them on the first.\nBob: Then we need an export.";

on_both_databases! {
    async fn chapter_one(app) {
        // Ann, who owns the workspace, signs in.
        let anyone = Client::anonymous(&app.url);
        let sign_in = "mutation($email: String!) { signIn(input: { workspace: \"demo\", email: $email, password: \"PASSWORD\" }) { accessToken } }".replace("PASSWORD", PASSWORD);
        let session = anyone.data(&sign_in, json!({ "email": app.email(DEMO, "owner").await })).await;
        let ann = Client::new(&app.url, session["signIn"]["accessToken"].as_str().expect("a token"));
        let bob = app.client(DEMO, "admin").await;
        let (as_ann, as_bob) = (Made { app: &app, client: &ann }, Made { app: &app, client: &bob });
        as_ann.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;

        // Somebody else follows what happens.
        let mut feed = Socket::signed_in(&app.url, &app.token(DEMO, "viewer").await).await;
        let follow = "subscription { activity { event { action actor targetType } } }";
        feed.subscribe("feed", follow, json!({})).await;
        feed.data("feed").await;

        // A meeting is pasted, and its brief is written.
        let meeting = ann.data(
            "mutation($text: String!) { createMeeting(input: { title: \"Invoices\", transcript: { text: $text } }) { meeting { id projectId } } }",
            json!({ "text": TRANSCRIPT }),
        ).await["createMeeting"]["meeting"].clone();
        let brief = as_ann.run("createPrd", json!({ "projectId": meeting["projectId"], "meetingId": meeting["id"], "title": "Export invoices",
            "content": { "objectives": ["A month's invoices in one file"] } })).await;

        // There is a question, and it is answered.
        let question = as_bob.run("askClarification", json!({ "prdId": brief, "question": "As what?", "options": ["ZIP", "PDF"], "routeTo": "STAKEHOLDER" })).await;
        as_ann.run("answerClarification", json!({ "id": question, "response": "ZIP" })).await;

        // It is handed in, and both approve it.
        as_ann.run("submitPrd", version(&brief, 2)).await;
        as_ann.run("approvePrd", version(&brief, 2)).await;
        as_bob.run("approvePrd", version(&brief, 2)).await;

        // A plan is made, turned down, made again, and approved.
        let steps = |titles: &[&str]| -> Value {
            titles.iter().enumerate().map(|(place, title)| json!({ "title": title, "roleSlug": "dev_agent",
                "dependsOn": if place == 0 { vec![] } else { vec![place - 1] } })).collect()
        };
        let first = as_bob.run("createExecutionPlan", json!({ "prdId": brief, "channelSummary": "All at once", "steps": steps(&["Everything"]) })).await;
        as_ann.run("redirectPlan", because(&first, 1)).await;
        let second = as_bob.run("createExecutionPlan", json!({ "prdId": brief, "channelSummary": "One by one", "steps": steps(&["Collect", "Pack"]) })).await;
        as_ann.run("approvePlan", version(&second, 2)).await;

        // The first of its tickets can be claimed.
        let ready = ann.data(
            "query($id: ID!) { prd(id: $id) { status phase executionPlans(orderBy: [{ field: ATTEMPT }]) { nodes { status
                tickets(orderBy: [{ field: STEP_INDEX }]) { nodes { title status } } } } } }",
            json!({ "id": brief }),
        ).await;
        assert_eq!(ready["prd"], json!({ "status": "APPROVED", "phase": "BUILD", "executionPlans": { "nodes": [
            { "status": "SUPERSEDED", "tickets": { "nodes": [{ "title": "Everything", "status": "SUPERSEDED" }] } },
            { "status": "ACTIVE", "tickets": { "nodes": [{ "title": "Collect", "status": "READY" }, { "title": "Pack", "status": "BLOCKED" }] } },
        ] } }));

        // Who followed saw exactly this. Notices to others keep their places and tell nothing.
        let mut seen = Vec::new();
        while seen.last().map(String::as_str) != Some("ticket.ready") {
            let frame = feed.data("feed").await["activity"]["event"].clone();
            if !frame.is_null() {
                seen.push(frame["action"].as_str().expect("an action").to_owned());
            }
        }
        assert_eq!(seen, [
            "meeting.created", "transcript.created", "meeting.transcribed",
            "brief.created",
            "brief.questioned", "clarification.created",
            "clarification.answered", "brief.redrafted", "ticket.created",
            "brief.submitted", "ticket.superseded",
            "approval.created", "brief.approval_counted",
            "approval.created", "brief.approved", "ticket.created",
            "plan.created", "ticket.created", "ticket.done",
            "approval.created", "plan.redirected", "ticket.superseded", "ticket.reopened",
            "plan.created", "ticket.created", "ticket.created", "ticket.dependency_added", "ticket.done",
            "approval.created", "plan.approved", "ticket.ready",
        ]);
        app.verify_ledger(DEMO).await;
    }
}
