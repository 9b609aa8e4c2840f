//! A job's states: what a daemon does for a ticket.

use entity::agent_job::AgentJobStatus;

super::machine! {
    agent_job: AgentJobStatus {
        /// What becomes of a job.
        AgentJobStep as "AgentJobStep" {
            /// A daemon that has its repository and a free slot gets it.
            Dispatch: [Pending] => Dispatched, by itself, "job.dispatched";
            /// The daemon begins.
            Start: [Dispatched] => InProgress, by itself, "job.started";
            /// The daemon has done it.
            Finish: [InProgress] => Done, by itself, "job.done";
            /// The daemon could not do it or fell silent, or none took it for too long.
            Fail: [Pending, InProgress] => Failed, by itself, "job.failed";
            /// The daemon was lost: another one may have it.
            Return: [Dispatched, InProgress] => Pending, by itself, "job.returned";
            /// It is not needed any more.
            Cancel: [Pending, Dispatched] => Cancelled, by itself, "job.cancelled";
        }
    }
}
