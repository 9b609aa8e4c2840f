//! The demo: two invented companies with rows in every table, and the library that all workspaces share.
//!
//! What the companies say and do is text under `content/`, which says what exists and how it ended. Each file here tells
//! one area of it as it came about: who does something at which moment, and what follows from that. `agenda` lets all of
//! it happen in the order of time, by the steps and the workflow that the API has, in one [`Tx`](crate::store::Tx) a
//! workspace. So the demo has rows that the API could have brought about, and a ledger that tells how.

mod access;
mod agenda;
mod agents;
mod briefs;
mod clarifications;
mod content;
mod decisions;
mod drafting;
mod graphs;
mod hours;
mod jobs;
mod library;
mod meetings;
mod messages;
mod operations;
mod people;
mod plans;
mod projects;
mod secrets;
mod services;
mod tickets;
mod transcriptions;
mod transcripts;
mod usage;
mod work;
mod workspace;

use crate::{
    error::{Error, Result},
    store::{Store, retried},
    workflow,
};

/// The slugs of the demo's workspaces.
pub const DEMO_WORKSPACES: [&str; 2] = ["demo", "acme"];

/// Brings the schema up to date and writes what every workspace starts with: the built-in roles, without which nothing
/// can be asked of agents, the packaged skills and the specialists. Returns how many steps the schema took.
///
/// # Errors
/// If the database fails.
pub async fn set_up(store: &Store) -> Result<usize> {
    let taken = store.migrate().await?;
    // Servers that start at once on one SQLite file stand in each other's way; likewise below.
    retried(|| async {
        let turn = store.upgrade_turn().await?;
        library::write_shared(store).await?;
        workflow::count_older(store).await?;
        turn.end().await
    })
    .await?;
    Ok(taken)
}

/// Fills the database with the demo, if it has no workspace yet. Returns whether it did. It must be [set up](set_up).
///
/// Everyone's password is `workgraph-demo`. Each workspace is one transaction; what an earlier start did not get to is
/// written by the next.
///
/// # Errors
/// If the database fails.
pub async fn seed_if_empty(store: &Store) -> Result<bool> {
    retried(|| seed_once(store)).await
}

async fn seed_once(store: &Store) -> Result<bool> {
    let turn = store.upgrade_turn().await?;
    let wanted = store.system().is_empty().await? || is_unfinished(store).await?;
    if wanted {
        write_all(store).await?;
    }
    turn.end().await?;
    Ok(wanted)
}

/// Whether a start was broken off between the demo's workspaces: only the first is there, and nothing else ever was.
async fn is_unfinished(store: &Store) -> Result<bool> {
    let system = store.system();
    match system.workspace(DEMO_WORKSPACES[0]).await? {
        Some(first) => system.is_the_only_one(&first.id, "seed").await,
        None => Ok(false),
    }
}

async fn write_all(store: &Store) -> Result<()> {
    for slug in DEMO_WORKSPACES {
        if store.system().workspace(slug).await?.is_some() {
            continue;
        }
        let content = content::of(slug)?;
        let people = content.company.people.len();
        let hashes = tokio::task::spawn_blocking(move || secrets::password_hashes(people));
        let hashes = hashes.await.map_err(Error::internal)??;
        match workspace::write(store, slug, content, hashes).await {
            // Two servers started at once on one SQLite file, and the other was faster.
            Err(Error::Conflict(_)) if store.system().workspace(slug).await?.is_some() => {}
            written => written?,
        }
    }
    Ok(())
}
