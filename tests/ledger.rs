//! The ledger: dense, chained, and true under concurrency.

use crate::support::{ACME, DEMO};
use entity::audit_log;
use sea_orm::{IdenStatic, Iterable};
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

    async fn whatever_is_done_to_a_ledger_is_found(app) {
        let client = app.owner().await;
        // More than are read at once.
        let mut written = crate::writes::head(&client).await;
        while written < 520 {
            let project = |n: i64| format!("m{n}: createProject(input: {{ name: \"x\", slug: \"x-{n}\" }}) {{ feedCursor }} ");
            let many: String = (written..written + 40).map(project).collect();
            written += 40;
            client.data(&format!("mutation {{ {many} }}"), json!({})).await;
        }
        let tenant = app.tenant(DEMO).await;
        let verify = async || app.store.verify_ledger(&tenant.as_str().into()).await.map_err(|error| error.message());
        let last = verify().await.expect("holds");
        let at = |seq: i64| format!("\"tenantId\" = '{tenant}' AND seq = {seq}");
        let from = |seq: i64| format!("\"tenantId\" = '{tenant}' AND seq >= {seq}");
        let entries = |change: &str, which: String| format!("UPDATE audit_logs SET {change} WHERE {which}");
        let cut = |which: String| format!("DELETE FROM audit_logs WHERE {which}");
        let head = |change: &str| format!("UPDATE tenant_feeds SET {change} WHERE \"tenantId\" = '{tenant}'");
        let no_head = format!("DELETE FROM tenant_feeds WHERE \"tenantId\" = '{tenant}'");
        let columns: Vec<_> = audit_log::Column::iter().map(|column| format!("\"{}\"", column.as_str())).collect();
        let twice = |seq: i64, id: &str| {
            let copied = columns.iter().map(|column| if column == "\"id\"" { format!("'{id}'") } else { column.clone() });
            let copied = copied.collect::<Vec<_>>().join(", ");
            format!(
                "DROP INDEX IF EXISTS \"audit_logs_tenantId_seq_key\"; \
                 INSERT INTO audit_logs ({}) SELECT {copied} FROM audit_logs WHERE {}", columns.join(", "), at(seq)
            )
        };
        let entry = |seq: i64| format!("entry {seq} ");
        for (sql, found) in [
            (entries("\"targetTitle\" = 'forged'", at(3)), entry(3)),
            (entries("actor = 'user:somebody@else.example'", at(last)), entry(last)),
            (entries("\"prevHash\" = ''", at(4)), entry(4)),
            (entries("seq = 0", at(1)), entry(1)),
            (entries("seq = -1", at(last)), entry(1)),
            (entries("\"tenantId\" = 'nobody'", at(last)), entry(last)),
            (cut(at(3)), entry(3)),
            (cut(at(1)), entry(1)),
            (cut(at(last)), entry(last)),
            (cut(from(last - 9)), entry(last - 9)),
            (cut(from(1)), entry(1)),
            (format!("{}; {no_head}", cut(from(1))), "head is missing".to_owned()),
            (format!("{}; {}", cut(from(1)), head("\"headSeq\" = 0, \"headHash\" = ''")), entry(1)),
            (no_head.clone(), "head is missing".to_owned()),
            (head("\"headSeq\" = \"headSeq\" + 1"), entry(last + 1)),
            (head("\"headSeq\" = \"headSeq\" - 1"), entry(last)),
            (head("\"headHash\" = 'x'"), "head was altered".to_owned()),
            (head("\"headHash\" = \"headHash\" || ' '"), "head was altered".to_owned()),
            (twice(7, "0"), entry(7)),
            (twice(7, "zzzz"), entry(8)),
            // Where one page ends and the next begins.
            (twice(500, "zzzz"), entry(501)),
            (twice(last, "zzzz"), entry(last + 1)),
        ] {
            app.connection.tamper(&format!(
                "CREATE TABLE kept_entries AS SELECT * FROM audit_logs; CREATE TABLE kept_heads AS SELECT * FROM tenant_feeds; {sql}"
            )).await;
            let said = verify().await.expect_err(&sql);
            assert!(said.contains(&found), "{sql}: {said} does not tell of {found}");
            app.connection.tamper(
                "DELETE FROM audit_logs; INSERT INTO audit_logs SELECT * FROM kept_entries; DROP TABLE kept_entries; \
                 DELETE FROM tenant_feeds; INSERT INTO tenant_feeds SELECT * FROM kept_heads; DROP TABLE kept_heads"
            ).await;
            assert_eq!(verify().await, Ok(last), "after {sql}");
        }
    }

    async fn a_ledger_is_verified_while_it_is_written(app) {
        let client = app.owner().await;
        let writer = tokio::spawn(async move {
            for turn in 0..60 {
                let query = "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
                client.data(query, json!({ "name": format!("turn {turn}") })).await;
            }
        });
        let mut rounds = 0;
        while !writer.is_finished() || rounds == 0 {
            app.verify_ledger(DEMO).await;
            rounds += 1;
        }
        writer.await.expect("writes");
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
