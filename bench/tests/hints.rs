//! Servers tell each other of their commits, and find what nobody told.

mod support;

use bench::{Carrier, Program, hints};
use std::time::Duration;
use support::postgres;

/// How often a server looks by itself.
const POLL: Duration = Duration::from_secs(2);
const CHANGES: usize = 5;

async fn fastest(carrier: Carrier) -> Duration {
    let program = Program::find(None).unwrap_or_else(|failure| panic!("{failure}"));
    let took = hints(&program, &postgres(), carrier, CHANGES).await;
    let took = took.unwrap_or_else(|failure| panic!("{failure}"));
    // The first may come by a poll that was just due.
    took.into_iter().skip(1).min().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_heard_of_over_postgresql() {
    let fastest = fastest(Carrier::Listen).await;
    assert!(
        Duration::ZERO < fastest && fastest < POLL / 2,
        "{fastest:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_heard_of_over_nats() {
    let fastest = fastest(Carrier::Nats).await;
    assert!(
        Duration::ZERO < fastest && fastest < POLL / 2,
        "{fastest:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_told_of_is_found() {
    // Not before the poll, which shows that the other two measure what they say.
    let fastest = fastest(Carrier::None).await;
    assert!(fastest > POLL / 2, "{fastest:?}");
}
