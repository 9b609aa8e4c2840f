//! Links that are mailed: what is still to be sent stands beside what it is about, until it was sent. And people who go: on
//! SQLite a row with two pointers to the same person kept that person from being deleted.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
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
        if manager.get_database_backend() == DbBackend::Sqlite {
            look_at_what_changes(connection).await?;
        }
        Ok(())
    }
}

/// When somebody goes, each pointer to them becomes null by a statement of its own. What refuses another tenant's id looked at
/// all pointers then, and so refused the first of two because of the second.
async fn look_at_what_changes<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr> {
    let all = r"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\_tenant\_update' ESCAPE '\'";
    let all = Statement::from_string(DbBackend::Sqlite, all);
    for row in connection.query_all_raw(all).await? {
        let (name, sql): (String, String) = (row.try_get("", "name")?, row.try_get("", "sql")?);
        let Some((before, after)) = sql.split_once(" IS NOT NULL AND NOT EXISTS") else {
            continue;
        };
        let Some((_, column)) = before.rsplit_once("NEW.") else {
            continue;
        };
        let changes = format!(
            r#"(NEW.{column} IS NOT OLD.{column} OR NEW."tenantId" IS NOT OLD."tenantId")"#
        );
        let anew = format!("{before} IS NOT NULL AND {changes} AND NOT EXISTS{after}");
        connection
            .execute_unprepared(&format!("DROP TRIGGER \"{name}\""))
            .await?;
        connection.execute_unprepared(&anew).await?;
    }
    Ok(())
}
