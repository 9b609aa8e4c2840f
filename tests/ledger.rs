//! The ledger: dense, chained, and true under concurrency.

use crate::support::DEMO;
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
}
