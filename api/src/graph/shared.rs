//! What several fields ask alike.

pub(super) use crate::domain::count::count;

use crate::{
    domain::check,
    error::{Error, Result},
    store::Scope,
};
use entity::{BigInt, Id, project};

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

/// A value within bounds, both included.
///
/// # Errors
/// [`Error::BadUserInput`](crate::Error::BadUserInput) when it is not.
pub(super) fn within<T: PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    least: T,
    most: T,
) -> Result<T> {
    if value < least || value > most {
        return Err(Error::bad_input(
            field,
            format!("must be from {least} to {most}"),
        ));
    }
    Ok(value)
}

/// A limit that somebody sets.
///
/// # Errors
/// [`Error::BadUserInput`](crate::Error::BadUserInput) when it is less than 1.
pub(super) fn at_least_one(field: &str, value: BigInt) -> Result<BigInt> {
    match value {
        BigInt(1..) => Ok(value),
        _ => Err(Error::bad_input(
            field,
            "must be at least 1; null takes the limit away",
        )),
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
