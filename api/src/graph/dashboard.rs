//! The workspace in numbers.

use super::{
    Ctx as _, Nullable,
    shared::{count, project_asked},
};
use crate::{
    auth::{Action, authorize},
    store::{Counted, Counts},
};
use async_graphql::{Context, Object, SimpleObject};
use entity::{
    Id, agent_job::AgentJobStatus, meeting::MeetingStatus, prd::PrdStatus, ticket::TicketStatus,
};

/// The root field of the numbers.
#[derive(Default)]
pub struct DashboardQuery;

#[Object]
impl DashboardQuery {
    /// The workspace, or one project of it, in numbers: what the dashboard shows at its top, and other pages on their
    /// tabs.
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this project; if not given, the one of X-Project-Id, or the whole workspace."
        )]
        project_id: Option<Id>,
    ) -> Nullable<Dashboard> {
        authorize(ctx.scope().actor(), Action::Read)?;
        let project = project_asked(ctx.scope(), project_id).await?;
        Ok(Some(Dashboard { project }))
    }
}

/// The workspace, or one project of it, in numbers.
pub struct Dashboard {
    pub(super) project: Option<Id>,
}

/// The workspace, or one project of it, in numbers. What is selected of it is counted in one statement, for several
/// projects too.
#[Object]
impl Dashboard {
    /// The meetings.
    async fn meetings(&self, ctx: &Context<'_>) -> Nullable<MeetingCounts> {
        Ok(Some((&self.count(ctx, Counted::Meetings).await?).into()))
    }

    /// The briefs.
    async fn briefs(&self, ctx: &Context<'_>) -> Nullable<PRDCounts> {
        Ok(Some((&self.count(ctx, Counted::Briefs).await?).into()))
    }

    /// The tickets.
    async fn tickets(&self, ctx: &Context<'_>) -> Nullable<TicketCounts> {
        Ok(Some((&self.count(ctx, Counted::Tickets).await?).into()))
    }

    /// The jobs of agents.
    async fn jobs(&self, ctx: &Context<'_>) -> Nullable<AgentJobCounts> {
        Ok(Some((&self.count(ctx, Counted::Jobs).await?).into()))
    }
}

impl Dashboard {
    async fn count(&self, ctx: &Context<'_>, counted: Counted) -> crate::Result<Counts> {
        ctx.scope().count_by(counted, self.project.as_ref()).await
    }
}

/// Declares how many rows there are of each status, or of several statuses together.
macro_rules! counts {
    ($(#[$doc:meta])* $name:ident by $status:ident {
        $($(#[$field_doc:meta])* $field:ident: $($variant:ident)|+),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// All of them.
            total: i32,
            $($(#[$field_doc])* $field: i32,)*
        }

        impl From<&Counts> for $name {
            fn from(counts: &Counts) -> Self {
                Self {
                    total: count(counts.total()),
                    $($field: count(0 $(+ counts.of($status::$variant))+),)*
                }
            }
        }
    };
}

counts! {
    /// How many meetings there are.
    MeetingCounts by MeetingStatus {
        /// Not begun.
        scheduled: Scheduled,
        /// Begun and not ready yet: joining, in progress, uploading, transcribing or processing.
        active: Joining | InProgress | Uploading | Transcribing | Processing,
        /// Ready, with a transcript.
        completed: Completed,
        /// Failed.
        failed: Failed,
        /// Called off.
        cancelled: Cancelled,
    }
}

counts! {
    /// How many briefs there are.
    PRDCounts by PrdStatus {
        /// Being written.
        draft: Draft,
        /// Waiting for answers.
        needs_clarification: NeedsClarification,
        /// Waiting for a decision.
        pending_approval: PendingApproval,
        /// Waiting for a person, with an answer or a decision.
        needs_attention: NeedsClarification | PendingApproval,
        /// Approved.
        approved: Approved,
        /// Rejected.
        rejected: Rejected,
        /// Replaced by an approved revision.
        superseded: Superseded,
    }
}

counts! {
    /// How many tickets there are.
    TicketCounts by TicketStatus {
        /// Waiting for other tickets or for their plan.
        blocked: Blocked,
        /// Free to be claimed.
        ready: Ready,
        /// Being worked on.
        claimed: Claimed,
        /// With the agents: blocked, ready or claimed.
        active: Blocked | Ready | Claimed,
        /// Waiting for a person.
        waiting: Waiting,
        /// Finished.
        done: Done,
        /// Failed.
        failed: Failed,
        /// Stopped by a person.
        cancelled: Cancelled,
        /// Dropped because their plan was replaced.
        superseded: Superseded,
    }
}

counts! {
    /// How many jobs of agents there are.
    AgentJobCounts by AgentJobStatus {
        /// Waiting for a daemon.
        pending: Pending,
        /// Sent to a daemon that has not confirmed it yet.
        dispatched: Dispatched,
        /// Being carried out.
        in_progress: InProgress,
        /// Not over: pending, dispatched or in progress.
        active: Pending | Dispatched | InProgress,
        /// Finished.
        done: Done,
        /// Failed.
        failed: Failed,
        /// Stopped by a person.
        cancelled: Cancelled,
    }
}
