//! How many sockets, streams and operations there may be.

use super::{ACTIVITY, follow};
use crate::support::{DEMO, Database, Events, Socket, TestApp, limits, run};
use serde_json::json;
use workgraph::http::Limits;

async fn start(database: Database) -> TestApp {
    let limits = Limits {
        socket_operations: 2,
        sockets_per_actor: 2,
        ..limits()
    };
    TestApp::start_with(database, limits).await
}

async fn sockets_and_their_operations_are_limited(app: TestApp) {
    let token = app.token(DEMO, "owner").await;
    let mut socket = Socket::signed_in(&app.url, &token).await;
    follow(&mut socket, "a", json!({})).await;
    follow(&mut socket, "b", json!({})).await;
    socket.subscribe("c", ACTIVITY, json!({})).await;
    let refused = socket.receive().await;
    assert_eq!(
        (&refused["id"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("c"), &json!("LIMIT_EXCEEDED"))
    );
    let events = Events::open(&app.url, &token, ACTIVITY, None).await;
    let mut third = Socket::open(&app.url).await;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    third
        .send(json!({ "type": "connection_init", "payload": payload }))
        .await;
    assert_eq!(third.closed().await, 1013);
    let (status, body) = Events::ask(&app.url, &token, ACTIVITY, None)
        .await
        .err()
        .expect("no stream");
    assert_eq!(
        (status, &body["errors"][0]["extensions"]["code"]),
        (400, &json!("LIMIT_EXCEEDED"))
    );
    drop(events);
}

#[test]
fn sqlite() {
    run(async {
        sockets_and_their_operations_are_limited(start(Database::Sqlite).await).await;
    });
}

#[test]
fn postgres() {
    run(async {
        sockets_and_their_operations_are_limited(start(Database::Postgres).await).await;
    });
}
