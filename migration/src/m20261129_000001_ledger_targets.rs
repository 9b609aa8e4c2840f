//! Whose row a ledger's entry is about, where people see only their own rows of its kind: so the entry is seen by who
//! sees its target, also when that is gone.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The tables whose rows are for one person each, by the name of their kind.
const PERSONAL: [(&str, &str); 4] = [
    ("Notification", "notifications"),
    ("AuthToken", "auth_tokens"),
    ("GoogleOAuthToken", "google_oauth_tokens"),
    ("NotificationSubscription", "notification_subscriptions"),
];

/// The step.
pub(crate) struct AddTargetUser;

impl MigrationName for AddTargetUser {
    fn name(&self) -> &str {
        "m20261129_000001_ledger_targets"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddTargetUser {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared(r#"ALTER TABLE audit_logs ADD COLUMN "targetUserId" text"#)
            .await?;
        let user = |side: &str| match manager.get_database_backend() {
            DbBackend::Sqlite => format!(r#"json_extract(told."diff", '$.{side}.userId')"#),
            _ => format!(r#"told."diff" #>> '{{{side},userId}}'"#),
        };
        let (before, after) = (user("before"), user("after"));
        for (kind, table) in PERSONAL {
            let now = format!(
                r#"UPDATE audit_logs SET "targetUserId" = (SELECT now."userId" FROM {table} now
                   WHERE now."id" = audit_logs."targetId" AND now."tenantId" = audit_logs."tenantId")
                   WHERE "targetType" = '{kind}'"#
            );
            // Of a row that is gone the entries themselves tell. Where they do not, an empty id stands for somebody who
            // is nobody: then no one is shown what may not have been for everyone.
            let gone = format!(
                r#"UPDATE audit_logs SET "targetUserId" = coalesce((SELECT coalesce({after}, {before})
                   FROM audit_logs told WHERE told."tenantId" = audit_logs."tenantId" AND told."targetType" = '{kind}'
                   AND told."targetId" = audit_logs."targetId" AND coalesce({after}, {before}) IS NOT NULL
                   ORDER BY told."seq" LIMIT 1), '')
                   WHERE "targetType" = '{kind}' AND "targetUserId" IS NULL AND NOT EXISTS (SELECT 1 FROM {table} now
                   WHERE now."id" = audit_logs."targetId" AND now."tenantId" = audit_logs."tenantId")"#
            );
            connection.execute_unprepared(&now).await?;
            connection.execute_unprepared(&gone).await?;
        }
        Ok(())
    }
}
