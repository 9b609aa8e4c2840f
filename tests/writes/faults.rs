//! A mutation is done whole or not at all, whichever of its statements fails.

use super::{head, operation, sample, sender, told};
use crate::{
    support::{Database, Schema, TestApp},
    tables::counts,
};
use sea_orm::EntityName;
use serde_json::json;

/// Statements beyond all that a mutation has.
const ALL: i32 = 1_000_000;

/// From now on, writing statements are counted, and fail when there were as many as [`allow`] says.
async fn count_writes(app: &TestApp) {
    app.execute("CREATE TABLE fault (allowed integer)").await;
    app.execute(&format!("INSERT INTO fault VALUES ({ALL})"))
        .await;
    if app.database == Database::Postgres {
        let count = "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
            UPDATE fault SET allowed = allowed - 1; \
            IF (SELECT allowed FROM fault) < 0 THEN RAISE 'a fault of the test'; END IF; RETURN NULL; END $$";
        app.execute(count).await;
    }
    let mut tables = Vec::new();
    macro_rules! every {
        ($($table:ident),*) => { $( tables.push(entity::$table::Entity.table_name().to_owned()); )* };
    }
    entity::for_each_table!(every);
    for table in tables {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let name = format!("fault_{table}_{event}").to_lowercase();
            let sql = match app.database {
                Database::Sqlite => format!(
                    "CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN UPDATE fault SET allowed = allowed - 1; \
                     SELECT CASE WHEN (SELECT allowed FROM fault) < 0 THEN RAISE(ABORT, 'a fault of the test') END; END"
                ),
                Database::Postgres => format!(
                    "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION fault()"
                ),
            };
            app.execute(&sql).await;
        }
    }
}

/// So many statements may write from now on; the next one fails.
async fn allow(app: &TestApp, statements: i32) {
    app.execute(&format!("UPDATE fault SET allowed = {statements}"))
        .await;
}

on_both_databases! {
    async fn what_fails_leaves_nothing(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let connection = app.connection.across_tenants().await;
        count_writes(&app).await;
        let everywhere = "(SELECT id FROM tenants)";
        let mut broken = 0;
        for mutation in schema.writes() {
            let (name, query) = (&mutation.name, operation(mutation));
            let sender = sender(&app, &client, name).await;
            let input = sample(&app, &client, name).await;
            let (before, rows) = (head(&client).await, counts(&connection, everywhere).await);
            // It fails at its first statement that writes, then at its second, until there are no more.
            for place in 0.. {
                allow(&app, place).await;
                let answer = sender.send(&query, json!({ "input": input })).await;
                allow(&app, ALL).await;
                if answer.body.get("errors").is_none() {
                    assert!(place > 1, "{name} wrote {place} times");
                    break;
                }
                assert_eq!(answer.code(), "INTERNAL", "{name} at {place}");
                assert_eq!(head(&client).await, before, "{name} at {place} left entries");
                assert_eq!(counts(&connection, everywhere).await, rows, "{name} at {place} left rows");
                broken += 1;
            }
            assert!(told(name, before, head(&client).await), "{name}");
        }
        assert!(broken > 120, "only {broken}");
    }
}
