//! Connections that a transaction has just let go of, kept a moment for the next one.
//!
//! The pool asks a connection twice whether it still answers before it takes it back: two questions for each operation,
//! and on a busy server the next transaction begins before they are answered. So a connection that was left in order is
//! kept for a moment: what ends a snapshot travels with what begins the next one.

use super::reach::Reach;
use crate::error::{Error, Result};
use sea_orm::sqlx::{
    self, AssertSqlSafe, Database, PgConnection, PgPool, Postgres, SqlSafeStr, pool::PoolConnection,
};
use sqlx_core::transaction::TransactionManager;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

type Manager = <Postgres as Database>::TransactionManager;

/// How long a connection is kept, and with it what it sees of the database.
const KEPT_FOR: Duration = Duration::from_millis(5);

/// The connections to PostgreSQL, those that are kept before those of the pool.
pub(super) struct Connections {
    pool: PgPool,
    kept: Mutex<Kept>,
    /// How many wait at the pool: it must not be kept waiting for what is kept here.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    connections: Vec<(PoolConnection<Postgres>, Instant)>,
    /// Whether somebody will come for those that nobody took.
    is_swept: bool,
}

/// A connection in a transaction, which is rolled back when this is dropped.
pub(super) struct Lease {
    connection: Option<PoolConnection<Postgres>>,
    connections: Arc<Connections>,
    state: State,
    /// Whether somebody may wait for its end.
    holds_locks: bool,
}

/// What is known of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its transaction is being begun: the driver would not know of it.
    Begins,
    /// Nothing is on its way.
    InOrder,
    /// Something was asked whose answer was not read to its end.
    Asks,
}

/// One more who waits at the pool, for as long as it is held.
pub(super) struct Waiting<'c>(&'c Connections);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}

impl Connections {
    pub(super) fn new(pool: PgPool) -> Arc<Self> {
        Arc::new(Self {
            pool,
            kept: Mutex::default(),
            waiting: AtomicUsize::new(0),
        })
    }

    /// The pool, for who holds [`Connections::wait`] while it waits there.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Sees to it that the pool has what is kept here, for as long as somebody waits there.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, SeqCst);
        let kept = match self.pool.num_idle() {
            0 => self.kept().connections.pop(),
            _ => None,
        };
        // Outside of the lock: it goes back to the pool.
        drop(kept);
        Waiting(self)
    }

    /// Begins a transaction, by these statements, in which rows may be written or not.
    ///
    /// # Errors
    /// If the database does.
    pub(super) async fn begin(
        self: &Arc<Self>,
        reach: &Arc<Reach>,
        begin: String,
        writes: bool,
        refused: impl Fn(sqlx::Error) -> Error,
    ) -> Result<Lease> {
        let kept = self.kept().connections.pop();
        let connection = match kept {
            Some((connection, _)) => connection,
            None => {
                let _waiting = self.wait();
                let acquiring = async { self.pool.acquire().await.map_err(&refused) };
                reach.unless_lost(acquiring).await?
            }
        };
        let mut lease = Lease {
            connection: Some(connection),
            connections: self.clone(),
            state: State::Begins,
            holds_locks: writes,
        };
        let sql = AssertSqlSafe(begin).into_sql_str();
        if let Some(connection) = lease.connection.as_deref_mut() {
            Manager::begin(connection, Some(sql))
                .await
                .map_err(&refused)?;
        }
        lease.state = State::InOrder;
        Ok(lease)
    }

    fn keep(self: &Arc<Self>, connection: PoolConnection<Postgres>) {
        let mut kept = self.kept();
        if self.waiting.load(SeqCst) > 0 || self.pool.is_closed() {
            drop(kept);
            drop(connection);
            return;
        }
        kept.connections.push((connection, Instant::now()));
        if !kept.is_swept {
            kept.is_swept = true;
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Gives back what nobody took in time, until nothing is kept.
    async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(KEPT_FOR).await;
            let (old, is_over) = {
                let mut kept = self.kept();
                let is_old = |(_, since): &mut (_, Instant)| since.elapsed() >= KEPT_FOR;
                let old: Vec<_> = kept.connections.extract_if(.., is_old).collect();
                kept.is_swept = !kept.connections.is_empty();
                (old, !kept.is_swept)
            };
            drop(old);
            if is_over {
                return;
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// The connection, to ask something on it. It is kept afterwards only if the answer was [read](Lease::read) to its end.
    ///
    /// # Errors
    /// None: it is there until this is dropped.
    pub(super) fn ask(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.state = State::Asks;
        self.connection
            .as_deref_mut()
            .ok_or(sqlx::Error::PoolClosed)
    }

    /// The answer was read to its end.
    pub(super) fn read(&mut self) {
        self.state = State::InOrder;
    }

    /// Makes everything visible.
    ///
    /// # Errors
    /// If the database does not.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        Manager::commit(self.ask()?).await?;
        self.read();
        self.holds_locks = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        // Sent with what is sent next.
        Manager::start_rollback(&mut connection);
        match self.state {
            State::InOrder if !self.holds_locks => self.connections.keep(connection),
            // Whoever got it next would go on in that transaction, with what it sees.
            State::Begins => connection.close_on_drop(),
            // The pool sends it at once, and finds out whether it comes to its end.
            State::InOrder | State::Asks => {}
        }
    }
}
