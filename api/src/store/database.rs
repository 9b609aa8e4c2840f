//! Opening the database: which one, and with which settings.

use super::{
    accounts::Accounts,
    bounds::Gates,
    database_url::DatabaseUrl,
    feed::Feeds,
    hints::Outbox,
    kept::Connections,
    meter::Meter,
    opening,
    reach::Reach,
    recognition, row_security,
    scope::Scope,
    seal::Seal,
    snapshot::{Readers, undisturbed},
    sqlite_file,
    transaction::{AnySession, Transaction, told},
};
use crate::{
    auth::{Actor, Secret},
    clock::Clock,
    error::{Error, Result},
    mail::Mail,
    post::Post,
    private_file,
    vault::Vault,
};
use entity::{Id, audit_log};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
    sqlx::{
        Connection,
        postgres::{PgConnection, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::{Mutex, Semaphore};

/// How long an operation waits for a connection, or for its turn to write, before it is told to try again.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may take to say that it is ready; then it is closed.
const ANSWER: Duration = Duration::from_secs(2);

/// The database. Cheap to clone; hands out [`Scope`]s.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// What measures all that is done through this handle.
    meter: Option<Arc<Meter>>,
    /// How links reach people.
    post: Arc<Post>,
    /// What secrets are sealed with, and where they may be sent.
    vault: Vault,
}

struct Inner {
    readers: Readers,
    writer: DatabaseConnection,
    clock: Clock,
    connections: u32,
    gates: OnceLock<Gates>,
    pen: Arc<Semaphore>,
    seal: Seal,
    feeds: Feeds,
    outbox: Outbox,
    accounts: Accounts,
}

/// Whether a connection is ready for more.
async fn answers(connection: &mut PgConnection) -> bool {
    let answered = tokio::time::timeout(ANSWER, connection.ping()).await;
    matches!(answered, Ok(Ok(())))
}

impl Store {
    /// Opens the database; a SQLite file is created when it is missing. `secret` seals cursors. A file that may be anybody's
    /// is [checked](DatabaseUrl::check) first.
    ///
    /// # Errors
    /// [`Error::Internal`], whose cause says what is wrong with the URL or the database, and what to do.
    pub async fn open(
        url: &DatabaseUrl,
        connections: u32,
        secret: &Secret,
        clock: Clock,
    ) -> Result<Self> {
        let opened = match url {
            DatabaseUrl::Sqlite(path) => {
                private_file::claim_database(path)
                    .map_err(|error| Error::internal(opening::file(path, &error)))?;
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .foreign_keys(true)
                    .busy_timeout(PATIENCE);
                let pool = |most| {
                    SqlitePoolOptions::new()
                        .max_connections(most)
                        .acquire_timeout(PATIENCE)
                        .test_before_acquire(false)
                };
                // One connection writes: SQLite allows no more, and a queue is fairer than retries.
                let writer = sqlite_file::patiently(|| pool(1).connect_with(options.clone())).await;
                let reader = pool(connections)
                    .connect_with(options.pragma("query_only", "on"))
                    .await;
                writer.and_then(|writer| {
                    Ok((
                        Readers::Sqlite(reader?),
                        SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
                    ))
                })
            }
            DatabaseUrl::Postgres { options, pooled } => {
                // A start-up parameter that poolers refuse, and that no type here needs.
                let options = (**options).clone().extra_float_digits(None);
                let reach = Reach::new(options.clone());
                // The pool would wait just as long, and then say only that it did.
                let reached = reach.wait(PATIENCE).await;
                reached.map_err(|error| Error::internal(opening::postgres(&options, &error)))?;
                PgPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(PATIENCE)
                    .test_before_acquire(false)
                    .before_acquire({
                        let reach = reach.clone();
                        move |connection, known| {
                            let trusted = reach.trusts(known.idle_for);
                            Box::pin(async move { Ok(trusted || answers(connection).await) })
                        }
                    })
                    // The pool itself waits for ever: for a statement that goes on though nobody waits for it any more,
                    // and sometimes for one that the server has stopped.
                    .after_release(|connection, _| {
                        Box::pin(async { Ok(answers(connection).await) })
                    })
                    .connect_with(options)
                    .await
                    .map(|pool| {
                        (
                            Readers::Postgres(Connections::new(pool.clone()), *pooled, reach),
                            SqlxPostgresConnector::from_sqlx_postgres_pool(pool),
                        )
                    })
            }
        };
        let (readers, writer) = opened.map_err(|error| {
            Error::internal(match url {
                DatabaseUrl::Sqlite(path) => opening::sqlite(path, &error),
                DatabaseUrl::Postgres { options, .. } => opening::postgres(options, &error),
            })
        })?;
        let inner = Inner {
            readers,
            writer,
            clock,
            connections,
            gates: OnceLock::new(),
            pen: Arc::new(Semaphore::new(1)),
            seal: Seal::new(secret),
            feeds: Feeds::new(connections),
            outbox: Outbox::default(),
            accounts: Accounts::default(),
        };
        let store = Self {
            inner: Arc::new(inner),
            meter: None,
            post: Arc::new(Post::new(secret)),
            vault: Vault::default(),
        };
        store.refuse_stranger(url).await?;
        Ok(store)
    }

    /// Leaves alone a database that is another program's, or a later version's.
    async fn refuse_stranger(&self, url: &DatabaseUrl) -> Result<()> {
        let found = match url {
            DatabaseUrl::Sqlite(_) => recognition::stranger(self.writer()).await?,
            // Behind a pooler, a statement needs a transaction to be its own.
            DatabaseUrl::Postgres { .. } => {
                let transaction = self.system_transaction().await?;
                let found = recognition::stranger(transaction.session()).await?;
                transaction.rollback().await?;
                found
            }
        };
        match found {
            Some(stranger) => Err(Error::internal(stranger.told(url))),
            None => Ok(()),
        }
    }

    /// The role that the server has on PostgreSQL, if row-level security does not hold it back.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn unwalled_role(&self) -> Result<Option<String>> {
        if self.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let asked = Statement::from_string(DbBackend::Postgres, row_security::UNWALLED);
        let row = self.writer().query_one_raw(asked).await?;
        Ok(row.map(|row| row.try_get("", "role")).transpose()?)
    }

    /// The same store, with all that is done through it measured together.
    pub(crate) fn measured(&self, meter: Arc<Meter>) -> Self {
        Self {
            inner: self.inner.clone(),
            meter: Some(meter),
            post: self.post.clone(),
            vault: self.vault.clone(),
        }
    }

    /// The same store, with links that lead to this dashboard and are mailed, if anything is.
    #[must_use]
    pub fn reaching(self, dashboard: Option<String>, mail: Option<Mail>) -> Self {
        let post = self.post.reaching(dashboard, mail);
        Self {
            post: Arc::new(post),
            ..self
        }
    }

    /// How links reach people.
    pub(crate) fn post(&self) -> &Arc<Post> {
        &self.post
    }

    /// The same store, whose secrets are sealed by this vault.
    #[must_use]
    pub fn with_vault(self, vault: Vault) -> Self {
        Self { vault, ..self }
    }

    /// What secrets are sealed with, and where they may be sent.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What measures what is done through this handle.
    pub(super) fn meter(&self) -> Arc<Meter> {
        self.meter.clone().unwrap_or_default()
    }

    /// What this actor can reach.
    pub fn scope(&self, actor: Actor) -> Scope {
        Scope::new(self.clone(), actor, None, self.meter())
    }

    /// What this actor can reach, with statements that take no longer than this, and no more read and answered than an
    /// operation may.
    pub fn scope_within(&self, actor: Actor, patience: Duration) -> Scope {
        let meter = self.meter.clone();
        let meter = meter.unwrap_or_else(|| self.measure(patience));
        Scope::new(self.clone(), actor, Some(patience), meter)
    }

    /// Waits for running operations and closes all connections.
    pub async fn close(&self) {
        // An operation may have got stuck.
        if tokio::time::timeout(PATIENCE, self.inner.readers.close())
            .await
            .is_err()
        {
            let (open, idle) = self.inner.readers.connections();
            tracing::warn!(
                open,
                idle,
                "a connection was not handed back; closing without it"
            );
            return;
        }
        if let Err(error) = self.inner.writer.close_by_ref().await {
            tracing::warn!(%error, "the writing connection did not close cleanly");
        }
    }

    /// Which of the two databases this is.
    pub fn backend(&self) -> DbBackend {
        self.inner.readers.backend()
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.inner.readers
    }

    pub(super) fn writer(&self) -> &DatabaseConnection {
        &self.inner.writer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// How many connections operations have.
    pub(super) fn connections(&self) -> u32 {
        self.inner.connections
    }

    /// Who lets operations in, once bounds are set.
    pub(super) fn gates(&self) -> &OnceLock<Gates> {
        &self.inner.gates
    }

    /// What whoever notes something by the way holds: one at a time.
    pub(super) fn pen(&self) -> &Arc<Semaphore> {
        &self.inner.pen
    }

    pub(super) fn seal(&self) -> &Seal {
        &self.inner.seal
    }

    pub(super) fn feeds(&self) -> &Feeds {
        &self.inner.feeds
    }

    /// Who was let in a moment ago.
    pub(super) fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.inner.outbox
    }

    /// Tells whoever follows a ledger, here and on other servers, that these entries were committed up to its head.
    pub(super) fn announce(&self, tenant: &Id, head: i64, entries: Vec<audit_log::Model>) {
        entries
            .iter()
            .for_each(|entry| self.accounts().learn(entry));
        self.feeds().committed(tenant, head, entries);
        self.outbox().put(tenant, head);
    }

    /// A transaction that writes one tenant's rows.
    pub(super) async fn begin(
        &self,
        tenant: &Id,
        patience: Option<Duration>,
        meter: Arc<Meter>,
    ) -> Result<Transaction> {
        let Readers::Postgres(connections, pooled, reach) = self.readers() else {
            let turn = self.turn_to_write(tenant).await?;
            let session = AnySession::Sqlite(self.begin_by_library().await?);
            return Ok(Transaction::new(session, meter, None, turn));
        };
        let turn = self.turn_to_write(tenant).await?;
        let begin = format!("BEGIN; {}", row_security::arm(tenant, *pooled, patience));
        let refused = |error| told(Some(reach), error);
        let lease = connections.begin(reach, begin, true, refused).await?;
        reach.works();
        let session = AnySession::Postgres(Mutex::new(lease));
        Ok(Transaction::new(session, meter, Some(reach.clone()), turn))
    }

    /// Begins a transaction as migrations need it.
    async fn begin_by_library(&self) -> Result<DatabaseTransaction> {
        // A deferred transaction that turns into a writer fails at once when another one writes; an immediate one
        // waits for its turn.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let writer = self.writer().clone();
        undisturbed(async move { Ok(writer.begin_with_options(options).await?) }).await
    }

    /// A transaction across all tenants, in which the schema may be changed.
    pub(super) async fn system_transaction(&self) -> Result<Transaction<DatabaseTransaction>> {
        let everyone = row_security::EVERY_TENANT.into();
        let turn = self.turn_to_write(&everyone).await?;
        let begin = self.begin_by_library();
        let Readers::Postgres(connections, pooled, reach) = self.readers() else {
            return Ok(Transaction::new(begin.await?, self.meter(), None, turn));
        };
        let waiting = connections.wait();
        let begun = reach.unless_lost(begin).await?;
        drop(waiting);
        let begun = Transaction::new(begun, self.meter(), Some(reach.clone()), turn);
        // It tells if the connection is lost, as all that is done in a transaction.
        let armed = row_security::arm(&everyone, *pooled, None);
        begun.session().execute_unprepared(&armed).await?;
        reach.works();
        Ok(begun)
    }
}
