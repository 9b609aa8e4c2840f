//! Who a person is at the provider that they sign in through: by its name for them, which stays when their address changes.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct RememberIdentities;

impl MigrationName for RememberIdentities {
    fn name(&self) -> &str {
        "m20261202_000006_identities"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RememberIdentities {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            r#"ALTER TABLE users ADD COLUMN "identityIssuer" text"#,
            r#"ALTER TABLE users ADD COLUMN "identitySubject" text CHECK (("identitySubject" IS NULL) = ("identityIssuer" IS NULL))"#,
            r#"CREATE UNIQUE INDEX "users_tenantId_identityIssuer_identitySubject_key" ON users ("tenantId", "identityIssuer", "identitySubject")"#,
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
