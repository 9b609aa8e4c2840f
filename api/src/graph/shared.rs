//! What several fields ask alike.

pub(super) use crate::domain::count::count;

use crate::{domain::check, error::Result, store::Scope};
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

/// Why somebody does something, where it is said.
///
/// # Errors
/// [`Error::BadUserInput`](crate::Error::BadUserInput) when it is too long, or nothing.
pub(super) fn said(reason: Option<String>) -> Result<Option<String>> {
    let reason = reason.map(|reason| check::text("reason", &reason, 1, 5000));
    reason.transpose()
}
