//! Operations that cannot go on: something beside the server holds what they need.

use crate::support::{Database, Footprint, PATIENCE, Reply, TestApp};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::json;
use std::time::Duration;
use workgraph::http::Limits;

/// More than may run at once, so that some wait for their turn.
const AT_ONCE: usize = 6;

/// Holds what every writer of a project needs.
pub async fn hold(app: &TestApp) -> DatabaseConnection {
    let lock = app.connection.across_tenants().await;
    let sql = match app.database {
        Database::Sqlite => "BEGIN IMMEDIATE",
        Database::Postgres => "BEGIN; LOCK TABLE projects IN ACCESS EXCLUSIVE MODE",
    };
    lock.execute_unprepared(sql).await.expect("locks");
    lock
}

/// Lets the writers go on.
pub async fn release(lock: DatabaseConnection) {
    lock.execute_unprepared("ROLLBACK").await.expect("releases");
    lock.close().await.expect("closes");
}

on_both_databases! {
    async fn an_operation_that_cannot_go_on_is_stopped_and_leaves_nothing(app) {
        let app = TestApp::start_with(app.database, Limits { operation_seconds: 1, ..Limits::default() }).await;
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = json!({
            "query": "mutation { createProject(input: { name: \"Late\", idempotencyKey: \"late\" }) { project { name } } }",
        }).to_string();
        let lock = hold(&app).await;
        for accept in ["application/json", "application/graphql-response+json"] {
            let sent = (0..AT_ONCE).map(|_| tokio::spawn(Reply::to(door.post(create.clone()).header("accept", accept))));
            for reply in sent.collect::<Vec<_>>() {
                reply.await.expect("is answered").refused(504, "DEADLINE_EXCEEDED", &create);
            }
        }
        release(lock).await;
        before.must_be_that_of(&app).await;
        let made = Reply::to(door.post(create.clone())).await.data().clone();
        assert_eq!(made["createProject"]["project"]["name"], "Late");
        assert_eq!(*Reply::to(door.post(create)).await.data(), made, "the key holds");
        let count = "{ projects(filter: { name: { eq: \"Late\" } }) { totalCount } }";
        assert_eq!(door.ask(count, json!({})).await.data()["projects"]["totalCount"], 1);
        app.verify_ledger(crate::support::DEMO).await;
        all_connections_come_back(&app).await;
    }

    async fn a_query_that_cannot_go_on_is_stopped(app) {
        if app.database == Database::Sqlite {
            // There a reader never waits for a writer.
            return;
        }
        let app = TestApp::start_with(app.database, Limits { operation_seconds: 1, ..Limits::default() }).await;
        let door = app.door().await;
        let query = json!({ "query": "{ feedCursor projects { totalCount } }" }).to_string();
        let lock = hold(&app).await;
        let sent = (0..AT_ONCE).map(|_| tokio::spawn(Reply::to(door.post(query.clone()))));
        for reply in sent.collect::<Vec<_>>() {
            reply.await.expect("is answered").refused(504, "DEADLINE_EXCEEDED", &query);
        }
        release(lock).await;
        Reply::to(door.post(query)).await.data();
        all_connections_come_back(&app).await;
    }

    async fn a_database_that_dropped_its_connections_is_connected_again(app) {
        if app.database == Database::Sqlite {
            // There is nothing between the server and its file.
            return;
        }
        let door = app.door().await;
        let query = json!({ "query": "{ projects { totalCount } }" }).to_string();
        let sent = (0..AT_ONCE).map(|_| tokio::spawn(Reply::to(door.post(query.clone()))));
        for reply in sent.collect::<Vec<_>>() {
            reply.await.expect("is answered").data();
        }
        let beside = app.connection.open().await;
        let drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        beside.execute_unprepared(drop).await.expect("drops");
        // A connection that answered less than a second ago is taken at its word.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let sent = (0..AT_ONCE).map(|_| tokio::spawn(Reply::to(door.post(query.clone()))));
        for reply in sent.collect::<Vec<_>>() {
            reply.await.expect("is answered").data();
        }
    }
}

/// Fails when a stopped operation keeps its database connection. That must be the last that is asked of a server.
async fn all_connections_come_back(app: &TestApp) {
    let closed = tokio::time::timeout(PATIENCE, app.store.close()).await;
    closed.expect("all connections come back");
}
