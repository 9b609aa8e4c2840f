//! Who is refused too often waits for it, through whichever door.

use crate::support::{Client, Events, Socket, TestApp, limits};
use serde_json::json;
use std::time::{Duration, Instant};
use workgraph::http::Limits;

/// How long who is refused too often waits.
const PAUSE: Duration = Duration::from_secs(1);

on_both_databases! {
    async fn who_is_refused_often_waits_for_it_and_who_is_served_does_not(app) {
        let strict = TestApp::start_with(app.database, Limits { refusals_per_minute: 3, ..limits() }).await;
        let client = strict.owner().await;
        let (unknown, elsewhere) = (Client::new(&strict.url, "nobody's"), Client::anonymous(&strict.url));
        let wrong = "{ nothing }";
        let took = async |client: &Client, query| {
            let began = Instant::now();
            let answer = client.send(query, json!({})).await;
            (answer.body["errors"].is_null(), began.elapsed())
        };
        for _ in 0..3 {
            let (served, took) = took(&client, wrong).await;
            assert!(!served && took < PAUSE, "{took:?}");
        }
        for (client, query) in [(&client, wrong), (&unknown, "{ feedCursor }")] {
            let (served, took) = took(client, query).await;
            assert!(!served && took >= PAUSE, "{query} {took:?}");
        }
        let (served, refused_in) = took(&elsewhere, wrong).await;
        assert!(!served && refused_in < PAUSE, "{refused_in:?}");
        let (served, served_in) = took(&client, "{ feedCursor }").await;
        assert!(served && served_in < PAUSE, "{served_in:?}");
        // What was sent behind it on the connection is not kept.
        let held = strict.door().await.ask(wrong, json!({})).await;
        assert_eq!(held.header("connection"), "close");
        let began = Instant::now();
        let token = strict.token("demo", "owner").await;
        Events::open(&strict.url, &token, "subscription { nothing }", None).await;
        assert!(began.elapsed() >= PAUSE, "also who asks for a stream");
    }

    async fn a_socket_that_is_refused_often_is_not_heard_for_a_moment(app) {
        let strict = TestApp::start_with(app.database, Limits { refusals_per_minute: 1, ..limits() }).await;
        let token = strict.token("demo", "owner").await;
        let mut socket = Socket::signed_in(&strict.url, &token).await;
        for id in ["1", "2"] {
            socket.subscribe(id, "{ nothing }", json!({})).await;
            assert_eq!(socket.receive().await["type"], "error");
        }
        let began = Instant::now();
        socket.subscribe("3", "{ feedCursor }", json!({})).await;
        assert!(socket.data("3").await["feedCursor"].is_string());
        assert!(began.elapsed() > PAUSE / 2, "{:?}", began.elapsed());
    }

    async fn a_socket_that_is_closed_before_it_says_who_asks_is_held_too(app) {
        let strict = TestApp::start_with(app.database, Limits { refusals_per_minute: 1, ..limits() }).await;
        let init = |payload| json!({ "type": "connection_init", "payload": payload });
        let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ feedCursor }" } });
        let doors = [
            // The first refusal is not held.
            vec![subscribe.clone()],
            vec![subscribe.clone()],
            vec![init(json!({}))],
            vec![init(json!({ "authorization": "Bearer nobody's" }))],
            vec![init(json!({ "authorization": "Bearer nobody's" })), subscribe],
            vec![json!("no message")],
        ];
        for (number, messages) in doors.into_iter().enumerate() {
            let mut socket = Socket::open(&strict.url).await;
            let began = Instant::now();
            for message in &messages {
                socket.send(message.clone()).await;
            }
            assert!((4400..4500).contains(&socket.closed().await), "{messages:?}");
            assert_eq!(began.elapsed() >= PAUSE, number > 0, "{messages:?}");
        }
    }
}
