//! Rules that several mutations share.

use crate::{
    error::{Error, Result},
    store::{Scope, Tx},
    workspace::DEFAULT_PROJECT,
};
use entity::{Id, agent_role, goal, project};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};

/// A condition that more can be added to.
pub(super) fn all_of(first: Expr) -> Condition {
    Condition::all().add(first)
}

/// A number as the API and the columns count; one that is too large is the largest.
pub(super) fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

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

/// A project in which something new can begin.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] when it is archived.
pub(super) async fn open_project(tx: &Tx<'_>, id: &Id) -> Result<project::Model> {
    let project = tx.get::<project::Entity>(id).await?;
    if project.is_archived {
        return Err(Error::Conflict(
            "This project is archived. Restore it first.".to_owned(),
        ));
    }
    Ok(project)
}

/// The project that takes what names none.
///
/// # Errors
/// [`Error::BadUserInput`] when the workspace has lost it.
pub(super) async fn default_project(tx: &Tx<'_>) -> Result<project::Model> {
    let slug = project::Column::Slug;
    let found = tx
        .rows::<project::Entity>(|place| all_of(place.column(slug).eq(DEFAULT_PROJECT)))
        .await?
        .pop();
    found.ok_or_else(|| {
        Error::bad_input(
            "projectId",
            "is needed: this workspace has no default project",
        )
    })
}

/// The goal, if one is named, belongs to the project.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::BadUserInput`] when it belongs to another project.
pub(super) async fn goal_of_project(tx: &Tx<'_>, goal: Option<&Id>, project: &Id) -> Result<()> {
    match tx.get_some::<goal::Entity>(goal).await? {
        Some(goal) if goal.project_id != *project => {
            Err(Error::bad_input("goalId", "belongs to another project"))
        }
        _ => Ok(()),
    }
}

/// The slugs of roles that can be given work: the workspace's own, and global ones it does not override.
pub(super) async fn active_roles(tx: &Tx<'_>) -> crate::Result<Vec<String>> {
    let roles = tx.rows::<agent_role::Entity>(|_| Condition::all()).await?;
    let overridden = |role: &agent_role::Model| {
        role.tenant_id.is_none()
            && roles
                .iter()
                .any(|own| own.tenant_id.is_some() && own.slug == role.slug)
    };
    Ok(roles
        .iter()
        .filter(|role| role.is_active && !overridden(role))
        .map(|role| role.slug.clone())
        .collect())
}
