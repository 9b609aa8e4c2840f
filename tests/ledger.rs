//! The ledger: dense, chained, and true under concurrency.

use crate::{
    search_index::count,
    support::{ACME, DEMO, Database, TestApp},
};
use entity::audit_log;
use sea_orm::{ColumnTrait, ConnectionTrait, IdenStatic, Iterable, sea_query::ColumnType};
use serde_json::json;
use workgraph::store::Head;

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
        assert_eq!(app.store.verify_ledger(&tenant.id, None).await.expect("holds").seq, before + 160);
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
        let verify = async || app.store.verify_ledger(&tenant.as_str().into(), None).await.map_err(|error| error.message());
        let last = verify().await.expect("holds").seq;
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
            let said = said_of(&app, &tenant, &sql).await;
            assert!(said.contains(&found), "{sql}: {said} does not tell of {found}");
            assert_eq!(verify().await.map(|head| head.seq), Ok(last), "after {sql}");
        }
    }

    async fn an_end_that_was_cut_off_with_its_head_is_found_by_who_noted_the_head(app) {
        let tenant = app.tenant(DEMO).await;
        let noted = app.store.verify_ledger(&tenant.as_str().into(), None).await.expect("holds");
        assert_eq!(noted.to_string().parse(), Ok(noted.clone()));
        let cut_short = &noted.to_string()[..20];
        assert!(cut_short.parse::<Head>().is_err(), "a mistake is not taken for a fault of the ledger");
        let kept = noted.seq - 5;
        let cut = format!(
            "DELETE FROM audit_logs WHERE \"tenantId\" = '{tenant}' AND seq > {kept}; UPDATE tenant_feeds SET \"headSeq\" = {kept}, \"headHash\" =
             (SELECT hash FROM audit_logs a WHERE a.\"tenantId\" = '{tenant}' AND seq = {kept}) WHERE \"tenantId\" = '{tenant}'"
        );
        let unknowing = verified_after(&app, &tenant, &cut, None).await;
        assert_eq!(unknowing.expect("cannot tell").seq, kept);
        let told = verified_after(&app, &tenant, &cut, Some(&noted)).await.expect_err("knows").message();
        assert!(told.contains(&format!("entry {} is missing", kept + 1)), "{told}");
        // What came afterwards hides nothing, and other hashes are another ledger.
        app.owner().await.data("mutation { createProject(input: { name: \"After\" }) { feedCursor } }", json!({})).await;
        assert!(app.store.verify_ledger(&tenant.as_str().into(), Some(&noted)).await.expect("holds").seq > noted.seq);
        let other = Head { hash: "another".to_owned(), ..noted };
        assert!(app.store.verify_ledger(&tenant.as_str().into(), Some(&other)).await.is_err());
    }

    async fn no_column_of_an_entry_is_changed_unseen(app) {
        let tenant = app.tenant(DEMO).await;
        let connection = app.connection.across_tenants().await;
        let last = format!("SELECT max(seq) AS n FROM audit_logs WHERE \"tenantId\" = '{tenant}' AND diff IS NOT NULL");
        let personal = format!("{last} AND \"targetUserId\" IS NOT NULL");
        for found in [&last, &personal] {
            let seq = count(&connection, found).await;
            for column in audit_log::Column::iter() {
                for value in other_values(column, app.database) {
                    let set = format!("UPDATE audit_logs SET \"{}\" = {value}", column.as_str());
                    let change = format!("{set} WHERE \"tenantId\" = '{tenant}' AND seq = {seq}");
                    let said = said_of(&app, &tenant, &change).await;
                    assert!(said.contains(&format!("entry {seq} ")), "{change}: {said}");
                }
            }
        }
        app.verify_ledger(DEMO).await;
    }

    async fn entries_from_before_a_column_came_hold_as_they_did(app) {
        let connection = app.connection.across_tenants().await;
        connection.execute_unprepared(include_str!("ledger/before_target_user.sql")).await.expect("inserts");
        let tenant = app.tenant("old").await;
        app.verify_ledger("old").await;
        let create = "mutation { createProject(input: { name: \"New\" }) { feedCursor } }";
        app.client("old", "owner").await.data(create, json!({})).await;
        app.verify_ledger("old").await;
        for (seq, change) in [(2, "\"targetTitle\" = 'eve'"), (3, "\"projectId\" = NULL"), (4, "\"targetUserId\" = 'eve'")] {
            let change = format!("UPDATE audit_logs SET {change} WHERE \"tenantId\" = '{tenant}' AND seq = {seq}");
            let said = said_of(&app, &tenant, &change).await;
            assert!(said.contains(&format!("entry {seq} ")), "{change}: {said}");
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
        // Lists begin with the newest, so what is older would come after it.
        let unordered = "query($after: Cursor) { activity(after: $after) { nodes { id } pageInfo { endCursor } } }";
        assert_eq!(client.code(unordered, json!({ "after": cursor })).await, "CURSOR_MISMATCH");
        let page = client.data(unordered, json!({ "after": null })).await;
        client.data(unordered, json!({ "after": page["activity"]["pageInfo"]["endCursor"] })).await;
        let projects = "query($after: Cursor) { projects(after: $after) { nodes { id } } }";
        assert_eq!(client.code(projects, json!({ "after": cursor })).await, "CURSOR_MISMATCH");
    }
}

/// What is said of a ledger after this is done to it. Then it is undone.
async fn said_of(app: &TestApp, tenant: &str, sql: &str) -> String {
    let verified = verified_after(app, tenant, sql, None).await;
    verified.expect_err(sql).message()
}

/// What verification finds, perhaps with a head that was noted before, after SQL that is undone again.
async fn verified_after(
    app: &TestApp,
    tenant: &str,
    sql: &str,
    noted: Option<&Head>,
) -> workgraph::Result<Head> {
    let keep = "CREATE TABLE kept_entries AS SELECT * FROM audit_logs; CREATE TABLE kept_heads AS SELECT * FROM tenant_feeds";
    app.connection.tamper(&format!("{keep}; {sql}")).await;
    let verified = app.store.verify_ledger(&tenant.into(), noted).await;
    let undo = "DELETE FROM audit_logs; INSERT INTO audit_logs SELECT * FROM kept_entries; DROP TABLE kept_entries; \
                DELETE FROM tenant_feeds; INSERT INTO tenant_feeds SELECT * FROM kept_heads; DROP TABLE kept_heads";
    app.connection.tamper(undo).await;
    verified
}

/// What a column may be changed to, as SQL: always something else than it was.
fn other_values(column: audit_log::Column, database: Database) -> Vec<String> {
    let name = format!("\"{}\"", column.as_str());
    let mut values = match column.def().get_column_type() {
        ColumnType::BigInteger => vec![format!("{name} + 1000")],
        ColumnType::TimestampWithTimeZone => vec!["'2020-01-01T00:00:00.000+00:00'".to_owned()],
        ColumnType::JsonBinary => {
            let (one_more, damaged) = match database {
                Database::Sqlite => (
                    format!("json_set({name}, '$.forged', 1)"),
                    ["'no JSON'", "x'00ff'"],
                ),
                Database::Postgres => (
                    format!("{name} || '{{\"forged\": 1}}'"),
                    ["'\"text\"'", "'7'"],
                ),
            };
            let mut values = vec![one_more, "'{\"forged\": 1}'".to_owned(), "'[]'".to_owned()];
            values.extend(damaged.map(str::to_owned));
            values
        }
        _ if column.as_str() == "actorType" => {
            vec![format!(
                "CASE WHEN {name} = 'user' THEN 'system' ELSE 'user' END"
            )]
        }
        _ => vec![format!("coalesce({name}, '') || 'x'")],
    };
    if column.def().is_null() {
        values.push(match column.def().get_column_type() {
            ColumnType::JsonBinary => "NULL".to_owned(),
            _ => format!("CASE WHEN {name} IS NULL THEN '' END"),
        });
    }
    values
}
