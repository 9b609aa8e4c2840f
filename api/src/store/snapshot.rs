//! One consistent view of the database for one operation.

use crate::error::{Error, Result};
use entity::Id;
use sea_orm::{
    DbBackend, DbErr, QueryResult, RuntimeErr, StatementBuilder,
    sqlx::{self, AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction},
};
use sea_query_sqlx::SqlxValues;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Mutex;

/// The connections that reads are made on.
#[derive(Clone, Debug)]
pub(super) enum Readers {
    Sqlite(SqlitePool),
    /// The flag says whether a pooler stands between.
    Postgres(PgPool, bool),
}

enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A read-only transaction that begins with the first statement and sees the database as it was then.
pub(super) struct Snapshot {
    readers: Readers,
    tenant: Id,
    statements: AtomicU32,
    open: Mutex<Option<Open>>,
}

impl Snapshot {
    pub(super) fn new(readers: Readers, tenant: Id) -> Self {
        let (statements, open) = (AtomicU32::new(0), Mutex::new(None));
        Self {
            readers,
            tenant,
            statements,
            open,
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.readers.backend()
    }

    /// How many statements ran, not counting the one that began the transaction.
    pub(super) fn statements(&self) -> u32 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Runs one SELECT.
    pub(super) async fn all(&self, select: &impl StatementBuilder) -> Result<Vec<QueryResult>> {
        let statement = select.build(&self.backend());
        tracing::debug!(sql = %statement.sql, "statement");
        self.statements.fetch_add(1, Ordering::Relaxed);
        let values = SqlxValues(
            statement
                .values
                .unwrap_or_else(|| sea_orm::Values(Vec::new())),
        );
        let sql = AssertSqlSafe(statement.sql);
        let mut guard = self.open.lock().await;
        if guard.is_none() {
            *guard = Some(
                self.readers
                    .begin(&self.tenant)
                    .await
                    .map_err(unavailable)?,
            );
        }
        let rows = match guard.as_mut() {
            Some(Open::Sqlite(transaction)) => sqlx::query_with::<Sqlite, _>(sql, values)
                .fetch_all(&mut **transaction)
                .await
                .map(|rows| rows.into_iter().map(Into::into).collect()),
            Some(Open::Postgres(transaction)) => sqlx::query_with::<Postgres, _>(sql, values)
                .fetch_all(&mut **transaction)
                .await
                .map(|rows| rows.into_iter().map(Into::into).collect()),
            None => return Err(Error::Unavailable),
        };
        rows.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())).into())
    }
}

impl Readers {
    pub(super) fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(..) => DbBackend::Postgres,
        }
    }

    async fn begin(&self, tenant: &Id) -> Result<Open, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => Ok(Open::Sqlite(pool.begin_with("BEGIN DEFERRED").await?)),
            // One message: the tenant arms row-level security for this transaction only, as a pooler demands.
            Self::Postgres(pool, pooled) => {
                let begin = format!(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}",
                    super::row_security::arm(tenant, *pooled)
                );
                Ok(Open::Postgres(pool.begin_with(AssertSqlSafe(begin)).await?))
            }
        }
    }

    /// Waits for every reader to come back and closes them.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool, _) => pool.close().await,
        }
    }
}

fn unavailable(error: sqlx::Error) -> Error {
    tracing::error!(%error, "no connection for a snapshot");
    Error::Unavailable
}
