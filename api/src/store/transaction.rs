//! A transaction that writes, as the store holds it: its statements are counted, and its turn ends with it.

use super::{admission::Permit, kept::Lease, meter::Meter, reach::Reach};
use crate::error::{Error, Result};
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Values,
    sqlx::{self, AssertSqlSafe, Execute, Executor, Postgres},
};
use sea_query_sqlx::SqlxValues;
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How often a transaction is tried that others stand in the way of.
const TRIES: u32 = 3;

/// After the first try that failed one waits for up to so long, after the second for up to twice as long.
const JITTER: Duration = Duration::from_millis(20);

/// A transaction that writes. Dropping it rolls it back.
#[must_use = "dropping it rolls back"]
pub(super) struct Transaction<S: Session = AnySession> {
    session: S,
    meter: Arc<Meter>,
    reach: Option<Arc<Reach>>,
    _turn: Permit,
}

impl<S: Session> Transaction<S> {
    pub(super) fn new(
        session: S,
        meter: Arc<Meter>,
        reach: Option<Arc<Reach>>,
        turn: Permit,
    ) -> Self {
        Self {
            session,
            meter,
            reach,
            _turn: turn,
        }
    }

    /// What its statements are sent over. What is sent there directly is not counted.
    pub(super) fn session(&self) -> &S {
        &self.session
    }

    /// Makes everything visible.
    pub(super) async fn commit(self) -> Result<()> {
        let committed = self.session.commit().await;
        noticed(self.reach.as_ref(), committed).map_err(Error::from)
    }

    /// Undoes everything.
    pub(super) async fn rollback(self) -> Result<()> {
        Ok(self.session.rollback().await?)
    }

    fn counted<T>(&self, answered: Result<T, DbErr>) -> Result<T, DbErr> {
        self.meter.count_statement();
        noticed(self.reach.as_ref(), answered)
    }
}

/// An error of the driver, of which a lost connection is told to who looks for the database.
pub(super) fn told(reach: Option<&Arc<Reach>>, error: sqlx::Error) -> Error {
    let error = query_error(error);
    if let Some(reach) = reach.filter(|_| Error::is_lost_connection(&error)) {
        reach.look();
    }
    error.into()
}

fn noticed<T>(reach: Option<&Arc<Reach>>, answered: Result<T, DbErr>) -> Result<T, DbErr> {
    if let (Some(reach), Err(error)) = (reach, &answered)
        && Error::is_lost_connection(error)
    {
        reach.look();
    }
    answered
}

#[async_trait]
impl<S: Session> ConnectionTrait for Transaction<S> {
    fn get_database_backend(&self) -> DbBackend {
        self.session.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.counted(self.session.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.counted(self.session.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.counted(self.session.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.counted(self.session.query_all_raw(statement).await)
    }
}

/// What a transaction's statements are sent over, until it ends.
pub(super) trait Session: ConnectionTrait {
    fn commit(self) -> impl Future<Output = Result<(), DbErr>> + Send;
    fn rollback(self) -> impl Future<Output = Result<(), DbErr>> + Send;
}

impl Session for DatabaseTransaction {
    async fn commit(self) -> Result<(), DbErr> {
        self.commit().await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.rollback().await
    }
}

/// A session with either database.
pub(super) enum AnySession {
    Sqlite(DatabaseTransaction),
    /// On a connection that the next operation may take over.
    Postgres(Mutex<Lease>),
}

impl Session for AnySession {
    async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(lease) => lease.into_inner().commit().await.map_err(query_error),
        }
    }

    async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            // It ends with the lease.
            Self::Postgres(lease) => {
                drop(lease);
                Ok(())
            }
        }
    }
}

#[async_trait]
impl ConnectionTrait for AnySession {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.execute_raw(statement).await,
            Self::Postgres(lease) => {
                let (sql, values) = parts(statement);
                execute(lease, sqlx::query_with(sql, values)).await
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.execute_unprepared(sql).await,
            Self::Postgres(lease) => {
                execute(lease, sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let rows = self.query_all_raw(statement).await?;
        Ok(rows.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.query_all_raw(statement).await,
            Self::Postgres(lease) => {
                let (sql, values) = parts(statement);
                let mut lease = lease.lock().await;
                let query = sqlx::query_with::<Postgres, _>(sql, values);
                let rows = query
                    .fetch_all(lease.ask().map_err(query_error)?)
                    .await
                    .map_err(query_error)?;
                lease.read();
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }
        }
    }
}

async fn execute<'q>(
    lease: &Mutex<Lease>,
    query: impl Execute<'q, Postgres> + 'q,
) -> Result<ExecResult, DbErr> {
    let mut lease = lease.lock().await;
    let connection = lease.ask().map_err(exec_error)?;
    let executed = connection.execute(query).await.map_err(exec_error)?;
    lease.read();
    Ok(executed.into())
}

/// A statement as the driver takes it.
pub(super) fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    (AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

/// Runs a transaction, begun and committed by `attempt`, again when the database broke it off because others stood in
/// its way: a deadlock, a failure to serialise, a lock that did not come.
///
/// # Errors
/// [`Error::Contended`] when the last try failed as well; anything else at once.
pub(crate) async fn retried<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for tried in 1..TRIES {
        match attempt().await {
            Err(Error::Contended) => {
                // Two that met once must not meet again in step.
                let wait = JITTER.mul_f64(f64::from(tried) * rand::random::<f64>());
                tracing::debug!(tried, ?wait, "a transaction is tried again");
                tokio::time::sleep(wait).await;
            }
            done => return done,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{
        SqlxSqliteConnector,
        sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions},
    };
    use std::cell::Cell;

    #[tokio::test]
    async fn a_sqlite_file_that_another_process_writes_to_is_contended() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("busy.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let open = || async {
            let pool = SqlitePoolOptions::new().connect_with(options.clone());
            SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.await.unwrap())
        };
        let (one, other) = (open().await, open().await);
        one.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
        let busy = other.execute_unprepared("BEGIN IMMEDIATE").await;
        assert!(matches!(busy.map_err(Error::from), Err(Error::Contended)));
    }

    #[tokio::test]
    async fn what_stands_in_the_way_of_others_is_tried_three_times() {
        let tries = Cell::new(0);
        let attempt = |succeeds_at| {
            tries.set(tries.get() + 1);
            let succeeds = tries.get() == succeeds_at;
            async move {
                if succeeds {
                    Ok(())
                } else {
                    Err(Error::Contended)
                }
            }
        };
        assert!(retried(|| attempt(3)).await.is_ok());
        tries.set(0);
        assert!(matches!(
            retried(|| attempt(4)).await,
            Err(Error::Contended)
        ));
        assert_eq!(tries.replace(0), 3);
        let other = || {
            tries.set(tries.get() + 1);
            async { Err::<(), _>(Error::Unavailable) }
        };
        assert!(retried(other).await.is_err());
        assert_eq!(tries.get(), 1, "nothing else is tried again");
    }
}
