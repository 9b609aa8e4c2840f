//! What goes on: subscriptions over WebSockets and as streams of events.

use crate::support::{
    ACME, ALLOWED_ORIGIN, Client, DEMO, PROTOCOL, Socket, TestApp, connect, limits,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const ACTIVITY: &str = "subscription($after: Cursor, $filter: ActivityFilter) { activity(after: $after, filter: $filter)
    { cursor position previous event { action targetId } } }";
const CREATE: &str = "mutation($name: String!) { createProject(input: { name: $name }) { project { id } feedCursor } }";
const INIT: &str = r#"{"type":"connection_init"}"#;

/// Creates a project and returns its id.
async fn create(client: &Client, name: &str) -> Value {
    let made = client.data(CREATE, json!({ "name": name })).await;
    made["createProject"]["project"]["id"].clone()
}

/// Begins to follow, and returns the first frame, which says where.
async fn follow(socket: &mut Socket, id: &str, variables: Value) -> Value {
    socket.subscribe(id, ACTIVITY, variables).await;
    let frame = socket.data(id).await["activity"].clone();
    assert!(frame["event"].is_null(), "{frame}");
    frame
}

fn position(frame: &Value, field: &str) -> i64 {
    let text = frame[field].as_str().expect("a position");
    text.parse().expect("a number")
}

/// Reads frames, which leave nothing out, until as many projects were created; returns these and the last frame.
async fn created(
    socket: &mut Socket,
    id: &str,
    mut last: Value,
    count: usize,
) -> (Vec<Value>, Value) {
    let mut projects = Vec::new();
    while projects.len() < count {
        let frame = socket.data(id).await["activity"].clone();
        assert_eq!(
            position(&frame, "previous"),
            position(&last, "position"),
            "{frame}"
        );
        if !frame["event"].is_null() {
            assert_eq!(
                position(&frame, "position"),
                position(&last, "position") + 1,
                "{frame}"
            );
        }
        if frame["event"]["action"] == "project.created" {
            projects.push(frame["event"]["targetId"].clone());
        }
        last = frame;
    }
    (projects, last)
}

on_both_databases! {
    async fn each_change_comes_once_and_in_order(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "viewer").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let first = follow(&mut socket, "a", json!({})).await;
        let mut made = Vec::new();
        for turn in 0..6 {
            made.push(create(&client, &format!("live {turn}")).await);
        }
        let (seen, _) = created(&mut socket, "a", first, made.len()).await;
        assert_eq!(seen, made);
    }

    async fn who_comes_back_misses_nothing_and_sees_nothing_twice(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let first = follow(&mut socket, "a", json!({})).await;
        let before = [create(&client, "before 1").await, create(&client, "before 2").await];
        let (seen, last) = created(&mut socket, "a", first, 2).await;
        assert_eq!(seen, before);
        drop(socket);
        let away = [create(&client, "away 1").await, create(&client, "away 2").await];
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let again = follow(&mut socket, "b", json!({ "after": last["cursor"] })).await;
        assert_eq!(again["position"], last["position"]);
        let (seen, _) = created(&mut socket, "b", again, 2).await;
        assert_eq!(seen, away);
    }

    async fn a_page_goes_on_from_where_it_was_loaded(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let page = client.data("{ feedCursor projects { totalCount } }", json!({})).await;
        let made = create(&client, "between loading and following").await;
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let first = follow(&mut socket, "a", json!({ "after": page["feedCursor"] })).await;
        let (seen, _) = created(&mut socket, "a", first, 1).await;
        assert_eq!(seen, [made]);
        socket.subscribe("b", ACTIVITY, json!({ "after": "nowhere" })).await;
        let refused = socket.receive().await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "CURSOR_MISMATCH", "{refused}");
    }

    async fn a_filter_leaves_out_what_it_does_not_name(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let noise = create(&client, "noise").await;
        let filter = json!({ "filter": { "actionPrefix": ["goal."] } });
        let first = follow(&mut socket, "a", filter).await;
        create(&client, "more noise").await;
        let goal = "mutation($project: ID!) { createGoal(input: { projectId: $project, title: \"Heard\" }) { goal { id } } }";
        let goal = client.data(goal, json!({ "project": noise })).await["createGoal"]["goal"]["id"].clone();
        let mut last = first;
        let event = loop {
            let frame = socket.data("a").await["activity"].clone();
            assert_eq!(frame["previous"], last["position"]);
            if !frame["event"].is_null() {
                break frame["event"].clone();
            }
            last = frame;
        };
        assert_eq!((&event["action"], &event["targetId"]), (&json!("goal.created"), &goal));
    }

    async fn nothing_of_another_workspace_comes(app) {
        let (demo, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let mut socket = Socket::signed_in(&app.url, &app.token(ACME, "owner").await).await;
        let first = follow(&mut socket, "a", json!({})).await;
        create(&demo, "not yours").await;
        let made = create(&acme, "yours").await;
        let (seen, _) = created(&mut socket, "a", first, 1).await;
        assert_eq!(seen, [made]);
        let foreign = demo.data("{ feedCursor }", json!({})).await;
        socket.subscribe("b", ACTIVITY, json!({ "after": foreign["feedCursor"] })).await;
        let refused = socket.receive().await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "CURSOR_MISMATCH", "{refused}");
    }

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

    async fn a_ping_is_answered(app) {
        let mut socket = Socket::open(&app.url).await;
        socket.send(json!({ "type": "ping", "payload": { "at": 1 } })).await;
        assert_eq!(socket.receive().await, json!({ "type": "pong", "payload": { "at": 1 } }));
    }

    async fn a_server_that_stops_says_goodbye(app) {
        let token = app.token(DEMO, "owner").await;
        let mut socket = Socket::signed_in(&app.url, &token).await;
        follow(&mut socket, "a", json!({})).await;
        let mut events = Events::open(&app, &token, None).await;
        assert_eq!(events.next().await.expect("an event").0, "next");
        app.stop();
        assert_eq!(socket.closed().await, 1001);
        assert_eq!(events.next().await, None);
    }

    async fn a_stream_of_events_resumes_after_the_last_one_seen(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let mut events = Events::open(&app, &token, None).await;
        let (name, _, data) = events.next().await.expect("an event");
        assert!(name == "next" && data["data"]["activity"]["event"].is_null(), "{data}");
        let first = create(&client, "seen").await;
        let last = events.created(&first).await;
        drop(events);
        let missed = create(&client, "missed").await;
        let mut events = Events::open(&app, &token, Some(&last)).await;
        let (_, again, _) = events.next().await.expect("an event");
        assert_eq!(again, last);
        let cursor = events.created(&missed).await;
        assert_ne!(cursor, last);
    }

    async fn a_stream_ends_with_its_session(app) {
        let client = app.client(DEMO, "member").await;
        let mut events = Events::open(&app, &app.token(DEMO, "member").await, None).await;
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

    async fn a_query_comes_as_one_event_if_events_are_asked_for(app) {
        let token = app.token(DEMO, "owner").await;
        let mut events = Events::ask(&app, &token, "{ feedCursor }", None).await.expect("a stream");
        let (name, _, data) = events.next().await.expect("an event");
        assert!(name == "next" && data["data"]["feedCursor"].is_string(), "{data}");
        assert_eq!(events.next().await.expect("an event").0, "complete");
        assert_eq!(events.next().await, None);
    }

    async fn what_is_refused_before_a_stream_begins_is_ordinary_json(app) {
        let token = app.token(DEMO, "owner").await;
        let activity = "subscription { activity { position } }";
        for (token, query, resume, status, code) in [
            ("x", activity, None, 401, "UNAUTHENTICATED"),
            (&*token, activity, Some("nowhere"), 200, "CURSOR_MISMATCH"),
            (&*token, "{", None, 200, "GRAPHQL_PARSE_FAILED"),
        ] {
            let (answered, body) = Events::ask(&app, token, query, resume).await.err().expect("no stream");
            assert_eq!((answered, &body["errors"][0]["extensions"]["code"]), (status, &json!(code)), "{body}");
        }
        let plain = app.owner().await;
        assert_eq!(plain.code(activity, json!({})).await, "BAD_USER_INPUT");
    }
}

