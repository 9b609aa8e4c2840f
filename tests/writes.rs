//! What can be written, by whom, and what is refused.

mod planning;
mod projects;
mod recorded;
mod repeated;

use crate::support::{Client, DEMO, Field, Schema, TestApp};
use serde_json::{Value, json};

/// An input that the mutation accepts, for tests that try all mutations.
pub async fn sample(client: &Client, mutation: &str) -> Value {
    let data = client
        .data(
            "{ projects(first: 1, filter: { isArchived: { eq: false }, goals: { some: {} } }) {
                nodes { id goals(first: 1) { nodes { id } } } }
              meetings(first: 1) { nodes { id } }
              agentTokens(first: 1, filter: { revokedAt: { isNull: true } }) { nodes { id } }
              users(first: 1, filter: { role: { eq: VIEWER } }) { nodes { id } }
              prds(first: 1, filter: { status: { eq: DRAFT }, executionPlans: { none: {} } }) { nodes { id version } }
              approved: prds(first: 1, filter: { status: { eq: APPROVED },
                executionPlans: { none: { status: { in: [PENDING_APPROVAL, ACTIVE] } } } }) { nodes { id } } }",
            json!({}),
        )
        .await;
    let project = &data["projects"]["nodes"][0];
    let goal = &project["goals"]["nodes"][0]["id"];
    let (project, meeting) = (&project["id"], &data["meetings"]["nodes"][0]["id"]);
    let prd = &data["prds"]["nodes"][0];
    match mutation {
        "createProject" => json!({ "name": "Sample" }),
        "updateProject" => json!({ "id": project, "description": "changed" }),
        "createGoal" => json!({ "projectId": project, "title": "Sample", "parentGoalId": goal }),
        "updateGoal" => json!({ "id": goal, "outcome": "changed" }),
        "createMeeting" => json!({
            "projectId": project, "goalId": goal, "title": "Sample", "transcript": { "text": "Ann: hello\nBob: hi" },
        }),
        "editTranscript" => {
            json!({ "meetingId": meeting, "transcript": { "text": "Ann: hello again" } })
        }
        "createPrd" => {
            json!({ "projectId": project, "goalId": goal, "meetingId": meeting, "title": "Sample" })
        }
        "updatePrd" => {
            json!({ "id": prd["id"], "expectedVersion": prd["version"], "title": "changed" })
        }
        "createExecutionPlan" => json!({
            "prdId": data["approved"]["nodes"][0]["id"], "channelSummary": "Two steps", "steps": [
                { "title": "Build", "roleSlug": "dev_agent" },
                { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0] },
            ],
        }),
        "createTicket" => {
            json!({ "projectId": project, "goalId": goal, "title": "Sample", "roleSlug": "dev_agent" })
        }
        "createAgentToken" => {
            json!({ "name": "Sample", "roleSlugs": ["dev_agent"], "projectIds": [project] })
        }
        "revokeAgentToken" => json!({ "id": data["agentTokens"]["nodes"][0]["id"] }),
        "signOutEverywhere" => json!({ "userId": data["users"]["nodes"][0]["id"] }),
        other => panic!("which input does {other} accept?"),
    }
}

/// A new brief, approved beside the server: the API cannot do that yet.
pub async fn approved_brief(app: &TestApp, owner: &Client) -> Value {
    let input = sample(owner, "createPrd").await;
    let create = "mutation($input: CreatePRDInput!) { createPrd(input: $input) { prd { id } } }";
    let made = owner.data(create, json!({ "input": input })).await;
    let id = made["createPrd"]["prd"]["id"].clone();
    approve(app, &id).await;
    id
}

/// Approves a brief beside the server.
pub async fn approve(app: &TestApp, brief: &Value) {
    let id = brief.as_str().expect("an id");
    app.execute(&format!(
        "UPDATE prds SET status = 'approved' WHERE id = '{id}'"
    ))
    .await;
}

/// The operation that runs a mutation with `$input` and answers with the row's id.
pub fn operation(mutation: &Field) -> String {
    let input = &mutation.args[0].of.name;
    let name = &mutation.name;
    format!("mutation($input: {input}!) {{ {name}(input: $input) {{ __typename feedCursor }} }}")
}

on_both_databases! {
    async fn every_mutation_writes_and_its_ledger_entries_stand(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for mutation in schema.writes() {
            let before = head(&client).await;
            let input = sample(&client, &mutation.name).await;
            client.data(&operation(mutation), json!({ "input": input })).await;
            assert!(head(&client).await > before, "{} left no entry", mutation.name);
        }
        let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded");
        let entries = app.store.verify_ledger(&tenant.id, None).await.expect("the chain holds");
        assert_eq!(entries.seq, head(&client).await);
    }

    async fn one_refused_mutation_does_not_take_back_the_answers_of_others(app) {
        let client = app.owner().await;
        let before = head(&client).await;
        let answer = client.send("mutation {
            a: createProject(input: { name: \"First\" }) { project { name } }
            b: createProject(input: { name: \"\" }) { project { name } }
            c: createProject(input: { name: \"Third\" }) { project { name } }
            d: signIn(input: { workspace: \"nowhere\", email: \"nobody@example.com\", password: \"wrong\" }) { accessToken }
            e: createGoal(input: { projectId: \"nowhere\", title: \"x\" }) { goal { id } }
        }", json!({})).await;
        assert_eq!(answer.body["data"], json!({
            "a": { "project": { "name": "First" } }, "b": null, "c": { "project": { "name": "Third" } }, "d": null, "e": null,
        }));
        let errors: Vec<_> = answer.body["errors"].as_array().expect("errors").iter()
            .map(|error| (error["path"].clone(), error["extensions"]["code"].clone()))
            .collect();
        assert_eq!(errors, [
            (json!(["b"]), json!("BAD_USER_INPUT")),
            (json!(["d"]), json!("UNAUTHENTICATED")),
            (json!(["e"]), json!("NOT_FOUND")),
        ]);
        assert_eq!(head(&client).await - before, 2, "what was refused left nothing");
    }

    async fn what_is_wrong_is_named(app) {
        let client = app.owner().await;
        let refusals = [
            ("createProject(input: { name: \"\" })", "name"),
            ("createProject(input: { name: \"x\", slug: \"settings\" })", "slug"),
            ("createProject(input: { name: \"x\", slug: \"No Slug\" })", "slug"),
            ("createProject(input: { name: \"x\", color: \"red\" })", "color"),
            ("createMeeting(input: { title: \"x\", transcript: { text: \"  \" } })", "transcript.text"),
            ("createMeeting(input: { title: \"x\", transcript: { text: \"WEBVTT\\n\\n0:x --> 1\\nhi\" } })", "transcript.text"),
        ];
        for (mutation, field) in refusals {
            let answer = client.send(&format!("mutation {{ {mutation} {{ feedCursor }} }}"), json!({})).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{mutation}");
            let extensions = &answer.body["errors"][0]["extensions"];
            assert_eq!(extensions["field"], field, "{mutation}");
            assert!(extensions["requestId"].is_string());
        }
    }
}

/// The position of the newest entry of the asker's ledger.
pub async fn head(client: &Client) -> i64 {
    let data = client
        .data("{ activity(first: 1) { nodes { seq } } }", json!({}))
        .await;
    let last = data["activity"]["nodes"][0]["seq"].as_str();
    last.and_then(|seq| seq.parse().ok()).expect("a number")
}
