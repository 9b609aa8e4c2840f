//! A ticket's states.

use entity::ticket::TicketStatus;

super::machine! {
    ticket: TicketStatus {
        /// What a person can do with a ticket. Each is a mutation.
        TicketStep as "TicketStep" {
            /// Change what it asks for: `updateTicket`.
            Update: [Blocked, Ready, Claimed] => same, by EditTicket, "ticket.edited";
            /// Approve its result, so that it is done: `approveTicket`.
            Approve: [Waiting] => Done, by Decide, when "approval", "ticket.approved";
            /// Turn its result down, so that it has failed: `rejectTicket`.
            Reject: [Waiting] => Failed, by Decide, when "approval", "ticket.rejected";
            /// Stop it: `cancelTicket`.
            Cancel: [Blocked, Ready, Claimed, Waiting] => Cancelled, by EditTicket, "ticket.cancelled";
            /// Take it out of the hands of whoever works on it, so that it can be claimed again: `requeueTicket`.
            Requeue: [Claimed] => Ready, by SteerWork, "ticket.requeued";
            /// After it failed, have it done again: `retryTicket`.
            Retry: [Failed] => Ready, by EditTicket, in open_project, "ticket.retried";
        }
        /// What becomes of a ticket by itself, or by who works on it.
        TicketConsequence as "TicketConsequence" {
            /// Somebody begins to work on it.
            Claim: [Ready] => Claimed, by itself, "ticket.claimed";
            /// Who works on it has asked something, or has a result that somebody must approve.
            Wait: [Claimed] => Waiting, by itself, "ticket.transitioned";
            /// Who works on it has done it.
            Finish: [Claimed] => Done, by itself, "ticket.done";
            /// Who works on it could not do it.
            Fail: [Claimed] => Failed, by itself, "ticket.failed";
            /// Who worked on it gave it back or fell silent.
            GiveBack: [Claimed] => Ready, by itself, "ticket.released";
            /// Its plan goes ahead, and what it waited for is done.
            Release: [Blocked] => Ready, by itself, "ticket.ready";
            /// The plan that it was to make is made.
            Plan: [Blocked, Ready, Claimed, Waiting, Failed, Cancelled] => Done, by itself, "ticket.done";
            /// Another plan is to be made under it.
            Reopen: [Blocked, Ready, Claimed, Waiting, Done, Failed, Cancelled, Superseded] => Ready, by itself, "ticket.reopened";
            /// Its brief or its plan was paused, or its plan has failed.
            Hold: [Ready] => Blocked, by itself, "ticket.held";
            /// What it waited for was answered or has expired.
            Answer: [Waiting] => Ready, by itself, when "clarification", "ticket.answered";
            /// Its plan was replaced.
            Supersede: [Blocked, Ready, Claimed, Waiting] => Superseded, by itself, "ticket.superseded";
            /// Its plan was stopped.
            Stop: [Blocked, Ready, Claimed, Waiting] => Cancelled, by itself, "ticket.cancelled";
        }
    }
}
