//! Transactions that others stand in the way of are tried again.
//!
//! On SQLite there is one writer at a time, who cannot meet another.

use crate::support::{DEMO, Database, TestApp, Waiting, as_superuser, limits, run};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::http::Limits;

/// In so many rounds the server must have been the one that was broken off.
const DEADLOCKS: usize = 10;

pub async fn number(connection: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = connection.query_one_raw(statement).await.expect("reads");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

/// Lets PostgreSQL notice deadlocks soon, on connections that are made from now on.
async fn notice_soon(app: &TestApp, beside: &DatabaseConnection) {
    let name: String = {
        let statement = Statement::from_string(DbBackend::Postgres, "SELECT current_database()");
        let row = beside.query_one_raw(statement).await.expect("reads");
        row.expect("a row").try_get_by_index(0).expect("a name")
    };
    as_superuser(&format!(
        "ALTER DATABASE {name} SET deadlock_timeout = '50ms'"
    ))
    .await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    beside.execute_unprepared(others).await.expect("ends them");
    // A connection that answered less than a second ago is taken at its word.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    app.owner()
        .await
        .data("{ viewer { user { name } } }", json!({}))
        .await;
}

/// How many wait for a lock that others hold.
pub async fn waiting(watcher: &DatabaseConnection) -> i64 {
    let waits = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
                 WHERE NOT l.granted AND a.datname = current_database()";
    number(watcher, waits).await
}

/// A server whose operations may take as long as a slow machine needs.
async fn start() -> TestApp {
    let limits = Limits {
        operation_seconds: 600,
        ..limits()
    };
    TestApp::start_with(Database::Postgres, limits).await
}

async fn a_mutation_that_meets_a_deadlock() {
    let app = start().await;
    let owner = app.owner().await;
    let beside = app.connection.across_tenants().await;
    notice_soon(&app, &beside).await;
    let beside = app.connection.across_tenants().await;
    let watcher = app.connection.across_tenants().await;
    let projects = owner
        .data("{ projects(first: 1) { nodes { id } } }", json!({}))
        .await;
    let id = projects["projects"]["nodes"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let tenant = app.tenant(DEMO).await;
    let (mut deadlocks, mut round) = (0, 0);
    // Which of two PostgreSQL breaks off is a matter of who waited first and for how long.
    let often = Waiting::until("the server was broken off often enough");
    while deadlocks < DEADLOCKS {
        often.a_moment().await;
        round += 1;
        let head =
            format!("BEGIN; SELECT 1 FROM tenant_feeds WHERE \"tenantId\" = '{tenant}' FOR UPDATE");
        beside
            .execute_unprepared(&head)
            .await
            .expect("locks the ledger's head");
        let rename = format!(
            "mutation {{ updateProject(input: {{ id: \"{id}\", name: \"Round {round}\" }}) {{ project {{ name }} }} }}"
        );
        let renaming = tokio::spawn({
            let owner = owner.clone();
            async move { owner.send(&rename, json!({})).await }
        });
        let locked = Waiting::until("it has the project and waits for the ledger");
        while waiting(&watcher).await == 0 {
            locked.a_moment().await;
        }
        let update = format!("UPDATE projects SET description = 'beside' WHERE id = '{id}'");
        deadlocks += usize::from(beside.execute_unprepared(&update).await.is_ok());
        beside
            .execute_unprepared("ROLLBACK")
            .await
            .expect("lets go");
        let renamed = renaming.await.expect("is answered");
        assert_eq!(
            renamed.body["data"]["updateProject"]["project"]["name"],
            format!("Round {round}"),
            "{:#}",
            renamed.body
        );
    }
    app.verify_ledger(DEMO).await;
}

async fn what_stands_in_the_way_three_times() {
    let app = start().await;
    // What is taken from a sequence stays taken when a transaction is rolled back.
    app.execute(
        "CREATE SEQUENCE tries; \
         CREATE FUNCTION stand_in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM nextval('tries'); RAISE EXCEPTION 'in the way' USING ERRCODE = TG_ARGV[0]; END $$",
    )
    .await;
    let expected = [
        ("40001", 200, "CONFLICT", 3),
        ("40P01", 200, "CONFLICT", 3),
        ("57P01", 503, "UNAVAILABLE", 1),
        ("53300", 503, "UNAVAILABLE", 1),
        ("08006", 503, "UNAVAILABLE", 1),
        ("XX000", 200, "INTERNAL", 1),
    ];
    let (owner, beside) = (app.door().await, app.connection.across_tenants().await);
    for (sqlstate, status, code, tries) in expected {
        app.execute(&format!(
            "CREATE OR REPLACE TRIGGER in_the_way BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION stand_in_the_way('{sqlstate}'); \
             ALTER SEQUENCE tries RESTART",
        )).await;
        let reply = owner
            .ask(
                "mutation { createProject(input: { name: \"Never\" }) { project { id } } }",
                json!({}),
            )
            .await;
        let [error] = reply.errors() else {
            panic!("{:#}", reply.body)
        };
        assert_eq!(
            (reply.status, &error["extensions"]["code"]),
            (status, &Value::from(code)),
            "{sqlstate}: {error:#}"
        );
        assert_eq!(
            number(&beside, "SELECT last_value FROM tries").await,
            tries,
            "{sqlstate}"
        );
    }
    app.verify_ledger(DEMO).await;
}

#[test]
fn a_mutation_that_meets_a_deadlock_is_tried_again() {
    run(a_mutation_that_meets_a_deadlock());
}

#[test]
fn after_three_tries_it_is_a_conflict() {
    run(what_stands_in_the_way_three_times());
}
