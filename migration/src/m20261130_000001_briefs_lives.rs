//! What deciding needs: each brief's life in the ledger, what exactly was decided on, and rounds of questions.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

/// The step.
pub(crate) struct FollowBriefs;

/// The trigger that keeps entries of the ledger as they were written.
const KEEPS: &str = "audit_logs_refuse_update";

impl MigrationName for FollowBriefs {
    fn name(&self) -> &str {
        "m20261130_000001_briefs_lives"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FollowBriefs {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            r#"ALTER TABLE approvals ADD COLUMN "subjectDigest" text"#,
            r#"ALTER TABLE clarification_requests ADD COLUMN "round" integer NOT NULL DEFAULT 1 CHECK ("round" BETWEEN 1 AND 3)"#,
            r#"ALTER TABLE audit_logs ADD COLUMN "prdId" text"#,
            r#"CREATE INDEX "audit_logs_tenantId_prdId_seq_idx" ON audit_logs ("tenantId", "prdId", "seq")"#,
        ] {
            connection.execute_unprepared(statement).await?;
        }
        keep_digests(manager).await?;
        // Entries that were written before do not vouch for the brief, so their hashes hold.
        let [open, close] = door(manager).await?;
        connection.execute_unprepared(&open).await?;
        for (kind, brief) in briefs() {
            let told =
                format!(r#"UPDATE audit_logs SET "prdId" = {brief} WHERE "targetType" = '{kind}'"#);
            connection.execute_unprepared(&told).await?;
        }
        connection.execute_unprepared(&close).await.map(drop)
    }
}

/// What lets entries be changed for once, and what ends that.
async fn door(manager: &SchemaManager<'_>) -> Result<[String; 2], DbErr> {
    if manager.get_database_backend() != DbBackend::Sqlite {
        let set = |word: &str| format!("ALTER TABLE audit_logs {word} TRIGGER {KEEPS}");
        return Ok([set("DISABLE"), set("ENABLE")]);
    }
    let made = trigger(manager, KEEPS).await?;
    Ok([format!("DROP TRIGGER {KEEPS}"), made])
}

/// The statement that made a trigger on SQLite.
async fn trigger(manager: &SchemaManager<'_>, name: &str) -> Result<String, DbErr> {
    let asked = format!("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = '{name}'");
    let asked = Statement::from_string(DbBackend::Sqlite, asked);
    let row = manager.get_connection().query_one_raw(asked).await?;
    let row = row.ok_or_else(|| DbErr::Migration(format!("there is no trigger {name}")))?;
    row.try_get("", "sql")
}

/// Lets SQLite's trigger keep the new column of decisions too. PostgreSQL's compares whole rows.
async fn keep_digests(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let name = "approvals_refuse_update";
    let made = trigger(manager, name).await?;
    let digest = r#"NOT (NEW."subjectDigest" IS OLD."subjectDigest" AND "#;
    let kept = made.replacen("NOT (", digest, 1);
    let connection = manager.get_connection();
    connection
        .execute_unprepared(&format!("DROP TRIGGER {name}"))
        .await?;
    connection.execute_unprepared(&kept).await?;
    Ok(())
}

/// The brief of an entry by the kind of its target, as SQL.
fn briefs() -> [(&'static str, String); 9] {
    let of = |table: &str, brief: &str| {
        format!(
            r#"(SELECT {brief} FROM {table} t WHERE t."id" = audit_logs."targetId" AND t."tenantId" = audit_logs."tenantId")"#
        )
    };
    let own = |table| of(table, r#"t."prdId""#);
    let through = |column: &str, table: &str| {
        format!(
            r#"(SELECT o."prdId" FROM {table} o WHERE o."id" = t."{column}" AND o."tenantId" = t."tenantId")"#
        )
    };
    let (plan, ticket) = (
        through("planId", "execution_plans"),
        through("ticketId", "tickets"),
    );
    [
        ("PRD", r#""targetId""#.to_owned()),
        ("ExecutionPlan", own("execution_plans")),
        ("Ticket", own("tickets")),
        ("ClarificationRequest", own("clarification_requests")),
        ("PRDSymbolLink", own("prd_symbol_links")),
        ("ApiUsage", own("api_usage")),
        (
            "Approval",
            of(
                "approvals",
                &format!(r#"coalesce(t."prdId", {plan}, {ticket})"#),
            ),
        ),
        ("AgentJob", of("agent_jobs", &ticket)),
        ("TicketDependency", of("ticket_dependencies", &ticket)),
    ]
}
