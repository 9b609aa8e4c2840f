//! What the database says, as errors of the API.

use super::Error;
use sea_orm::{
    DbErr, RuntimeErr, SqlErr,
    sqlx::{self, error::DatabaseError},
};

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err().or_else(|| raised(&error)) {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict(match taken(&error) {
                Some(field) => {
                    format!("Something with the same `{field}` exists already; choose another.")
                }
                None => "Something with the same unique name or key exists already.".to_owned(),
            }),
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Conflict(
                "A row this one refers to does not exist in your workspace, or rows that refer to this one remain."
                    .to_owned(),
            ),
            _ => match trouble(&error) {
                Some(Trouble::Lost) => {
                    tracing::error!(%error, "the database is out of reach");
                    Self::Unavailable
                }
                Some(Trouble::Stopped) => Self::TOO_SLOW,
                Some(Trouble::Contended) => Self::Contended,
                None => Self::internal(match hint(&error) {
                    Some(hint) => format!("{error}. {hint}"),
                    None => error.to_string(),
                }),
            },
        }
    }
}

/// What the driver says of a statement.
fn driver(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(cause)) | DbErr::Exec(RuntimeErr::SqlxError(cause)) => {
            Some(cause)
        }
        _ => None,
    }
}

/// What the database says of a statement.
fn said(error: &DbErr) -> Option<&dyn DatabaseError> {
    driver(error)?.as_database_error()
}

/// What a self-hoster can do about what is wrong with the whole database.
fn hint(error: &DbErr) -> Option<&'static str> {
    let cause = said(error)?;
    // PostgreSQL: insufficient_privilege, undefined_table. SQLite has no code of its own for a table that is not there.
    match &*cause.code()? {
        "42501" => Some(
            "The tables belong to the role that migrated this database first. Make them this role's (ALTER TABLE … OWNER \
             TO …), or begin with a new database",
        ),
        code if code == "42P01" || cause.message().starts_with("no such table") => {
            Some("The schema is not complete: run `workgraph migrate`")
        }
        _ => None,
    }
}

/// The one column whose value, within the tenant, is another row's already. SQLite names the columns of a unique key, and
/// PostgreSQL the key, which has its columns in its name.
fn taken(error: &DbErr) -> Option<String> {
    let error = said(error)?;
    let columns: Vec<&str> = match error.constraint().zip(error.table()) {
        Some((key, table)) => {
            let columns = key.strip_prefix(table)?.strip_suffix("_key")?;
            columns.trim_end_matches("_partial").split('_').collect()
        }
        None => {
            let columns = error.message().strip_prefix("UNIQUE constraint failed: ")?;
            columns
                .split(", ")
                .filter_map(|column| column.split_once('.'))
                .map(|(_, column)| column)
                .collect()
        }
    };
    let mut columns = columns
        .into_iter()
        .filter(|column| !column.is_empty() && *column != "tenantId");
    match (columns.next(), columns.next()) {
        (Some(column), None) => Some(column.to_owned()),
        _ => None,
    }
}

/// What a trigger on SQLite says in place of a constraint that SQLite itself does not know.
fn raised(error: &DbErr) -> Option<SqlErr> {
    let message = said(error)?.message();
    if message.starts_with("UNIQUE constraint failed") {
        Some(SqlErr::UniqueConstraintViolation(message.to_owned()))
    } else if message.starts_with("FOREIGN KEY constraint failed") {
        Some(SqlErr::ForeignKeyConstraintViolation(message.to_owned()))
    } else {
        None
    }
}

impl Error {
    /// Whether the database cannot be reached any more.
    pub(crate) fn is_lost_connection(error: &DbErr) -> bool {
        matches!(trouble(error), Some(Trouble::Lost))
    }
}

/// What may be wrong when nothing is wrong with a statement.
enum Trouble {
    /// The connection is lost, or there is none.
    Lost,
    /// The statement's time was up.
    Stopped,
    /// Others stood in the way of the transaction.
    Contended,
}

fn trouble(error: &DbErr) -> Option<Trouble> {
    let Some(cause) = driver(error) else {
        let lost = matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
        return lost.then_some(Trouble::Lost);
    };
    let cause = match cause {
        sqlx::Error::Database(cause) => cause,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => return Some(Trouble::Lost),
        _ => return None,
    };
    match &*cause.code()? {
        // PostgreSQL: query_canceled. SQLite: SQLITE_INTERRUPT.
        "57014" | "9" => Some(Trouble::Stopped),
        // PostgreSQL: serialization_failure, deadlock_detected, lock_not_available. SQLite: SQLITE_BUSY, SQLITE_LOCKED
        // and SQLITE_BUSY_SNAPSHOT.
        "40001" | "40P01" | "55P03" | "5" | "6" | "517" => Some(Trouble::Contended),
        // PostgreSQL: it shuts down, crashed, starts, has dropped the database, has no connection left.
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "53300" => Some(Trouble::Lost),
        code if code.len() == 5 && code.starts_with("08") => Some(Trouble::Lost),
        _ => None,
    }
}
