//! Live streams of rows: what happens to tickets, briefs, plans, meetings, jobs and notifications. Views of the ledger.

use super::{prelude::*, subscription::streams};
use crate::live::Touched;
use entity::Owned;

streams! {
    RowSubscription {
        /// Tells when something happens to tickets: those that were or are what you ask for. A view of the ledger:
        /// nothing is lost between `after` and now.
        #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
        ticket_changed in ticket (
            "Only this ticket." id: Id,
            "Only tickets of this brief." prd_id: PrdId,
            "Only tickets of this plan." plan_id: PlanId,
            "Only tickets of this project." project_id: ProjectId,
        ) -> TicketFrame {
            /// The ticket as it is now; null in a frame that only tells the position, and when the ticket is gone.
            ticket: Ticket
        } when any;

        /// Tells when something happens to briefs themselves; of their plans and tickets `planChanged` and `ticketChanged`
        /// tell by their `prdId`, and of all of it `activity(filter: {prdId: …})`. A view of the ledger: nothing is lost
        /// between `after` and now.
        prd_changed in prd (
            "Only this brief." id: Id,
            "Only briefs of this project." project_id: ProjectId,
        ) -> PRDFrame {
            /// The brief as it is now; null in a frame that only tells the position, and when the brief is gone.
            prd: PRD
        } when any;

        /// Tells when something happens to execution plans. A view of the ledger: nothing is lost between `after` and
        /// now.
        plan_changed in execution_plan (
            "Only this plan." id: Id,
            "Only plans of this brief." prd_id: PrdId,
        ) -> PlanFrame {
            /// The plan as it is now; null in a frame that only tells the position, and when the plan is gone.
            plan: ExecutionPlan
        } when any;

        /// Tells when something happens to meetings. A view of the ledger: nothing is lost between `after` and now.
        meeting_changed in meeting (
            "Only this meeting." id: Id,
            "Only meetings of this project." project_id: ProjectId,
        ) -> MeetingFrame {
            /// The meeting as it is now; null in a frame that only tells the position, and when the meeting is gone.
            meeting: Meeting
        } when any;

        /// Tells when something happens to agents' jobs. A view of the ledger: nothing is lost between `after` and now.
        job_changed in agent_job (
            "Only this job." id: Id,
            "Only jobs of this ticket." ticket_id: TicketId,
        ) -> JobFrame {
            /// The job as it is now; null in a frame that only tells the position, and when the job is gone.
            job: AgentJob
        } when any;

        /// Tells of each new notification that is for you or for everyone. A view of the ledger: nothing is lost between
        /// `after` and now.
        notification_added in notification () -> NotificationFrame {
            /// The notification as it is now; null in a frame that only tells the position.
            notification: Notification
        } when is_new;
    }
}

fn any<E: Owned>(_: &Touched<E>) -> bool {
    true
}

fn is_new<E: Owned>(touched: &Touched<E>) -> bool {
    let change = touched.change.as_deref();
    change.is_some_and(|change| change.before.is_none() && change.after.is_some())
}
