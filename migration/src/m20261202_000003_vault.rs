//! Credentials that are sealed: how often each failed, and where a provider of the workspace's own is reached.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct SealSecrets;

impl MigrationName for SealSecrets {
    fn name(&self) -> &str {
        "m20261202_000003_vault"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SealSecrets {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            r#"ALTER TABLE credential_vault ADD COLUMN "consecutiveFailures" integer NOT NULL DEFAULT 0"#,
            r#"ALTER TABLE credential_vault ADD COLUMN "baseUrl" text"#,
            r#"CREATE INDEX "credential_vault_failing_idx" ON credential_vault ("id") WHERE "consecutiveFailures" > 0"#,
            // Those of the demo, which were made up: nothing opens them, and their key never was.
            r#"UPDATE integration_connections SET "status" = 'action_needed', "lastError" = 'Its credential is not here; connect it again.',
                "credentialId" = NULL
                WHERE "credentialId" IN (SELECT "id" FROM credential_vault WHERE "keyId" = 'demo-key-1')"#,
            r#"DELETE FROM credential_vault WHERE "keyId" = 'demo-key-1'"#,
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
