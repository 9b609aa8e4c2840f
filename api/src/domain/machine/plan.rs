//! A plan's states: what is decided about an attempt, and how it ends.

use entity::execution_plan::ExecutionPlanStatus;

super::machine! {
    execution_plan: ExecutionPlanStatus {
        /// What a person can do with an execution plan. Each is a mutation.
        ExecutionPlanStep as "ExecutionPlanStep" {
            /// Approve it, so that its tickets are handed out: `approvePlan`.
            Approve: [PendingApproval] => Active, by Decide, in open_project, "plan.approved";
            /// Turn it down, so that the brief has no plan: `rejectPlan`.
            Reject: [PendingApproval] => Cancelled, by Decide, "plan.rejected";
            /// Turn it down and have another plan made, as you say: `redirectPlan`.
            Redirect: [PendingApproval] => Superseded, by Decide, in open_project, "plan.redirected";
            /// Hold back its tickets that nobody works on yet: `pausePlan`.
            Pause: [PendingApproval, Active, Failed] => paused, by Decide, "plan.paused";
            /// Let its work go on: `resumePlan`.
            Resume: [PendingApproval, Active, Failed] => resumed, by Decide, in open_project, "plan.resumed";
            /// Stop it and its open tickets: `cancelPlan`.
            Cancel: [PendingApproval, Active, Failed] => Cancelled, by Decide, "plan.cancelled";
            /// Drop it, also when it is under way, and have the next attempt planned: `replan`.
            Replan: [PendingApproval, Active] => Superseded, by Replan, in open_project, "plan.replanned";
            /// After it failed, open a new cycle of attempts: `retryPlan`.
            Retry: [Failed] => Superseded, by Replan, in open_project, "plan.retried";
        }
        /// What becomes of a plan by itself.
        ExecutionPlanConsequence as "ExecutionPlanConsequence" {
            /// One of its tickets failed, and another attempt is planned.
            ReplanAfterFailure: [Active] => Superseded, by itself, "plan.replanned";
            /// Its brief was superseded.
            Supersede: [PendingApproval, Active, Failed] => Superseded, by itself, "plan.superseded";
            /// A ticket failed as one of the attempt before had, or this was the last attempt of its cycle.
            Escalate: [Active] => Failed, by itself, "plan.failed";
            /// All of its tickets are done.
            Complete: [Active] => Done, by itself, "plan.completed";
        }
    }
}
