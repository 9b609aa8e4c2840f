//! The second chapter: from an approved plan to a brief that is carried out.

use super::{Daemon, cleared, must_be_counted_right};
use crate::{support::DEMO, writes::Made};
use serde_json::{Value, json};

on_both_databases! {
    async fn chapter_two(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        let brief = made.approved().await;

        // The chief of staff plans, and a person approves.
        let chief = Daemon::connect(&app, &owner, &["chief_of_staff"], 1).await;
        let planning = chief.claim().await;
        assert_eq!((&planning["job"]["action"], &planning["job"]["payload"]["prdId"]), (&json!("plan_brief"), &brief));
        chief.run("startJob", &planning, json!({})).await;
        let steps = json!([{ "title": "Build", "roleSlug": "dev_agent" }, { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0] }]);
        chief.run("completeJob", &planning, json!({ "plan": { "channelSummary": "Two steps", "steps": steps } })).await;
        let plan = plan_of(&owner, &brief, 0).await;
        approve(&owner, &plan, 1).await;

        // One asks, and is answered.
        let builder = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let tester = Daemon::connect(&app, &owner, &["qa_agent"], 1).await;
        assert_eq!(tester.claim().await["reason"], "NONE_READY", "what it waits for is not done");
        let build = builder.claim().await;
        builder.run("startJob", &build, json!({})).await;
        let ask = "mutation($id: ID!) { askClarification(input: { jobId: $id, attempt: 1, question: \"Which format?\", options: [\"CSV\", \"PDF\"], routeTo: TECH_LEAD }) { clarificationRequest { id } } }";
        let asked = builder.client.data(ask, json!({ "id": build["job"]["id"] })).await["askClarification"]["clarificationRequest"]["id"].clone();
        made.run("answerClarification", json!({ "id": asked, "response": "CSV" })).await;

        // It goes on with the answer, and fails; the plan is made anew, and fails of the same.
        let build = builder.claim().await;
        assert_eq!(build["job"]["payload"]["answers"], json!([{ "question": "Which format?", "answer": "CSV" }]));
        let error = json!({ "error": "The printer at 10.0.0.7:9100 is on fire" });
        builder.run("failJob", &build, error.clone()).await;
        let planning = chief.claim().await;
        chief.run("completeJob", &planning, json!({ "plan": { "channelSummary": "Once more", "steps": steps } })).await;
        let second = plan_of(&owner, &brief, 1).await;
        approve(&owner, &second, 2).await;
        let build = builder.claim().await;
        builder.run("failJob", &build, json!({ "error": "The printer at 10.0.0.9:9100 is on fire" })).await;

        // It is escalated, and somebody has it tried again.
        let token = made.reply_token("PLAN", &second).await;
        let reply = "mutation($token: String!) { decideByReply(input: { token: $token, decision: RETRY, channelIdentity: \"U1\" }) { __typename } }";
        owner.data(reply, json!({ "token": token })).await;
        let planning = chief.claim().await;
        let steps = json!([{ "title": "Build", "roleSlug": "dev_agent" }, { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0] }]);
        chief.run("completeJob", &planning, json!({ "plan": { "channelSummary": "Without the printer", "steps": steps } })).await;
        let third = plan_of(&owner, &brief, 2).await;
        approve(&owner, &third, 3).await;

        // What is built must be approved; then it is tested, and all is done.
        let build = "query($id: ID!) { executionPlan(id: $id) { tickets(orderBy: [{ field: STEP_INDEX }]) { nodes { id } } } }";
        let build = owner.data(build, json!({ "id": third })).await["executionPlan"]["tickets"]["nodes"][0]["id"].clone();
        owner.data("mutation($id: ID!) { updateTicket(input: { id: $id, requiresApproval: true }) { feedCursor } }", json!({ "id": build })).await;
        let claimed = builder.claim().await;
        assert_eq!(claimed["ticket"]["id"], build);
        builder.work(&claimed).await;
        assert_eq!(tester.claim().await["reason"], "NONE_READY");
        made.run("approveTicket", json!({ "id": build, "expectedVersion": 1 })).await;
        tester.work(&tester.claim().await).await;

        let now = "query($id: ID!) { prd(id: $id) { phase executionPlans(orderBy: [{ field: ATTEMPT }]) { nodes { status cycle } }
            activity(first: 200, orderBy: [{ field: SEQ }], filter: { targetType: { in: [\"ExecutionPlan\", \"AgentJob\"] } }) { nodes { action actorType } } } }";
        let now = owner.data(now, json!({ "id": brief })).await["prd"].clone();
        assert_eq!(now["executionPlans"]["nodes"], json!([{ "status": "SUPERSEDED", "cycle": 1 }, { "status": "SUPERSEDED", "cycle": 1 }, { "status": "DONE", "cycle": 2 }]));
        let told: Vec<_> = now["activity"]["nodes"].as_array().expect("entries").iter().map(|entry| entry["action"].as_str().expect("an action")).collect();
        assert_eq!(told, [
            "job.dispatched", "job.started", "job.done", "plan.created", "plan.approved",
            "job.dispatched", "job.started", "job.returned", "job.dispatched", "job.failed", "plan.replanned",
            "job.dispatched", "job.started", "job.done", "plan.created", "plan.approved",
            "job.dispatched", "job.failed", "plan.failed", "plan.retried",
            "job.dispatched", "job.started", "job.done", "plan.created", "plan.approved",
            "job.dispatched", "job.started", "job.done", "job.dispatched", "job.started", "job.done", "plan.completed",
        ]);
        must_be_counted_right(&app).await;
        app.verify_ledger(DEMO).await;
    }
}

/// A brief's plan of an attempt, from 0.
async fn plan_of(owner: &crate::support::Client, brief: &Value, place: usize) -> Value {
    let of = "query($id: ID!) { prd(id: $id) { executionPlans(orderBy: [{ field: ATTEMPT }]) { nodes { id } } } }";
    owner.data(of, json!({ "id": brief })).await["prd"]["executionPlans"]["nodes"][place]["id"]
        .clone()
}

async fn approve(owner: &crate::support::Client, plan: &Value, version: i32) {
    let approve = "mutation($id: ID!, $v: Int!) { approvePlan(input: { id: $id, expectedVersion: $v }) { feedCursor } }";
    owner
        .data(approve, json!({ "id": plan, "v": version }))
        .await;
}
