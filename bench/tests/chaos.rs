//! Chaos, as briefly as a test may take: see `bench/README.md` for longer runs.

mod support;

use bench::{
    Database, Program,
    chaos::{Plan, run},
};
use std::{
    io::{self, Write as _},
    time::Duration,
};
use support::postgres;
use tokio::sync::Mutex;

/// One after the other, or they would only wait for each other's processor time.
static TURN: Mutex<()> = Mutex::const_new(());

async fn nothing_is_lost_on(database: Database, nats: bool) {
    let _turn = TURN.lock().await;
    let plan = Plan {
        program: Program::find(None).unwrap_or_else(|failure| panic!("{failure}")),
        nats,
        tenants: 6,
        writers: 64,
        subscribers: 200,
        roots: 8,
        kill_every: 3000..5000,
        stay: 15_000,
        time: Duration::from_secs(10),
        events: 200,
        database,
    };
    let report = run(&plan)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.holds(), "{report}");
    // Whoever saw nothing, or was not disturbed, has proved nothing.
    assert!(report.seen() > 1000 && report.kills() > 0, "{report}");
    assert!(
        report.cuts() > 0 || matches!(plan.database, Database::Sqlite),
        "{report}"
    );
    // Seen with `-- --nocapture`.
    let _ = writeln!(io::stdout(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_servers_that_listen_to_postgresql() {
    nothing_is_lost_on(postgres(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_servers_that_listen_to_nats() {
    nothing_is_lost_on(postgres(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_a_server_on_sqlite_dies() {
    nothing_is_lost_on(Database::Sqlite, false).await;
}
