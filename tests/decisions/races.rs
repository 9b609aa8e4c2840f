//! Two who decide at once, hundreds of times: one wins, and nothing is half done.

use super::{because, brief, plans, statuses, version};
use crate::{
    support::{Client, DEMO},
    writes::Made,
};
use serde_json::{Value, json};

/// How often each race is run.
const ROUNDS: usize = 500;
/// How often one is run whose every round takes a plan's whole life.
const LONG_ROUNDS: i32 = 150;

/// Briefs that wait for approval, made a few at a time.
async fn submitted(client: &Client, number: usize) -> Vec<Value> {
    let project = client
        .data(
            "mutation { createProject(input: { name: \"Races\" }) { project { id } } }",
            json!({}),
        )
        .await;
    let project = &project["createProject"]["project"]["id"];
    let mut briefs = Vec::with_capacity(number);
    for start in (0..number).step_by(20) {
        let many = 20.min(number - start);
        let create: String = (0..many).map(|n| format!("a{n}: createPrd(input: {{ projectId: $p, title: \"Race {n}\" }}) {{ prd {{ id }} }} ")).collect();
        let ids = client
            .data(
                &format!("mutation($p: ID!) {{ {create} }}"),
                json!({ "p": project }),
            )
            .await;
        let ids: Vec<_> = ids
            .as_object()
            .expect("answers")
            .values()
            .map(|made| made["prd"]["id"].clone())
            .collect();
        let submit: String = ids
            .iter()
            .enumerate()
            .map(|(n, id)| {
                format!(
                    "a{n}: submitPrd(input: {{ id: {id}, expectedVersion: 1 }}) {{ feedCursor }} "
                )
            })
            .collect();
        client
            .data(&format!("mutation {{ {submit} }}"), json!({}))
            .await;
        briefs.extend(ids);
    }
    briefs
}

on_both_databases! {
    async fn a_brief_is_approved_once_whoever_is_fast(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let (one, other) = (Made { app: &app, client: &owner }, Made { app: &app, client: &admin });
        for id in submitted(&owner, ROUNDS).await {
            let (a, b) = tokio::join!(one.code("approvePrd", version(&id, 1)), other.code("approvePrd", version(&id, 1)));
            assert_eq!((a.as_str(), b.as_str()), ("", ""), "both are answered");
            let now = brief(&owner, &id).await;
            assert_eq!(now["status"], "APPROVED");
            assert_eq!(now["approvals"]["nodes"].as_array().map(Vec::len), Some(1), "{now:#}");
            assert_eq!(statuses(&now, "chief_of_staff"), ["READY"]);
        }
        app.verify_ledger(DEMO).await;
    }

    async fn of_approval_and_rejection_one_stands(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let (one, other) = (Made { app: &app, client: &owner }, Made { app: &app, client: &admin });
        let mut wins = [0, 0];
        for id in submitted(&owner, ROUNDS).await {
            let (a, b) = tokio::join!(one.code("approvePrd", version(&id, 1)), other.code("rejectPrd", because(&id, 1)));
            let now = brief(&owner, &id).await;
            let decisions = &now["approvals"]["nodes"];
            assert_eq!(decisions.as_array().map(Vec::len), Some(1), "{now:#}");
            let approved = now["status"] == "APPROVED";
            let expected = if approved { ("", "CONFLICT") } else { ("CONFLICT", "") };
            assert_eq!((a.as_str(), b.as_str()), expected, "{now:#}");
            assert_eq!(statuses(&now, "chief_of_staff").len(), usize::from(approved));
            wins[usize::from(approved)] += 1;
        }
        assert!(wins[0] > 0 && wins[1] > 0, "{wins:?}");
    }

    async fn what_is_approved_is_what_was_seen(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let (one, other) = (Made { app: &app, client: &owner }, Made { app: &app, client: &admin });
        let mut wins = [0, 0];
        for id in submitted(&owner, ROUNDS).await {
            let edit = json!({ "id": id, "expectedVersion": 1, "title": "Changed" });
            let (a, b) = tokio::join!(one.code("approvePrd", version(&id, 1)), other.code("updatePrd", edit));
            let now = brief(&owner, &id).await;
            let approved = now["status"] == "APPROVED";
            let (seen, edited) = if approved { ("", "ILLEGAL_TRANSITION") } else { ("CONFLICT", "") };
            assert_eq!((a.as_str(), b.as_str()), (seen, edited), "{now:#}");
            assert_eq!(now["version"], if approved { 1 } else { 2 });
            wins[usize::from(approved)] += 1;
        }
        assert!(wins[0] > 0 && wins[1] > 0, "{wins:?}");
    }

    async fn two_tickets_that_fail_at_once_are_planned_again_once(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let (one, other) = (Made { app: &app, client: &owner }, Made { app: &app, client: &admin });
        let first = one.plan().await;
        one.run("redirectPlan", because(&first, 1)).await;
        let mut last = plans::plan(&owner, &first).await;
        for attempt in 2..LONG_ROUNDS + 2 {
            let id = plans::again(&one, &last).await;
            one.run("approvePlan", version(&id, attempt)).await;
            // A cycle of its own each time, so that there is another attempt.
            one.set("execution_plans", &id, &format!("cycle = {attempt}")).await;
            let tickets = plans::plan(&owner, &id).await["tickets"]["nodes"].clone();
            for ticket in [&tickets[0]["id"], &tickets[1]["id"]] {
                one.hand_in(ticket).await;
            }
            let fail = |of: usize| json!({ "id": tickets[of]["id"], "expectedVersion": 1, "reason": format!("cause {attempt} {of}") });
            let (a, b) = tokio::join!(one.code("rejectTicket", fail(0)), other.code("rejectTicket", fail(1)));
            let mut codes = [a.as_str(), b.as_str()];
            codes.sort_unstable();
            // The other one was dropped with its plan before it could fail.
            assert_eq!(codes, ["", "ILLEGAL_TRANSITION"]);
            last = plans::plan(&owner, &id).await;
            assert_eq!(last["status"], "SUPERSEDED");
            assert_eq!(last["parentTicket"]["status"], "READY");
            let attempts: Vec<_> = last["prd"]["executionPlans"]["nodes"].as_array().expect("plans").iter().map(|plan| plan["attempt"].as_i64()).collect();
            assert!(attempts.windows(2).all(|pair| pair[0] < pair[1]), "{attempts:?}");
        }
        app.verify_ledger(DEMO).await;
    }
}
