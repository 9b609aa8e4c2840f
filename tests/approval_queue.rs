//! The approval queue: three tables in one list.

use crate::support::{ACME, Client};
use serde_json::{Value, json};

const QUEUE: &str = "query($projectId: ID, $types: [ApprovalQueueType!], $first: Int, $after: Cursor) {
    approvalQueue(projectId: $projectId, types: $types, first: $first, after: $after) {
        nodes { subjectId type title preview createdAt project { id } sourceMeeting { id } node { id __typename } }
        pageInfo { hasNextPage hasPreviousPage endCursor }
        totalCount
    } }";

on_both_databases! {
    async fn the_queue_is_what_waits_the_oldest_first(app) {
        let client = app.owner().await;
        let data = client.data(
            "{ prds(first: 200, filter: { status: { eq: PENDING_APPROVAL } }) { nodes { id createdAt projectId } }
               executionPlans(first: 200, filter: { status: { eq: PENDING_APPROVAL } }) { nodes { id createdAt projectId } }
               tickets(first: 200, filter: { status: { eq: WAITING }, waitingReason: { eq: APPROVAL } }) {
                   nodes { id createdAt projectId } } }",
            json!({}),
        ).await;
        let mut waiting = Vec::new();
        for (list, of) in [("prds", "BRIEF"), ("executionPlans", "EXECUTION_PLAN"), ("tickets", "TICKET")] {
            let nodes = data[list]["nodes"].as_array().expect("a list");
            assert!(!nodes.is_empty(), "none of the demo's {list} waits");
            waiting.extend(nodes.iter().map(|row| {
                let text = |field: &str| row[field].as_str().expect("text").to_owned();
                (text("createdAt"), text("id"), text("projectId"), of)
            }));
        }
        waiting.sort();
        let ids = |keep: &dyn Fn(&str, &str) -> bool| -> Vec<_> {
            let kept = waiting.iter().filter(|(_, _, project, of)| keep(project, of));
            kept.map(|(_, id, ..)| id.clone()).collect()
        };
        assert_eq!(whole(&client, json!({}), 1).await, ids(&|_, _| true));
        for (of, kind) in [("BRIEF", "PRD"), ("EXECUTION_PLAN", "ExecutionPlan"), ("TICKET", "Ticket")] {
            assert_eq!(whole(&client, json!({ "types": [of] }), 50).await, ids(&|_, other| other == of));
            let page = client.data(QUEUE, json!({ "types": [of] })).await;
            let entry = &page["approvalQueue"]["nodes"][0];
            assert_eq!(entry["type"], of);
            assert_eq!(entry["node"], json!({ "id": entry["subjectId"], "__typename": kind }));
        }
        let project = &waiting[0].2;
        assert_eq!(whole(&client, json!({ "projectId": project }), 2).await, ids(&|other, _| other == project));
    }

    async fn a_plan_is_called_like_its_brief_and_a_long_text_is_cut(app) {
        let client = app.owner().await;
        let data = client.data("{ meetings(first: 1) { nodes { id projectId } } }", json!({})).await;
        let meeting = &data["meetings"]["nodes"][0];
        let brief = client.data(
            "mutation($input: CreatePRDInput!) { createPrd(input: $input) { prd { id } } }",
            json!({ "input": { "projectId": meeting["projectId"], "meetingId": meeting["id"], "title": "Ein Käse" } }),
        ).await;
        let made = crate::writes::Made { app: &app, client: &client };
        made.run("approvePrd", json!({ "id": brief["createPrd"]["prd"]["id"], "expectedVersion": 1 })).await;
        client.data(
            "mutation($input: CreateExecutionPlanInput!) { createExecutionPlan(input: $input) { executionPlan { id } } }",
            json!({ "input": {
                "prdId": brief["createPrd"]["prd"]["id"], "channelSummary": "ä".repeat(300),
                "steps": [{ "title": "Build", "roleSlug": "dev_agent" }],
            } }),
        ).await;
        let data = client.data(QUEUE, json!({ "types": ["EXECUTION_PLAN"] })).await;
        let entry = data["approvalQueue"]["nodes"].as_array().and_then(|nodes| nodes.last()).expect("the plan");
        assert_eq!(entry["title"], "Ein Käse");
        assert_eq!(entry["preview"], "ä".repeat(280));
        assert_eq!(entry["sourceMeeting"]["id"], meeting["id"]);
        assert_eq!(entry["project"]["id"], meeting["projectId"]);
    }

    async fn what_cannot_be_asked_of_the_queue_is_refused(app) {
        let (client, other) = (app.owner().await, app.client(ACME, "owner").await);
        let cursor = async |client: &Client, variables: Value| {
            let data = client.data(QUEUE, variables).await;
            data["approvalQueue"]["pageInfo"]["endCursor"].clone()
        };
        for (variables, code) in [
            (json!({ "after": cursor(&client, json!({ "types": ["BRIEF"] })).await }), "CURSOR_MISMATCH"),
            (json!({ "after": cursor(&other, json!({})).await }), "CURSOR_MISMATCH"),
            (json!({ "after": "bm8gY3Vyc29y" }), "CURSOR_MISMATCH"),
            (json!({ "first": 201 }), "LIMIT_EXCEEDED"),
            (json!({ "first": -1 }), "BAD_USER_INPUT"),
            (json!({ "types": [] }), "BAD_USER_INPUT"),
        ] {
            assert_eq!(client.code(QUEUE, variables.clone()).await, code, "{variables}");
        }
    }
}

/// The ids of the whole queue, read in pages of this size.
async fn whole(client: &Client, mut variables: Value, size: usize) -> Vec<String> {
    variables["first"] = json!(size);
    let mut out = Vec::new();
    loop {
        let data = client.data(QUEUE, variables.clone()).await;
        let page = &data["approvalQueue"];
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !out.is_empty());
        let nodes = page["nodes"].as_array().expect("a list");
        out.extend(
            nodes
                .iter()
                .map(|entry| entry["subjectId"].as_str().expect("an id").to_owned()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], out.len());
            return out;
        }
        variables["after"] = page["pageInfo"]["endCursor"].clone();
    }
}
