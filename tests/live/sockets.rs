//! The protocol graphql-transport-ws.

use super::{ACTIVITY, CREATE, INIT, create, follow};
use crate::support::{DEMO, Events, Socket, connect};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

on_both_databases! {
    async fn queries_and_mutations_run_on_a_socket_too(app) {
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        socket.subscribe("q", "{ projects(first: 1) { nodes { id } } }", json!({})).await;
        assert!(socket.data("q").await["projects"]["nodes"][0]["id"].is_string());
        assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "q" }));
        socket.subscribe("q", CREATE, json!({ "name": "by socket" })).await;
        assert!(socket.data("q").await["createProject"]["project"]["id"].is_string());
        assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "q" }));
        for (query, code) in [
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("subscription { activity(heartbeatSeconds: 1) { position } }", "BAD_USER_INPUT"),
            ("subscription { a: activity { position } b: activity { position } }", "GRAPHQL_VALIDATION_FAILED"),
        ] {
            socket.subscribe("e", query, json!({})).await;
            let refused = socket.receive().await;
            assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("e")), "{refused}");
            let extensions = &refused["payload"][0]["extensions"];
            assert!(extensions["code"] == code && extensions["requestId"].is_string(), "{query}: {refused}");
        }
    }

    async fn an_operation_is_named_only_where_there_are_several(app) {
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "viewer").await).await;
        socket.subscribe("a", "subscription One { activity { position } }", json!({})).await;
        assert!(socket.data("a").await["activity"]["position"].is_string());
        let two = "subscription One { activity { position } } subscription Two { activity { position } }";
        socket.subscribe("b", two, json!({})).await;
        let refused = socket.receive().await;
        assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("b")), "{refused}");
    }

    async fn an_operation_that_is_completed_is_over(app) {
        let client = app.owner().await;
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        follow(&mut socket, "a", json!({})).await;
        socket.send(json!({ "type": "complete", "id": "a" })).await;
        // The id is free again, and what comes is the new operation's: it sees no new project.
        let filter = json!({ "filter": { "actionPrefix": ["project.edited"] } });
        follow(&mut socket, "a", filter).await;
        let id = create(&client, "unheard").await;
        let rename = "mutation($id: ID!) { updateProject(input: { id: $id, name: \"Heard\" }) { project { id } } }";
        client.data(rename, json!({ "id": id })).await;
        let frame = socket.data("a").await;
        assert_eq!(frame["activity"]["event"]["action"], "project.edited");
    }

    async fn a_socket_that_begins_and_ends_thousands_of_operations_goes_on(app) {
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        for turn in 0..3000 {
            let id = format!("{turn:0>200}");
            socket.subscribe(&id, ACTIVITY, json!({})).await;
            socket.send(json!({ "type": "complete", "id": id })).await;
        }
        // An end for what was never begun is no matter, however long its name.
        socket.send(json!({ "type": "complete", "id": "x".repeat(100_000) })).await;
        socket.send(json!({ "type": "ping", "payload": { "at": 1 } })).await;
        let pong = loop {
            let message = socket.receive().await;
            if message["type"] == "pong" {
                break message;
            }
        };
        assert_eq!(pong["payload"], json!({ "at": 1 }));
        follow(&mut socket, "last", json!({})).await;
    }

    async fn a_socket_that_breaks_the_protocol_is_closed(app) {
        let token = app.token(DEMO, "owner").await;
        for message in ["", "x", "[]", "{}", r#"{"type":"unknown"}"#, r#"{"type":"ping","payload":1}"#,
            r#"{"type":"subscribe","id":"a"}"#, r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"a","payload":{"query":1}}"#] {
            let mut socket = Socket::signed_in(&app.url, &token).await;
            socket.send_raw(Message::text(message)).await;
            assert_eq!(socket.closed().await, 4400, "{message}");
        }
        let mut socket = Socket::open(&app.url).await;
        socket.send_raw(Message::binary(INIT)).await;
        assert_eq!(socket.closed().await, 4400);
        let mut socket = Socket::open(&app.url).await;
        socket.subscribe("a", ACTIVITY, json!({})).await;
        assert_eq!(socket.closed().await, 4401);
        assert_eq!(connect(&app.url, &[]).await.closed().await, 4406);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        follow(&mut socket, "a", json!({})).await;
        socket.subscribe("a", ACTIVITY, json!({})).await;
        assert_eq!(socket.closed().await, 4409);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        socket.send_raw(Message::text(INIT)).await;
        assert_eq!(socket.closed().await, 4429);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        socket.send_raw(Message::text("x".repeat(300_000))).await;
        assert_eq!(socket.closed().await, 1009);
        assert_eq!(Socket::open(&app.url).await.closed().await, 4408);
    }

    async fn a_project_narrows_a_socket(app) {
        let client = app.owner().await;
        let project = create(&client, "narrow").await;
        let token = format!("Bearer {}", app.token(DEMO, "owner").await);
        let mut socket = Socket::open(&app.url).await;
        let payload = json!({ "Authorization": token, "X-Project-Id": project });
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.receive().await["type"], "connection_ack");
        socket.subscribe("a", "{ projects { nodes { id } } tickets { totalCount } }", json!({})).await;
        assert_eq!(socket.data("a").await["tickets"]["totalCount"], 0);
    }

    async fn a_ping_is_answered(app) {
        let mut socket = Socket::open(&app.url).await;
        socket.send(json!({ "type": "ping", "payload": { "at": 1 } })).await;
        assert_eq!(socket.receive().await, json!({ "type": "pong", "payload": { "at": 1 } }));
    }

    async fn a_server_that_stops_says_goodbye(app) {
        let token = app.token(DEMO, "owner").await;
        let mut socket = Socket::signed_in(&app.url, &token).await;
        follow(&mut socket, "a", json!({})).await;
        let mut events = Events::open(&app.url, &token, ACTIVITY, None).await;
        assert_eq!(events.next().await.expect("an event").0, "next");
        app.stop();
        assert_eq!(socket.closed().await, 1001);
        assert_eq!(events.next().await, None);
    }
}
