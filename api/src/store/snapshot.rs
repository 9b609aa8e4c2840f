//! One consistent view of the database for one operation.

use super::{
    kept::{Connections, Lease},
    meter::Meter,
    reach::Reach,
    transaction::{parts, told},
};
use crate::error::{Error, Result};
use entity::Id;
use futures_util::{TryStreamExt, stream::BoxStream};
use sea_orm::{
    DbBackend, QueryResult, StatementBuilder,
    sqlx::{
        self, Decode, Postgres, Row, Sqlite, SqlitePool, Transaction, TypeInfo, ValueRef,
        postgres::PgRow, sqlite::SqliteRow,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;
use tracing::Instrument;

/// After so many steps of its machine SQLite asks whether to go on: some tens of microseconds.
const STEPS: i32 = 10_000;

/// The connections that reads are made on.
#[derive(Clone)]
pub(super) enum Readers {
    Sqlite(SqlitePool),
    /// The flag says whether a pooler stands between.
    Postgres(Arc<Connections>, bool, Arc<Reach>),
}

enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Lease),
}

/// A read-only transaction that begins with the first statement and sees the database as it was then.
pub(super) struct Snapshot {
    readers: Readers,
    tenant: Id,
    patience: Option<Duration>,
    meter: Arc<Meter>,
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
            meter: Arc::default(),
            open: Mutex::new(None),
            over: Arc::default(),
        }
    }

    /// The same, with what is read measured.
    pub(super) fn measured(mut self, meter: Arc<Meter>) -> Self {
        self.meter = meter;
        self
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.readers.backend()
    }

    /// What measures what is read.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Runs one SELECT.
    pub(super) async fn all(&self, select: &impl StatementBuilder) -> Result<Vec<QueryResult>> {
        self.each(select, Ok).await
    }

    /// Runs one SELECT, and makes something of each row as it comes.
    pub(super) async fn each<T: Send>(
        &self,
        select: &impl StatementBuilder,
        make: impl FnMut(QueryResult) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        let statement = select.build(&self.backend());
        tracing::debug!(sql = %statement.sql, "statement");
        self.meter.count_statement();
        let _under_way = self.meter.parking().statement();
        let (sql, values) = parts(statement);
        let mut guard = self.open.lock().await;
        if guard.is_none() {
            // Boxed, as what follows: each field that waits for rows has room for this, and few get to run it.
            let begin = Box::pin(self.readers.begin(&self.tenant, self.patience, &self.over));
            *guard = Some(begin.await?);
        }
        match guard.as_mut() {
            Some(Open::Sqlite(transaction)) => {
                let query = sqlx::query_with::<Sqlite, _>(sql, values);
                let rows = query.fetch(&mut **transaction);
                Box::pin(self.gather(rows, sqlite_bytes, make)).await
            }
            Some(Open::Postgres(lease)) => {
                let query = sqlx::query_with::<Postgres, _>(sql, values);
                let connection = lease.ask().map_err(|error| self.failed(error))?;
                let rows = query.fetch(connection);
                let gathered = Box::pin(self.gather(rows, postgres_bytes, make)).await?;
                lease.read();
                Ok(gathered)
            }
            None => Err(Error::Unavailable),
        }
    }

    /// Takes the rows one by one, so that too many are never there together.
    async fn gather<R: Into<QueryResult> + Send, T: Send>(
        &self,
        mut rows: BoxStream<'_, Result<R, sqlx::Error>>,
        bytes: impl Fn(&R) -> usize + Send,
        mut make: impl FnMut(QueryResult) -> Result<T> + Send,
    ) -> Result<Vec<T>> {
        let mut made = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(|error| self.failed(error))? {
            self.meter.read(bytes(&row) as u64)?;
            made.push(make(row.into())?);
            self.meter.take_turn().await;
        }
        Ok(made)
    }

    fn failed(&self, error: sqlx::Error) -> Error {
        let reach = match &self.readers {
            Readers::Sqlite(_) => None,
            Readers::Postgres(_, _, reach) => Some(reach),
        };
        told(reach, error)
    }
}

/// What a column takes beside its text.
const COLUMN: usize = 8;

fn sqlite_bytes(row: &SqliteRow) -> usize {
    let columns = (0..row.len()).filter_map(|at| row.try_get_raw(at).ok());
    columns
        .map(|value| {
            let is_text = matches!(value.type_info().name(), "TEXT" | "BLOB");
            let text = is_text.then(|| <&[u8] as Decode<Sqlite>>::decode(value));
            COLUMN + text.and_then(Result::ok).map_or(0, <[u8]>::len)
        })
        .sum()
}

fn postgres_bytes(row: &PgRow) -> usize {
    let columns = (0..row.len()).filter_map(|at| row.try_get_raw(at).ok());
    columns
        .map(|value| COLUMN + value.as_bytes().map_or(0, <[u8]>::len))
        .sum()
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
        let over = over.clone();
        match self {
            Self::Sqlite(pool) => {
                let pool = pool.clone();
                undisturbed(async move {
                    let begun = begin_sqlite(&pool, over).await;
                    begun.map_err(|error| unavailable(&error))
                })
                .await
            }
            // One message: the tenant arms row-level security for this transaction only, as a pooler demands.
            Self::Postgres(connections, pooled, reach) => {
                let begin = format!(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}",
                    super::row_security::arm(tenant, *pooled, patience)
                );
                let refused = |error: sqlx::Error| {
                    reach.look();
                    unavailable(&error)
                };
                let lease = connections.begin(reach, begin, false, refused).await?;
                reach.works();
                Ok(Open::Postgres(lease))
            }
        }
    }

    /// How many connections there are, and how many of them nobody has.
    pub(super) fn connections(&self) -> (u32, usize) {
        match self {
            Self::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Self::Postgres(connections, ..) => {
                let pool = connections.pool();
                (pool.size(), pool.num_idle())
            }
        }
    }

    /// Waits for every reader to come back and closes them.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(connections, ..) => connections.pool().close().await,
        }
    }
}

/// Begins or ends a transaction, to the end even when nobody waits for it any more. The driver takes a connection whose
/// BEGIN was under way for one without a transaction, and whoever got it next would go on in the old one, with what that
/// one sees.
pub(super) async fn undisturbed<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let done = tokio::spawn(work.in_current_span()).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a transaction could not be begun or ended");
        Err(Error::Unavailable)
    })
}

async fn begin_sqlite(pool: &SqlitePool, over: Arc<AtomicBool>) -> Result<Open, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN DEFERRED").await?;
    let go_on = move || !over.load(Ordering::Relaxed);
    transaction
        .lock_handle()
        .await?
        .set_progress_handler(STEPS, go_on);
    Ok(Open::Sqlite(transaction))
}

fn unavailable(error: &sqlx::Error) -> Error {
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
