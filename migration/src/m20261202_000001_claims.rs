//! What "claim the next ticket" walks along. Behind row-level security PostgreSQL uses an index over `CASE`, and none over
//! `coalesce`. And tickets that wait to be tried again stand in an index of their own, so that nobody who looks for the next one
//! reads past them.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct FindTicketsFast;

impl MigrationName for FindTicketsFast {
    fn name(&self) -> &str {
        "m20261202_000001_claims"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FindTicketsFast {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            r#"DROP INDEX "tickets_next_idx""#,
            r#"CREATE INDEX "tickets_next_idx" ON tickets ("tenantId", "projectId", "roleSlug", (CASE WHEN "targetRepo" IS NULL THEN '' ELSE "targetRepo" END), "priority" DESC, "createdAt", "id") WHERE "status" = 'ready' AND "nextAttemptAt" IS NULL"#,
            r#"CREATE INDEX "tickets_waited_idx" ON tickets ("tenantId", "nextAttemptAt") WHERE "status" = 'ready' AND "nextAttemptAt" IS NOT NULL"#,
            // What waits for no other ticket is held back.
            r#"CREATE INDEX "tickets_held_idx" ON tickets ("tenantId", "roleSlug", "projectId") WHERE "status" = 'blocked' AND "openDependencyCount" = 0"#,
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
