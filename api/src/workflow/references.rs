//! What rows may point to: projects that are open, goals of the same project, roles and means that there are.

use super::own::is_shared;
use crate::{
    domain::plan::{Means, check_role},
    error::{Error, Result},
    store::Tx,
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
pub(crate) fn all_of(first: Expr) -> Condition {
    Condition::all().add(first)
}

/// A project in which something new can begin.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] when it is archived.
pub(crate) async fn open_project(tx: &Tx<'_>, id: &Id) -> Result<project::Model> {
    open(tx.hold::<project::Entity>(id).await?)
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
pub(crate) async fn default_project(tx: &Tx<'_>) -> Result<project::Model> {
    let slug = project::Column::Slug;
    let found = tx
        .held_rows::<project::Entity>(|place| all_of(place.column(slug).eq(DEFAULT_PROJECT)))
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
pub(crate) async fn goal_of_project(tx: &Tx<'_>, goal: Option<&Id>, project: &Id) -> Result<()> {
    match tx.keep_some::<goal::Entity>(goal).await? {
        Some(goal) if goal.project_id != *project => {
            Err(Error::bad_input("goalId", "belongs to another project"))
        }
        _ => Ok(()),
    }
}

/// The slugs of roles that can be given work: the workspace's own, and global ones it does not override.
pub(crate) async fn active_roles(tx: &Tx<'_>) -> Result<Vec<String>> {
    let roles = roles(tx).await?;
    Ok(slugs::<agent_role::Entity>(
        &active(&roles),
        agent_role::Column::Slug,
    ))
}

/// The roles that there are for the workspace, global ones included.
pub(super) async fn roles(tx: &Tx<'_>) -> Result<Vec<agent_role::Model>> {
    tx.rows::<agent_role::Entity>(|_| Condition::all()).await
}

/// Those of them that count and can be given work.
pub(super) fn active(roles: &[agent_role::Model]) -> Vec<&agent_role::Model> {
    in_force::<agent_role::Entity>(roles, agent_role::Column::Slug, |role| role.is_active)
}

/// Keeps others from making and deleting roles until the transaction ends, so that work is begun for none that is gone. Many may
/// hold them at once.
///
/// # Errors
/// If the database fails.
pub(crate) async fn hold_roles(tx: &Tx<'_>) -> Result<()> {
    tx.workspace().await.map(drop)
}

/// There is a role of this slug, whether it can be given work now or not.
pub(super) async fn is_role(tx: &Tx<'_>, slug: &str) -> Result<bool> {
    use agent_role::{Column, Entity};
    let found = tx.unlocked_rows::<Entity>(|place| all_of(place.column(Column::Slug).eq(slug)));
    Ok(!found.await?.is_empty())
}

/// A role can be given work.
///
/// # Errors
/// [`Error::BadUserInput`] naming the roles there are.
pub(crate) async fn active_role(tx: &Tx<'_>, field: &str, slug: &str) -> Result<()> {
    use agent_role::{Column, Entity};
    let found = tx
        .rows::<Entity>(|place| all_of(place.column(Column::Slug).eq(slug)))
        .await?;
    if !in_force::<Entity>(&found, Column::Slug, |role| role.is_active).is_empty() {
        return Ok(());
    }
    check_role(field, slug, &active_roles(tx).await?)
}

/// What the steps of a plan can name, and what rules may do about it.
pub(super) struct Reach {
    pub(super) means: Means,
    /// Whether rules may approve work of each role that the steps name.
    pub(super) rules_may: bool,
}

/// What the steps of a plan can name. Of specialists and skills, only those that they do name are looked up.
pub(super) async fn reach(tx: &Tx<'_>, steps: &[PlanStep]) -> Result<Reach> {
    let subagents = distinct(
        steps
            .iter()
            .filter_map(|step| step.subagent_slug.as_deref()),
    );
    let skills = distinct(
        { steps.iter() }
            .flat_map(|step| &step.skills)
            .map(String::as_str),
    );
    let roles = roles(tx).await?;
    let roles = active(&roles);
    let rules_may = steps.iter().all(|step| {
        let named = roles.iter().find(|role| role.slug == step.role_slug);
        named.is_some_and(|role| role.auto_approve)
    });
    let mut means = Means {
        roles: slugs::<agent_role::Entity>(&roles, agent_role::Column::Slug),
        ..Default::default()
    };
    if !subagents.is_empty() {
        use subagent_definition::{Column, Entity};
        let found = tx
            .rows::<Entity>(|place| all_of(place.is_any_of(Column::Slug, &subagents)))
            .await?;
        let usable = in_force::<Entity>(&found, Column::Slug, |row| {
            row.status == LibraryStatus::Active
        });
        means.subagents = slugs::<Entity>(&usable, Column::Slug);
    }
    if !skills.is_empty() {
        use skill_package::{Column, Entity};
        let found = tx
            .rows::<Entity>(|place| all_of(place.is_any_of(Column::Slug, &skills)))
            .await?;
        let usable = in_force::<Entity>(&found, Column::Slug, |row| {
            row.status == LibraryStatus::Active
        });
        means.skills = slugs::<Entity>(&usable, Column::Slug);
        let slug = skill::Column::Slug;
        let own = tx
            .rows::<skill::Entity>(|place| all_of(place.is_any_of(slug, &skills)))
            .await?;
        means.skills.extend(
            own.into_iter()
                .filter(|skill| !skill.disabled)
                .map(|skill| skill.slug),
        );
    }
    Ok(Reach { means, rules_may })
}

fn distinct<'s>(slugs: impl Iterator<Item = &'s str>) -> Vec<&'s str> {
    let slugs: BTreeSet<&str> = slugs.collect();
    slugs.into_iter().collect()
}

/// The rows that can be used. A workspace's own row counts in place of the global one, also when it cannot.
pub(super) fn in_force<E: Owned>(
    rows: &[E::Model],
    slug: E::Column,
    usable: impl Fn(&E::Model) -> bool,
) -> Vec<&E::Model> {
    let overridden = |row: &E::Model| {
        is_shared::<E>(row)
            && rows
                .iter()
                .any(|own| !is_shared::<E>(own) && own.get(slug) == row.get(slug))
    };
    rows.iter()
        .filter(|row| usable(row) && !overridden(row))
        .collect()
}

fn slugs<E: Owned>(rows: &[&E::Model], slug: E::Column) -> Vec<String> {
    { rows.iter() }
        .filter_map(|row| match row.get(slug) {
            Value::String(slug) => slug,
            _ => None,
        })
        .collect()
}
