//! One consistent view of the database for one operation.

use crate::error::{Error, Result};
use entity::Id;
use sea_orm::{
    DbBackend, DbErr, QueryResult, RuntimeErr, StatementBuilder,
    sqlx::{self, AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction},
};
use sea_query_sqlx::SqlxValues;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// After so many steps of its machine SQLite asks whether to go on: some tens of microseconds.
const STEPS: i32 = 10_000;

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
    patience: Option<Duration>,
    statements: AtomicU32,
    open: Mutex<Option<Open>>,
    over: Arc<AtomicBool>,
}

impl Drop for Snapshot {
    /// Nobody waits for what is still running: SQLite stops it.
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl Snapshot {
    pub(super) fn new(readers: Readers, tenant: Id, patience: Option<Duration>) -> Self {
        Self {
            readers,
            tenant,
            patience,
            statements: AtomicU32::new(0),
            open: Mutex::new(None),
            over: Arc::default(),
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
                    .begin(&self.tenant, self.patience, &self.over)
                    .await?,
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

    async fn begin(
        &self,
        tenant: &Id,
        patience: Option<Duration>,
        over: &Arc<AtomicBool>,
    ) -> Result<Open> {
        let (readers, tenant, over) = (self.clone(), tenant.clone(), over.clone());
        undisturbed(async move {
            let begun = readers.begin_at_once(&tenant, patience, over).await;
            begun.map_err(unavailable)
        })
        .await
    }

    async fn begin_at_once(
        &self,
        tenant: &Id,
        patience: Option<Duration>,
        over: Arc<AtomicBool>,
    ) -> Result<Open, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin_with("BEGIN DEFERRED").await?;
                let go_on = move || !over.load(Ordering::Relaxed);
                transaction
                    .lock_handle()
                    .await?
                    .set_progress_handler(STEPS, go_on);
                Ok(Open::Sqlite(transaction))
            }
            // One message: the tenant arms row-level security for this transaction only, as a pooler demands.
            Self::Postgres(pool, pooled) => {
                let begin = format!(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}",
                    super::row_security::arm(tenant, *pooled, patience)
                );
                Ok(Open::Postgres(pool.begin_with(AssertSqlSafe(begin)).await?))
            }
        }
    }

    /// How many connections there are, and how many of them nobody has.
    pub(super) fn connections(&self) -> (u32, usize) {
        match self {
            Self::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Self::Postgres(pool, _) => (pool.size(), pool.num_idle()),
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

/// Begins a transaction, to the end even when nobody waits for it any more. The driver takes a connection whose BEGIN was
/// under way for one without a transaction, and whoever got it next would go on in the old one, with what that one sees.
pub(super) async fn undisturbed<T: Send + 'static>(
    begin: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(begin).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a transaction could not be begun");
        Err(Error::Unavailable)
    })
}

fn unavailable(error: sqlx::Error) -> Error {
    tracing::error!(%error, "no connection for a snapshot");
    Error::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{Statement, sqlx::sqlite::SqlitePoolOptions};
    use std::time::Instant;

    struct Sql(&'static str);

    impl StatementBuilder for Sql {
        fn build(&self, backend: &DbBackend) -> Statement {
            Statement::from_string(*backend, self.0)
        }
    }

    #[tokio::test]
    async fn sqlite_stops_a_statement_that_nobody_waits_for() {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let readers = Readers::Sqlite(pool.connect("sqlite::memory:").await.unwrap());
        let endless = Sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS number FROM n",
        );
        let snapshot = Snapshot::new(readers.clone(), Id::from("t"), None);
        let waited = tokio::time::timeout(Duration::from_millis(50), snapshot.all(&endless));
        assert!(waited.await.is_err(), "it does not end by itself");
        drop(snapshot);
        let started = Instant::now();
        let next = Snapshot::new(readers, Id::from("t"), None);
        assert_eq!(next.all(&Sql("SELECT 1 AS number")).await.unwrap().len(), 1);
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "the only connection came back"
        );
    }
}
