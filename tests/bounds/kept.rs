//! Connections that go from one operation to the next.

use crate::support::Client;
use serde_json::json;
use std::time::{Duration, Instant};

/// As long as a write takes on a busy machine, and much shorter than anybody waits for a connection.
const SOON: Duration = Duration::from_secs(3);

on_both_databases! {
    async fn each_operation_sees_what_was_committed_before_it(app) {
        let client = app.owner().await;
        let first = "{ projects(first: 1) { nodes { id } } }";
        let id = client.data(first, json!({})).await["projects"]["nodes"][0]["id"].clone();
        let name = "query($id: ID!) { project(id: $id) { name } }";
        for round in 0..100 {
            let change = format!("UPDATE projects SET name = 'Round {round}' WHERE id = '{}'", id.as_str().expect("an id"));
            app.execute(&change).await;
            let seen = client.data(name, json!({ "id": id })).await;
            assert_eq!(seen["project"]["name"], format!("Round {round}"));
        }
    }

    async fn who_reads_without_a_pause_keeps_nobody_from_writing(app) {
        let token = app.token("demo", "owner").await;
        let reading: Vec<_> = (0..16)
            .map(|_| {
                let client = Client::new(&app.url, &token);
                tokio::spawn(async move {
                    loop {
                        client.data("{ goals(first: 1) { nodes { title project { name } } } }", json!({})).await;
                    }
                })
            })
            .collect();
        let client = app.client("acme", "owner").await;
        for round in 0..30 {
            let begun = Instant::now();
            let create = "mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }";
            client.data(create, json!({ "name": format!("Round {round}") })).await;
            assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        }
        assert!(reading.iter().all(|reading| !reading.is_finished()), "all were answered");
        reading.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
