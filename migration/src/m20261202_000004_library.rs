//! What a workspace's roles were like after each change.

use crate::{
    m20261129_000002_append_only::keep,
    table::{
        self,
        OnDelete::{Cascade, SetNull},
        Table,
    },
};
use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct KeepVersions;

impl MigrationName for KeepVersions {
    fn name(&self) -> &str {
        "m20261202_000004_library"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for KeepVersions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::create(manager, &[agent_role_versions()]).await?;
        let connection = manager.get_connection();
        for statement in keep(agent_role_versions(), manager.get_database_backend()) {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn agent_role_versions() -> Table {
    Table::append_only("agent_role_versions")
        .parent("roleId", "agent_roles", Cascade)
        .integer("version")
        .check(r#""version" >= 1"#)
        .json("snapshot")
        .text("note")
        .max(5000)
        .nullable()
        .parent("createdById", "users", SetNull)
        .unique(&["tenantId", "roleId", "version"])
}
