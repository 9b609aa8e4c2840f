//! Databases for tests: migrated and seeded once a run, cloned for each test.

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use workgraph::{
    clock::Clock,
    seed,
    store::{DatabaseUrl, Store},
};

/// The role that the server has on PostgreSQL: an ordinary one, so that row-level security holds.
const ROLE: &str = "workgraph_tests";
const PREFIX: &str = "workgraph_test_";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// How to reach a test's database.
pub struct Connection {
    pub url: DatabaseUrl,
    /// The same, for SeaORM.
    pub text: String,
    _directory: Option<TempDir>,
}

impl Database {
    /// An empty database, without any table.
    pub async fn empty(self) -> Connection {
        match self {
            Self::Sqlite => sqlite(),
            Self::Postgres => {
                postgres_role().await;
                let name = next_name();
                execute(&format!("CREATE DATABASE {name} OWNER {ROLE}")).await;
                postgres(&name)
            }
        }
    }

    /// A database that holds the demo.
    pub async fn fresh(self) -> Connection {
        match self {
            Self::Sqlite => {
                static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
                let template = TEMPLATE.get_or_init(async || {
                    let made = sqlite();
                    seed(&made, Clock::system()).await;
                    let DatabaseUrl::Sqlite(path) = made.url else {
                        panic!("it is SQLite")
                    };
                    // It lives as long as the run.
                    std::mem::forget(made._directory);
                    path
                });
                let clone = sqlite();
                let DatabaseUrl::Sqlite(path) = &clone.url else {
                    panic!("it is SQLite")
                };
                std::fs::copy(template.await, path).expect("copies");
                clone
            }
            Self::Postgres => {
                static TEMPLATE: OnceCell<String> = OnceCell::const_new();
                let template = TEMPLATE.get_or_init(async || {
                    postgres_role().await;
                    let name = next_name();
                    execute(&format!("CREATE DATABASE {name} OWNER {ROLE}")).await;
                    seed(&postgres(&name), Clock::system()).await;
                    name
                });
                let (template, name) = (template.await, next_name());
                execute(&format!(
                    "CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}"
                ))
                .await;
                postgres(&name)
            }
        }
    }
}

impl Connection {
    /// The server's `host:port`.
    pub fn server(&self) -> &str {
        let (_, rest) = self.text.split_once('@').expect("a user");
        rest.split(['/', '?']).next().expect("a host")
    }

    /// The same database, through another address.
    pub fn behind(&self, address: std::net::SocketAddr) -> Self {
        let text = self
            .text
            .replace(&format!("@{}", self.server()), &format!("@{address}"));
        Self {
            url: text.parse().expect("a URL"),
            text,
            _directory: None,
        }
    }

    /// A connection beside the server's.
    pub async fn open(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.text.clone());
        options.max_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.expect("connects")
    }

    /// A connection that sees every tenant's rows.
    pub async fn across_tenants(&self) -> DatabaseConnection {
        let connection = self.open().await;
        if connection.get_database_backend() == DbBackend::Postgres {
            let every = "SELECT set_config('workgraph.tenant', '*', false)";
            connection.execute_unprepared(every).await.expect("sets");
        }
        connection
    }
}

impl Connection {
    /// Runs SQL through a door that the database keeps closed otherwise.
    pub async fn through(&self, door: &str, sql: &str) -> Result<(), DbErr> {
        let connection = self.across_tenants().await;
        let (open, close) = match connection.get_database_backend() {
            DbBackend::Postgres => (format!("SET LOCAL \"workgraph.door\" = '{door}'"), ""),
            _ => (
                format!("INSERT INTO open_doors (name) VALUES ('{door}')"),
                "DELETE FROM open_doors; ",
            ),
        };
        let all = format!("BEGIN; {open}; {sql}; {close}COMMIT");
        connection.execute_unprepared(&all).await.map(drop)
    }

    /// Runs SQL that the database refuses, as whoever has the database in hand can: without the triggers in its way.
    pub async fn tamper(&self, sql: &str) {
        let connection = self.across_tenants().await;
        let (aside, back) = guards(&connection).await;
        let all = format!("BEGIN; {aside}{sql}; {back}COMMIT");
        connection.execute_unprepared(&all).await.expect(sql);
    }

    /// Takes those triggers away for good, to see what else stands.
    pub async fn unguard(&self) {
        let connection = self.across_tenants().await;
        let (aside, _) = guards(&connection).await;
        connection.execute_unprepared(&aside).await.expect("drops");
    }
}

