//! What lets a company's own programs in, tokens with a role that are nobody's, and when a ledger ends with its workspace.

use crate::table::{self, OnDelete::SetNull, Table};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

/// The step.
pub(crate) struct RunWorkspaces;

/// Who acts, as the ledger has it: as it was, and with services.
const KINDS: [&str; 2] = [
    r#""actorType" IN ('user', 'agent', 'system')"#,
    r#""actorType" IN ('user', 'agent', 'system', 'service')"#,
];

impl MigrationName for RunWorkspaces {
    fn name(&self) -> &str {
        "m20261202_000005_workspace"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RunWorkspaces {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (connection, backend) = (manager.get_connection(), manager.get_database_backend());
        table::create(manager, &[service_tokens()]).await?;
        let moment = match backend {
            DbBackend::Sqlite => "timestamp_with_timezone_text",
            _ => "timestamp with time zone",
        };
        let reserved_by = Table::standard("budget_reservations").parent(
            "serviceTokenId",
            "service_tokens",
            SetNull,
        );
        let mut statements = table::add_pointer(&reserved_by, backend);
        statements.extend([
            r#"ALTER TABLE audit_logs ADD COLUMN "serviceTokenId" text"#.to_owned(),
            r#"CREATE INDEX "audit_logs_serviceTokenId_idx" ON audit_logs ("tenantId", "serviceTokenId", "seq") WHERE "serviceTokenId" IS NOT NULL"#
                .to_owned(),
            // The ledger stays when its workspace goes, and says when that was.
            format!(r#"ALTER TABLE tenant_feeds ADD COLUMN "closedAt" {moment}"#),
            r#"CREATE INDEX "tenant_feeds_closed_idx" ON tenant_feeds ("tenantId") WHERE "closedAt" IS NOT NULL"#
                .to_owned(),
        ]);
        for statement in statements {
            connection.execute_unprepared(&statement).await?;
        }
        match backend {
            DbBackend::Sqlite => know_services_on_sqlite(manager).await,
            _ => know_services_on_postgres(manager).await,
        }
    }
}

async fn know_services_on_postgres(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for statement in [
        r#"ALTER TABLE audit_logs DROP CONSTRAINT "audit_logs_actorType_check""#.to_owned(),
        format!(
            r#"ALTER TABLE audit_logs ADD CONSTRAINT "audit_logs_actorType_check" CHECK ({})"#,
            KINDS[1]
        ),
    ] {
        manager
            .get_connection()
            .execute_unprepared(&statement)
            .await?;
    }
    Ok(())
}

/// SQLite has no statement that changes a check. To make a new table of the ledger would be to write all of it anew, which
/// it refuses, so the check is changed where it stands, as SQLite's manual has it for what changes no row:
/// <https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes>.
async fn know_services_on_sqlite(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let asked = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql.to_owned());
    let version = connection
        .query_one_raw(asked("PRAGMA schema_version"))
        .await?
        .ok_or_else(|| DbErr::Migration("the schema has no version".to_owned()))?
        .try_get_by_index::<i64>(0)?;
    let [was, becomes] = KINDS.map(|kinds| kinds.replace('\'', "''"));
    for statement in [
        "PRAGMA writable_schema = ON".to_owned(),
        format!(
            "UPDATE sqlite_schema SET sql = replace(sql, '{was}', '{becomes}') WHERE type = 'table' AND name = 'audit_logs'"
        ),
        // All connections read the schema anew.
        format!("PRAGMA schema_version = {}", version + 1),
        "PRAGMA writable_schema = OFF".to_owned(),
    ] {
        connection.execute_unprepared(&statement).await?;
    }
    Ok(())
}

fn service_tokens() -> Table {
    Table::standard("service_tokens")
        .text("name")
        .check(r#"length("name") BETWEEN 1 AND 100"#)
        .text("tokenHash")
        .text("tokenHint")
        .check(r#"length("tokenHint") = 4"#)
        .word("role", &["viewer", "member", "admin"])
        .parent("createdById", "users", SetNull)
        .timestamp("expiresAt")
        .timestamp("lastUsedAt")
        .nullable()
        .timestamp("revokedAt")
        .nullable()
        .unique(&["tokenHash"])
        .index(&["tenantId", "revokedAt"])
}
