//! What one operation, one workspace, and all together may use of the server.

mod answers;
mod contention;
mod kept;
mod mutations;
mod outage;
mod readiness;
mod statements;
mod turns;
