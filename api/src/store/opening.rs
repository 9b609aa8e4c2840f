//! What keeps a database from being opened, for whoever set DATABASE_URL: what is wrong, and what to do. Passwords are no
//! part of it.

use super::database::PATIENCE;
use sea_orm::sqlx::{self, error::DatabaseError, postgres::PgConnectOptions};
use std::{io, path::Path};

/// The database that a server is asked for: PostgreSQL takes the one that is named like the user if there is no other.
pub(super) fn database(options: &PgConnectOptions) -> &str {
    options
        .get_database()
        .unwrap_or_else(|| options.get_username())
}

/// Where a server is: its host, or its socket's folder.
pub(super) fn host(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => options.get_host().to_owned(),
    }
}

/// Why PostgreSQL lets nobody in.
pub(super) fn postgres(options: &PgConnectOptions, error: &sqlx::Error) -> String {
    let server = format!(
        "PostgreSQL on {}, port {}",
        host(options),
        options.get_port()
    );
    match error {
        sqlx::Error::Database(said) => refused(options, &server, &**said),
        sqlx::Error::Tls(said) => {
            format!("no TLS with {server}: {said}. Correct sslmode and its files in DATABASE_URL")
        }
        sqlx::Error::PoolTimedOut => {
            format!(
                "{server} has not answered for {} s. Start it, or correct the address in DATABASE_URL",
                PATIENCE.as_secs()
            )
        }
        other => {
            format!(
                "{server} is out of reach: {other}. Start it, or correct the address in DATABASE_URL"
            )
        }
    }
}

fn refused(options: &PgConnectOptions, server: &str, said: &dyn DatabaseError) -> String {
    let (role, database) = (options.get_username(), database(options));
    let message = said.message();
    match said.code().as_deref() {
        Some("28P01") => format!(
            "{server} refuses the password of the role `{role}`. Correct it in DATABASE_URL"
        ),
        Some("28000") => format!(
            "{server} does not let the role `{role}` in: {message}. Correct the user in DATABASE_URL, or make the role \
             with `createuser --pwprompt {role}`"
        ),
        Some("3D000") => format!(
            "{server} has no database `{database}`. Make it with `createdb --owner={role} {database}`, or name another \
             one in DATABASE_URL"
        ),
        Some("42501") => format!(
            "{server} does not let the role `{role}` use the database `{database}`: {message}. Let the role own it, or \
             name another one in DATABASE_URL"
        ),
        _ => format!(
            "{server} says: {message}. See whether DATABASE_URL names the right server and database"
        ),
    }
}

/// SQLite's kind of error when another has the file.
const BUSY: u32 = 5;

/// The kind of an error of SQLite, which is the lowest byte of its code.
fn kind(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error().and_then(DatabaseError::code)?;
    Some(code.parse::<u32>().ok()? & 0xff)
}

/// Whether another has the SQLite file at the moment.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    kind(error) == Some(BUSY)
}

/// Why SQLite does not open a file.
pub(super) fn sqlite(path: &Path, error: &sqlx::Error) -> String {
    let file = path.display();
    match kind(error) {
        Some(26) => no_database(path),
        // SQLITE_READONLY and SQLITE_CANTOPEN.
        Some(8 | 14) => format!(
            "SQLite cannot write to {file} and its folder, where it keeps more files: {error}. Let this user write to both, \
             or name another file in DATABASE_URL"
        ),
        // SQLITE_CORRUPT.
        Some(11) => format!("{file} is damaged: {error}. Restore a backup"),
        Some(BUSY) => format!("another program holds {file}: {error}. End it, and try again"),
        _ => format!("SQLite cannot open {file}: {error}. See what DATABASE_URL names"),
    }
}

/// What is said of a file that holds something else.
pub(super) fn no_database(path: &Path) -> String {
    format!(
        "{} is no SQLite database. Name another file in DATABASE_URL",
        path.display()
    )
}

/// Why a file cannot be read, written or made.
pub(super) fn file(path: &Path, error: &io::Error) -> String {
    format!(
        "this user cannot write to the database {}: {error}. Let it, or name another file in DATABASE_URL",
        path.display()
    )
}
