//! What the server does by itself about what nobody does.

use super::{brief, statuses, version};
use crate::{
    support::{Client, DEMO},
    writes::{Made, head},
};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::background::run_due;

const HOUR: Duration = Duration::from_secs(3600);

/// What this person was told of something, oldest first.
async fn told(client: &Client, id: &Value) -> Vec<String> {
    let query = "query($id: ID!) { notifications(filter: { targetId: { eq: $id } }, orderBy: [{ field: CREATED_AT }]) { nodes { kind } } }";
    let told = client.data(query, json!({ "id": id })).await;
    told["notifications"]["nodes"]
        .as_array()
        .expect("notices")
        .iter()
        .map(|notice| notice["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

on_both_databases! {
    async fn a_question_is_reminded_of_escalated_and_closed(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        // What the demo left open is done first.
        run_due(&app.store).await.expect("runs");
        app.execute("UPDATE users SET persona = NULL").await;
        let member = app.user(DEMO, "member").await;
        made.set("users", &json!(member.id), "persona = 'pm'").await;
        let question = made.question().await;
        let prd = owner.data("query($id: ID!) { clarificationRequest(id: $id) { prd { id } } }", json!({ "id": question })).await;
        let prd = prd["clarificationRequest"]["prd"]["id"].clone();
        let state = "query($id: ID!) { clarificationRequest(id: $id) { status remindersSent } }";
        for (hours, status, reminders, asked, escalated) in [
            (1, "PENDING", 0, 1, 0),
            (24, "PENDING", 1, 2, 0),
            (24, "PENDING", 2, 3, 1),
            (24, "EXPIRED", 2, 3, 1),
        ] {
            app.wait(HOUR * hours);
            run_due(&app.store).await.expect("runs");
            let [owner, member, admin] = [app.client(DEMO, "owner").await, app.client(DEMO, "member").await, app.client(DEMO, "admin").await];
            let now = owner.data(state, json!({ "id": question })).await;
            assert_eq!(now["clarificationRequest"], json!({ "status": status, "remindersSent": reminders }));
            assert_eq!(told(&member, &question).await.iter().filter(|kind| *kind == "CLARIFICATION").count(), asked);
            assert_eq!(told(&admin, &question).await.iter().filter(|kind| *kind == "ESCALATION").count(), escalated);
            // Once more at the same moment, nothing is done again.
            let before = head(&owner).await;
            app.wait(Duration::from_secs(61));
            run_due(&app.store).await.expect("runs");
            assert_eq!(head(&owner).await, before);
        }
        let owner = app.owner().await;
        let now = brief(&owner, &prd).await;
        assert_eq!((&now["status"], &now["version"]), (&json!("DRAFT"), &json!(2)), "it goes on without an answer");
        assert_eq!(statuses(&now, "ba_agent"), ["READY"]);
        let who = owner.data("{ activity(first: 1, filter: { action: { eq: \"clarification.expired\" } }) { nodes { actor } } }", json!({})).await;
        assert_eq!(who["activity"]["nodes"][0]["actor"], "system:clarifications");
        app.verify_ledger(DEMO).await;
    }

    async fn what_waits_too_long_for_a_decision_is_escalated(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("updateApprovalRules", json!({ "approvalDueHours": 10 })).await;
        let (prd, plan) = (made.submitted().await, made.plan().await);
        let due = owner.data("{ approvalQueue(first: 200) { nodes { subjectId dueAt } } }", json!({})).await;
        let due = |id: &Value| due["approvalQueue"]["nodes"].as_array().expect("entries").iter().find(|entry| entry["subjectId"] == *id).expect("waits")["dueAt"].clone();
        assert!(due(&prd).is_string() && due(&plan).is_string());
        for (hours, times) in [(9, 0), (2, 1), (2, 1), (24, 2)] {
            app.wait(HOUR * hours);
            run_due(&app.store).await.expect("runs");
            let admin = app.client(DEMO, "admin").await;
            for id in [&prd, &plan] {
                assert_eq!(told(&admin, id).await.iter().filter(|kind| *kind == "ESCALATION").count(), times, "after {hours} more hours");
            }
        }
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("approvePrd", version(&prd, 1)).await;
        app.wait(HOUR * 30);
        run_due(&app.store).await.expect("runs");
        let admin = app.client(DEMO, "admin").await;
        assert_eq!(told(&admin, &prd).await.iter().filter(|kind| *kind == "ESCALATION").count(), 2, "it was decided");
    }

    async fn a_task_is_done_by_one_server_at_a_time(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        run_due(&app.store).await.expect("runs");
        made.run("updateApprovalRules", json!({ "approvalDueHours": 1 })).await;
        let mut waiting = Vec::new();
        for _ in 0..10 {
            waiting.push(made.submitted().await);
        }
        app.wait(HOUR * 2);
        let store = &app.store;
        let all = tokio::join!(run_due(store), run_due(store), run_due(store), run_due(store));
        let done: usize = [all.0, all.1, all.2, all.3].into_iter().map(|done| done.expect("runs")).sum();
        assert_eq!(done, 13, "each task once");
        let admin = app.client(DEMO, "admin").await;
        for id in &waiting {
            assert_eq!(told(&admin, id).await, ["APPROVAL_REQUEST", "ESCALATION"]);
        }
        let owner = app.owner().await;
        let tasks = owner.data("{ backgroundTasks { name isRunning startedAt endedAt nextAt failures lastError } }", json!({})).await;
        let tasks = tasks["backgroundTasks"].as_array().expect("tasks").clone();
        assert_eq!(tasks.len(), 13);
        for task in &tasks {
            assert_eq!((&task["isRunning"], &task["failures"], &task["lastError"]), (&json!(false), &json!(0), &json!(null)));
            assert!(task["nextAt"].as_str() > task["endedAt"].as_str(), "{task}");
        }
        let member = app.client(DEMO, "member").await;
        assert_eq!(member.code("{ backgroundTasks { name } }", json!({})).await, "FORBIDDEN");
    }

    async fn a_task_whose_server_died_is_taken_over(app) {
        run_due(&app.store).await.expect("runs");
        app.wait(HOUR * 2);
        app.execute("UPDATE background_tasks SET \"lockedBy\" = 'gone', \"lockedUntil\" = '2999-01-01T00:00:00.000+00:00'").await;
        assert_eq!(run_due(&app.store).await.expect("runs"), 0, "another server holds all of them");
        app.execute("UPDATE background_tasks SET \"lockedUntil\" = '2020-01-01T00:00:00.000+00:00'").await;
        assert_eq!(run_due(&app.store).await.expect("runs"), 13);
    }

    async fn answers_that_cannot_be_repeated_are_forgotten(app) {
        let owner = app.owner().await;
        owner.data("mutation { createProject(input: { name: \"x\", idempotencyKey: \"k\" }) { feedCursor } }", json!({})).await;
        let count = async |client: &Client| client.data("{ idempotencyKeys { totalCount } }", json!({})).await["idempotencyKeys"]["totalCount"].as_i64().expect("a count");
        run_due(&app.store).await.expect("runs");
        let before = count(&owner).await;
        app.wait(HOUR * 25);
        run_due(&app.store).await.expect("runs");
        let after = count(&app.owner().await).await;
        assert!(after < before, "{before} and then {after}");
    }
}
