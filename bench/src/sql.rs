//! The database itself, beside the servers: to let time pass in it, and to count in it.

use crate::Result;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};

/// A connection that sees every tenant's rows.
pub(crate) struct Sql(DatabaseConnection);

impl Sql {
    /// Connects.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await?;
        if connection.get_database_backend() == DbBackend::Sqlite {
            // A server may write at the moment.
            let wait = "PRAGMA busy_timeout = 20000";
            connection.execute_unprepared(wait).await?;
        }
        Ok(Self(connection))
    }

    /// Runs one statement, and returns how many rows it changed.
    pub(crate) async fn run(&self, sql: &str) -> Result<u64> {
        let ran = self.0.execute_unprepared(sql).await;
        let ran = ran.map_err(|error| format!("{sql}: {error}"))?;
        Ok(ran.rows_affected())
    }

    /// Rows of so many columns, each of which is text or null, which is empty here.
    pub(crate) async fn rows<const N: usize>(&self, sql: &str) -> Result<Vec<[String; N]>> {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        let rows = self.0.query_all_raw(statement).await;
        let mut read = Vec::new();
        for row in rows.map_err(|error| format!("{sql}: {error}"))? {
            let mut columns = [const { String::new() }; N];
            for (place, column) in columns.iter_mut().enumerate() {
                let text: Option<String> = row.try_get_by_index(place)?;
                *column = text.unwrap_or_default();
            }
            read.push(columns);
        }
        Ok(read)
    }

    /// A moment so many minutes ago, in SQL.
    pub(crate) fn ago(&self, minutes: u32) -> String {
        match self.0.get_database_backend() {
            DbBackend::Postgres => format!("now() - interval '{minutes} minutes'"),
            _ => format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-{minutes} minutes')"),
        }
    }
}
