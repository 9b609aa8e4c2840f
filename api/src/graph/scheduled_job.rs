//! What runs by the clock.

use super::prelude::*;
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
