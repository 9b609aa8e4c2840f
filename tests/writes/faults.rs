//! A mutation is done whole or not at all, whichever of its statements fails.

use super::{head, operation, sample};
use crate::{
    support::{DEMO, Database, Schema, TestApp},
    tables::{counts, names},
};
use entity::Owned;
use sea_orm::{DatabaseConnection, EntityName};
use serde_json::json;
use std::collections::BTreeSet;

/// The table of a kind of rows.
fn table(kind: &str) -> String {
    let mut found = None;
    macro_rules! find {
        ($($table:ident),*) => { $(
            if entity::$table::Entity::KIND == kind {
                found = Some(entity::$table::Entity.table_name().to_owned());
            }
        )* };
    }
    entity::for_each_table!(find);
    found.expect("a table")
}

/// From now on, every statement that writes to a table fails.
async fn break_table(app: &TestApp, table: &str) {
    for event in ["INSERT", "UPDATE", "DELETE"] {
        let name = format!("fault_{event}").to_lowercase();
        let sql = match app.database {
            Database::Sqlite => format!(
                "CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'a fault of the test'); END"
            ),
            Database::Postgres => format!(
                "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a fault of the test'; END $$; \
                 CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION fault()"
            ),
        };
        app.execute(&sql).await;
    }
}

/// The position of the newest entry, whoever sees it.
async fn newest(connection: &DatabaseConnection, tenant: &str) -> i64 {
    let newest = format!(
        "SELECT CAST(max(seq) AS text) AS name FROM audit_logs WHERE \"tenantId\" = '{tenant}'"
    );
    names(connection, &newest).await[0]
        .parse()
        .expect("a number")
}

async fn mend_table(app: &TestApp, table: &str) {
    for event in ["insert", "update", "delete"] {
        let on = match app.database {
            Database::Sqlite => String::new(),
            Database::Postgres => format!(" ON {table}"),
        };
        app.execute(&format!("DROP TRIGGER fault_{event}{on}"))
            .await;
    }
}

on_both_databases! {
    async fn what_fails_leaves_nothing(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let connection = app.connection.across_tenants().await;
        let demo = app.tenant(DEMO).await;
        let mut broken = 0;
        for mutation in schema.writes() {
            let (name, query) = (&mutation.name, operation(mutation));
            let before = head(&client).await;
            let input = sample(&app, &client, name).await;
            let made = newest(&connection, &demo).await;
            client.data(&query, json!({ "input": input })).await;
            // Also what the one who asks does not see: notices to others.
            let kinds = format!("SELECT DISTINCT \"targetType\" AS name FROM audit_logs WHERE \"tenantId\" = '{demo}' AND seq > {made}");
            let kinds = names(&connection, &kinds).await;
            let mut tables: BTreeSet<String> = kinds.iter().map(|kind| table(kind)).collect();
            tables.extend(["audit_logs", "tenant_feeds"].map(str::to_owned));
            assert!(head(&client).await > before);
            let input = sample(&app, &client, name).await;
            for table in tables {
                let (before, rows) = (head(&client).await, counts(&connection, "(SELECT id FROM tenants)").await);
                break_table(&app, &table).await;
                let answer = client.send(&query, json!({ "input": input })).await;
                mend_table(&app, &table).await;
                assert_eq!(answer.code(), "INTERNAL", "{name} without {table}");
                assert_eq!(head(&client).await, before, "{name} without {table} left entries");
                assert_eq!(counts(&connection, "(SELECT id FROM tenants)").await, rows, "{name} without {table} left rows");
                broken += 1;
            }
            // It was as if nothing had been sent.
            client.data(&query, json!({ "input": input })).await;
        }
        assert!(broken > 60, "only {broken}");
    }
}
