//! Whose a database is: Workgraph's, nobody's, or another program's that must not be touched.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityName, Statement};
use std::fmt;

/// Where SeaORM notes the steps that were applied, whoever's they are.
const STEPS: &str = "seaql_migrations";
/// Tables that have no rows of the API.
const OTHERS: [&str; 3] = ["search_documents", "search_pending", "search_words"];
/// So many tables are named to whoever is refused.
const MOST_NAMED: usize = 5;

/// A database that this program leaves alone.
pub(super) enum Stranger {
    /// A later version has changed it.
    Newer,
    /// Another program keeps these tables in it.
    Foreign(Vec<String>),
}

impl Stranger {
    /// What to do, for whoever set DATABASE_URL.
    pub(super) fn told(&self, place: &dyn fmt::Display) -> String {
        match self {
            Self::Newer => format!(
                "this database was made by a newer Workgraph: use that version, or restore a backup ({place})"
            ),
            Self::Foreign(tables) => format!(
                "{place} holds tables of another program ({}). Name another database in DATABASE_URL",
                tables.join(", ")
            ),
        }
    }
}

/// Finds out whether a database is a stranger. An empty one is not; on PostgreSQL neither is one with tables beside ours.
///
/// # Errors
/// If the database fails.
pub(super) async fn stranger(connection: &impl ConnectionTrait) -> Result<Option<Stranger>, DbErr> {
    let backend = connection.get_database_backend();
    let mut tables = texts(connection, tables(backend)).await?;
    let applied = match tables.iter().any(|table| table == STEPS) {
        true => texts(connection, "SELECT version AS name FROM seaql_migrations").await?,
        false => Vec::new(),
    };
    let steps = Migrator::migrations();
    let is_ours = |version: &String| steps.iter().any(|step| step.name() == version);
    if applied.iter().any(is_ours) {
        return Ok((!applied.iter().all(is_ours)).then_some(Stranger::Newer));
    }
    let names = names();
    tables.retain(|table| match table.as_str() {
        // It is empty if it is ours, left behind by a start that was broken off.
        STEPS => !applied.is_empty(),
        other => backend == DbBackend::Sqlite || names.contains(&other),
    });
    tables.truncate(MOST_NAMED);
    Ok((!tables.is_empty()).then_some(Stranger::Foreign(tables)))
}

/// What lists the tables among which ours are, or would be made.
fn tables(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1"
        }
        _ => {
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             ORDER BY 1"
        }
    }
}

/// The names of our tables.
fn names() -> Vec<&'static str> {
    macro_rules! names {
        ($($table:ident),*) => { vec![$(entity::$table::Entity.table_name()),*] };
    }
    let mut names = entity::for_each_table!(names);
    names.extend(OTHERS);
    names
}

async fn texts(connection: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}
