//! Which rows go with one that is deleted, as the foreign keys have it.

use crate::{Column, Table};

/// A table whose rows go when the row goes that one of its columns points to.
#[derive(Clone, Copy, Debug)]
pub struct Follower {
    /// The column that points.
    pub column: &'static Column,
    /// The ledger's action for a row that goes so; none for what people do not know as a thing of its own.
    pub entry: Option<&'static str>,
}

macro_rules! followers {
    ($($of:ident: { $($module:ident.$column:ident $(=> $entry:literal)?),* $(,)? })*) => {
        /// What goes with a deleted row of a table, the rows that others of these point to first. A workspace is deleted by
        /// other means.
        pub fn followers(of: Table) -> Vec<Follower> {
            match of {
                $(Table::$of => vec![$(Follower {
                    column: <crate::$module::Entity as crate::Owned>::column(crate::$module::Column::$column),
                    entry: followers!(@entry $($entry)?),
                }),*],)*
                _ => Vec::new(),
            }
        }
    };
    (@entry $entry:literal) => { Some($entry) };
    (@entry) => { None };
}

followers! {
    User: {
        google_oauth_token.UserId => "google_account.disconnected",
        auth_token.UserId,
        notification.UserId,
        notification_subscription.UserId,
    }
    AgentToken: { agent_session.AgentTokenId => "agent.disconnected" }
    Project: {
        project_graph.ProjectId => "graph.deleted",
        channel_route.ProjectId => "channel_route.deleted",
        notification.ProjectId,
        notification_subscription.ProjectId,
    }
    Meeting: {
        transcript.MeetingId => "transcript.deleted",
        whisper_transcription.MeetingId => "transcription.deleted",
    }
    PRD: {
        execution_plan.PrdId => "plan.deleted",
        ticket.PrdId => "ticket.deleted",
        clarification_request.PrdId => "clarification.deleted",
        approval.PrdId => "approval.deleted",
        prd_symbol_link.PrdId => "brief.symbol_unlinked",
    }
    ExecutionPlan: {
        ticket.PlanId => "ticket.deleted",
        approval.PlanId => "approval.deleted",
    }
    Ticket: {
        execution_plan.ParentTicketId => "plan.deleted",
        ticket.ParentTicketId => "ticket.deleted",
        agent_job.TicketId => "job.deleted",
        clarification_request.TicketId => "clarification.deleted",
        approval.TicketId => "approval.deleted",
        ticket_dependency.TicketId => "ticket.dependency_removed",
        ticket_dependency.DependsOnTicketId => "ticket.dependency_removed",
    }
    AgentRole: { agent_role_version.RoleId }
    AgentJob: { agent_job_event.JobId }
    SkillPackage: { approval.SkillPackageId => "approval.deleted" }
    IntegrationConnection: { channel_route.ConnectionId => "channel_route.deleted" }
}