/// What sets the triggers that keep rows aside, and what puts them back.
async fn guards(connection: &DatabaseConnection) -> (String, String) {
    let (aside, back) = if connection.get_database_backend() == DbBackend::Postgres {
        let triggers = "SELECT format('%s %%s TRIGGER %I; ', tgrelid::regclass, tgname) AS name FROM pg_trigger \
            WHERE tgname LIKE '%\\_refuse\\_%'";
        let triggers = texts(connection, triggers, "name").await;
        let each = |what: &str| {
            let one = |trigger: &String| format!("ALTER TABLE {}", trigger.replace("%s", what));
            triggers.iter().map(one).collect::<String>()
        };
        (each("DISABLE"), each("ENABLE"))
    } else {
        let triggers = "FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_refuse\\_%' ESCAPE '\\' ORDER BY name";
        let names = texts(connection, &format!("SELECT name {triggers}"), "name").await;
        let made = texts(connection, &format!("SELECT sql {triggers}"), "sql").await;
        let drop = |name: &String| format!("DROP TRIGGER \"{name}\"; ");
        (
            names.iter().map(drop).collect::<String>(),
            made.iter().map(|sql| format!("{sql}; ")).collect(),
        )
    };
    assert!(!aside.is_empty(), "nothing stands in the way");
    (aside, back)
}

async fn texts(connection: &DatabaseConnection, sql: &str, column: &str) -> Vec<String> {
    let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.expect(sql);
    rows.iter()
        .map(|row| row.try_get("", column).expect("a text"))
        .collect()
}

/// Brings an empty database up to date and fills it with the demo, as of the clock's time.
pub async fn seed(connection: &Connection, clock: Clock) {
    let store = Store::open(&connection.url, 4, &super::secret(), clock)
        .await
        .expect("opens")
        .with_vault(super::vault());
    seed::set_up(&store).await.expect("migrates");
    assert!(
        seed::seed_if_empty(&store).await.expect("seeds"),
        "a new database is empty"
    );
    store.close().await;
}

fn sqlite() -> Connection {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("workgraph.db");
    let text = format!("sqlite:{}", path.display());
    Connection {
        url: text.parse().expect("a URL"),
        text,
        _directory: Some(directory),
    }
}

/// The server to make databases on; `tests/run` starts one.
fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect(
        "TEST_DATABASE_URL is not set. Run the tests with tests/run, which starts a PostgreSQL of its own, or set it to \
         postgres://user@host/postgres of a server whose user may create databases and roles.",
    )
}

fn postgres(name: &str) -> Connection {
    let server = server_url();
    let (scheme, rest) = server.split_once("://").expect("a URL");
    let (authority, query) = match rest.split_once('/') {
        Some((authority, path)) => (authority, path.split_once('?').map(|(_, query)| query)),
        None => (rest, None),
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let text = format!("{scheme}://{ROLE}:{ROLE}@{host}/{name}{query}");
    Connection {
        url: text.parse().expect("a URL"),
        text,
        _directory: None,
    }
}

fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{PREFIX}{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Makes the role, and drops what an earlier run left behind.
async fn postgres_role() {
    static DONE: OnceCell<()> = OnceCell::const_new();
    DONE.get_or_init(async || {
        let role = format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN \
             CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'; END IF; END $$"
        );
        execute(&role).await;
        let connection = server().await;
        let old = format!("SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'");
        let statement = sea_orm::Statement::from_string(DbBackend::Postgres, old);
        for row in connection.query_all_raw(statement).await.expect("lists") {
            let name: String = row.try_get("", "datname").expect("a name");
            if is_in_use(&name) {
                continue;
            }
            connection
                .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await
                .expect("drops");
        }
        connection.close().await.expect("closes");
    })
    .await;
}

/// Whether another run of the tests, on this machine, still has it.
fn is_in_use(name: &str) -> bool {
    let process = name.trim_start_matches(PREFIX).split('_').next();
    process.is_some_and(|process| Path::new("/proc").join(process).exists())
}

async fn server() -> DatabaseConnection {
    let mut options = ConnectOptions::new(server_url());
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options)
        .await
        .expect("the PostgreSQL server of TEST_DATABASE_URL answers")
}

/// Runs SQL that only the owner of the PostgreSQL server may.
pub async fn as_superuser(sql: &str) {
    execute(sql).await;
}

async fn execute(sql: &str) {
    let connection = server().await;
    connection.execute_unprepared(sql).await.expect("executes");
    connection.close().await.expect("closes");
}
