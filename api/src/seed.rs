//! The demo.

use crate::{error::Result, store::Store};

/// The slugs of the demo's workspaces.
pub const DEMO_WORKSPACES: [&str; 2] = ["demo", "acme"];

/// Fills the database with the demo, if it has no workspace yet. Returns whether it did.
///
/// # Errors
/// If the database fails.
pub async fn seed_if_empty(store: &Store) -> Result<bool> {
    if !store.system().is_empty().await? {
        return Ok(false);
    }
    Ok(false)
}
