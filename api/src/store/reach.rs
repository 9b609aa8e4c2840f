//! Whether PostgreSQL can be reached. The pool alone does not say: it takes a refused connection for a server that is
//! about to start, and tries again until whoever waits has lost patience.

use crate::error::{Error, Result};
use sea_orm::sqlx::{
    self, Connection,
    postgres::{PgConnectOptions, PgConnection},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};

/// Whoever waits for a connection for longer wants to know whether there can be one.
const SUSPICION: Duration = Duration::from_millis(200);
/// A pool that has a connection hands it over within this time.
const HANDING_OVER: Duration = Duration::from_millis(20);
/// A connection that was idle for longer is asked whether it still is one. Until then it counts that it answered when it
/// was handed back.
const FRESH: Duration = Duration::from_secs(1);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How often a database that is out of reach is looked for.
const EVERY: Duration = Duration::from_millis(200);
/// It is not looked for sooner after it was not found, whoever says that a connection works.
const AT_LEAST: Duration = Duration::from_millis(5);
/// A database that was reached is not looked for again so soon, however many wait for a connection.
const CALM: Duration = Duration::from_millis(500);

/// Knows whether the database can be reached. One connection at a time finds out, whoever asks.
pub(super) struct Reach {
    options: PgConnectOptions,
    lost: watch::Sender<bool>,
    looking: AtomicBool,
    doubted: Mutex<Option<Instant>>,
    /// Wakes who looks for the database.
    worked: Notify,
}

impl Reach {
    pub(super) fn new(options: PgConnectOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            lost: watch::Sender::new(false),
            looking: AtomicBool::new(false),
            doubted: Mutex::default(),
            worked: Notify::new(),
        })
    }

    /// Waits for the database for a while, as it may be about to start.
    ///
    /// # Errors
    /// What keeps it out of reach, at the end.
    pub(super) async fn wait(&self, patience: Duration) -> Result<(), sqlx::Error> {
        let until = Instant::now() + patience;
        let mut told = false;
        loop {
            match self.connect().await {
                Err(error) if is_lost(&error) && Instant::now() < until => {
                    if !told {
                        tracing::warn!(%error, ?patience, "the database is out of reach; waiting for it");
                        told = true;
                    }
                    tokio::time::sleep(EVERY).await;
                }
                connected => return connected,
            }
        }
    }

    /// What comes of waiting for a connection, unless the database turns out to be out of reach. A pool that has a
    /// connection is believed, whatever was found out before: a new one may be refused where old ones work.
    ///
    /// # Errors
    /// [`Error::Unavailable`] as soon as that is known.
    pub(super) async fn unless_lost<T>(
        self: &Arc<Self>,
        waiting: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            done = waiting => done,
            () = self.turns_out_lost() => Err(Error::Unavailable),
        }
    }

    async fn turns_out_lost(self: &Arc<Self>) {
        let mut lost = self.lost.subscribe();
        if *lost.borrow() {
            tokio::time::sleep(HANDING_OVER).await;
            if *lost.borrow() {
                return;
            }
        }
        loop {
            tokio::time::sleep(SUSPICION).await;
            self.look();
            let told = tokio::time::timeout(CALM, lost.wait_for(|lost| *lost)).await;
            if matches!(told, Ok(Ok(_))) {
                return;
            }
        }
    }

    /// Whether a connection that nobody has had for so long is taken for one without asking: it answered when it was handed
    /// back, a moment ago, and nothing has happened since that makes it doubtful.
    pub(super) fn trusts(&self, idle: Duration) -> bool {
        let doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        idle < FRESH && doubted.is_none_or(|at| at.elapsed() > idle)
    }

    /// A connection works. If the database is said to be lost, it is looked for now: whoever comes next would be told that
    /// it is, though somebody was answered.
    pub(super) fn works(&self) {
        if *self.lost.borrow() {
            self.worked.notify_one();
        }
    }

    /// Finds out whether the database can be reached, unless that is being done; and if not, until it can be again.
    pub(super) fn look(self: &Arc<Self>) {
        *self.doubted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let reach = self.clone();
        tokio::spawn(async move {
            reach.find().await;
            tokio::time::sleep(CALM).await;
            reach.looking.store(false, Ordering::Release);
        });
    }

    async fn find(&self) {
        loop {
            let reached = self.connect().await;
            match reached {
                Err(error) if is_lost(&error) => {
                    if !self.lost.send_replace(true) {
                        tracing::error!(%error, "the database is out of reach");
                    }
                    tokio::time::sleep(AT_LEAST).await;
                    let _ = tokio::time::timeout(EVERY, self.worked.notified()).await;
                }
                // Whatever else it says, such as that it has no connection left: it is there.
                _ => {
                    if self.lost.send_replace(false) {
                        tracing::info!("the database is back");
                    }
                    return;
                }
            }
        }
    }

    async fn connect(&self) -> Result<(), sqlx::Error> {
        let connecting = PgConnection::connect_with(&self.options);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => {
                // It was only to see; how it ends does not matter.
                let _ = tokio::time::timeout(CONNECT, connected?.close()).await;
                Ok(())
            }
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }
}

fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        // It shuts down, or starts.
        sqlx::Error::Database(error) => {
            let code = error.code();
            code.is_some_and(|code| ["57P01", "57P02", "57P03"].contains(&code.as_ref()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_lay_idle_when_the_database_was_doubted_is_asked_first() {
        let reach = Reach::new(PgConnectOptions::new().host("127.0.0.1").port(1));
        let (short, long) = (Duration::from_millis(500), Duration::from_secs(2));
        assert!(reach.trusts(short) && !reach.trusts(long));
        reach.look();
        assert!(!reach.trusts(short));
        // One that was handed back since then.
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(reach.trusts(Duration::ZERO));
    }

    #[tokio::test]
    async fn a_pool_that_has_a_connection_is_believed() {
        // Nobody listens there.
        let reach = Reach::new(PgConnectOptions::new().host("127.0.0.1").port(1));
        reach.lost.send_replace(true);
        let had = reach.unless_lost(async {
            tokio::task::yield_now().await;
            Ok(1)
        });
        assert!(matches!(had.await, Ok(1)));
        let waiting = reach.unless_lost(std::future::pending::<Result<()>>());
        assert!(matches!(waiting.await, Err(Error::Unavailable)));
    }
}
