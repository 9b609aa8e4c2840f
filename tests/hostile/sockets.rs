//! Many connections and sockets, and what they send and do not read.

use crate::support::{
    ACME, DEMO, Door, PATIENCE, PROTOCOL, Reply, Socket, TestApp, Upgraded, Waiting, Wire, connect,
    limits, text_frame,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};
use workgraph::http::Limits;

const LIGHT: &str = "{ viewer { user { name } } }";
/// An answer of some hundred kilobytes.
const LONG: &str = "{ __schema { types { name description fields { name description args { name description } } } } }";

/// The most bytes of a first message.
const FIRST: u32 = 16 << 10;

on_both_databases! {
    async fn a_message_is_small_until_the_client_has_said_who_it_is(app) {
        let small = json!({ "type": "ping", "payload": { "long": "x".repeat(FIRST as usize - 100) } });
        let large = json!({ "type": "ping", "payload": { "long": "x".repeat(FIRST as usize) } });
        let mut socket = Socket::open(&app.url).await;
        socket.send(small).await;
        assert_eq!(socket.receive().await["type"], "pong");
        socket.send(large.clone()).await;
        assert_eq!(socket.closed().await, 1009);
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        socket.send(large).await;
        assert_eq!(socket.receive().await["type"], "pong");
        // It is refused by what its header says, and in parts, also when it comes with the request.
        let in_parts = [text_frame(FIRST, false), vec![b' '; FIRST as usize], text_frame(1, true)].concat();
        for begun in [text_frame(FIRST + 1, true), text_frame(u32::MAX, false), in_parts] {
            for together in [true, false] {
                let (first, second) = begun.split_at(if together { begun.len() } else { 0 });
                let mut socket = Upgraded::open(&app.url, "192.0.2.1", first).await;
                assert_eq!(socket.status().await, 101);
                socket.send(second).await;
                let (code, reason) = timeout(PATIENCE, socket.closed()).await.expect("in time");
                assert_eq!((code, &*reason), (1009, "A message is at most 16384 bytes here."));
            }
        }
    }

    async fn a_message_that_was_begun_must_come_to_its_end(app) {
        let app = TestApp::start_with(app.database, Limits { body_seconds: 1, ..limits() }).await;
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        socket.send_raw(Message::Frame(Frame::message("{", OpCode::Data(Data::Text), false))).await;
        // What comes between the frames of a message does not end it.
        socket.send_raw(Message::Ping("there".into())).await;
        assert_eq!(socket.closed().await, 1008);
    }

    async fn sockets_that_do_not_say_who_they_are_are_few(app) {
        let app = TestApp::start_with(app.database, Limits { opening_sockets: 8, ..limits() }).await;
        let url = &app.url;
        let mut first = open(url, "192.0.2.1").await;
        let _held = (open(url, "192.0.2.1").await, open(url, "192.0.2.2").await, open(url, "192.0.2.2").await);
        assert_eq!((status(url, "192.0.2.1").await, status(url, "192.0.2.2").await), (503, 503));
        let token = format!("Bearer {}", app.token(DEMO, "owner").await);
        first.send(json!({ "type": "connection_init", "payload": { "authorization": token } })).await;
        assert_eq!(first.receive().await["type"], "connection_ack");
        let mut again = Upgraded::open(&app.url, "192.0.2.1", &[]).await;
        assert_eq!(again.status().await, 101);
        let _all = (
            open(url, "192.0.2.3").await, open(url, "192.0.2.3").await, open(url, "192.0.2.4").await, open(url, "192.0.2.4").await,
        );
        assert_eq!(status(url, "192.0.2.5").await, 503);
    }

    async fn connections_are_counted(app) {
        let app = TestApp::start_with(app.database, Limits { connections: 3, ..limits() }).await;
        let token = app.token(DEMO, "owner").await;
        let mut wires = Vec::new();
        for _ in 0..3 {
            let mut wire = Wire::open(&app.url, &token).await;
            let ask = wire.writing.post(&json!({ "query": LIGHT }).to_string());
            wire.writing.send(&ask).await;
            wire.reading.answer().await.expect("an answer").data();
            wires.push(wire);
        }
        let refused = timeout(PATIENCE, Wire::open(&app.url, &token).await.reading.last_status()).await;
        assert_eq!(refused.expect("in time"), Some(503));
        drop(wires.pop());
        let waiting = Waiting::until("there is room again");
        loop {
            let mut wire = Wire::open(&app.url, &token).await;
            let ask = wire.writing.post(&json!({ "query": LIGHT }).to_string());
            if wire.writing.send(&ask).await && wire.reading.answer_if_any().await.is_some() {
                break;
            }
            waiting.a_moment().await;
        }
    }

    async fn what_has_not_come_to_its_end_is_bounded_for_all_together(app) {
        let app = TestApp::start_with(app.database, Limits { body_bytes: 30_000, incoming_bytes: 1, body_seconds: 600, ..limits() }).await;
        let token = app.token(DEMO, "owner").await;
        // One address has a quarter of four bodies, so one of these is held.
        let mut held = vec![begun(&app.url, &token, "192.0.2.1").await];
        let waiting = Waiting::until("another body from there is refused");
        loop {
            let mut another = begun(&app.url, &token, "192.0.2.1").await;
            another.writing.send(" ".repeat(10_000)).await;
            let refused = another.reading.answer().await.expect("an answer");
            if refused.status == 503 {
                refused.refused(503, "UNAVAILABLE", "a body");
                break;
            }
            waiting.a_moment().await;
            held.push(begun(&app.url, &token, "192.0.2.1").await);
        }
        let mut others = begun(&app.url, &token, "192.0.2.2").await;
        others.writing.send(" ".repeat(10_000)).await;
        others.reading.answer().await.expect("an answer").refused(400, "BAD_USER_INPUT", "spaces");
        let mut socket = connect(&app.url, &[PROTOCOL, ("x-forwarded-for", "192.0.2.1")]).await;
        socket.send(json!({ "type": "ping", "payload": { "long": "x".repeat(15_000) } })).await;
        assert_eq!(socket.closed().await, 1013);
        drop(held);
    }

    async fn who_takes_an_answer_too_slowly_does_not_get_all_of_it(app) {
        let app = TestApp::start_with(app.database, Limits {
            write_seconds: 1, write_bytes_per_second: 1 << 30, ..limits()
        }).await;
        let Wire { mut reading, mut writing } = Wire::open(&app.url, &app.token(DEMO, "owner").await).await;
        let ask = writing.post(&json!({ "query": LONG }).to_string());
        let asking = async { while writing.send(&ask).await {} };
        let taking = async {
            // Something every moment, so that the connection is never silent.
            while reading.take_some().await > 0 {
                tokio::time::sleep(PATIENCE / 50).await;
            }
        };
        let ends = async { tokio::join!(asking, taking) };
        timeout(PATIENCE * 20, ends).await.expect("the connection ends in time");
    }

    async fn who_does_not_read_its_answers_is_not_answered_more(app) {
        // One of these is more than a workspace may leave unread, and less than all together may.
        let long = app.door().await.ask(LONG, json!({})).await.data().to_string().len() as u64;
        let app = TestApp::start_with(app.database, Limits { unread_bytes: 2 * long, ..limits() }).await;
        let (door, other) = (app.door().await, Door::new(&app.url, &app.token(ACME, "owner").await));
        let mut wire = Wire::open(&app.url, &door.token).await;
        let ask = wire.writing.post(&json!({ "query": LONG }).to_string());
        let asking = tokio::spawn(async move {
            while wire.writing.send(&ask).await {}
            wire
        });
        let waiting = Waiting::until("an answer waits to be read");
        loop {
            let reply = door.ask(LIGHT, json!({})).await;
            if reply.status == 503 {
                reply.refused(503, "UNAVAILABLE", LIGHT);
                break;
            }
            waiting.a_moment().await;
        }
        other.ask(LIGHT, json!({})).await.data();
        // Nor does it keep colleagues from their answers.
        let colleague = Door::new(&app.url, &app.token(DEMO, "member").await);
        colleague.ask(LIGHT, json!({})).await.data();
        asking.abort();
        drop(asking.await);
        let waiting = Waiting::until("it is let go of");
        while door.ask(LIGHT, json!({})).await.status != 200 {
            waiting.a_moment().await;
        }
    }

    async fn a_long_answer_comes_whole_over_a_socket(app) {
        let expected = Reply::to(app.door().await.post(json!({ "query": LONG }).to_string())).await;
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        socket.subscribe("long", LONG, json!({})).await;
        assert!(expected.data().to_string().len() > 200_000);
        assert_eq!(socket.data("long").await, *expected.data());
    }

    async fn who_asks_too_often_over_a_socket_is_not_even_read(app) {
        const REQUESTS: u64 = 20;
        let app = TestApp::start_with(app.database, Limits {
            requests_per_minute: REQUESTS, socket_operations: 1000, ..limits()
        }).await;
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        const SENT: usize = 200;
        for number in 0..SENT {
            socket.subscribe(&number.to_string(), "{", json!({})).await;
        }
        let mut judged = 0;
        for _ in 0..SENT {
            let refused = socket.receive().await;
            match &refused["payload"][0]["extensions"]["code"] {
                Value::String(code) if code == "RATE_LIMITED" => {}
                Value::String(code) if code == "GRAPHQL_PARSE_FAILED" => judged += 1,
                _ => panic!("{refused}"),
            }
        }
        // A few come back while the machine is slow.
        assert!((1..SENT / 2).contains(&judged), "{judged}");
    }
}

/// A WebSocket from an address, whose client says nothing yet.
async fn open(url: &str, address: &str) -> Socket {
    connect(url, &[PROTOCOL, ("x-forwarded-for", address)]).await
}

/// What a request to become one is answered with.
async fn status(url: &str, address: &str) -> u16 {
    Upgraded::open(url, address, &[]).await.status().await
}

/// A request from an address whose body has come to two thirds.
async fn begun(url: &str, token: &str, address: &str) -> Wire {
    let mut wire = Wire::open(url, token).await;
    let head = format!("x-forwarded-for: {address}\r\ncontent-length: 30000");
    let head = wire.writing.head(&head);
    wire.writing.send(head + &" ".repeat(20_000)).await;
    wire
}
