//! A job's states: what a daemon does for a ticket.

use entity::agent_job::AgentJobStatus;

super::machine! {
    agent_job: AgentJobStatus {
        /// What a person can do with a job. Each is a mutation.
        AgentJobStep as "AgentJobStep" {
            /// Stop it; its ticket can be claimed again: `cancelJob`.
            Cancel: [Pending, Dispatched, InProgress] => Cancelled, by EditTicket, "job.cancelled";
        }
        /// What becomes of a job by itself, or by the daemon that has it.
        AgentJobConsequence as "AgentJobConsequence" {
            /// A daemon that has its repository and a free slot gets it.
            Dispatch: [Pending] => Dispatched, by itself, "job.dispatched";
            /// The daemon begins.
            Start: [Dispatched] => InProgress, by itself, "job.started";
            /// The daemon has done it.
            Finish: [InProgress] => Done, by itself, "job.done";
            /// The daemon could not do it or fell silent, or none took it for too long.
            Fail: [Pending, Dispatched, InProgress] => Failed, by itself, "job.failed";
            /// The daemon gave it back, waits for an answer, or was lost: another one may have it.
            Return: [Dispatched, InProgress] => Pending, by itself, "job.returned";
            /// Its ticket is not needed any more.
            Drop: [Pending, Dispatched, InProgress] => Cancelled, by itself, "job.cancelled";
        }
    }
}
