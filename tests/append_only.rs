//! What the database itself keeps: rows that stay as they were written.

use crate::{
    support::{ACME, DEMO, Database},
    tables::{counts, names},
};
use entity::Owned;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, IdenStatic, Iterable};
use std::collections::BTreeMap;

on_both_databases! {
    async fn what_is_append_only_is_neither_changed_nor_deleted_nor_replaced(app) {
        let connection = app.connection.across_tenants().await;
        let before = all_counts(&connection).await;
        let mut tables = Vec::new();
        macro_rules! attack {
            ($($table:ident),*) => { $(
                attack_table::<entity::$table::Entity>(&connection, app.database, &mut tables).await;
            )* };
        }
        entity::for_each_table!(attack);
        tables.sort_unstable();
        assert_eq!(tables, ["agent_job_events", "agent_role_versions", "api_usage", "approvals", "audit_logs", "prd_symbol_links", "transcripts"]);
        assert_eq!(before, all_counts(&connection).await);
        app.verify_ledger(DEMO).await;
    }

    async fn the_head_of_a_ledger_goes_neither_back_nor_away(app) {
        let connection = app.connection.across_tenants().await;
        let mut attacks = vec![
            "UPDATE tenant_feeds SET \"headSeq\" = \"headSeq\" - 1",
            "UPDATE tenant_feeds SET \"headSeq\" = \"headSeq\", \"headHash\" = 'x'",
            "UPDATE tenant_feeds SET \"tenantId\" = 'other', \"headSeq\" = \"headSeq\" + 1",
            "DELETE FROM tenant_feeds",
        ];
        match app.database {
            Database::Sqlite => attacks.push("INSERT OR REPLACE INTO tenant_feeds SELECT \"tenantId\", 0, '', NULL FROM tenant_feeds"),
            Database::Postgres => attacks.push("TRUNCATE tenant_feeds"),
        }
        for attack in attacks {
            refused(&connection, attack).await;
        }
        app.owner().await.data("mutation { createProject(input: { name: \"On\" }) { feedCursor } }", serde_json::json!({})).await;
        app.verify_ledger(DEMO).await;
    }

    async fn what_follows_from_a_deleted_row_goes_on(app) {
        let connection = app.connection.across_tenants().await;
        let demo = app.tenant(DEMO).await;
        let run = async |sql: String| { connection.execute_unprepared(&sql).await.expect(&sql); };
        let number = async |sql: &str| names(&connection, sql).await.len();
        // People go, and what they did stays.
        let person = format!("SELECT \"userId\" AS name FROM approvals WHERE \"tenantId\" = '{demo}' AND \"userId\" IS NOT NULL LIMIT 1");
        let person = names(&connection, &person).await.remove(0);
        let before = all_counts(&connection).await;
        let decided = format!("SELECT id AS name FROM approvals WHERE \"userId\" = '{person}' OR \"onBehalfOfUserId\" = '{person}'");
        assert!(number(&decided).await > 0);
        run(format!("DELETE FROM users WHERE id = '{person}'")).await;
        assert_eq!(number(&decided).await, 0);
        let after = all_counts(&connection).await;
        for table in ["approvals", "api_usage", "transcripts", "audit_logs"] {
            assert_eq!(before[table], after[table], "{table}");
        }
        // A meeting takes its transcripts along, and a brief its decisions and links, but not what it cost.
        let meeting = names(&connection, "SELECT \"meetingId\" AS name FROM transcripts LIMIT 1").await.remove(0);
        run(format!("DELETE FROM meetings WHERE id = '{meeting}'")).await;
        assert_eq!(number(&format!("SELECT id AS name FROM transcripts WHERE \"meetingId\" = '{meeting}'")).await, 0);
        let brief = "SELECT a.\"prdId\" AS name FROM approvals a JOIN prd_symbol_links l ON l.\"prdId\" = a.\"prdId\" \
            JOIN api_usage u ON u.\"prdId\" = a.\"prdId\" LIMIT 1";
        let brief = names(&connection, brief).await.remove(0);
        run(format!("DELETE FROM prds WHERE id = '{brief}'")).await;
        for table in ["approvals", "prd_symbol_links", "api_usage"] {
            assert_eq!(number(&format!("SELECT id AS name FROM {table} WHERE \"prdId\" = '{brief}'")).await, 0, "{table}");
        }
        let last = all_counts(&connection).await;
        assert_eq!(last["api_usage"], before["api_usage"]);
        assert!(last["approvals"] < before["approvals"] && last["prd_symbol_links"] < before["prd_symbol_links"]);
    }

    async fn each_door_opens_what_it_is_named_for(app) {
        let connection = app.connection.across_tenants().await;
        let acme = app.tenant(ACME).await;
        let workspace = format!("DELETE FROM tenants WHERE id = '{acme}'");
        let usage = "DELETE FROM api_usage";
        refused(&connection, &workspace).await;
        refused(&connection, usage).await;
        for (door, sql) in [
            ("retention", &*workspace),
            ("retention", "UPDATE api_usage SET \"costMicros\" = 0"),
            ("retention", "DELETE FROM tenant_feeds"),
            ("delete-workspace", usage),
        ] {
            assert!(app.connection.through(door, sql).await.is_err(), "{door} let {sql} through");
        }
        app.connection.through("retention", usage).await.expect("deletes");
        app.connection.through("delete-workspace", &workspace).await.expect("deletes");
        refused(&connection, "DELETE FROM transcripts").await;
        assert_eq!(names(&connection, "SELECT id AS name FROM api_usage").await.len(), 0);
        assert!(!names(&connection, &format!("SELECT id AS name FROM audit_logs WHERE \"tenantId\" = '{acme}'")).await.is_empty());
        let left_open = match app.database {
            Database::Sqlite => "BEGIN; INSERT INTO open_doors (name) VALUES ('retention'); COMMIT",
            // A setting of the transaction ends with it.
            Database::Postgres => "BEGIN; SET LOCAL \"workgraph.door\" = 'retention'; COMMIT; DELETE FROM transcripts",
        };
        let connection = app.connection.across_tenants().await;
        connection.execute_unprepared(left_open).await.expect_err("a door does not stay open");
    }
}

