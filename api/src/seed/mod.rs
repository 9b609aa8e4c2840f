//! The demo: two invented companies with rows in every table, and the library that all workspaces share.
//!
//! What the companies say and do is text under `content/`; each file here turns one area of it into rows. Everything
//! is written through a [`Tx`](crate::store::Tx), so the demo has a ledger like any other data.

mod access;
mod agents;
mod briefs;
mod clarifications;
mod content;
mod decisions;
mod graphs;
mod jobs;
mod library;
mod meetings;
mod messages;
mod operations;
mod people;
mod plans;
mod projects;
mod secrets;
mod tickets;
mod transcripts;
mod usage;
mod workspace;

use crate::{
    error::{Error, Result},
    store::Store,
};

/// The slugs of the demo's workspaces.
pub const DEMO_WORKSPACES: [&str; 2] = ["demo", "acme"];

/// Fills the database with the demo, if it has no workspace yet. Returns whether it did.
///
/// Everyone's password is `workgraph-demo`. Each workspace is one transaction.
///
/// # Errors
/// If the database fails.
pub async fn seed_if_empty(store: &Store) -> Result<bool> {
    let turn = store.turn().await?;
    let empty = store.system().is_empty().await?;
    if empty {
        write_all(store).await?;
    }
    turn.end().await?;
    Ok(empty)
}

async fn write_all(store: &Store) -> Result<()> {
    library::write_shared(store).await?;
    for slug in DEMO_WORKSPACES {
        let content = content::of(slug)?;
        let people = content.company.people.len();
        let hashes = tokio::task::spawn_blocking(move || secrets::password_hashes(people));
        let hashes = hashes.await.map_err(Error::internal)??;
        workspace::write(store, slug, content, hashes).await?;
    }
    Ok(())
}
