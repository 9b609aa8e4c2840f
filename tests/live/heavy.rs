//! Streams whose frames are heavy: whom they hold up, and how they end.

use super::create;
use crate::support::{ACME, Client, DEMO, Database, Socket, TestApp, limits, run};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use workgraph::http::Limits;

/// So many tickets more the project is given, until what a frame reads takes too long: it grows with their cube.
const MORE_TICKETS: usize = 100;
/// So many at most.
const MOST_TICKETS: usize = 5_000;
/// How many streams one viewer has.
const STREAMS: usize = 11;
/// How long a frame may take, which is not enough.
const SECONDS: u64 = 2;

pub(crate) async fn start(database: Database) -> TestApp {
    let limits = Limits {
        operation_seconds: SECONDS,
        operation_cost: 1_000_000_000,
        ..limits()
    };
    TestApp::start_with(database, limits).await
}

/// PostgreSQL is quick to see that no ticket is meant: there the frames wait for somebody who has the table.
pub(crate) async fn lock(app: &TestApp) -> Option<DatabaseTransaction> {
    if app.database == Database::Sqlite {
        return None;
    }
    let connection = app.connection.across_tenants().await;
    let transaction = connection.begin().await.expect("begins");
    let lock = "LOCK TABLE agent_jobs IN ACCESS EXCLUSIVE MODE";
    transaction.execute_unprepared(lock).await.expect("locks");
    Some(transaction)
}

/// A subscription whose frames go through all tickets for each ticket of each ticket.
fn heavy(number: usize) -> String {
    let (one, other) = (never_found(number), never_found(number + STREAMS));
    format!(
        "subscription {{ activity(filter: {{ actionPrefix: [\"project.edited\"] }}) {{ position event {{ target {{
           ... on Project {{ one: tickets(filter: {one}) {{ totalCount }} other: tickets(filter: {other}) {{ totalCount }} agentJobs {{ totalCount }} }} }} }} }} }}"
    )
}

/// A filter that no ticket passes.
pub(crate) fn never_found(number: usize) -> String {
    let never = |filter: &str| format!("{{ or: [{{ title: {{ eq: \"{number}\" }} }}, {filter}] }}");
    let some = |filter: &str| {
        never(&format!(
            "{{ project: {{ tickets: {{ some: {filter} }} }} }}"
        ))
    };
    some(&some(&format!(
        "{{ title: {{ contains: \"{number} never\" }} }}"
    )))
}

async fn heavy_streams_of_one_viewer_hold_up_no_other_workspace(app: TestApp) {
    let owner = app.owner().await;
    let project = create(&owner, "heavy").await;
    let id = project.as_str().expect("an id");
    make_heavy(&owner, id, app.database).await;
    let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "viewer").await).await;
    for number in 0..STREAMS {
        let id = number.to_string();
        socket.subscribe(&id, &heavy(number), json!({})).await;
        assert!(socket.data(&id).await["activity"]["event"].is_null());
    }
    let other = app.client(ACME, "viewer").await;
    let rename = "mutation($id: ID!) { updateProject(input: { id: $id, name: \"Heavier\" }) { project { id } } }";
    let _locked = lock(&app).await;
    owner.data(rename, json!({ "id": project })).await;
    // A frame that takes too long ends its stream, and the client is told why.
    let ended = Arc::new(AtomicUsize::new(0));
    let ending = tokio::spawn({
        let ended = ended.clone();
        async move {
            for _ in 0..STREAMS {
                let end = socket.receive().await;
                assert_eq!(
                    (&end["type"], &end["payload"][0]["extensions"]["code"]),
                    (&json!("error"), &json!("DEADLINE_EXCEEDED")),
                    "{end}"
                );
                ended.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    // Whoever had to wait for a frame would wait until it is stopped.
    let (mut asked, mut held_up) = (0, 0);
    while ended.load(Ordering::Relaxed) < STREAMS {
        let before = ended.load(Ordering::Relaxed);
        other
            .data("{ projects(first: 5) { nodes { id name } } }", json!({}))
            .await;
        asked += 1;
        held_up += usize::from(ended.load(Ordering::Relaxed) > before);
    }
    ending.await.expect("all streams end");
    assert!(
        held_up * 2 < asked,
        "{held_up} of {asked} were answered only when a frame was stopped"
    );
}

/// Gives the project so many tickets that this machine does not go through them in time. On PostgreSQL somebody has a table.
pub(crate) async fn make_heavy(owner: &Client, project: &str, database: Database) {
    let ticket = "mutation($project: ID!, $title: String!) {
        createTicket(input: { projectId: $project, title: $title, roleSlug: \"dev_agent\" }) { ticket { id } } }";
    let count = format!("{{ tickets(filter: {}) {{ totalCount }} }}", never_found(0));
    if database == Database::Postgres {
        return;
    }
    for number in 1..MOST_TICKETS {
        let variables = json!({ "project": project, "title": format!("Ticket {number}") });
        owner.data(ticket, variables).await;
        if number % MORE_TICKETS == 0 && owner.send(&count, json!({})).await.status == 504 {
            return;
        }
    }
    panic!("this machine goes through {MOST_TICKETS} tickets of each of them in {SECONDS} s");
}

#[test]
fn sqlite() {
    run(async {
        heavy_streams_of_one_viewer_hold_up_no_other_workspace(start(Database::Sqlite).await).await;
    });
}

#[test]
fn postgres() {
    run(async {
        heavy_streams_of_one_viewer_hold_up_no_other_workspace(start(Database::Postgres).await)
            .await;
    });
}
