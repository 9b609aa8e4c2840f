//! A SQLite file before anything is done to it, even to its permissions: it may be anybody's.

use super::{
    database::PATIENCE,
    opening,
    recognition::{self, Stranger},
};
use sea_orm::{
    DbErr, RuntimeErr, SqlxSqliteConnector,
    sqlx::{
        self,
        sqlite::{SqliteConnectOptions, SqlitePoolOptions},
    },
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::{Duration, Instant},
};

/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// After so long a SQLite file that another has is tried again.
const A_MOMENT: Duration = Duration::from_millis(20);

/// Opens a file that others may be opening just now: what makes it a file with a WAL waits for nobody by itself.
///
/// # Errors
/// Those of `open`, but for a file that another has: then only after as long as anybody waits for a connection.
pub(super) async fn patiently<P, F: Future<Output = Result<P, sqlx::Error>>>(
    open: impl Fn() -> F,
) -> Result<P, sqlx::Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match open().await {
            Err(error) if opening::is_busy(&error) && Instant::now() < until => {
                tokio::time::sleep(A_MOMENT).await;
            }
            opened => return opened,
        }
    }
}

/// Checks that a file is Workgraph's or empty, or can be made. No connection of this process may have it open: closing a
/// file lets go of SQLite's locks on it.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) async fn check(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let inside = path.join("workgraph.db");
            Err(format!(
                "{} is a folder. Name a file in DATABASE_URL, for example DATABASE_URL=sqlite:{}",
                path.display(),
                inside.display()
            ))
        }
        Ok(found) if !found.is_file() => Err(opening::no_database(path)),
        Ok(_) => check_file(path).await,
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_folder(path),
        Err(error) => Err(opening::file(path, &error)),
    }
}

fn check_folder(path: &Path) -> Result<(), String> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => Err(format!(
            "there is no folder {} for the database. Make it, or name another file in DATABASE_URL",
            folder.display()
        )),
        _ => Ok(()),
    }
}

async fn check_file(path: &Path) -> Result<(), String> {
    let begins = beginning(path).map_err(|error| opening::file(path, &error))?;
    if begins.is_empty() {
        return Ok(());
    }
    if begins != MAGIC {
        return Err(opening::no_database(path));
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(PATIENCE);
    // First as if nobody wrote to it, which takes no lock and leaves no other file behind; what seems strange so may be half
    // written, and is looked at as SQLite does.
    let at_a_glance = options.clone().immutable(true);
    if let Ok(None) = stranger(at_a_glance).await {
        return Ok(());
    }
    match stranger(options).await {
        Ok(Some(stranger)) => Err(stranger.told(&path.display())),
        // What fails here fails again when it is opened, which says so.
        Ok(None) | Err(_) => Ok(()),
    }
}

async fn stranger(options: SqliteConnectOptions) -> Result<Option<Stranger>, DbErr> {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await;
    let pool = pool.map_err(|error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))?;
    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone());
    let found = recognition::stranger(&connection).await;
    pool.close().await;
    found
}

/// The first bytes of a file that can be read and written.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut begins = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut begins)?;
    Ok(begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::sqlx::{
        ConnectOptions, Connection, SqliteConnection, raw_sql, sqlite::SqliteJournalMode,
    };

    /// A connection that does not wait by itself.
    fn at_once(path: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO)
    }

    #[tokio::test]
    async fn a_file_that_another_is_opening_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contended.db");
        let mut other: SqliteConnection = at_once(&path).connect().await.unwrap();
        raw_sql("BEGIN EXCLUSIVE")
            .execute(&mut other)
            .await
            .unwrap();
        let with_wal = || at_once(&path).journal_mode(SqliteJournalMode::Wal);
        let refused = with_wal().connect().await;
        assert!(refused.is_err_and(|error| opening::is_busy(&error)));
        let ends = async {
            tokio::time::sleep(3 * A_MOMENT).await;
            other.close().await
        };
        let opening = patiently(|| async { with_wal().connect().await });
        let (opened, ended) = tokio::join!(opening, ends);
        assert!(opened.is_ok() && ended.is_ok());
    }
}
