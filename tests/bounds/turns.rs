//! Operations take turns, so that nobody keeps the others out.

use crate::{
    hostile::deadlines::{hold, release},
    support::{ACME, Client, DEMO, Database, Door, PASSWORD, Reply, TestApp, Waiting},
};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use reqwest::RequestBuilder;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use workgraph::http::Limits;

const CREATE: &str = "mutation { createProject(input: { name: \"Waits\" }) { project { name } } }";
const LIGHT: &str = "{ viewer { user { name } } }";

/// Requests that were sent at once and wait for what somebody holds.
struct Sent(FuturesUnordered<tokio::task::JoinHandle<Reply>>);

impl Sent {
    /// Sends these at once, and waits until so many were refused because there are too many. All others wait.
    async fn and_refused(refused: usize, requests: impl Iterator<Item = RequestBuilder>) -> Self {
        let sent = requests.map(|request| tokio::spawn(Reply::whenever(request)));
        let mut sent: FuturesUnordered<_> = sent.collect();
        for _ in 0..refused {
            let reply = sent.next().await.expect("one is refused");
            let reply = reply.expect("is answered");
            reply.refused(503, "UNAVAILABLE", "too many");
            assert_eq!(reply.header("retry-after"), "1");
            assert_eq!(reply.errors()[0]["extensions"]["retryAfterMs"], 1000);
        }
        Self(sent)
    }

    /// How many were answered after all.
    async fn answered(self) -> usize {
        let replies: Vec<_> = self.0.collect().await;
        for reply in &replies {
            // Two that make the same at the same time may be told of it.
            assert_eq!(reply.as_ref().expect("is answered").status, 200);
        }
        replies.len()
    }
}

fn body(query: &str) -> String {
    json!({ "query": query }).to_string()
}

/// Limits under which nothing ends by the clock.
fn limits(actor: u64, workspace: u64, all: u64) -> Limits {
    Limits {
        operation_seconds: 600,
        wait_seconds: 600,
        actor_operations: actor,
        workspace_operations: workspace,
        operations: all,
        ..crate::support::limits()
    }
}

