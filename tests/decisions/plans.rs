//! What decisions about plans and results of tickets bring about.

use super::{because, version};
use crate::{
    support::{Client, DEMO, TestApp},
    writes::{Made, head},
};
use serde_json::{Value, json};

/// A plan with its tickets in their order, and what its brief has.
pub async fn plan(client: &Client, id: &Value) -> Value {
    let query = "query($id: ID!) { executionPlan(id: $id) { status attempt cycle replanReason errorSignature
        tickets(orderBy: [{ field: STEP_INDEX }]) { nodes { id status openDependencyCount errorSignature } }
        parentTicket { id status payload }
        prd { id executionPlans(orderBy: [{ field: ATTEMPT }]) { nodes { id attempt cycle status } } } } }";
    client.data(query, json!({ "id": id })).await["executionPlan"].clone()
}

/// How often an admin was told that something must be looked at.
async fn escalations(app: &TestApp, about: &Value) -> Value {
    let admin = app.client(DEMO, "admin").await;
    let told = "query($id: ID!) { notifications(filter: { targetId: { eq: $id }, kind: { eq: ESCALATION } }) { totalCount } }";
    admin.data(told, json!({ "id": about })).await["notifications"]["totalCount"].clone()
}

fn states(plan: &Value) -> Vec<&str> {
    let tickets = plan["tickets"]["nodes"].as_array().expect("tickets");
    tickets
        .iter()
        .map(|ticket| ticket["status"].as_str().expect("a status"))
        .collect()
}

/// Another plan for the brief of one.
pub async fn again(made: &Made<'_>, plan: &Value) -> Value {
    let input = json!({ "prdId": plan["prd"]["id"], "channelSummary": "Again", "steps": [
        { "title": "Build", "roleSlug": "dev_agent" },
        { "title": "Build more", "roleSlug": "dev_agent" },
        { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0, 1] },
    ] });
    made.run("createExecutionPlan", input).await
}

/// An active plan of two tickets that can be done and one that waits for both.
pub async fn active(made: &Made<'_>) -> Value {
    let first = made.plan().await;
    made.run("redirectPlan", because(&first, 1)).await;
    let first = plan(made.client, &first).await;
    let id = again(made, &first).await;
    made.run("approvePlan", version(&id, 2)).await;
    id
}