/// Tries to change, replace and delete what is in a table whose rows do not change.
async fn attack_table<E: Owned>(
    connection: &DatabaseConnection,
    database: Database,
    tables: &mut Vec<String>,
) {
    let table = E::default().table_name().to_owned();
    let changes = E::Column::iter().any(|column| column.as_str() == "updatedAt");
    if changes || table == "tenant_feeds" {
        return;
    }
    for column in E::Column::iter() {
        let name = column.as_str();
        refused(
            connection,
            &format!("UPDATE \"{table}\" SET \"{name}\" = \"{name}\""),
        )
        .await;
        if column.def().is_null() {
            refused(
                connection,
                &format!("UPDATE \"{table}\" SET \"{name}\" = NULL"),
            )
            .await;
        }
    }
    let mut attacks = vec![
        format!("DELETE FROM \"{table}\""),
        format!("DELETE FROM \"{table}\" WHERE id = (SELECT id FROM \"{table}\" LIMIT 1)"),
        format!(
            "INSERT INTO \"{table}\" SELECT * FROM \"{table}\" WHERE true ON CONFLICT (id) DO UPDATE SET \"createdAt\" = excluded.\"createdAt\""
        ),
    ];
    match database {
        Database::Sqlite => attacks.extend([
            format!("INSERT OR REPLACE INTO \"{table}\" SELECT * FROM \"{table}\""),
            format!("UPDATE OR REPLACE \"{table}\" SET id = 'other'"),
            format!("UPDATE OR IGNORE \"{table}\" SET \"createdAt\" = ''"),
        ]),
        Database::Postgres => attacks.extend([
            format!("TRUNCATE \"{table}\" CASCADE"),
            "TRUNCATE tenants CASCADE".to_owned(),
            format!("MERGE INTO \"{table}\" t USING \"{table}\" s ON t.id = s.id WHEN MATCHED THEN DELETE"),
        ]),
    }
    // Links are made and taken back, and that is all.
    if table == "prd_symbol_links" {
        attacks.retain(|attack| !attack.contains("DELETE"));
    }
    for attack in attacks {
        refused(connection, &attack).await;
    }
    tables.push(table);
}

async fn refused(connection: &DatabaseConnection, sql: &str) {
    let done = connection.execute_unprepared(sql).await;
    let said = done.expect_err(sql).to_string();
    let reasons = ["keeps its rows", "UNIQUE constraint failed"];
    assert!(
        reasons.iter().any(|reason| said.contains(reason)),
        "{sql}: {said}"
    );
}

async fn all_counts(connection: &DatabaseConnection) -> BTreeMap<String, i64> {
    counts(connection, "(SELECT \"tenantId\" FROM tenant_feeds)").await
}
