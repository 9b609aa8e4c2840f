//! Links of briefs to places in the code can be taken back. They still do not change, and are not replaced.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct UnlinkSymbols;

impl MigrationName for UnlinkSymbols {
    fn name(&self) -> &str {
        "m20261130_000003_links"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for UnlinkSymbols {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of_table = match manager.get_database_backend() {
            DbBackend::Sqlite => "",
            _ => " ON prd_symbol_links",
        };
        let statement = format!("DROP TRIGGER \"prd_symbol_links_refuse_delete\"{of_table}");
        let connection = manager.get_connection();
        connection.execute_unprepared(&statement).await.map(drop)
    }
}
