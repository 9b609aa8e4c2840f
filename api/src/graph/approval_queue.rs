//! What waits for a person's decision: briefs, plans and tickets in one list.

use super::{
    connection::{PageInfo, shows_rows},
    found::one,
    prelude::*,
    progress::{ApprovalProgress, progress},
    shared::{count, project_asked},
    steps::{Shown, allowed},
};
use crate::{
    auth::{Action, authorize},
    domain::machine::{ExecutionPlanStep, PRDStep, Step, TicketStep},
    error::named,
    store::{Queue, QueueEntry, QueueKind, QueueRows},
    workflow::Decision,
};
use async_graphql::{Object, SimpleObject};
use entity::{Id, Owned, Timestamp, execution_plan, prd, ticket};
use sea_orm::EntityTrait;

/// The root field of the queue.
#[derive(Default)]
pub struct ApprovalQueueQuery;

#[Object]
impl ApprovalQueueQuery {
    /// What waits for a person's decision: briefs and execution plans that are pending approval, and tickets whose
    /// results are. The oldest comes first, so that nothing waits for ever and no decision moves what is above it.
    async fn approval_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this project; if not given, the one of X-Project-Id, or the whole workspace."
        )]
        project_id: Option<Id>,
        #[graphql(desc = "So many entries: 50 if not given, at most 200.")] first: Option<i32>,
        #[graphql(desc = "Start after this cursor.")] after: Option<Cursor>,
        #[graphql(desc = "Only entries of these types; all types if not given.")] types: Option<
            Vec<QueueKind>,
        >,
    ) -> Nullable<ApprovalQueueConnection> {
        let scope = ctx.scope();
        authorize(scope.actor(), Action::Read)?;
        let project = project_asked(scope, project_id).await?;
        let after = after.as_ref().map(|cursor| cursor.0.as_str());
        let queue = Arc::new(scope.queue(project.as_ref(), types, first, after)?);
        let page = if shows_rows(ctx) {
            scope.queue_page(&queue).await?
        } else {
            QueueRows::default()
        };
        Ok(Some(ApprovalQueueConnection { queue, page }))
    }
}

/// One page of what waits for a decision.
pub struct ApprovalQueueConnection {
    queue: Arc<Queue>,
    page: QueueRows,
}

/// One page of what waits for a decision, the oldest first.
#[Object]
impl ApprovalQueueConnection {
    /// The page's entries, each with its cursor.
    async fn edges(&self) -> Vec<ApprovalQueueEdge> {
        let edge = |entry: &QueueEntry| ApprovalQueueEdge {
            cursor: Cursor(self.queue.cursor(entry)),
            node: ApprovalQueueEntry(entry.clone()),
        };
        self.page.entries.iter().map(edge).collect()
    }

    /// The page's entries.
    async fn nodes(&self) -> Vec<ApprovalQueueEntry> {
        let entries = self.page.entries.iter().cloned();
        entries.map(ApprovalQueueEntry).collect()
    }

    /// Where this page begins and ends, and whether there are more.
    async fn page_info(&self) -> PageInfo {
        let cursor =
            |entry: Option<&QueueEntry>| entry.map(|entry| Cursor(self.queue.cursor(entry)));
        PageInfo {
            has_previous_page: self.queue.is_continued(),
            has_next_page: self.page.has_next,
            start_cursor: cursor(self.page.entries.first()),
            end_cursor: cursor(self.page.entries.last()),
        }
    }

    /// How much waits in all, without the paging. Counted only when selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        Ok(Some(count(ctx.scope().queue_count(&self.queue).await?)))
    }
}

/// Something that waits for a decision, and its place in the queue.
#[derive(SimpleObject)]
pub struct ApprovalQueueEdge {
    /// What waits.
    node: ApprovalQueueEntry,
    /// Its place in the queue, for `after`.
    cursor: Cursor,
}

/// What a function over the steps of a type tells of an entry's row.
macro_rules! of_its_kind {
    ($entry:ident, $ctx:ident, $told:ident) => {
        match $entry.0.kind {
            QueueKind::Brief => $told::<PRDStep>($ctx, &$entry.0.id).await,
            QueueKind::ExecutionPlan => $told::<ExecutionPlanStep>($ctx, &$entry.0.id).await,
            QueueKind::Ticket => $told::<TicketStep>($ctx, &$entry.0.id).await,
        }
    };
}

