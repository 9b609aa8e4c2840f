//! The ledger: dense, chained, and true under concurrency.

use crate::support::{ACME, DEMO};
use sea_orm::ConnectionTrait;
use serde_json::json;

on_both_databases! {
    async fn thirty_two_writers_never_collide(app) {
        let client = app.owner().await;
        let before = crate::writes::head(&client).await;
        let writers: Vec<_> = (0..32)
            .map(|writer| {
                let client = client.clone();
                tokio::spawn(async move {
                    for turn in 0..5 {
                        let name = json!({ "name": format!("writer {writer} turn {turn}") });
                        let query = "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
                        client.data(query, name).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("every write succeeds");
        }
        assert_eq!(crate::writes::head(&client).await, before + 160);
        let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded");
        assert_eq!(app.store.verify_ledger(&tenant.id).await.expect("holds"), before + 160);
    }

    async fn a_refused_change_leaves_no_gap(app) {
        let client = app.owner().await;
        let before = crate::writes::head(&client).await;
        client.send("mutation { createProject(input: { name: \"x\", slug: \"default\" }) { feedCursor } }", json!({})).await;
        client.data("mutation { createProject(input: { name: \"y\" }) { feedCursor } }", json!({})).await;
        assert_eq!(crate::writes::head(&client).await, before + 1);
    }

    async fn an_altered_entry_breaks_the_chain(app) {
        let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded");
        app.store.verify_ledger(&tenant.id).await.expect("holds as seeded");
        let connection = app.connection.across_tenants().await;
        let alter = format!(
            "UPDATE audit_logs SET \"targetTitle\" = 'forged' WHERE seq = 3 AND \"tenantId\" = '{}'",
            tenant.id
        );
        connection.execute_unprepared(&alter).await.expect("alters");
        let error = app.store.verify_ledger(&tenant.id).await.expect_err("was altered");
        assert!(error.message().contains('3'), "{}", error.message());
    }

    async fn an_entry_tells_who_did_what_to_what(app) {
        let client = app.owner().await;
        let created = client.data(
            "mutation { createProject(input: { name: \"Told\" }) { project { id } } }", json!({})).await;
        let id = &created["createProject"]["project"]["id"];
        let update = "mutation($id: ID!) { updateProject(input: { id: $id, name: \"Retold\" }) { project { id } } }";
        client.data(update, json!({ "id": id })).await;
        let query = "query($id: ID!) { activity(filter: { targetId: { eq: $id } }, orderBy: [{ field: SEQ }]) { nodes {
            action actorType targetType targetTitle projectId user { role } diff { before after } target { __typename id }
        } } }";
        let entries = client.data(query, json!({ "id": id })).await;
        assert_eq!(entries["activity"]["nodes"][1], json!({
            "action": "project.edited", "actorType": "USER", "targetType": "Project", "targetTitle": "Retold",
            "projectId": id, "user": { "role": "OWNER" }, "target": { "__typename": "Project", "id": id },
            "diff": { "before": { "name": "Told" }, "after": { "name": "Retold" } },
        }));
        let seen = app.client(DEMO, "viewer").await.data(query, json!({ "id": id })).await;
        assert!(seen["activity"]["nodes"][1]["diff"].is_null(), "only admins see what changed");
    }

    async fn the_feed_cursor_moves_with_each_change(app) {
        let client = app.owner().await;
        let before = client.data("{ feedCursor }", json!({})).await;
        let answer = client.data("mutation { createProject(input: { name: \"x\" }) { feedCursor } }", json!({})).await;
        let after = client.data("{ feedCursor }", json!({})).await;
        assert_ne!(before, after);
        assert_eq!(answer["createProject"]["feedCursor"], after["feedCursor"]);
    }

    async fn the_ledger_is_read_on_from_a_feed_cursor_in_its_own_order_only(app) {
        let client = app.owner().await;
        let cursor = client.data("{ feedCursor }", json!({})).await["feedCursor"].clone();
        let mut made = Vec::new();
        for name in ["x", "y", "z"] {
            let query = "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
            made.push(client.data(query, json!({ "name": name })).await["createProject"]["feedCursor"].clone());
        }
        let on = "query($after: Cursor) { activity(first: 10, after: $after, orderBy: [{ field: SEQ }]) {
            nodes { targetTitle } pageInfo { hasPreviousPage hasNextPage endCursor } } }";
        let page = client.data(on, json!({ "after": cursor })).await["activity"].clone();
        assert_eq!(page["nodes"], json!([{ "targetTitle": "x" }, { "targetTitle": "y" }, { "targetTitle": "z" }]));
        let rest = client.data(on, json!({ "after": page["pageInfo"]["endCursor"] })).await;
        assert_eq!(rest["activity"]["nodes"], json!([]));
        let last = client.data(on, json!({ "after": made[1] })).await;
        assert_eq!(last["activity"]["nodes"], json!([{ "targetTitle": "z" }]));
        let back = "query($before: Cursor) { activity(last: 1, before: $before, orderBy: [{ field: SEQ }]) { nodes { targetTitle } } }";
        let before = client.data(back, json!({ "before": made[1] })).await;
        assert_eq!(before["activity"]["nodes"], json!([{ "targetTitle": "x" }]));
        let down = "query($after: Cursor) { activity(first: 1, after: $after, orderBy: [{ field: SEQ, direction: DESC }]) {
            nodes { targetTitle } } }";
        let older = client.data(down, json!({ "after": made[1] })).await;
        assert_eq!(older["activity"]["nodes"], json!([{ "targetTitle": "x" }]));
        let other = app.client(ACME, "owner").await.data("{ feedCursor }", json!({})).await["feedCursor"].clone();
        assert_eq!(client.code(on, json!({ "after": other })).await, "CURSOR_MISMATCH");
        let by_action = "query($after: Cursor) { activity(after: $after, orderBy: [{ field: ACTION }]) { nodes { id } } }";
        assert_eq!(client.code(by_action, json!({ "after": cursor })).await, "CURSOR_MISMATCH");
        let projects = "query($after: Cursor) { projects(after: $after) { nodes { id } } }";
        assert_eq!(client.code(projects, json!({ "after": cursor })).await, "CURSOR_MISMATCH");
    }
}
