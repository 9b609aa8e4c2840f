//! How long an agent may be silent: a daemon shows signs of life every few seconds, who works in an editor every few minutes.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct BePatient;

impl MigrationName for BePatient {
    fn name(&self) -> &str {
        "m20261201_000003_patience"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for BePatient {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            r#"ALTER TABLE agent_sessions ADD COLUMN "patienceSeconds" integer NOT NULL DEFAULT 90 CHECK ("patienceSeconds" BETWEEN 90 AND 3600)"#,
            r#"ALTER TABLE agent_jobs ADD COLUMN "leaseSeconds" integer NOT NULL DEFAULT 120"#,
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