/// Something that waits for a decision.
pub struct ApprovalQueueEntry(QueueEntry);

/// Something that waits for a decision.
#[Object]
impl ApprovalQueueEntry {
    /// The id of what waits. The entry itself is none of its own.
    async fn subject_id(&self) -> &Id {
        &self.0.id
    }

    /// What it is.
    #[graphql(name = "type")]
    async fn kind(&self) -> QueueKind {
        self.0.kind
    }

    /// Its title; a plan is called like its brief.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// How it begins, at most 280 characters: a brief's summary, what channels are told of a plan, a ticket's
    /// description.
    async fn preview(&self) -> &str {
        &self.0.preview
    }

    /// How sure its author is of it, from 0 to 1; null for a plan.
    async fn confidence(&self) -> Option<f64> {
        self.0.confidence
    }

    /// When it was made; the queue is in this order.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// What a decision names as `expectedVersion`: a brief's `version`, a plan's `attempt`, a ticket's `attemptCount`.
    async fn version(&self, ctx: &Context<'_>) -> Nullable<i32> {
        Ok(of_its_kind!(self, ctx, version)?)
    }

    /// By when it should be decided; null for a ticket, and when the workspace set no such time as it was handed in.
    async fn due_at(&self, ctx: &Context<'_>) -> Nullable<Timestamp> {
        let (scope, id) = (ctx.scope(), &self.0.id);
        Ok(match self.0.kind {
            QueueKind::Brief => {
                { scope.find::<prd::Entity>(id).await? }.and_then(|brief| brief.approval_due_at)
            }
            QueueKind::ExecutionPlan => { scope.find::<execution_plan::Entity>(id).await? }
                .and_then(|plan| plan.approval_due_at),
            QueueKind::Ticket => None,
        })
    }

    /// What you may do with it now, as its type's `allowedSteps` names it, in one list for all types.
    async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<String>> {
        Ok(of_its_kind!(self, ctx, steps)?)
    }

    /// How many people approved it as it is, of those who must.
    async fn approval_progress(&self, ctx: &Context<'_>) -> Nullable<ApprovalProgress> {
        Ok(of_its_kind!(self, ctx, how_far)?)
    }

    /// The project it is in.
    async fn project(&self, ctx: &Context<'_>) -> Nullable<Project> {
        Ok(one(ctx, Some(&self.0.project_id)).await?)
    }

    /// The meeting it goes back to, a plan by its brief; null when it goes back to none.
    async fn source_meeting(&self, ctx: &Context<'_>) -> Nullable<Meeting> {
        Ok(one(ctx, self.0.meeting_id.as_ref()).await?)
    }

    /// What waits, as its own type.
    async fn node(&self, ctx: &Context<'_>) -> Nullable<AnyNode> {
        let kind = match self.0.kind {
            QueueKind::Brief => prd::Entity::KIND,
            QueueKind::ExecutionPlan => execution_plan::Entity::KIND,
            QueueKind::Ticket => ticket::Entity::KIND,
        };
        Ok(AnyNode::load(ctx, kind, &self.0.id).await?)
    }
}

type Found<T> = Option<Arc<<<T as Step>::Entity as EntityTrait>::Model>>;

async fn found<T: Step>(ctx: &Context<'_>, id: &Id) -> crate::Result<Found<T>> {
    ctx.scope().find::<T::Entity>(id).await
}

async fn version<T: Decision>(ctx: &Context<'_>, id: &Id) -> crate::Result<Option<i32>> {
    let row = found::<T>(ctx, id).await?;
    Ok(row.map(|row| T::subject(&row).version))
}

async fn steps<T: Shown>(ctx: &Context<'_>, id: &Id) -> crate::Result<Option<Vec<String>>> {
    match found::<T>(ctx, id).await? {
        Some(row) => {
            let steps = allowed::<T>(ctx, &row).await?;
            Ok(Some(steps.into_iter().map(named).collect()))
        }
        None => Ok(None),
    }
}

async fn how_far<T: Decision>(
    ctx: &Context<'_>,
    id: &Id,
) -> crate::Result<Option<ApprovalProgress>> {
    match found::<T>(ctx, id).await? {
        Some(row) => progress::<T>(ctx, &row).await.map(Some),
        None => Ok(None),
    }
}
