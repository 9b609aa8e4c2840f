//! What runs by the clock.

use super::prelude::*;
use async_graphql::{Object, SimpleObject};
use entity::scheduled_job;

node! {
    /// Something that runs by the clock, such as the daily digest.
    ScheduledJob in scheduled_job (scheduled_job, scheduled_jobs) {
        columns {
            id: IdFilter,
            name: StringFilter,
            cron_expression: StringFilter,
            timezone: StringFilter,
            job_type: StringFilter,
            enabled: BooleanFilter,
            last_run_at: DateTimeFilter,
            next_run_at: DateTimeFilter,
            last_status: EnumFilter<scheduled_job::ScheduledJobOutcome>,
            last_error: StringFilter,
            created_by_id: IdFilter,
            locked_until: DateTimeFilter,
            locked_by: StringFilter,
            consecutive_failures: IntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who set it up; null when the person is gone.
            created_by: User by created_by_id,
        }
    }
}

/// Something the server knows how to do by the clock.
#[derive(SimpleObject)]
pub struct ScheduledJobType {
    /// What a scheduled job names as its `jobType`.
    job_type: &'static str,
    /// What it does.
    description: &'static str,
}

const KNOWN: [ScheduledJobType; 5] = [
    ScheduledJobType {
        job_type: "digest_email",
        description: "Sends people what happened since the last digest.",
    },
    ScheduledJobType {
        job_type: "slack_reminder",
        description: "Reminds a Slack channel of what waits for a decision.",
    },
    ScheduledJobType {
        job_type: "provider_probe",
        description: "Tries whether the providers of models answer.",
    },
    ScheduledJobType {
        job_type: "graph_staleness",
        description: "Finds code graphs that are older than the code.",
    },
    ScheduledJobType {
        job_type: "drive_renewal",
        description: "Renews the channels on which Google Drive tells of recordings.",
    },
];

/// The root field of the known job types.
#[derive(Default)]
pub struct ScheduledJobTypeQuery;

#[Object]
impl ScheduledJobTypeQuery {
    /// What can be scheduled; a job of any other type ends in an error.
    async fn scheduled_job_types(&self) -> &[ScheduledJobType] {
        &KNOWN
    }
}
