//! The words of `search` come from the program, so that both databases have the same ones for every script.
//!
//! SQLite knows no Unicode normal forms, and neither database can be told in SQL how Chinese is cut. So triggers note in
//! `search_pending` whose words have to be made, and the program makes them from `search_sources` before it commits. What
//! SQL by hand has changed is noted likewise, and done with the workspace's next write, or when a server starts. That is
//! also how the documents of existing rows get their new words: this step only notes them.

mod postgres;
mod sqlite;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// The step.
pub(crate) struct MakeWordsInTheProgram;

impl MigrationName for MakeWordsInTheProgram {
    fn name(&self) -> &str {
        "m20261129_000003_search_words"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for MakeWordsInTheProgram {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Sqlite => sqlite::statements(),
            _ => postgres::statements(),
        };
        for statement in statements {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        Ok(())
    }
}

/// A table whose rows can be found.
struct Source {
    /// The GraphQL type.
    kind: &'static str,
    table: &'static str,
    /// The columns that `search_sources` reads.
    watched: &'static [&'static str],
}

const SOURCES: [Source; 5] = [
    Source {
        kind: "Project",
        table: "projects",
        watched: &["name", "description"],
    },
    Source {
        kind: "Goal",
        table: "goals",
        watched: &["title", "description", "outcome"],
    },
    Source {
        kind: "Meeting",
        table: "meetings",
        watched: &["title", "context", "currentTranscriptId"],
    },
    Source {
        kind: "PRD",
        table: "prds",
        watched: &["title", "summary"],
    },
    Source {
        kind: "Ticket",
        table: "tickets",
        watched: &["title", "description"],
    },
];

impl Source {
    /// `"a", "b"`: the columns an update must name to matter.
    fn columns(&self) -> String {
        let quoted = self.watched.iter().map(|column| format!("\"{column}\""));
        quoted.collect::<Vec<_>>().join(", ")
    }

    /// Whether an update has changed one of the columns.
    fn changed(&self) -> String {
        let changed = self
            .watched
            .iter()
            .map(|column| format!("OLD.\"{column}\" IS DISTINCT FROM NEW.\"{column}\""));
        changed.collect::<Vec<_>>().join(" OR ")
    }
}

/// The list of what has to be made. `text` is the type of its columns.
fn pending(text: &str) -> String {
    format!(
        r#"CREATE TABLE search_pending (
  "tenantId" {text} NOT NULL,
  kind {text} NOT NULL,
  id {text} NOT NULL,
  PRIMARY KEY ("tenantId", kind, id),
  FOREIGN KEY ("tenantId") REFERENCES tenants (id) ON DELETE CASCADE
)"#
    )
}

/// Notes a document. The tenant may be going, and its rows with it. A document that is noted already is locked, so that
/// whoever makes its words just now has seen this change or leaves it to who made it.
fn note(kind: &str, tenant: &str, id: &str) -> String {
    format!(
        "INSERT INTO search_pending (\"tenantId\", kind, id) SELECT o.id, {kind}, {id} FROM tenants o \
         WHERE o.id = {tenant} ON CONFLICT (\"tenantId\", kind, id) DO UPDATE SET id = excluded.id"
    )
}

/// Notes everything that there is.
const NOTE_ALL: &str = "INSERT INTO search_pending (\"tenantId\", kind, id) SELECT \"tenantId\", kind, id FROM search_sources";

/// Forgets the document of a row that is deleted.
fn forget(from: &str, kind: &str) -> String {
    format!(
        "DELETE FROM {from} WHERE \"tenantId\" = OLD.\"tenantId\" AND kind = {kind} AND id = OLD.id"
    )
}
