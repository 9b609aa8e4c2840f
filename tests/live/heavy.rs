//! Streams whose frames are heavy: whom they hold up, and how they end.

use super::create;
use crate::support::{ACME, DEMO, Database, Socket, TestApp, limits, run};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde_json::json;
use std::time::{Duration, Instant};
use workgraph::http::Limits;

/// How many tickets the project has: what a frame reads grows with the cube of it.
const TICKETS: usize = 260;
/// How many streams one viewer has.
const STREAMS: usize = 11;
/// How long a frame may take, which is not enough.
const SECONDS: u64 = 2;

async fn start(database: Database) -> TestApp {
    let limits = Limits {
        operation_seconds: SECONDS,
        operation_cost: 1_000_000_000,
        ..limits()
    };
    TestApp::start_with(database, limits).await
}

/// PostgreSQL is quick to see that no ticket is meant: there the frames wait for somebody who has the table.
async fn lock(app: &TestApp) -> Option<DatabaseTransaction> {
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
    let never = |filter: &str| format!("{{ or: [{{ title: {{ eq: \"{number}\" }} }}, {filter}] }}");
    let some = |filter: &str| {
        never(&format!(
            "{{ project: {{ tickets: {{ some: {filter} }} }} }}"
        ))
    };
    let filter = some(&some(&format!(
        "{{ title: {{ contains: \"{number} never\" }} }}"
    )));
    format!(
        "subscription {{ activity(filter: {{ actionPrefix: [\"project.edited\"] }}) {{ position event {{ target {{
           ... on Project {{ tickets(filter: {filter}) {{ totalCount }} agentJobs {{ totalCount }} }} }} }} }} }}"
    )
}

async fn heavy_streams_of_one_viewer_hold_up_no_other_workspace(app: TestApp) {
    let owner = app.owner().await;
    let project = create(&owner, "heavy").await;
    let ticket = "mutation($project: ID!, $title: String!) {
        createTicket(input: { projectId: $project, title: $title, roleSlug: \"dev_agent\" }) { ticket { id } } }";
    for number in 0..TICKETS {
        let variables = json!({ "project": project, "title": format!("Ticket {number}") });
        owner.data(ticket, variables).await;
    }
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
    let mut worst = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        other
            .data("{ projects(first: 5) { nodes { id name } } }", json!({}))
            .await;
        worst = worst.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        worst < Duration::from_secs(1),
        "another workspace waited {worst:?}"
    );
    // A frame that takes too long ends its stream, and the client is told why.
    let ended = socket.receive().await;
    assert_eq!(
        (&ended["type"], &ended["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("DEADLINE_EXCEEDED")),
        "{ended}"
    );
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
