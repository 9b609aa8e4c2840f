//! `scheduled_jobs`: what runs by the clock.

use crate::prelude::*;

text_enum! {
    /// How a scheduled job's last run ended.
    ScheduledJobOutcome {
        /// As it should.
        Success,
        /// With an error.
        Error,
    }
}

/// Something that runs by the clock, such as the daily digest.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "scheduled_jobs", rename_all = "camelCase")]
#[graphql(name = "ScheduledJobRow")]
pub struct Model {
    /// The scheduled job's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// Its name, in 1 to 200 characters, unique within the tenant.
    pub name: String,
    /// When it runs, as a cron expression of five fields, such as `0 9 * * 1-5`.
    pub cron_expression: String,
    /// The time zone in which the expression is read, such as `Europe/Berlin`.
    pub timezone: String,
    /// What runs, such as `digest_email`; an unknown type ends in an error.
    pub job_type: String,
    /// What the job is given; its shape depends on the type. Empty when it needs nothing.
    pub payload: Json<serde_json::Value>,
    /// Whether it runs.
    pub enabled: bool,
    /// When it last ran; null when never.
    pub last_run_at: Option<Timestamp>,
    /// When it runs next; null when it is disabled.
    pub next_run_at: Option<Timestamp>,
    /// How its last run ended; null when it never ran.
    pub last_status: Option<ScheduledJobOutcome>,
    /// Why its last run failed, in at most 500 characters; null when it did not.
    pub last_error: Option<String>,
    /// Who scheduled it; null when the system did or the person is gone.
    pub created_by_id: Option<Id>,
    /// Until when the server that runs it has it for itself; null when it is not running.
    pub locked_until: Option<Timestamp>,
    /// The server that runs it; null when it is not running.
    pub locked_by: Option<String>,
    /// How many runs in a row have failed; too many disable it.
    pub consecutive_failures: i32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ScheduledJob);