on_both_databases! {
    async fn one_actor_has_only_so_many_operations_at_once(app) {
        let app = TestApp::start_with(app.database, limits(4, 100, 100)).await;
        let (owner, admin) = (app.door().await, Door::new(&app.url, &app.token(DEMO, "admin").await));
        let lock = hold(&app).await;
        let mine = Sent::and_refused(6, (0..10).map(|_| owner.post(body(CREATE)))).await;
        let others = Sent::and_refused(0, (0..2).map(|_| admin.post(body(CREATE)))).await;
        release(lock).await;
        assert_eq!((mine.answered().await, others.answered().await), (4, 2));
        owner.ask(LIGHT, json!({})).await.data();
    }

    async fn one_workspace_has_only_so_many(app) {
        let app = TestApp::start_with(app.database, limits(4, 5, 100)).await;
        let (owner, admin) = (app.door().await, Door::new(&app.url, &app.token(DEMO, "admin").await));
        let acme = Door::new(&app.url, &app.token(ACME, "owner").await);
        let lock = hold(&app).await;
        let requests = (0..4).map(|_| owner.post(body(CREATE))).chain((0..4).map(|_| admin.post(body(CREATE))));
        let demo = Sent::and_refused(3, requests).await;
        let others = Sent::and_refused(0, (0..2).map(|_| acme.post(body(CREATE)))).await;
        release(lock).await;
        assert_eq!((demo.answered().await, others.answered().await), (5, 2));
    }

    async fn those_without_a_token_are_counted_by_their_address(app) {
        let app = TestApp::start_with(app.database, limits(2, 100, 100)).await;
        let email = app.email(DEMO, "member").await;
        let from = |address: &str| sign_in(&app.url, address, &email, PASSWORD);
        // Signing in writes to the user's row.
        let lock = lock(&app, "users").await;
        let one = Sent::and_refused(3, (0..5).map(|_| from("192.0.2.1"))).await;
        let other = Sent::and_refused(0, (0..2).map(|_| from("192.0.2.2"))).await;
        release(lock).await;
        assert_eq!((one.answered().await, other.answered().await), (2, 2));
    }

    async fn two_workspaces_that_take_all_they_can_leave_a_third_and_those_who_sign_in_their_turn(app) {
        let app = TestApp::start_with(app.database, limits(100, 250, 1000)).await;
        let third = workgraph::workspace::found(&app.store, "Third", None, "ada@third.example").await.expect("is founded");
        let third = app.client(&third, "owner").await;
        let lock = hold(&app).await;
        let mut loud = Vec::new();
        for workspace in [DEMO, ACME] {
            for role in ["owner", "admin"] {
                let door = Door::new(&app.url, &app.token(workspace, role).await);
                loud.push(Sent::and_refused(0, (0..20).map(|_| door.post(body(CREATE)))).await);
            }
        }
        for round in 0..20 {
            third.data(LIGHT, json!({})).await;
            // Comparing passwords takes a while, and no turn of others.
            let email = format!("nobody{round}@third.example");
            let refused = Reply::whenever(sign_in(&app.url, &format!("192.0.2.{round}"), &email, PASSWORD)).await;
            assert_eq!(refused.code(), "UNAUTHENTICATED", "{:#}", refused.body);
        }
        release(lock).await;
        drop(loud);
    }

    async fn that_an_agents_token_is_used_is_noted_while_nobody_waits_for_it(app) {
        let agent = Door::new(&app.url, &app.agent(&app.owner().await).await);
        let lock = lock(&app, "agent_tokens").await;
        let ask = || agent.post(body("{ viewer { agentToken { name lastUsedAt } } }"));
        for _ in 0..10 {
            assert!(Reply::to(ask()).await.data()["viewer"]["agentToken"]["lastUsedAt"].is_null());
        }
        release(lock).await;
        let waiting = Waiting::until("it is noted");
        while Reply::to(ask()).await.data()["viewer"]["agentToken"]["lastUsedAt"].is_null() {
            waiting.a_moment().await;
        }
    }

    async fn beginning_a_subscription_takes_a_turn(app) {
        let app = TestApp::start_with(app.database, limits(3, 100, 100)).await;
        let (owner, token) = (app.door().await, app.token(DEMO, "owner").await);
        let follow = "subscription { activity { position } }";
        let mut socket = crate::support::Socket::signed_in(&app.url, &token).await;
        let lock = hold(&app).await;
        let writing = Sent::and_refused(1, (0..4).map(|_| owner.post(body(CREATE)))).await;
        socket.subscribe("many", follow, json!({})).await;
        let refused = socket.receive().await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "UNAVAILABLE", "{refused}");
        let (status, refused) = crate::support::Events::ask(&app.url, &token, follow, None).await.err().expect("no stream");
        assert_eq!((status, &refused["errors"][0]["extensions"]["code"]), (503, &json!("UNAVAILABLE")));
        release(lock).await;
        writing.answered().await;
        socket.subscribe("now", follow, json!({})).await;
        socket.data("now").await;
    }

    async fn one_workspace_at_full_blast_leaves_the_others_alone(app) {
        let app = TestApp::start_with(app.database, Limits { operation_cost: 1_000_000_000, ..crate::support::limits() }).await;
        let busy = app.door().await;
        let heavy = body("{ prds(first: 50) { nodes { title tickets(first: 50) { nodes { title description project { name } } } } } }");
        let quiet = app.client(ACME, "owner").await;
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients = (0..LOUD).map(|_| {
            let (busy, heavy, stop, answered) = (busy.clone(), heavy.clone(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let reply = Reply::whenever(busy.post(heavy.clone())).await;
                    assert!([200, 503, 504].contains(&reply.status), "{reply:#?}");
                    if reply.status == 200 {
                        assert!(reply.data()["prds"].is_object());
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        let waiting = Waiting::until("all of them are at it");
        while answered.load(Ordering::Relaxed) < LOUD {
            waiting.a_moment().await;
        }
        let beside = overtaken(&quiet, &answered).await;
        stop.store(true, Ordering::Relaxed);
        for client in join_all(clients).await {
            client.expect("goes on");
        }
        // In one queue with them, all that wait would come first.
        assert!(beside < LOUD / 2, "{beside} came between what was asked and its answer");
    }
}

/// How many clients the loud workspace has.
const LOUD: usize = 64;

/// How many heavy operations of others are answered between a light one and its answer, in all but a few of a hundred.
async fn overtaken(client: &Client, answered: &AtomicUsize) -> usize {
    let mut between = Vec::new();
    for _ in 0..100 {
        let before = answered.load(Ordering::Relaxed);
        client.data(LIGHT, json!({})).await;
        between.push(answered.load(Ordering::Relaxed) - before);
    }
    between.sort_unstable();
    between[95]
}

/// Holds what every writer of a table needs, while it can be read.
async fn lock(app: &TestApp, table: &str) -> DatabaseConnection {
    let lock = app.connection.across_tenants().await;
    let sql = match app.database {
        Database::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        Database::Postgres => format!("BEGIN; LOCK TABLE {table} IN SHARE MODE"),
    };
    lock.execute_unprepared(&sql).await.expect("locks");
    lock
}

/// A try to sign in from an address.
fn sign_in(url: &str, address: &str, email: &str, password: &str) -> RequestBuilder {
    let query = format!(
        "mutation {{ signIn(input: {{ workspace: \"demo\", email: \"{email}\", password: \"{password}\" }}) {{ accessToken }} }}"
    );
    reqwest::Client::new()
        .post(url)
        .header("x-forwarded-for", address)
        .header("content-type", "application/json")
        .body(body(&query))
}
