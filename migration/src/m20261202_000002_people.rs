//! Links that are mailed: what is still to be sent stands beside what it is about, until it was sent.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct MailLinks;

impl MigrationName for MailLinks {
    fn name(&self) -> &str {
        "m20261202_000002_people"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for MailLinks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moment = match manager.get_database_backend() {
            DbBackend::Sqlite => "timestamp_with_timezone_text",
            _ => "timestamp with time zone",
        };
        let connection = manager.get_connection();
        for table in ["invitations", "auth_tokens"] {
            for column in [
                r#""linkNonce" text"#,
                r#""deliveryAttempts" integer NOT NULL DEFAULT 0"#,
                &format!(r#""nextDeliveryAt" {moment}"#),
                r#""deliveryError" text"#,
            ] {
                let statement = format!("ALTER TABLE {table} ADD COLUMN {column}");
                connection.execute_unprepared(&statement).await?;
            }
            let due = format!(
                r#"CREATE INDEX "{table}_nextDeliveryAt_idx" ON {table} ("nextDeliveryAt") WHERE "nextDeliveryAt" IS NOT NULL"#
            );
            connection.execute_unprepared(&due).await?;
        }
        for statement in [
            r#"ALTER TABLE invitations ADD COLUMN "deliveryStatus" text NOT NULL DEFAULT 'shown' CHECK ("deliveryStatus" IN ('shown', 'waiting', 'sent', 'failed'))"#,
            r#"CREATE INDEX "invitations_expiresAt_idx" ON invitations ("expiresAt") WHERE "status" = 'pending'"#,
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