mod limited {
    use super::*;
    use crate::support::{Database, run};
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
        let events = Events::open(&app, &token, None).await;
        let mut third = Socket::open(&app.url).await;
        let payload = json!({ "authorization": format!("Bearer {token}") });
        third
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(third.closed().await, 1013);
        let (status, body) = Events::ask(&app, &token, ACTIVITY, None)
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
}

/// A stream of events, read as a browser reads it.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn open(app: &TestApp, token: &str, last: Option<&str>) -> Self {
        Self::ask(app, token, ACTIVITY, last)
            .await
            .expect("a stream")
    }

    /// Asks for a stream; what came instead is an error.
    async fn ask(
        app: &TestApp,
        token: &str,
        query: &str,
        last: Option<&str>,
    ) -> Result<Self, (u16, Value)> {
        let request = reqwest::Client::new()
            .post(&app.url)
            .bearer_auth(token)
            .header("accept", "text/event-stream");
        let request = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let response = request
            .json(&json!({ "query": query }))
            .send()
            .await
            .expect("an answer");
        let kind = response.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        if !kind.starts_with("text/event-stream") {
            assert_eq!(kind, "application/json; charset=utf-8");
            return Err((
                response.status().as_u16(),
                response.json().await.expect("JSON"),
            ));
        }
        Ok(Self {
            response,
            text: String::new(),
        })
    }

    /// The next event: its name, its id and its data; none at the end.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    line.map(|value| value.trim().to_owned())
                };
                let event = field("event").map(|name| {
                    let data = serde_json::from_str(&field("data").unwrap_or_default())
                        .unwrap_or_default();
                    (name, field("id").unwrap_or_default(), data)
                });
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let patience = Duration::from_secs(30);
            let chunk = tokio::time::timeout(patience, self.response.chunk())
                .await
                .expect("comes in time");
            let chunk = chunk.expect("the stream does not break")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// Reads on until this project, and no other, was created; returns the event's id.
    async fn created(&mut self, project: &Value) -> String {
        loop {
            let (_, id, data) = self.next().await.expect("an event");
            let event = &data["data"]["activity"]["event"];
            if event["action"] == "project.created" {
                assert_eq!(&event["targetId"], project);
                return id;
            }
        }
    }
}
