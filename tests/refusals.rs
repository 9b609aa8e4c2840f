//! What a refusal says, to the word, where a dashboard shows it to people.

use crate::support::{Client, TestApp, limits};
use serde_json::{Value, json};
use workgraph::http::Limits;

/// The message of the one error that an operation is answered with.
async fn refused(client: &Client, query: &str, variables: Value, code: &str) -> String {
    let answer = client.send(query, variables).await;
    assert_eq!(answer.code(), code);
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(1));
    let message = answer.body["errors"][0]["message"].as_str();
    message.expect("a message").to_owned()
}

on_both_databases! {
    async fn a_taken_slug_is_named(app) {
        let client = app.owner().await;
        let create = "mutation { createProject(input: { name: \"Twice\", slug: \"twice\" }) { project { id } } }";
        client.data(create, json!({})).await;
        let message = refused(&client, create, json!({}), "CONFLICT").await;
        assert_eq!(message, "Something with the same `slug` exists already; choose another.");
    }

    async fn the_roles_that_there_are_stand_in_order(app) {
        let client = app.owner().await;
        let create = "mutation($project: ID!) { createTicket(input: { projectId: $project, title: \"First\", roleSlug: \"nobody\" }) {
            ticket { id } } }";
        let project = client.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let project = json!({ "project": project["projects"]["nodes"][0]["id"] });
        let message = refused(&client, create, project, "BAD_USER_INPUT").await;
        let (said, roles) = message.split_once("the roles are ").expect("roles");
        let roles: Vec<_> = roles.split(", ").collect();
        assert_eq!(said, "`roleSlug`: is no active role; ");
        assert!(roles.len() > 3 && roles.is_sorted(), "{roles:?}");
    }

    async fn a_limit_is_told_in_one_sentence(app) {
        let client = app.owner().await;
        let search = "query($words: String!) { search(query: $words) { nodes { title } } }";
        let message = refused(&client, search, json!({ "words": "a ".repeat(17) }), "LIMIT_EXCEEDED").await;
        assert_eq!(message, "The number of words in a search is at most 16, not 17.");
        let message = refused(&client, "{ projects(first: 201) { totalCount } }", json!({}), "LIMIT_EXCEEDED").await;
        assert_eq!(message, "The page size is at most 200, not 201.");
    }

    async fn too_many_requests_are_told_which_limit_and_which_setting(app) {
        let strict = TestApp::start_with(app.database, Limits { requests_per_minute: 2, ..limits() }).await;
        let client = strict.owner().await;
        let query = "{ feedCursor }";
        for _ in 0..2 {
            client.data(query, json!({})).await;
        }
        let answer = client.send(query, json!({})).await;
        let error = &answer.body["errors"][0];
        assert_eq!((answer.status, &*answer.code()), (429, "RATE_LIMITED"));
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.starts_with("You may send at most 2 requests a minute (WORKGRAPH_REQUESTS_PER_MINUTE). Try again in "),
            "{message}"
        );
        assert_eq!(error["extensions"]["limit"], 2);
        assert!(error["extensions"]["retryAfterMs"].is_u64(), "{error}");
    }
}
