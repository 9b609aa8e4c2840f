//! Connections that are slow, greedy, broken off or no HTTP at all.

use crate::support::{Database, Footprint, PATIENCE, Reply, TestApp, Waiting, Wire};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use workgraph::http::Limits;

const GOOD: &str = "{\"query\": \"{ feedCursor }\"}";

on_both_databases! {
    async fn ten_thousand_requests_on_one_connection_are_answered_in_order(app) {
        const REQUESTS: usize = 10_000;
        let app = TestApp::start_with(app.database, Limits { requests_per_minute: 1_000_000, ..Limits::default() }).await;
        let before = Footprint::of(&app).await;
        let token = app.token("demo", "owner").await;
        let Wire { mut reading, mut writing } = Wire::open(&app.url, &token).await;
        let sending = tokio::spawn(async move {
            for number in 0..REQUESTS {
                // One in ten asks the database; the others show in their answer which they were.
                let query = match number % 10 {
                    0 => format!("{{ n{number}: feedCursor }}"),
                    _ => format!("{{ n{number}: __typename }}"),
                };
                let sent = writing.send(writing.post(&json!({ "query": query }).to_string())).await;
                assert!(sent, "request {number} was not taken");
            }
            // The connection stays open until all is answered.
            writing
        });
        for number in 0..REQUESTS {
            let reply = timeout(PATIENCE, reading.answer()).await.expect("in time").expect("an answer");
            let data = reply.data().as_object().expect("an object");
            assert!(data.len() == 1 && data.contains_key(&format!("n{number}")), "{number}: {data:?}");
        }
        sending.await.expect("sends");
        before.must_be_that_of(&app).await;
    }

    async fn a_body_that_does_not_arrive_is_not_waited_for(app) {
        let app = TestApp::start_with(app.database, Limits { body_seconds: 1, ..Limits::default() }).await;
        let before = Footprint::of(&app).await;
        let create = json!({ "query": "mutation { createProject(input: { name: \"Slow\" }) { feedCursor } }" }).to_string();
        for (header, begun) in [
            (format!("content-length: {}", create.len()), &create[..create.len() - 1]),
            (format!("content-length: {}", create.len()), ""),
            ("transfer-encoding: chunked".to_owned(), "5\r\n{\"que\r\n"),
        ] {
            let mut wire = Wire::open(&app.url, &app.token("demo", "owner").await).await;
            wire.writing.send(wire.writing.head(&header) + begun).await;
            let reply = timeout(PATIENCE, wire.reading.answer()).await.expect("in time").expect("an answer");
            reply.refused(408, "DEADLINE_EXCEEDED", &header);
        }
        before.must_be_that_of(&app).await;
    }

    async fn headers_that_do_not_arrive_are_not_waited_for(app) {
        let app = TestApp::start_with(app.database, Limits { header_seconds: 1, ..Limits::default() }).await;
        for begun in ["", "POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            let mut wire = Wire::open(&app.url, "").await;
            wire.writing.send(begun).await;
            timeout(PATIENCE, wire.reading.last_status()).await.expect("the connection ends in time");
        }
    }

    async fn heads_that_do_not_come_to_their_end_are_bounded_for_all_together(app) {
        let app = TestApp::start_with(app.database, Limits { body_bytes: 30_000, incoming_bytes: 1, ..Limits::default() }).await;
        let long = format!("POST /graphql HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(25_000));
        // An address has a quarter of four bodies, so one of these is held.
        let mut begun = Vec::new();
        for _ in 0..8 {
            let mut wire = Wire::open(&app.url, "").await;
            wire.writing.send(&long).await;
            // All of it, or its other half would end.
            begun.push(tokio::spawn(async move { { &mut wire }.reading.take_some().await }));
        }
        let waiting = Waiting::until("all but one are cut");
        while begun.iter().filter(|reading| !reading.is_finished()).count() > 1 {
            waiting.a_moment().await;
        }
        assert_eq!(begun.iter().filter(|reading| !reading.is_finished()).count(), 1);
        // Whose head is short, or comes to its end, is served.
        let owner = app.owner().await;
        owner.data("{ viewer { user { id } } }", json!({})).await;
        begun.iter().for_each(tokio::task::JoinHandle::abort);
        let waiting = Waiting::until("there is room again");
        let mut wire = Wire::open(&app.url, "").await;
        let head = wire.writing.head(&format!("x-long: {}\r\ncontent-length: 0", "x".repeat(25_000)));
        while !wire.writing.send(&head).await || wire.reading.answer().await.is_none() {
            waiting.a_moment().await;
            wire = Wire::open(&app.url, "").await;
        }
    }

    async fn a_body_that_there_is_no_room_for_is_refused_before_it_has_come(app) {
        let app = TestApp::start_with(app.database, Limits { body_bytes: 30_000, incoming_bytes: 1, ..Limits::default() }).await;
        let token = app.token("demo", "owner").await;
        let begun = async |length: u64, sent: usize| {
            let mut wire = Wire::open(&app.url, &token).await;
            let head = wire.writing.head(&format!("content-length: {length}"));
            wire.writing.send(head + &" ".repeat(sent)).await;
            wire
        };
        const EARLY: Duration = Duration::from_secs(5);
        // An address has a quarter of four bodies, so one of these is held, whichever came first.
        let (mut one, mut other) = (begun(30_000, 29_000).await, begun(30_000, 29_000).await);
        let crowded = async {
            tokio::select! {
                answer = one.reading.answer() => answer,
                answer = other.reading.answer() => answer,
            }
        };
        let answer = timeout(EARLY, crowded).await.expect("comes early");
        answer.expect("an answer").refused(503, "UNAVAILABLE", "an unfinished body");
        let mut too_large = begun(10 << 20, 10).await;
        let answer = timeout(EARLY, too_large.reading.answer()).await.expect("comes early");
        answer.expect("an answer").refused(413, "LIMIT_EXCEEDED", "a body of ten megabytes");
    }

    async fn an_answer_that_is_not_read_is_not_waited_for(app) {
        let app = TestApp::start_with(app.database, Limits { write_seconds: 1, ..Limits::default() }).await;
        let mut wire = Wire::open(&app.url, &app.token("demo", "owner").await).await;
        let long = "{ __schema { types { name description fields { name description } } } }";
        let ask = wire.writing.post(&json!({ "query": long }).to_string());
        let asking = async { while wire.writing.send(&ask).await {} };
        timeout(PATIENCE * 4, asking).await.expect("the connection ends in time");
    }

    async fn an_operation_that_is_broken_off_leaves_no_transaction(app) {
        let door = app.door().await;
        let query = json!({ "query": "{ projects { totalCount } }" }).to_string();
        for round in 0..40 {
            let mut wires = Vec::new();
            for turn in 0..8 {
                let mut wire = Wire::open(&app.url, &door.token).await;
                let create = format!("mutation {{ createProject(input: {{ name: \"Off {round} {turn}\" }}) {{ feedCursor }} }}");
                let create = json!({ "query": create }).to_string();
                let request = wire.writing.post(if turn % 2 == 0 { &query } else { &create });
                wire.writing.send(request).await;
                wires.push(wire);
            }
            for wire in wires {
                tokio::time::sleep(Duration::from_micros(round * 50)).await;
                drop(wire);
            }
            timeout(PATIENCE, no_transaction_is_left(&app)).await.expect("all transactions end");
        }
        door.ask("mutation { createProject(input: { name: \"On\" }) { feedCursor } }", json!({})).await.data();
        app.verify_ledger("demo").await;
    }

    async fn what_breaks_off_leaves_nothing(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = json!({ "query": "mutation { createProject(input: { name: \"Half\" }) { feedCursor } }" }).to_string();
        let whole = Wire::open(&app.url, &door.token).await.writing.post(&create);
        for end in (0..whole.len()).step_by(whole.len() / 40) {
            let mut wire = Wire::open(&app.url, &door.token).await;
            wire.writing.send(&whole[..end]).await;
        }
        Reply::to(door.post(GOOD)).await.data();
        before.must_be_that_of(&app).await;
    }

    async fn what_is_no_http_does_no_harm(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = json!({ "query": "mutation { createProject(input: { name: \"Smuggled\" }) { feedCursor } }" }).to_string();
        for bytes in [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            b"\0\0\0\0".to_vec(),
            b"SELECT 1;\r\n\r\n".to_vec(),
            b"GET /graphql\r\n\r\n".to_vec(),
            b"GET /graphql HTTP/9.9\r\nhost: x\r\n\r\n".to_vec(),
            format!("POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
                content-length: 5\r\ncontent-length: {}\r\n\r\n{create}", door.token, create.len()).into_bytes(),
            format!("POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
                content-length: -1\r\n\r\n{create}", door.token).into_bytes(),
            format!("GET /graphql HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(2 << 20)).into_bytes(),
            format!("GET /graphql HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(10_000)).into_bytes(),
        ] {
            let mut wire = Wire::open(&app.url, &door.token).await;
            wire.writing.send(&bytes).await;
            let status = timeout(PATIENCE, wire.reading.last_status()).await.expect("the connection ends in time");
            let shown: String = String::from_utf8_lossy(&bytes).chars().take(100).collect();
            assert!(status.is_none_or(|status| (400..500).contains(&status)), "{shown}\nanswered {status:?}");
        }
        Reply::to(door.post(GOOD)).await.data();
        before.must_be_that_of(&app).await;
    }
}

/// Waits until no connection to the database is in a transaction. SQLite has none to ask; there the next writer would wait.
async fn no_transaction_is_left(app: &TestApp) {
    if app.database == Database::Sqlite {
        return;
    }
    let beside = app.connection.open().await;
    let open = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let open = Statement::from_string(DbBackend::Postgres, open);
    loop {
        let row = beside
            .query_one_raw(open.clone())
            .await
            .expect("counts")
            .expect("a row");
        if row.try_get_by_index::<i64>(0).expect("a number") == 0 {
            break;
        }
    }
    beside.close().await.expect("closes");
}
