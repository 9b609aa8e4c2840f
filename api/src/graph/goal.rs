//! What a project is for.

use super::prelude::*;
use super::{
    steps::{Shown, allowed},
    write::{Delete, Once, Write, change, deletions, given, mutations, patch},
};
use crate::{
    Error,
    auth::Action,
    domain::{
        check,
        machine::{GoalStep, step_to},
    },
    store::{Tx, standing},
    workflow::{all_of, open_project},
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    Id, Timestamp,
    goal::{self, GoalStatus},
    project,
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

node! {
    /// A result the company wants from a project; goals form a tree.
    Goal in goal (goal, goals) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            title: StringFilter,
            description: StringFilter,
            outcome: StringFilter,
            parent_goal_id: IdFilter,
            status: EnumFilter<goal::GoalStatus>,
            target_date: DateTimeFilter,
            created_by_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it belongs to.
            project: Project by project_id,
            /// The goal above it; null at the top of the tree.
            parent: Goal by parent_goal_id,
            /// Who wrote it; null when the system did or the person is gone.
            created_by: User by created_by_id,
        }
        many {
            /// The goals below it.
            children: Goal by parent_goal_id,
            /// Meetings that served this goal.
            meetings: Meeting by goal_id,
            /// Briefs that serve this goal.
            prds: PRD by goal_id,
            /// Work that serves this goal.
            tickets: Ticket by goal_id,
            /// Tasks of the first generation.
            #[graphql(deprecation = "Use `tickets`: tasks of the first generation are no longer made.")]
            agent_tasks: AgentTask by goal_id,
        }
    }
    fields {

        /// What you may do with it now, by `updateGoal`; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<GoalStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for GoalStep {}

/// A new goal.
#[derive(InputObject, Clone)]
pub struct CreateGoalInput {
    /// The project it belongs to.
    project_id: Id,
    /// What is wanted, 1 to 200 characters.
    title: String,
    /// More about it, at most 5,000 characters.
    #[graphql(default)]
    description: String,
    /// What will be true when it is reached, at most 2,000 characters. Agents are given this text.
    #[graphql(default)]
    outcome: String,
    /// The goal above it, in the same project.
    parent_goal_id: Option<Id>,
    /// When it should be reached.
    target_date: Option<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateGoalInput {
    type Entity = goal::Entity;
    const ACTION: Action = Action::EditProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<goal::Model> {
        let project = open_project(tx, &self.project_id).await?;
        let parent = tx
            .keep_some::<goal::Entity>(self.parent_goal_id.as_ref())
            .await?;
        if parent.is_some_and(|parent| parent.project_id != project.id) {
            return Err(Error::bad_input(
                "parentGoalId",
                "belongs to another project",
            ));
        }
        let row = goal::ActiveModel {
            project_id: Set(project.id),
            title: Set(check::line("title", &self.title, 1, 200)?),
            description: Set(check::text("description", &self.description, 0, 5000)?),
            outcome: Set(check::text("outcome", &self.outcome, 0, 2000)?),
            parent_goal_id: Set(self.parent_goal_id),
            status: Set(GoalStatus::Active),
            target_date: Set(self.target_date),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            ..Default::default()
        };
        tx.insert(row, "goal.created").await
    }
}

/// Changes to a goal. What is left out stays; what always has a value cannot be null.
#[derive(InputObject, Clone)]
pub struct UpdateGoalInput {
    /// The goal.
    id: Id,
    /// What is wanted, 1 to 200 characters.
    title: MaybeUndefined<String>,
    /// More about it, at most 5,000 characters.
    description: MaybeUndefined<String>,
    /// What will be true when it is reached, at most 2,000 characters.
    outcome: MaybeUndefined<String>,
    /// The goal above it, in the same project; null puts it at the top.
    parent_goal_id: MaybeUndefined<Id>,
    /// Where it stands. An active goal can be achieved or abandoned, and taken up again.
    status: MaybeUndefined<goal::GoalStatus>,
    /// When it should be reached; null clears it.
    target_date: MaybeUndefined<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateGoalInput {
    type Entity = goal::Entity;
    const ACTION: Action = Action::EditProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<goal::Model> {
        let before = tx.get::<goal::Entity>(&self.id).await?;
        if let MaybeUndefined::Value(parent) = &self.parent_goal_id {
            check_parent(tx, &before, parent).await?;
        }
        let wanted = given("status", self.status)?;
        let step = match wanted {
            Some(wanted) => step_to::<GoalStep>(&standing::<goal::Entity>(&before)?, wanted)?,
            None => None,
        };
        let changes = goal::ActiveModel {
            title: change("title", self.title, |title| {
                check::line("title", &title, 1, 200)
            })?,
            description: change("description", self.description, |text| {
                check::text("description", &text, 0, 5000)
            })?,
            outcome: change("outcome", self.outcome, |text| {
                check::text("outcome", &text, 0, 2000)
            })?,
            parent_goal_id: patch(self.parent_goal_id, Ok)?,
            target_date: patch(self.target_date, Ok)?,
            ..Default::default()
        };
        match step {
            Some(step) => tx.take(&before, step, changes).await,
            None => tx.update(&before, changes, "goal.edited").await,
        }
    }
}

/// A goal's parent is in its project and not below it.
async fn check_parent(tx: &Tx<'_>, goal: &goal::Model, parent: &Id) -> crate::Result<()> {
    let mut above = Some(parent.clone());
    while let Some(id) = above {
        if id == goal.id {
            return Err(Error::bad_input(
                "parentGoalId",
                "a goal cannot stand above itself",
            ));
        }
        let next = tx.get::<goal::Entity>(&id).await?;
        if next.project_id != goal.project_id {
            return Err(Error::bad_input(
                "parentGoalId",
                "belongs to another project",
            ));
        }
        above = next.parent_goal_id;
    }
    Ok(())
}

/// Which goal.
#[derive(InputObject, Clone)]
pub struct DeleteGoalInput {
    /// The goal's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeleteGoalInput {
    const ACTION: Action = Action::EditProject;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        let goal = tx.find::<goal::Entity>(&self.id).await?;
        let goal = goal.ok_or(Error::NotFound { kind: "Goal" })?;
        // Two that delete goals of a tree take turns: either may move what the other deletes.
        tx.get_gently::<project::Entity>(&goal.project_id).await?;
        let goal = tx.get::<goal::Entity>(&self.id).await?;
        let below = tx.rows::<goal::Entity>(|place| {
            all_of(
                place
                    .column(goal::Column::ParentGoalId)
                    .eq(goal.id.as_str()),
            )
        });
        let below = below.await?;
        let moved_up = goal::ActiveModel {
            parent_goal_id: Set(goal.parent_goal_id.clone()),
            ..Default::default()
        };
        tx.update_each::<goal::Entity, _>(&below, moved_up, "goal.edited")
            .await?;
        tx.delete::<goal::Entity>(&goal, "goal.deleted")
            .await
            .map(drop)
    }
}

mutations! { GoalMutation {
    /// Sets a project a goal.
    create_goal(CreateGoalInput) -> CreateGoalPayload { goal: Goal };
    /// Changes a goal.
    update_goal(UpdateGoalInput) -> UpdateGoalPayload { goal: Goal };
} }

deletions! { GoalDeletionMutation {
    /// Deletes a goal. The goals below it move up to where it stood; meetings, briefs and tickets that served it stay, and serve
    /// none. It is not undone; `updateGoal` gives one up and keeps it.
    delete_goal(DeleteGoalInput) -> DeleteGoalPayload;
} }
