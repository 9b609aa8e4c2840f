//! The end of a workspace.

use crate::{
    error::{Error, Result},
    store::{DELETED, Tx},
};
use entity::tenant;
use serde_json::json;

/// Ends the workspace: its ledger takes nothing after this, so nothing of it changes any more, and nobody of it is let in. What
/// it has is removed afterwards, by the server itself.
///
/// # Errors
/// [`Error::BadUserInput`] when the proof is another workspace's slug.
pub(crate) async fn delete_workspace(tx: &mut Tx<'_>, slug: &str) -> Result<tenant::Model> {
    tx.lock_workspace().await?;
    let id = tx.scope().actor().tenant();
    let found = tx.find::<tenant::Entity>(id).await?;
    let workspace = found.ok_or(Error::NotFound { kind: "Tenant" })?;
    if slug != workspace.slug {
        let reason = format!("is not this workspace's, which is `{}`", workspace.slug);
        return Err(Error::bad_input("slug", reason));
    }
    let was = json!({ "name": workspace.name, "slug": workspace.slug });
    let diff = json!({ "before": was, "after": null });
    tx.note_with::<tenant::Entity>(&workspace, DELETED, diff);
    tx.end_ledger();
    Ok(workspace)
}
