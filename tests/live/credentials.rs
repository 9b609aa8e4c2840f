//! Who holds a connection, and for how long.

use super::{ACTIVITY, INIT, follow};
use crate::support::{ALLOWED_ORIGIN, DEMO, Events, PROTOCOL, Socket, TestApp, connect, limits};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use workgraph::http::Limits;

on_both_databases! {
    async fn a_token_must_hold_at_the_beginning(app) {
        for payload in [json!({}), json!({ "authorization": "Bearer x" }), json!({ "authorization": 1 })] {
            let mut socket = Socket::open(&app.url).await;
            socket.send(json!({ "type": "connection_init", "payload": payload })).await;
            assert_eq!(socket.closed().await, 4403);
        }
        let token = format!("Bearer {}", app.token(DEMO, "owner").await);
        let mut socket = Socket::open(&app.url).await;
        let lost = json!({ "AUTHORIZATION": token, "projectId": "nowhere" });
        socket.send(json!({ "type": "connection_init", "payload": lost })).await;
        assert_eq!(socket.closed().await, 4403);
    }

    async fn a_cookie_counts_only_on_pages_that_are_allowed(app) {
        let cookie = format!("workgraph_access={}", app.token(DEMO, "owner").await);
        for (origin, ends) in [(Some("https://elsewhere.example"), true), (None, true), (Some(ALLOWED_ORIGIN), false)] {
            let mut headers = vec![PROTOCOL, ("cookie", cookie.as_str())];
            headers.extend(origin.map(|origin| ("origin", origin)));
            let mut socket = connect(&app.url, &headers).await;
            socket.send_raw(Message::text(INIT)).await;
            if ends {
                assert_eq!(socket.closed().await, 4403, "{origin:?}");
            } else {
                assert_eq!(socket.receive().await["type"], "connection_ack");
            }
        }
    }

    async fn a_token_that_is_revoked_closes_its_sockets(app) {
        let client = app.client(DEMO, "member").await;
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "member").await).await;
        follow(&mut socket, "a", json!({})).await;
        client.data("mutation { signOutEverywhere(input: {}) { user { id } } }", json!({})).await;
        assert_eq!(socket.closed().await, 4403);
    }

    async fn a_token_that_is_revoked_closes_a_socket_on_which_nothing_happens(app) {
        let client = app.client(DEMO, "member").await;
        let mut idle = Socket::signed_in(&app.url, &app.token(DEMO, "member").await).await;
        client.data("mutation { signOutEverywhere(input: {}) { user { id } } }", json!({})).await;
        let closed = tokio::time::timeout(Duration::from_secs(30), idle.closed()).await;
        assert_eq!(closed.expect("closes with a ping"), 4403);
    }

    async fn what_sql_changes_counts_for_streams_with_the_next_heartbeat(app) {
        let often = TestApp::start_with(app.database, Limits { vetted_seconds: 2, ..limits() }).await;
        let mut socket = Socket::signed_in(&often.url, &often.token(DEMO, "member").await).await;
        let beating = "subscription { activity(heartbeatSeconds: 5) { event { action } } }";
        follow(&mut socket, "a", json!({})).await;
        socket.subscribe("b", beating, json!({})).await;
        socket.data("b").await;
        let email = often.email(DEMO, "member").await;
        often.execute(&format!("UPDATE users SET \"tokenVersion\" = 77 WHERE email = '{email}'")).await;
        let closed = tokio::time::timeout(Duration::from_secs(8), socket.closed()).await;
        assert_eq!(closed.expect("closes in time"), 4403);
    }

    async fn a_token_that_was_revoked_begins_no_stream(app) {
        let client = app.client(DEMO, "member").await;
        let token = app.token(DEMO, "member").await;
        let (mut idle, mut over) = (Socket::signed_in(&app.url, &token).await, Socket::signed_in(&app.url, &token).await);
        // Whoever followed before was authenticated then; nobody follows while the token is revoked.
        follow(&mut over, "a", json!({})).await;
        over.send(json!({ "id": "a", "type": "complete" })).await;
        over.send(json!({ "type": "ping" })).await;
        assert_eq!(over.receive().await["type"], "pong");
        client.data("mutation { signOutEverywhere(input: {}) { user { id } } }", json!({})).await;
        for socket in [&mut idle, &mut over] {
            socket.subscribe("b", ACTIVITY, json!({})).await;
            assert_eq!(socket.closed().await, 4403);
        }
    }

    async fn a_token_is_renewed_or_closes_its_socket(app) {
        let short = app.token_for(DEMO, "owner", Duration::from_secs(4)).await;
        let mut socket = Socket::signed_in(&app.url, &short).await;
        let warning = socket.receive().await;
        assert!(warning["payload"]["workgraph"]["tokenExpiresAt"].is_string(), "{warning}");
        let mut answered = async |token: &str| {
            let payload = json!({ "authorization": format!("Bearer {token}") });
            socket.send(json!({ "type": "ping", "payload": payload })).await;
            let pong = loop {
                let message = socket.receive().await;
                if message["type"] == "pong" {
                    break message;
                }
            };
            pong["payload"]["authorization"].clone()
        };
        assert_eq!(answered("nonsense").await, "refused");
        assert_eq!(answered(&app.token(DEMO, "member").await).await, "refused");
        assert_eq!(answered(&app.token_for(DEMO, "owner", Duration::from_secs(6)).await).await, "accepted");
        assert_eq!(socket.closed().await, 4403);
    }

    async fn a_stream_ends_with_its_session(app) {
        let client = app.client(DEMO, "member").await;
        let mut events = Events::open(&app.url, &app.token(DEMO, "member").await, ACTIVITY, None).await;
        events.next().await.expect("an event");
        client.data("mutation { signOutEverywhere(input: {}) { user { id } } }", json!({})).await;
        let (name, data) = loop {
            let (name, _, data) = events.next().await.expect("an event");
            if data["errors"].is_array() {
                break (name, data);
            }
        };
        assert_eq!((name.as_str(), &data["errors"][0]["extensions"]["code"]), ("next", &json!("UNAUTHENTICATED")));
        assert_eq!(events.next().await.expect("an event").0, "complete");
        assert_eq!(events.next().await, None);
    }
}
