//! Cursors: opened only by who made them, for the list they were made for.

use crate::support::{ACME, Client, DEMO, SECRET};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TICKETS: &str =
    "query($c: Cursor) { tickets(first: 1, after: $c) { nodes { id } pageInfo { endCursor } } }";

on_both_databases! {
    async fn a_cursor_that_was_not_made_here_for_this_list_is_refused(app) {
        let owner = app.owner().await;
        let cursor = end(&owner, TICKETS).await;
        owner.data(TICKETS, json!({ "c": cursor })).await;
        for (workspace, role) in [(DEMO, "admin"), (DEMO, "member"), (DEMO, "viewer"), (ACME, "owner")] {
            let other = app.client(workspace, role).await;
            assert_eq!(other.code(TICKETS, json!({ "c": cursor })).await, "CURSOR_MISMATCH", "{workspace} {role}");
        }
        for list in [
            "tickets(first: 1, after: $c, orderBy: [{ field: TITLE }])",
            "tickets(first: 1, after: $c, filter: { not: { priority: { gt: 1 } } })",
            "goals(first: 1, after: $c)",
            "activity(first: 1, after: $c)",
            "approvalQueue(first: 1, after: $c)",
            "search(query: \"a\", first: 1, after: $c)",
        ] {
            let query = format!("query($c: Cursor) {{ {list} {{ nodes {{ __typename }} }} }}");
            assert_eq!(owner.code(&query, json!({ "c": cursor })).await, "CURSOR_MISMATCH", "{list}");
        }
    }

    async fn a_forged_cursor_is_refused_quickly_by_every_list(app) {
        let owner = app.owner().await;
        let cursor = end(&owner, TICKETS).await;
        let cursor = cursor.as_str().expect("text");
        let swapped: String = cursor.chars().rev().collect();
        let forged = [
            String::new(),
            "=".to_owned(),
            "é".to_owned(),
            "\\".to_owned(),
            "bm8gY3Vyc29y".to_owned(),
            "AAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            format!("{cursor}="),
            format!("{cursor}A"),
            format!(" {cursor}"),
            cursor[1..].to_owned(),
            cursor[..cursor.len() - 2].to_owned(),
            swapped,
            "A".repeat(200_000),
            // A row's values with a NUL, after what was the seal once: a digest that everybody can make.
            "MDAwMDAwMDAwMDAwMDAwMFsiXHUwMDAwIiwiXHUwMDAwIl0".to_owned(),
        ];
        let began = Instant::now();
        for list in [
            "tickets(first: 1, after: $c)",
            "tickets(last: 1, before: $c)",
            "tickets(first: 1, after: $c, orderBy: [{ field: TITLE }, { field: CLAIMED_AT }])",
            "activity(first: 1, after: $c)",
            "activity(first: 1, after: $c, orderBy: [{ field: SEQ }])",
            "approvalQueue(first: 1, after: $c)",
            "search(query: \"a\", first: 1, after: $c)",
        ] {
            let query = format!("query($c: Cursor) {{ {list} {{ nodes {{ __typename }} }} }}");
            for forged in &forged {
                let code = owner.code(&query, json!({ "c": forged })).await;
                assert_eq!(code, "CURSOR_MISMATCH", "{list} {}", &forged.chars().take(50).collect::<String>());
            }
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    async fn another_server_with_the_same_secret_opens_a_cursor(app) {
        let owner = app.owner().await;
        let cursor = end(&owner, TICKETS).await;
        assert!(!cursor.to_string().contains(SECRET));
        let next = owner.data(TICKETS, json!({ "c": cursor })).await;
        let other = app.client_at(DEMO, "owner", "2031-05-04T00:00:00Z").await;
        assert_eq!(other.data(TICKETS, json!({ "c": cursor })).await, next);
        let feed = owner.data("{ feedCursor }", json!({})).await["feedCursor"].clone();
        let activity = "query($c: Cursor) { activity(last: 1, before: $c, orderBy: [{ field: SEQ }]) { nodes { id } } }";
        let newest = owner.data(activity, json!({ "c": feed })).await;
        assert_eq!(other.data(activity, json!({ "c": feed })).await, newest);
        assert_ne!(newest["activity"]["nodes"], json!([]));
    }
}

async fn end(client: &Client, query: &str) -> Value {
    let page = client.data(query, json!({ "c": null })).await;
    page["tickets"]["pageInfo"]["endCursor"].clone()
}
