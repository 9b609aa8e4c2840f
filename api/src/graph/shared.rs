//! What several fields ask alike.

pub(super) use crate::domain::count::count;

use crate::{error::Result, store::Scope};
use entity::{Id, project};

/// The project that a field is about: the one it asks for, or the one that the actor is at work in.
///
/// # Errors
/// [`Error::NotFound`] when it asks for one that the workspace does not have.
pub(super) async fn project_asked(scope: &Scope, asked: Option<Id>) -> Result<Option<Id>> {
    match asked {
        Some(id) => {
            scope.get::<project::Entity>(&id).await?;
            Ok(Some(id))
        }
        // That one was looked up with the credentials.
        None => Ok(scope.actor().project().cloned()),
    }
}