on_both_databases! {
    async fn an_approved_plan_hands_its_first_tickets_out(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.plan().await;
        let before = plan(&client, &id).await;
        assert_eq!(states(&before), ["BLOCKED", "BLOCKED"]);
        assert_eq!(before["parentTicket"]["status"], "DONE", "the plan is made");
        made.run("approvePlan", version(&id, 1)).await;
        let now = plan(&client, &id).await;
        assert_eq!(now["status"], "ACTIVE");
        assert_eq!(states(&now), ["READY", "BLOCKED"]);
        made.run("cancelPlan", json!({ "id": id })).await;
        made.run("cancelPlan", json!({ "id": id })).await;
        let now = plan(&client, &id).await;
        assert_eq!((now["status"].as_str(), states(&now)), (Some("CANCELLED"), vec!["CANCELLED", "CANCELLED"]));
        // Its brief can be planned again.
        let next = again(&made, &now).await;
        assert_eq!(plan(&client, &next).await["attempt"], 2);
    }

    async fn a_plan_that_is_turned_down_leaves_nothing_to_claim(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        for (mutation, status, tickets, parent) in [
            ("rejectPlan", "CANCELLED", "CANCELLED", "DONE"),
            ("redirectPlan", "SUPERSEDED", "SUPERSEDED", "READY"),
        ] {
            let id = made.plan().await;
            made.run(mutation, because(&id, 1)).await;
            let now = plan(&client, &id).await;
            assert_eq!((&now["status"], states(&now)), (&json!(status), vec![tickets, tickets]));
            assert_eq!(now["parentTicket"]["status"], parent);
            made.run(mutation, because(&id, 1)).await;
            assert_eq!(made.code("approvePlan", version(&id, 1)).await, "CONFLICT");
        }
        // Neither is a failed plan left beside a new one.
        let id = made.plan().await;
        made.run("approvePlan", version(&id, 1)).await;
        made.set("execution_plans", &id, "status = 'failed'").await;
        let failed = plan(&client, &id).await;
        let input = json!({ "prdId": failed["prd"]["id"], "channelSummary": "x", "steps": [{ "title": "x", "roleSlug": "dev_agent" }] });
        assert_eq!(made.code("createExecutionPlan", input.clone()).await, "CONFLICT");
        made.run("cancelPlan", json!({ "id": id })).await;
        made.run("createExecutionPlan", input).await;
    }

    async fn another_attempt_is_told_why(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.plan().await;
        made.run("approvePlan", version(&id, 1)).await;
        made.run("replan", json!({ "id": id, "reason": "Smaller steps." })).await;
        let now = plan(&client, &id).await;
        assert_eq!((now["status"].as_str(), states(&now)), (Some("SUPERSEDED"), vec!["SUPERSEDED", "SUPERSEDED"]));
        assert_eq!(now["parentTicket"]["payload"]["reason"], "Smaller steps.");
        let next = plan(&client, &again(&made, &now).await).await;
        assert_eq!((&next["attempt"], &next["cycle"], &next["replanReason"]), (&json!(2), &json!(1), &json!("Smaller steps.")));
        assert_eq!(next["parentTicket"]["status"], "DONE");
    }

    async fn a_plan_is_done_when_all_of_its_tickets_are(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = active(&made).await;
        for (round, expected) in [
            (0, vec!["DONE", "READY", "BLOCKED"]),
            (1, vec!["DONE", "DONE", "READY"]),
            (2, vec!["DONE", "DONE", "DONE"]),
        ] {
            let ticket = plan(&client, &id).await["tickets"]["nodes"][round]["id"].clone();
            assert_eq!(made.code("approveTicket", version(&ticket, 0)).await, "ILLEGAL_TRANSITION", "it waits for nobody");
            made.hand_in(&ticket).await;
            made.run("approveTicket", version(&ticket, 1)).await;
            let before = head(&client).await;
            made.run("approveTicket", version(&ticket, 1)).await;
            assert_eq!(head(&client).await, before);
            let now = plan(&client, &id).await;
            assert_eq!(states(&now), expected);
            assert_eq!(now["status"], if round == 2 { "DONE" } else { "ACTIVE" });
        }
    }

    async fn a_cancelled_ticket_keeps_its_plan_from_being_done(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = active(&made).await;
        let escalated = async || escalations(&app, &id).await;
        let tickets = plan(&client, &id).await["tickets"]["nodes"].clone();
        made.run("cancelTicket", json!({ "id": tickets[0]["id"], "reason": "No need." })).await;
        assert_eq!(escalated().await, 0, "another ticket goes on");
        let goes_on = client.data("query($id: ID!) { executionPlan(id: $id) { isStuck } }", json!({ "id": id })).await;
        assert_eq!(goes_on["executionPlan"]["isStuck"], false);
        made.hand_in(&tickets[1]["id"]).await;
        made.run("approveTicket", version(&tickets[1]["id"], 1)).await;
        let now = plan(&client, &id).await;
        assert_eq!((now["status"].as_str(), states(&now)), (Some("ACTIVE"), vec!["CANCELLED", "DONE", "BLOCKED"]));
        assert_eq!(escalated().await, 1, "nothing goes on");
        let stuck = client.data("query($id: ID!) { executionPlan(id: $id) { isStuck } }", json!({ "id": id })).await;
        assert_eq!(stuck["executionPlan"]["isStuck"], true);
        made.run("cancelTicket", json!({ "id": tickets[2]["id"] })).await;
        assert_eq!(escalated().await, 1, "which is told once");
    }

    async fn who_approves_a_plan_whose_tickets_were_stopped_is_told_that_it_cannot_go_on(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.plan().await;
        let first = plan(&client, &id).await["tickets"]["nodes"][0]["id"].clone();
        made.run("cancelTicket", json!({ "id": first })).await;
        made.run("approvePlan", version(&id, 1)).await;
        assert_eq!(escalations(&app, &id).await, 1);
    }

    async fn a_plan_that_nobody_could_make_steps_for_is_the_brief_as_a_whole(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let brief = made.approved().await;
        let id = made.run("createExecutionPlan", json!({ "prdId": brief, "channelSummary": "As a whole" })).await;
        let query = "query($id: ID!) { executionPlan(id: $id) { isFallback stepCount status steps { title roleSlug dependsOn }
            prd { title } tickets { nodes { title roleSlug status } } } }";
        let made_of = client.data(query, json!({ "id": id })).await["executionPlan"].clone();
        let title = &made_of["prd"]["title"];
        assert_eq!((&made_of["isFallback"], &made_of["stepCount"], &made_of["status"]), (&json!(true), &json!(1), &json!("PENDING_APPROVAL")));
        assert_eq!(made_of["steps"], json!([{ "title": title, "roleSlug": "dev_agent", "dependsOn": [] }]));
        assert_eq!(made_of["tickets"]["nodes"], json!([{ "title": title, "roleSlug": "dev_agent", "status": "BLOCKED" }]));
        assert_eq!(made.code("createExecutionPlan", json!({ "prdId": "none", "channelSummary": "x" })).await, "NOT_FOUND");
    }

    async fn a_failure_is_planned_again_until_it_is_known_or_there_were_enough(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let fail = async |id: &Value, reason: &str| {
            let ticket = plan(&client, id).await["tickets"]["nodes"][0]["id"].clone();
            made.hand_in(&ticket).await;
            made.run("rejectTicket", json!({ "id": ticket, "expectedVersion": 1, "reason": reason })).await;
            plan(&client, id).await
        };
        // What failed as before is escalated.
        let id = made.plan().await;
        made.run("approvePlan", version(&id, 1)).await;
        let first = fail(&id, "boom at src/a.rs:10:5").await;
        assert_eq!((first["status"].as_str(), states(&first)), (Some("SUPERSEDED"), vec!["FAILED", "SUPERSEDED"]));
        let id = again(&made, &first).await;
        assert_eq!(plan(&client, &id).await["errorSignature"], first["tickets"]["nodes"][0]["errorSignature"]);
        made.run("approvePlan", version(&id, 2)).await;
        let second = fail(&id, "Boom at src/b.rs:77:1").await;
        assert_eq!(second["status"], "FAILED");
        assert!(!states(&second).contains(&"READY"), "{second}");
        let told = "query($id: ID!) { notifications(filter: { targetId: { eq: $id } }) { nodes { kind } } }";
        let admin = app.client(DEMO, "admin").await;
        let told = admin.data(told, json!({ "id": id })).await;
        assert!(told["notifications"]["nodes"].as_array().expect("notices").contains(&json!({ "kind": "ESCALATION" })), "{told}");
        // Somebody looks at it, and a new cycle begins.
        made.run("retryPlan", json!({ "id": id, "reason": "With the other library." })).await;
        let mut last = plan(&client, &id).await;
        assert_eq!((last["status"].as_str(), last["parentTicket"]["status"].as_str()), (Some("SUPERSEDED"), Some("READY")));
        // Then three attempts that fail of different causes.
        for (attempt, word) in [(3, "one"), (4, "two"), (5, "three")] {
            let id = again(&made, &last).await;
            made.run("approvePlan", version(&id, attempt)).await;
            let now = plan(&client, &id).await;
            assert_eq!((&now["attempt"], &now["cycle"]), (&json!(attempt), &json!(2)));
            last = fail(&id, word).await;
            assert_eq!(last["status"], if attempt == 5 { "FAILED" } else { "SUPERSEDED" }, "{attempt}");
        }
        let open = last["prd"]["executionPlans"]["nodes"].as_array().expect("plans").iter()
            .filter(|plan| ["ACTIVE", "PENDING_APPROVAL"].contains(&plan["status"].as_str().expect("a status")));
        assert_eq!(open.count(), 0);
    }

    async fn steps_are_kept_as_they_are_checked_and_bounded_before_anything_is_asked(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let brief = made.approved().await;
        let padded = format!("Build{}", " ".repeat(250));
        let with = |change: Value| {
            let mut step = json!({ "title": padded, "roleSlug": "dev_agent" });
            step.as_object_mut().expect("a step").extend(change.as_object().expect("fields").clone());
            json!({ "prdId": brief, "channelSummary": "One", "steps": [step] })
        };
        let many: Vec<_> = (0..70_000).map(|number| format!("s{number}")).collect();
        for change in [json!({ "skills": many[..21] }), json!({ "skills": many[..20_000] }), json!({ "dependsOn": vec![1; 20_000] }), json!({ "title": "x".repeat(201) })] {
            assert_eq!(made.code("createExecutionPlan", with(change)).await, "BAD_USER_INPUT");
        }
        let id = made.run("createExecutionPlan", with(json!({}))).await;
        let kept = "query($id: ID!) { executionPlan(id: $id) { steps { title } tickets { nodes { title } } } }";
        assert_eq!(client.data(kept, json!({ "id": id })).await["executionPlan"], json!({ "steps": [{ "title": "Build" }], "tickets": { "nodes": [{ "title": "Build" }] } }));
    }

    async fn what_nobody_needs_any_more_is_not_done_again(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let allowed = async |ticket: &Value| {
            let query = "query($id: ID!) { ticket(id: $id) { allowedSteps status } }";
            client.data(query, json!({ "id": ticket })).await["ticket"].clone()
        };
        let brief = made.submitted().await;
        made.run("redirectPrd", because(&brief, 1)).await;
        let drafting = "query($id: ID!) { prd(id: $id) { tickets { nodes { id } } } }";
        let ticket = client.data(drafting, json!({ "id": brief })).await["prd"]["tickets"]["nodes"][0]["id"].clone();
        made.set("tickets", &ticket, "status = 'failed'").await;
        assert_eq!(allowed(&ticket).await["allowedSteps"], json!(["RETRY"]));
        made.submit(&brief, 2).await;
        assert_eq!(allowed(&ticket).await["allowedSteps"], json!([]));
        assert_eq!(made.code("retryTicket", json!({ "id": ticket })).await, "CONFLICT", "it was handed in");
        // What goes on is answered as it then is: held back while its brief is paused.
        let other = made.submitted().await;
        made.run("redirectPrd", because(&other, 1)).await;
        let ticket = client.data(drafting, json!({ "id": other })).await["prd"]["tickets"]["nodes"][0]["id"].clone();
        made.set("tickets", &ticket, "status = 'failed'").await;
        made.run("pausePrd", json!({ "id": other })).await;
        let retry = "mutation($id: ID!) { retryTicket(input: { id: $id }) { ticket { status } } }";
        let answer = client.data(retry, json!({ "id": ticket })).await;
        assert_eq!(answer["retryTicket"]["ticket"]["status"], "BLOCKED");
        assert_eq!(allowed(&ticket).await["status"], "BLOCKED");
    }

    async fn a_failed_ticket_is_done_again_while_its_plan_is_active(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let ticket = made.ticket().await;
        assert_eq!(made.code("retryTicket", json!({ "id": ticket })).await, "ILLEGAL_TRANSITION");
        made.hand_in(&ticket).await;
        made.run("rejectTicket", because(&ticket, 1)).await;
        made.run("retryTicket", json!({ "id": ticket })).await;
        let now = client.data("query($id: ID!) { ticket(id: $id) { status error completedAt attemptCount } }", json!({ "id": ticket })).await;
        assert_eq!(now["ticket"], json!({ "status": "READY", "error": null, "completedAt": null, "attemptCount": 1 }));
        // What was decided about the first result says nothing of the second.
        made.hand_in(&ticket).await;
        assert_eq!(made.code("approveTicket", version(&ticket, 1)).await, "CONFLICT");
        made.run("approveTicket", version(&ticket, 2)).await;
        let id = active(&made).await;
        let ticket = plan(&client, &id).await["tickets"]["nodes"][0]["id"].clone();
        made.hand_in(&ticket).await;
        made.run("rejectTicket", because(&ticket, 1)).await;
        assert_eq!(made.code("retryTicket", json!({ "id": ticket })).await, "CONFLICT", "its plan is superseded");
    }
}
