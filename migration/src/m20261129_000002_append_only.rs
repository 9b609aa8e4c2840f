//! Rows that stay as they were written: the database itself refuses to change, delete or replace them, whoever asks.
//!
//! What follows from deleting another row goes on: rows of what was deleted go with it, and pointers to it become null.
//! Everything else goes through a door that is named in the transaction that needs it:
//!
//! - `delete-workspace`: a row of `tenants` may be deleted, and with it all that the workspace owns but its ledger;
//! - `retention`: rows of append-only tables may be deleted.
//!
//! On PostgreSQL a door is a setting of the transaction, `SET LOCAL "workgraph.door" = 'retention'`. On SQLite it is a row
//! of `open_doors`, which cannot be committed: whoever opens a door closes it again before the transaction ends.

mod postgres;
mod sqlite;

use crate::{
    m20261122_000001_people as people, m20261122_000002_ledger as ledger,
    m20261122_000004_meetings as meetings, m20261122_000006_work as work,
    m20261122_000007_operations as operations, m20261122_000008_decisions as decisions,
    table::{OnDelete, Table},
};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct KeepRows;

impl MigrationName for KeepRows {
    fn name(&self) -> &str {
        "m20261129_000002_append_only"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for KeepRows {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let kept = kept();
        let statements = match manager.get_database_backend() {
            DbBackend::Sqlite => sqlite::statements(&kept),
            _ => postgres::statements(&kept),
        };
        for statement in statements {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// A table whose rows are kept.
struct Kept {
    table: Table,
    /// By which door rows can be deleted.
    door: Option<&'static str>,
    rule: Rule,
}

/// What may happen to a row after all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Nothing changes but pointers that a deleted row leaves behind; it goes with the row it belongs to.
    AppendOnly,
    /// It counts up, and never back.
    Head,
    /// It changes as others do, but is not deleted.
    Workspace,
}

fn kept() -> Vec<Kept> {
    let described = [
        people::tables(),
        ledger::tables(),
        meetings::tables(),
        work::tables(),
        operations::tables(),
        decisions::tables(),
    ];
    let kept = described.into_iter().flatten().filter_map(|table| {
        let (door, rule) = match table.name {
            "audit_logs" | "transcripts" | "prd_symbol_links" | "api_usage" | "approvals" => {
                (Some("retention"), Rule::AppendOnly)
            }
            "tenant_feeds" => (None, Rule::Head),
            "tenants" => (Some("delete-workspace"), Rule::Workspace),
            _ => return None,
        };
        Some(Kept { table, door, rule })
    });
    kept.collect()
}

/// What keeps the rows of a table that a later step made: nothing of them changes, and retention alone deletes them.
pub(crate) fn keep(table: Table, backend: DbBackend) -> Vec<String> {
    let kept = Kept {
        table,
        door: Some("retention"),
        rule: Rule::AppendOnly,
    };
    match backend {
        DbBackend::Sqlite => sqlite::triggers(&kept),
        _ => postgres::triggers(&kept),
    }
}

/// On SQLite, "only pointers of the row change, each to null because what it pointed to is gone", for a trigger of a later
/// step.
pub(crate) fn follows(table: Table) -> Option<String> {
    sqlite::follows(&Kept {
        table,
        door: None,
        rule: Rule::AppendOnly,
    })
}

impl Kept {
    /// The columns that point to rows of other tables for which this is done when they are deleted, with these tables.
    fn pointers(&self, on_delete: OnDelete) -> Vec<(&'static str, &'static str)> {
        self.table
            .foreign_keys
            .iter()
            .filter(|key| key.on_delete == on_delete)
            .map(|key| (key.column, key.table))
            .collect()
    }
}
