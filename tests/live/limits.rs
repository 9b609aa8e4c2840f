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

/// How often a minute an actor may ask, where that is limited.
const REQUESTS: usize = 50;

async fn start_strict(database: Database) -> TestApp {
    let limits = Limits {
        requests_per_minute: REQUESTS as u64,
        stream_bytes: 65_536,
        ..limits()
    };
    TestApp::start_with(database, limits).await
}

async fn newer_tokens_are_checked_one_at_a_time_and_count_as_requests(app: TestApp) {
    let token = app.token(DEMO, "owner").await;
    let mut socket = Socket::signed_in(&app.url, &token).await;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    for _ in 0..4 * REQUESTS {
        socket
            .send(json!({ "type": "ping", "payload": payload }))
            .await;
    }
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..4 * REQUESTS {
        let pong = socket.receive().await;
        match pong["payload"]["authorization"].as_str() {
            Some("accepted") => accepted += 1,
            Some("refused") => refused += 1,
            _ => panic!("{pong}"),
        }
    }
    // A minute may have begun meanwhile.
    assert!(
        (1..=2 * REQUESTS).contains(&accepted),
        "{accepted} accepted, {refused} refused"
    );
    // What was refused changes nothing: the first token still holds.
    socket
        .send(json!({ "type": "ping", "payload": { "at": 1 } }))
        .await;
    assert_eq!(socket.receive().await["payload"], json!({ "at": 1 }));
}

async fn documents_of_streams_are_limited_in_bytes(app: TestApp) {
    let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
    let query = |number: usize| {
        let fields = format!("a{number}: position ").repeat(20);
        format!("subscription {{ activity {{ {fields} }} }}")
    };
    let mut number = 0;
    let refused = loop {
        socket
            .subscribe(&number.to_string(), &query(number), json!({}))
            .await;
        let answer = socket.receive().await;
        if answer["type"] == "error" {
            break answer;
        }
        number += 1;
    };
    let error = &refused["payload"][0];
    assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{refused}");
    assert!(
        error["message"]
            .as_str()
            .expect("a text")
            .contains("WORKGRAPH_STREAM_BYTES"),
        "{refused}"
    );
    // The same again takes nothing more, and what is over makes room.
    socket.subscribe("again", &query(0), json!({})).await;
    socket.data("again").await;
    // So does the same with variables that it does not declare: they are not held.
    let unused = json!({ "unused": "x".repeat(100_000) });
    socket.subscribe("unused", &query(0), unused).await;
    socket.data("unused").await;
    socket.send(json!({ "type": "complete", "id": "1" })).await;
    socket.subscribe("new", &query(number), json!({})).await;
    socket.data("new").await;
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

async fn each(database: Database) {
    sockets_and_their_operations_are_limited(start(database).await).await;
    newer_tokens_are_checked_one_at_a_time_and_count_as_requests(start_strict(database).await)
        .await;
    documents_of_streams_are_limited_in_bytes(start_strict(database).await).await;
}

#[test]
fn sqlite() {
    run(each(Database::Sqlite));
}

#[test]
fn postgres() {
    run(each(Database::Postgres));
}
