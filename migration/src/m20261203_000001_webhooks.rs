//! What services tell by themselves: when a code graph's repository was last pushed to.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct HearOfPushes;

impl MigrationName for HearOfPushes {
    fn name(&self) -> &str {
        "m20261203_000001_webhooks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for HearOfPushes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moment = match manager.get_database_backend() {
            DbBackend::Sqlite => "timestamp_with_timezone_text",
            _ => "timestamp with time zone",
        };
        let add = format!(r#"ALTER TABLE project_graphs ADD COLUMN "pushedAt" {moment}"#);
        let connection = manager.get_connection();
        connection.execute_unprepared(&add).await.map(drop)
    }
}
