//! The end of a workspace.

use crate::{
    error::{Error, Result},
    store::{DELETED, Tx},
};
use entity::tenant;
use sea_orm::ActiveValue::Set;

/// Ends the workspace: its ledger takes nothing after this, so nothing of it changes any more, and nobody of it is let in. Its
/// slug is free. What it has is removed afterwards, by the server itself.
///
/// # Errors
/// [`Error::BadUserInput`] when the proof is another workspace's slug.
pub(crate) async fn delete_workspace(tx: &mut Tx<'_>, slug: &str) -> Result<tenant::Model> {
    let id = tx.scope().actor().tenant().clone();
    let before = tx.get::<tenant::Entity>(&id).await?;
    if slug != before.slug {
        let reason = format!("is not this workspace's, which is `{}`", before.slug);
        return Err(Error::bad_input("slug", reason));
    }
    // No other workspace's slug is an id.
    let changes = tenant::ActiveModel {
        slug: Set(id.0),
        ..Default::default()
    };
    tx.update(&before, changes, DELETED).await?;
    tx.end_ledger();
    Ok(before)
}
