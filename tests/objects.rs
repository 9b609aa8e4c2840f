//! How objects are put together: what is selected twice, in fragments, and under other names.

use crate::{lists::leaves, support::Schema};
use serde_json::json;

on_both_databases! {
    async fn what_is_selected_twice_under_one_name_is_one_value_with_all_fields(app) {
        let client = app.owner().await;
        let apart = client.data(
            "{ goals(first: 3) { __typename totalCount nodes { id title project { id name } }
               edges { cursor node { id status } } pageInfo { endCursor hasNextPage } } }",
            json!({}),
        ).await;
        let merged = client.data(
            "query { goals(first: 3) { nodes { id project { id } } edges { cursor } pageInfo { endCursor } }
               ...more
               goals(first: 3) { kind: __typename ...on GoalConnection { edges { ...edge } pageInfo { hasNextPage } } } }
             fragment more on Query { goals(first: 3) { totalCount nodes { ... on Node { id } ... { title project { name } } } } }
             fragment edge on GoalEdge { kind: __typename node { ...goal ... on Goal { id } } }
             fragment goal on Goal { status kind: __typename }",
            json!({}),
        ).await;
        let (apart, merged) = (&apart["goals"], &merged["goals"]);
        assert_eq!(apart["nodes"].as_array().map(Vec::len), Some(3));
        for field in ["totalCount", "nodes", "pageInfo"] {
            assert_eq!(merged[field], apart[field]);
        }
        assert_eq!((&merged["kind"], &apart["__typename"]), (&json!("GoalConnection"), &json!("GoalConnection")));
        for (merged, apart) in merged["edges"].as_array().expect("edges").iter().zip(apart["edges"].as_array().expect("edges")) {
            assert_eq!((&merged["cursor"], &merged["kind"]), (&apart["cursor"], &json!("GoalEdge")));
            let node = &merged["node"];
            assert_eq!((&node["id"], &node["status"], &node["kind"]), (&apart["node"]["id"], &apart["node"]["status"], &json!("Goal")));
        }
    }

    async fn a_field_shows_the_same_alone_as_with_all_others(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            let first = |selection: String| {
                let (client, list) = (&client, &list.name);
                async move {
                    let query = format!("{{ {list}(first: 5) {{ nodes {{ {selection} }} }} }}");
                    client.data(&query, json!({})).await[list]["nodes"].take()
                }
            };
            let whole = first(leaves(row)).await;
            assert!(whole.as_array().is_some_and(|rows| !rows.is_empty()), "{}", row.name);
            for field in row.leaves() {
                let alone = first(field.name.clone()).await;
                let alone = alone.as_array().expect("rows").iter().map(|row| &row[&field.name]);
                let whole = whole.as_array().expect("rows").iter().map(|row| &row[&field.name]);
                assert!(alone.eq(whole), "{}.{}", row.name, field.name);
            }
        }
    }

    async fn a_mutation_that_is_selected_twice_under_one_name_is_made_once(app) {
        let owner = app.owner().await;
        let merged = "mutation($input: CreateProjectInput!, $no: Boolean!) {
            createProject(input: $input) { project { id } }
            ...more
            ... on Mutation @include(if: $no) { createProject(input: $input) { project { color } } }
            createProject(input: $input) @skip(if: true) { project { description } }
            createProject(input: $input) @include(if: true) { project { isArchived } feedCursor }
            other: createProject(input: $input) { project { slug } }
        }
        fragment more on Mutation { ... { createProject(input: $input) { project { name slug } } } }";
        let variables = json!({ "input": { "name": "Merged" }, "no": false });
        let data = owner.data(merged, variables).await;
        let made = &data["createProject"]["project"];
        let id = &made["id"];
        assert_eq!(made, &json!({ "id": id, "name": "Merged", "slug": "merged", "isArchived": false }));
        assert_eq!(data["other"]["project"]["slug"], "merged-2", "another name is another mutation");
        let count = "{ projects(filter: { name: { eq: \"Merged\" } }) { totalCount } }";
        assert_eq!(owner.data(count, json!({})).await["projects"]["totalCount"], 2);
        let twice = owner.send("{ goals(first: 1) { nodes { id } } goals(first: 1) { nodes { title } } }", json!({})).await;
        assert_eq!(twice.statements(), 1);
    }

    async fn a_large_column_is_not_read_of_rows_that_a_fragment_is_not_about(app) {
        let owner = app.owner().await;
        let large = format!("UPDATE agent_jobs SET payload = '{{\"text\": \"{}\"}}'", "x".repeat(100_000));
        app.execute(&large).await;
        let jobs = owner.data("{ agentJobs(first: 20) { nodes { id } } }", json!({})).await;
        let ids: Vec<_> = jobs["agentJobs"]["nodes"].as_array().expect("jobs").iter().map(|job| job["id"].clone()).collect();
        assert!(ids.len() > 2, "the demo has jobs");
        let limits = workgraph::http::Limits { answer_bytes: 50_000, ..crate::support::limits() };
        let bounded = app.owner_within(limits).await;
        let other = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Ticket { payload } } }";
        let answer = bounded.send(other, json!({ "ids": ids })).await;
        assert_eq!(answer.data(other)["nodes"].as_array().map(Vec::len), Some(ids.len()));
        let own = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on AgentJob { payload } } }";
        assert_eq!(bounded.send(own, json!({ "ids": ids })).await.code(), "LIMIT_EXCEEDED");
    }
}
