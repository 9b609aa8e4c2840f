//! What full-text search looks words up in: kept in step by the database, and used.

use crate::support::{ACME, DEMO, Database, Waiting};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;
use std::time::Duration;
use workgraph::{clock::Clock, store::Store};

on_both_databases! {
    async fn what_is_not_searched_costs_nothing_to_change(app) {
        let connection = app.connection.across_tenants().await;
        // The index as the database holds it.
        let index = async || {
            let sql = match app.database {
                Database::Sqlite => "SELECT group_concat(id || ' ' || hex(block)) AS n FROM search_words_data",
                Database::Postgres => "SELECT string_agg(ctid || ' ' || xmin, ',' ORDER BY kind, id) AS n FROM search_documents",
            };
            let row = connection.query_one_raw(Statement::from_string(connection.get_database_backend(), sql)).await;
            row.expect("reads").expect("a row").try_get::<String>("", "n").expect("a text")
        };
        let before = index().await;
        for change in [
            "UPDATE tickets SET \"updatedAt\" = \"createdAt\", priority = 1",
            "UPDATE meetings SET title = title, context = context, \"wordCount\" = 7",
            "UPDATE prds SET confidence = 0.5",
        ] {
            connection.execute_unprepared(change).await.expect(change);
        }
        let noted = async || count(&connection, "SELECT count(*) AS n FROM search_pending").await;
        assert_eq!(noted().await, 0);
        connection.execute_unprepared("UPDATE prds SET summary = summary || ' more'").await.expect("updates");
        assert!(noted().await > 0);
        app.store.migrate().await.expect("makes the words");
        assert_eq!(noted().await, 0);
        assert_ne!(before, index().await);
    }

    async fn a_write_makes_the_words_of_its_own_rows_only(app) {
        let connection = app.connection.across_tenants().await;
        connection.execute_unprepared("UPDATE tickets SET title = title || ' wombat'").await.expect("updates");
        let noted = async || count(&connection, "SELECT count(*) AS n FROM search_pending").await;
        let by_hand = noted().await;
        assert!(by_hand > 20, "{by_hand} are more than are made at once");
        let client = app.owner().await;
        let create = "mutation { createProject(input: { name: \"Numbat\", description: \"termites\" }) { feedCursor } }";
        client.data(create, json!({})).await;
        let hits = async |word: &str| {
            let query = "query($word: String!) { search(query: $word) { nodes { title } } }";
            client.data(query, json!({ "word": word })).await["search"]["nodes"].as_array().map(Vec::len)
        };
        assert_eq!((hits("numbat termites").await, hits("wombat").await), (Some(1), Some(0)));
        assert_eq!(noted().await, by_hand);
        // A server does the rest beside its work.
        let tending = tokio::spawn(app.store.clone().tend_search(Duration::from_millis(5)));
        let waiting = Waiting::until("all that is noted is made");
        while noted().await > 0 {
            waiting.a_moment().await;
        }
        tending.abort();
        assert!(hits("wombat").await > Some(0));
    }

    async fn a_letter_may_have_any_number_of_marks(app) {
        let client = app.owner().await;
        let create = "mutation($text: String!) { createProject(input: { name: \"Marks\", description: $text }) { feedCursor } }";
        for letter in ["か", "a", "ท", "한"] {
            let text = format!("{letter}{}", "\u{3099}\u{301}".repeat(2000));
            client.data(create, json!({ "text": text })).await;
        }
    }

    async fn a_workspace_takes_its_words_along(app) {
        let connection = app.connection.across_tenants().await;
        let tenant = app.store.system().workspace(ACME).await.expect("reads").expect("is seeded").id;
        let left = async || {
            let documents = format!("SELECT count(*) AS n FROM search_documents WHERE \"tenantId\" = '{tenant}'");
            let words = match app.database {
                Database::Sqlite => format!("SELECT count(*) AS n FROM search_words WHERE search_words MATCH 'owner:\"{tenant}\"'"),
                Database::Postgres => format!("SELECT count(*) AS n FROM search_documents WHERE words @@ ''':{tenant}'''::tsquery"),
            };
            (count(&connection, &documents).await, count(&connection, &words).await)
        };
        let (documents, words) = left().await;
        assert!(documents > 10 && documents == words, "{documents} {words}");
        let delete = format!("DELETE FROM tenants WHERE id = '{tenant}'");
        app.connection.through("delete-workspace", &delete).await.expect("deletes");
        assert_eq!(left().await, (0, 0));
        assert!(count(&connection, "SELECT count(*) AS n FROM search_documents").await > 0);
    }

    async fn rows_from_before_the_migration_are_found(app) {
        let made = app.database.empty().await;
        let store = Store::open(&made.url, 2, &crate::support::secret(), Clock::system()).await.expect("opens");
        let connection = made.across_tenants().await;
        Migrator::up(&connection, Some(8)).await.expect("migrates");
        let at = "'2026-01-01T00:00:00+00:00'";
        for sql in [
            format!("INSERT INTO tenants (id, name, slug, \"createdAt\", \"updatedAt\") VALUES ('t', 't', 't', {at}, {at})"),
            format!("INSERT INTO projects (id, \"tenantId\", name, slug, \"createdAt\", \"updatedAt\") VALUES ('p', 't', 'Wallaby', 'w', {at}, {at})"),
            format!("INSERT INTO meetings (id, \"tenantId\", \"projectId\", title, \"currentTranscriptId\", \"startTime\", \"createdAt\", \"updatedAt\") VALUES ('m', 't', 'p', 'Old', 'v', {at}, {at}, {at})"),
            format!("INSERT INTO transcripts (id, \"tenantId\", \"meetingId\", source, \"fullText\", \"createdAt\") VALUES ('v', 't', 'm', 'paste', 'an echidna', {at})"),
        ] {
            connection.execute_unprepared(&sql).await.expect(&sql);
        }
        store.migrate().await.expect("migrates");
        store.close().await;
        for word in ["wallaby", "echidna"] {
            let sql = match app.database {
                Database::Sqlite => format!("SELECT count(*) AS n FROM search_words WHERE search_words MATCH '{word}'"),
                Database::Postgres => format!("SELECT count(*) AS n FROM search_documents WHERE words @@ '{word}'::tsquery"),
            };
            assert_eq!(count(&connection, &sql).await, 1, "{word}");
        }
    }

    async fn words_are_looked_up_in_the_index(app) {
        let connection = app.connection.across_tenants().await;
        let (sql, expected) = match app.database {
            Database::Sqlite => (
                "EXPLAIN QUERY PLAN SELECT rowid FROM search_words WHERE search_words MATCH 'x'", "VIRTUAL TABLE INDEX",
            ),
            // An ordinary role, whose tenant is named: the planner may use the index only as long as no policy comes first.
            Database::Postgres => {
                let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded").id;
                let arm = format!("SET enable_seqscan = off; SELECT set_config('workgraph.tenant', '{tenant}', false)");
                connection.execute_unprepared(&arm).await.expect("sets");
                ("EXPLAIN SELECT id FROM search_documents WHERE words @@ 'x'::tsquery", "search_documents_words_idx")
            }
        };
        let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.expect("explains");
        let column = if app.database == Database::Sqlite { "detail" } else { "QUERY PLAN" };
        let plan: Vec<String> = rows.iter().map(|row| row.try_get("", column).expect("a line")).collect();
        assert!(plan.iter().any(|line| line.contains(expected)), "{plan:?}");
    }
}

/// The number `n` that a statement selects.
pub async fn count(connection: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.expect("counts");
    row.expect("a row").try_get("", "n").expect("a number")
}
