//! What agents need to work: the journal of a run and its last checkpoint, signs of life, and what "claim the next ticket"
//! and the sweeps walk along.

use crate::{
    m20261129_000002_append_only::keep,
    table::{
        self,
        OnDelete::{Cascade, SetNull},
        Table,
    },
};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct LetAgentsWork;

impl MigrationName for LetAgentsWork {
    fn name(&self) -> &str {
        "m20261201_000001_agents"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for LetAgentsWork {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::create(manager, &[agent_job_events()]).await?;
        let (moment, json) = match manager.get_database_backend() {
            DbBackend::Sqlite => ("timestamp_with_timezone_text", "jsonb_text"),
            _ => ("timestamp with time zone", "jsonb"),
        };
        let connection = manager.get_connection();
        for statement in keep(agent_job_events(), manager.get_database_backend()) {
            connection.execute_unprepared(&statement).await?;
        }
        for statement in [
            format!(r#"ALTER TABLE agent_jobs ADD COLUMN "checkpoint" {json}"#),
            r#"ALTER TABLE agent_jobs ADD COLUMN "progressSeq" integer"#.to_owned(),
            format!(r#"ALTER TABLE agent_jobs ADD COLUMN "reportedAt" {moment}"#),
            format!(r#"ALTER TABLE agent_jobs ADD COLUMN "deadlineAt" {moment}"#),
            format!(r#"ALTER TABLE agent_sessions ADD COLUMN "drainingAt" {moment}"#),
            // The claim looks for the first ticket of each project, and no longer for that of all projects.
            r#"DROP INDEX "tickets_tenantId_roleSlug_status_priority_createdAt_partial_idx""#.to_owned(),
            r#"CREATE INDEX "tickets_next_idx" ON tickets ("tenantId", "projectId", "roleSlug", coalesce("targetRepo", ''), "priority" DESC, "createdAt", "id") WHERE "status" = 'ready'"#
                .to_owned(),
            r#"CREATE INDEX "tickets_nextAttemptAt_idx" ON tickets ("nextAttemptAt") WHERE "status" = 'ready' AND "nextAttemptAt" IS NOT NULL"#
                .to_owned(),
            r#"CREATE INDEX "tickets_claimed_idx" ON tickets ("tenantId", "roleSlug") WHERE "status" = 'claimed'"#.to_owned(),
            // Which project was served last.
            r#"CREATE INDEX "agent_jobs_served_idx" ON agent_jobs ("tenantId", "projectId", "dispatchedAt" DESC)"#.to_owned(),
            r#"CREATE INDEX "agent_jobs_open_idx" ON agent_jobs ("createdAt") WHERE "status" IN ('pending', 'dispatched', 'in_progress')"#
                .to_owned(),
        ] {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn agent_job_events() -> Table {
    Table::append_only("agent_job_events")
        .parent("jobId", "agent_jobs", Cascade)
        .parent("agentTokenId", "agent_tokens", SetNull)
        .integer("seq")
        .check(r#""seq" >= 1"#)
        .integer("attempt")
        .check(r#""attempt" >= 1"#)
        .word(
            "kind",
            &[
                "action",
                "thought",
                "observation",
                "question",
                "error",
                "checkpoint",
            ],
        )
        .text("text")
        .max(4000)
        .json("data")
        .nullable()
        .unique(&["jobId", "attempt", "seq"])
        // What is swept.
        .index(&["createdAt"])
}
