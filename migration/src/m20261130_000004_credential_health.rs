//! Whether another service took a credential the last time, so that people see a key that fails before their work does.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct KeepHealth;

impl MigrationName for KeepHealth {
    fn name(&self) -> &str {
        "m20261130_000004_credential_health"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for KeepHealth {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moment = match manager.get_database_backend() {
            DbBackend::Sqlite => "timestamp_with_timezone_text",
            _ => "timestamp with time zone",
        };
        let connection = manager.get_connection();
        for column in [
            r#""health" text NOT NULL DEFAULT 'unknown' CHECK ("health" IN ('unknown', 'healthy', 'degraded', 'failing'))"#,
            &format!(r#""lastCheckedAt" {moment}"#),
            r#""lastError" text"#,
        ] {
            let statement = format!("ALTER TABLE credential_vault ADD COLUMN {column}");
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}
