//! Projects that are put away, taken up again, and deleted.

use super::{
    prelude::*,
    write::{Delete, Once, Write, deletions, mutations},
};
use crate::{
    Error,
    auth::Action,
    error::counted,
    store::{Place, Tx},
    workflow::all_of,
    workspace::DEFAULT_PROJECT,
};
use async_graphql::InputObject;
use entity::{Id, Owned, api_usage, goal, meeting, prd, project, ticket};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

/// So many calls of models may lose their project with it: all of that is one statement, and others wait to write.
const MOST_CALLS: u64 = 5000;

/// Which project.
#[derive(InputObject, Clone)]
pub struct ArchiveProjectInput {
    /// The project's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for ArchiveProjectInput {
    type Entity = project::Entity;
    const ACTION: Action = Action::ArchiveProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<project::Model> {
        archive(tx, &self.id, true, "project.archived").await
    }
}

/// Which project.
#[derive(InputObject, Clone)]
pub struct RestoreProjectInput {
    /// The project's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RestoreProjectInput {
    type Entity = project::Entity;
    const ACTION: Action = Action::ArchiveProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<project::Model> {
        archive(tx, &self.id, false, "project.restored").await
    }
}

async fn archive(
    tx: &mut Tx<'_>,
    id: &Id,
    is_archived: bool,
    action: &'static str,
) -> crate::Result<project::Model> {
    let project = tx.get::<project::Entity>(id).await?;
    let changes = project::ActiveModel {
        is_archived: Set(is_archived),
        ..Default::default()
    };
    tx.update(&project, changes, action).await
}

/// Which project.
#[derive(InputObject, Clone)]
pub struct DeleteProjectInput {
    /// The project's id. Nothing is in it any more.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeleteProjectInput {
    const ACTION: Action = Action::ArchiveProject;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        // Whoever begins something in it waits, and finds it gone.
        let project = tx.get::<project::Entity>(&self.id).await?;
        if project.slug == DEFAULT_PROJECT {
            return Err(Error::Conflict(format!(
                "The project `{DEFAULT_PROJECT}` takes what names no project, so it stays. archiveProject puts it away."
            )));
        }
        let left = left_in(tx, &project.id).await?;
        if !left.is_empty() {
            return Err(Error::Conflict(format!(
                "The project `{}` still has {}. Delete what can be deleted, or put it away with archiveProject.",
                project.slug,
                left.join(", ")
            )));
        }
        let was_called = |place: Place<'_>| {
            let project_id = place.column(api_usage::Column::ProjectId);
            all_of(project_id.eq(project.id.as_str()))
        };
        if tx
            .are_more_than::<api_usage::Entity>(MOST_CALLS, was_called)
            .await?
        {
            return Err(Error::Conflict(format!(
                "More than {MOST_CALLS} calls of models were made for the project `{}`, and each would lose it. Put it away with \
                 archiveProject.",
                project.slug
            )));
        }
        let gone = tx.delete::<project::Entity>(&project, "project.deleted");
        gone.await.map(drop)
    }
}

/// What keeps a project from being deleted, counted: what else points to it hangs on one of these, or goes along.
async fn left_in(tx: &Tx<'_>, project: &Id) -> crate::Result<Vec<String>> {
    let left = [
        (
            number::<goal::Entity>(tx, project, goal::Column::ProjectId).await?,
            "goal",
        ),
        (
            number::<meeting::Entity>(tx, project, meeting::Column::ProjectId).await?,
            "meeting",
        ),
        (
            number::<prd::Entity>(tx, project, prd::Column::ProjectId).await?,
            "brief",
        ),
        (
            number::<ticket::Entity>(tx, project, ticket::Column::ProjectId).await?,
            "ticket",
        ),
    ];
    let left = left.into_iter().filter(|(number, _)| *number > 0);
    Ok(left.map(|(number, what)| counted(number, what)).collect())
}

async fn number<E: Owned>(tx: &Tx<'_>, project: &Id, column: E::Column) -> crate::Result<u64> {
    tx.count::<E>(|place| all_of(place.column(column).eq(project.as_str())))
        .await
}

mutations! { ProjectArchiveMutation {
    /// Puts a project away: what is in it stays, and nothing new is begun in it until it is restored.
    archive_project(ArchiveProjectInput) -> ArchiveProjectPayload { project: Project };
    /// Takes up a project again that was archived.
    restore_project(RestoreProjectInput) -> RestoreProjectPayload { project: Project };
} }

deletions! { ProjectDeletionMutation {
    /// Deletes a project in which there are no goals, meetings, briefs and tickets, with its code graph and its channel
    /// routes. It is not undone. The project `default` stays, and one for which models were called more than 5,000 times.
    delete_project(DeleteProjectInput) -> DeleteProjectPayload;
} }
