//! Fields that are told from other rows agree with those rows.

use crate::support::DEMO;
use serde_json::{Value, json};

on_both_databases! {
    async fn the_latest_is_the_first_of_the_list(app) {
        let client = app.owner().await;
        let data = client.data(
            "{ prds(first: 200) { nodes { latestExecutionPlan { id } executionPlans(first: 1) { nodes { id } } } }
               tickets(first: 200) { nodes { latestJob { id } jobs(first: 1) { nodes { id } } } } }",
            json!({}),
        ).await;
        for (list, latest, all) in [("prds", "latestExecutionPlan", "executionPlans"), ("tickets", "latestJob", "jobs")] {
            let rows = data[list]["nodes"].as_array().expect("a list");
            assert!(rows.iter().any(|row| !row[latest].is_null()), "no {latest} in the demo");
            assert!(rows.iter().any(|row| row[latest].is_null()), "{latest} of every row of the demo");
            for row in rows {
                assert_eq!(row[latest]["id"], row[all]["nodes"][0]["id"], "{latest}");
            }
        }
    }

    async fn a_brief_costs_what_its_calls_cost(app) {
        let query = "{ prds(first: 200) { nodes {
            costTotal { costMicros costUsd } apiUsages(first: 200) { nodes { costMicros } } } } }";
        let data = app.owner().await.data(query, json!({})).await;
        let micros = |of: &Value| of["costMicros"].as_str().expect("text").parse::<i64>().expect("a number");
        for brief in data["prds"]["nodes"].as_array().expect("briefs") {
            let calls = brief["apiUsages"]["nodes"].as_array().expect("calls");
            assert_eq!(micros(&brief["costTotal"]), calls.iter().map(micros).sum::<i64>());
        }
        let data = app.client(DEMO, "viewer").await.data("{ prds { nodes { costTotal { costUsd } } } }", json!({})).await;
        let briefs = data["prds"]["nodes"].as_array().expect("briefs");
        assert!(briefs.iter().all(|brief| brief["costTotal"].is_null()), "a viewer was told what a brief cost");
    }

    async fn numbers_by_status_add_up_to_the_lists(app) {
        let client = app.owner().await;
        let data = client.data(
            "{ dashboard { briefs { total draft needsClarification pendingApproval approved rejected superseded } }
               projects(first: 200) { nodes {
                   dashboard { briefs { total approved } tickets { total waiting } meetings { total } jobs { total } }
                   prds { totalCount } tickets { totalCount } meetings { totalCount } agentJobs { totalCount }
                   approved: prds(filter: { status: { eq: APPROVED } }) { totalCount }
                   waiting: tickets(filter: { status: { eq: WAITING } }) { totalCount } } }
               prds { totalCount } }",
            json!({}),
        ).await;
        let briefs = data["dashboard"]["briefs"].as_object().expect("numbers");
        let sum: i64 = briefs.values().filter_map(Value::as_i64).sum();
        assert_eq!(briefs["total"], data["prds"]["totalCount"]);
        assert_eq!(2 * briefs["total"].as_i64().expect("a number"), sum, "each brief has one status");
        for project in data["projects"]["nodes"].as_array().expect("projects") {
            let numbers = &project["dashboard"];
            for (number, count) in [
                (&numbers["briefs"]["total"], "prds"),
                (&numbers["briefs"]["approved"], "approved"),
                (&numbers["tickets"]["total"], "tickets"),
                (&numbers["tickets"]["waiting"], "waiting"),
                (&numbers["meetings"]["total"], "meetings"),
                (&numbers["jobs"]["total"], "agentJobs"),
            ] {
                assert_eq!(*number, project[count]["totalCount"], "{count}");
            }
        }
    }

    async fn everyone_sees_a_change_of_status_but_only_admins_the_rest(app) {
        let client = app.owner().await;
        let goals = "{ goals(first: 1, filter: { status: { eq: ACTIVE } }) { nodes { id } } }";
        let id = client.data(goals, json!({})).await["goals"]["nodes"][0]["id"].clone();
        let update = "mutation($input: UpdateGoalInput!) { updateGoal(input: $input) { goal { status } } }";
        for input in [json!({ "id": id, "status": "ACHIEVED" }), json!({ "id": id, "outcome": "changed" })] {
            client.data(update, json!({ "input": input })).await;
        }
        let viewer = app.client(DEMO, "viewer").await;
        let query = "{ activity(first: 2) { nodes { statusFrom statusTo diff { after } } } }";
        let nothing = json!({ "statusFrom": null, "statusTo": null, "diff": null });
        let achieved = json!({ "statusFrom": "ACTIVE", "statusTo": "ACHIEVED", "diff": null });
        assert_eq!(viewer.data(query, json!({})).await["activity"]["nodes"], json!([nothing, achieved]));
        let seen = client.data(query, json!({})).await;
        assert_eq!(seen["activity"]["nodes"][1]["diff"], json!({ "after": { "status": "achieved" } }));
    }
}
