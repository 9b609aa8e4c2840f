//! What decides who sees an entry of the ledger, in one index: so the entries that somebody sees are counted without
//! reading them.

use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct IndexTargets;

impl MigrationName for IndexTargets {
    fn name(&self) -> &str {
        "m20261129_000004_entries_by_target"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexTargets {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = r#"CREATE INDEX "audit_logs_tenantId_targetType_targetUserId_projectId_idx"
            ON audit_logs ("tenantId", "targetType", "targetUserId", "projectId")"#;
        let connection = manager.get_connection();
        connection.execute_unprepared(index).await.map(drop)
    }
}
