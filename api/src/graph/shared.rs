//! Rules that several mutations share.

use crate::{
    domain::plan::Means,
    error::{Error, Result},
    store::{Scope, Tx},
    workspace::DEFAULT_PROJECT,
};
use entity::{
    Id, Owned, agent_role,
    execution_plan::PlanStep,
    goal, project, skill,
    skill_package::{self, LibraryStatus},
    subagent_definition,
};
use sea_orm::{
    Condition, ModelTrait, Value,
    sea_query::{Expr, ExprTrait},
};
use std::collections::BTreeSet;

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
    open(tx.get::<project::Entity>(id).await?)
}

fn open(project: project::Model) -> Result<project::Model> {
    if project.is_archived {
        return Err(Error::Conflict(format!(
            "The project `{}` is archived. Restore it first.",
            project.slug
        )));
    }
    Ok(project)
}

/// The project that takes what names none.
///
/// # Errors
/// [`Error::BadUserInput`] when the workspace has lost it, [`Error::Conflict`] when it is archived.
pub(super) async fn default_project(tx: &Tx<'_>) -> Result<project::Model> {
    let slug = project::Column::Slug;
    let found = tx
        .rows::<project::Entity>(|place| all_of(place.column(slug).eq(DEFAULT_PROJECT)))
        .await?
        .pop();
    open(found.ok_or_else(|| {
        Error::bad_input(
            "projectId",
            "is needed: this workspace has no default project",
        )
    })?)
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
pub(super) async fn active_roles(tx: &Tx<'_>) -> Result<Vec<String>> {
    let roles = tx.rows::<agent_role::Entity>(|_| Condition::all()).await?;
    Ok(in_force::<agent_role::Entity>(
        &roles,
        agent_role::Column::Slug,
        |role| role.is_active,
    ))
}

/// What the steps of a plan can name. Of specialists and skills, only those that they do name are looked up.
pub(super) async fn means(tx: &Tx<'_>, steps: &[PlanStep]) -> Result<Means> {
    let subagents: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| step.subagent_slug.as_deref())
        .collect();
    let skills: BTreeSet<&str> = steps
        .iter()
        .flat_map(|step| &step.skills)
        .map(String::as_str)
        .collect();
    let mut means = Means {
        roles: active_roles(tx).await?,
        ..Default::default()
    };
    if !subagents.is_empty() {
        use subagent_definition::{Column, Entity};
        let found = tx
            .rows::<Entity>(|place| all_of(place.column(Column::Slug).is_in(subagents)))
            .await?;
        means.subagents = in_force::<Entity>(&found, Column::Slug, |row| {
            row.status == LibraryStatus::Active
        });
    }
    if !skills.is_empty() {
        use skill_package::{Column, Entity};
        let found = tx
            .rows::<Entity>(|place| all_of(place.column(Column::Slug).is_in(skills.clone())))
            .await?;
        means.skills = in_force::<Entity>(&found, Column::Slug, |row| {
            row.status == LibraryStatus::Active
        });
        let slug = skill::Column::Slug;
        let own = tx
            .rows::<skill::Entity>(|place| all_of(place.column(slug).is_in(skills)))
            .await?;
        means.skills.extend(
            own.into_iter()
                .filter(|skill| !skill.disabled)
                .map(|skill| skill.slug),
        );
    }
    Ok(means)
}

/// The slugs of rows that can be used. A workspace's own row counts in place of the global one, also when it cannot.
fn in_force<E: Owned>(
    rows: &[E::Model],
    slug: E::Column,
    usable: impl Fn(&E::Model) -> bool,
) -> Vec<String> {
    let is_global = |row: &E::Model| matches!(row.get(E::TENANT), Value::String(None));
    let overridden = |row: &E::Model| {
        is_global(row)
            && rows
                .iter()
                .any(|own| !is_global(own) && own.get(slug) == row.get(slug))
    };
    rows.iter()
        .filter(|row| usable(row) && !overridden(row))
        .filter_map(|row| match row.get(slug) {
            Value::String(slug) => slug,
            _ => None,
        })
        .collect()
}
