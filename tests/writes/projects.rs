//! The rules of projects and of the goals in them.

use super::sample;
use crate::support::{ACME, DEMO};
use serde_json::{Value, json};
use std::collections::HashSet;

on_both_databases! {
    async fn slugs_are_unique_within_a_workspace_only(app) {
        let (demo, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let query = "mutation { createProject(input: { name: \"Same\", slug: \"same\" }) { project { slug } } }";
        demo.data(query, json!({})).await;
        acme.data(query, json!({})).await;
        assert_eq!(demo.code(query, json!({})).await, "CONFLICT");
        let numbered = demo.data("mutation { createProject(input: { name: \"Same\" }) { project { slug } } }", json!({})).await;
        assert_eq!(numbered["createProject"]["project"]["slug"], "same-2");
    }

    async fn projects_of_one_name_made_at_once_have_slugs_of_their_own(app) {
        let client = app.owner().await;
        for round in 0..10 {
            let query = format!("mutation {{ createProject(input: {{ name: \"Same {round}\" }}) {{ project {{ slug }} }} }}");
            let made = futures_util::future::join_all((0..8).map(|_| client.data(&query, json!({})))).await;
            let slugs: HashSet<_> = made.iter().map(|made| made["createProject"]["project"]["slug"].to_string()).collect();
            assert_eq!(slugs.len(), 8, "{slugs:?}");
        }
    }

    async fn only_admins_archive_a_project(app) {
        let input = sample(&app, &app.owner().await, "updateProject").await;
        let query = "mutation($id: ID!) { archiveProject(input: { id: $id }) { project { isArchived } } }";
        let id = json!({ "id": input["id"] });
        assert_eq!(app.client(DEMO, "member").await.code(query, id.clone()).await, "FORBIDDEN");
        app.client(DEMO, "admin").await.data(query, id).await;
        let goal = json!({ "id": input["id"] });
        let create = "mutation($id: ID!) { createGoal(input: { projectId: $id, title: \"late\" }) { feedCursor } }";
        assert_eq!(app.owner().await.code(create, goal).await, "CONFLICT");
    }

    async fn a_goal_keeps_to_its_project_and_its_states(app) {
        let client = app.owner().await;
        let create = "mutation($input: CreateGoalInput!) { createGoal(input: $input) { goal { id } } }";
        let update = "mutation($input: UpdateGoalInput!) { updateGoal(input: $input) { goal { status outcome targetDate } } }";
        let projects = client.data("mutation { a: createProject(input: { name: \"A\" }) { project { id } }
            b: createProject(input: { name: \"B\" }) { project { id } } }", json!({})).await;
        let (a, b) = (&projects["a"]["project"]["id"], &projects["b"]["project"]["id"]);
        let goal = async |input: Value| client.data(create, json!({ "input": input })).await["createGoal"]["goal"]["id"].clone();
        let top = goal(json!({ "projectId": a, "title": "top", "targetDate": "2027-01-01T00:00:00Z" })).await;
        let below = goal(json!({ "projectId": a, "title": "below", "parentGoalId": top })).await;
        let circle = json!({ "input": { "id": top, "parentGoalId": below } });
        assert_eq!(client.code(update, circle).await, "BAD_USER_INPUT");
        let elsewhere = json!({ "input": { "projectId": b, "title": "x", "parentGoalId": top } });
        assert_eq!(client.code(create, elsewhere).await, "BAD_USER_INPUT");
        let achieved = client.data(update, json!({ "input": { "id": top, "status": "ACHIEVED", "targetDate": null } })).await;
        assert_eq!(achieved["updateGoal"]["goal"], json!({ "status": "ACHIEVED", "outcome": "", "targetDate": null }));
        let answer = client.send(update, json!({ "input": { "id": top, "status": "ABANDONED" } })).await;
        assert_eq!(answer.code(), "ILLEGAL_TRANSITION");
        assert_eq!(answer.body["errors"][0]["extensions"]["allowed"], json!(["ACTIVE"]));
    }
}
