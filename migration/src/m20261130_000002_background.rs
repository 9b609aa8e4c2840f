//! What the server does by itself, at intervals: one row a task, under a lease, so that any number of servers may do it.
//! And by when a decision is due, and what a reply to a message may decide on.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct TendByItself;

impl MigrationName for TendByItself {
    fn name(&self) -> &str {
        "m20261130_000002_background"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for TendByItself {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moment = match manager.get_database_backend() {
            DbBackend::Sqlite => "timestamp_with_timezone_text",
            _ => "timestamp with time zone",
        };
        let connection = manager.get_connection();
        for statement in [
            // It belongs to no workspace, and holds nothing of any.
            format!(
                r#"CREATE TABLE background_tasks (
  "name" text NOT NULL PRIMARY KEY,
  "nextAt" {moment} NOT NULL,
  "lockedUntil" {moment},
  "lockedBy" text,
  "startedAt" {moment},
  "endedAt" {moment},
  "failures" integer NOT NULL DEFAULT 0,
  "lastError" text
)"#
            ),
            // What a reply to a message may decide on, and from where it must come.
            r#"ALTER TABLE auth_tokens ADD COLUMN "subjectVersion" integer"#.to_owned(),
            r#"ALTER TABLE auth_tokens ADD COLUMN "channel" text"#.to_owned(),
            r#"ALTER TABLE auth_tokens ADD COLUMN "channelIdentity" text"#.to_owned(),
            r#"ALTER TABLE auth_tokens ADD COLUMN "answer" text CHECK ("answer" IN ('approve', 'reject', 'redirect', 'retry', 'pause', 'cancel'))"#
                .to_owned(),
            r#"CREATE INDEX "agent_jobs_sessionId_createdAt_id_idx" ON agent_jobs ("sessionId", "createdAt" DESC, "id")"#.to_owned(),
            format!(r#"ALTER TABLE prds ADD COLUMN "approvalDueAt" {moment}"#),
            format!(r#"ALTER TABLE execution_plans ADD COLUMN "approvalDueAt" {moment}"#),
            format!(r#"ALTER TABLE prds ADD COLUMN "approvalRemindedAt" {moment}"#),
            format!(r#"ALTER TABLE execution_plans ADD COLUMN "approvalRemindedAt" {moment}"#),
            r#"CREATE INDEX "prds_approvalDueAt_idx" ON prds ("approvalDueAt") WHERE "approvalDueAt" IS NOT NULL"#.to_owned(),
            r#"CREATE INDEX "execution_plans_approvalDueAt_idx" ON execution_plans ("approvalDueAt") WHERE "approvalDueAt" IS NOT NULL"#
                .to_owned(),
            r#"CREATE INDEX "clarification_requests_createdAt_idx" ON clarification_requests ("createdAt") WHERE "status" = 'pending'"#
                .to_owned(),
        ] {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}
