//! What `search` looks words up in, kept in step with the tables by the database itself.
//!
//! `search_sources` says what can be found: a view with a row for each project, goal, meeting, brief and ticket.
//! `search_documents` has a row for each of its rows, and the words: on PostgreSQL in the row, on SQLite in the FTS5
//! table `search_words` under the row's number. Triggers refresh a document when one of the watched columns changes,
//! and forget it with its row; a change of anything else costs nothing.
//!
//! Both databases cut texts into the same words: a word is a run of letters and digits (with the accents that stand
//! alone after a letter) and its case is folded letter by letter. The API cuts its queries likewise, in
//! `api/src/domain/words.rs`.

mod postgres;
mod sqlite;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};
use std::fmt::Write;

/// The step.
pub(crate) struct CreateSearch;

impl MigrationName for CreateSearch {
    fn name(&self) -> &str {
        "m20261122_000009_search"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSearch {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let statements = match manager.get_database_backend() {
            DbBackend::Sqlite => sqlite::statements(),
            _ => {
                postgres::require_icu(connection).await?;
                postgres::statements()
            }
        };
        for statement in statements {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// A table whose rows can be found.
struct Source {
    /// The GraphQL type.
    kind: &'static str,
    table: &'static str,
    /// The columns whose change refreshes the document; the first is the title, those of the summary follow.
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
        kind: MEETING,
        table: "meetings",
        watched: &["title", "context", CURRENT],
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

const MEETING: &str = "Meeting";
/// A meeting's pointer to the version of its transcript that counts.
const CURRENT: &str = "currentTranscriptId";

/// How much of a title and of a summary is searched, in characters.
const TITLE: usize = 1_000;
const SUMMARY: usize = 20_000;
/// How much of a transcript: all of it up to so many bytes, of a longer one its first so many characters.
///
/// A tsvector holds a mebibyte of words at most. Four bytes a character, and the few capitals whose small letter is half
/// as long again, keep the words of the longest title, summary and transcript together below that.
const WHOLE: usize = 500_000;
const BEGINNING: usize = 125_000;

impl Source {
    /// Title, summary and transcript of the table's rows.
    fn select(&self, extra: &str) -> String {
        let Self { kind, table, .. } = self;
        let meeting = *kind == MEETING;
        let title = self.watched[0];
        let summary: Vec<_> = self.watched[1..]
            .iter()
            .filter(|column| **column != CURRENT)
            .map(|column| format!("coalesce(t.\"{column}\", '')"))
            .collect();
        let summary = summary.join(" || ' ' || ");
        let (transcript, join) = if meeting {
            (
                format!(
                    "CASE WHEN octet_length(s.\"fullText\") <= {WHOLE} THEN s.\"fullText\" \
                     ELSE substr(s.\"fullText\", 1, {BEGINNING}) END"
                ),
                format!(
                    " LEFT JOIN transcripts s ON s.id = t.\"{CURRENT}\" AND s.\"tenantId\" = t.\"tenantId\""
                ),
            )
        } else {
            ("''".to_owned(), String::new())
        };
        format!(
            "SELECT '{kind}' AS kind, t.id AS id, t.\"tenantId\" AS \"tenantId\", \
             substr(t.\"{title}\", 1, {TITLE}) AS title, substr({summary}, 1, {SUMMARY}) AS summary, \
             coalesce({transcript}, '') AS transcript{extra} FROM {table} t{join}"
        )
    }

    /// `"a", "b"`: the columns an update must name to matter.
    fn columns(&self) -> String {
        let quoted: Vec<_> = self
            .watched
            .iter()
            .map(|column| format!("\"{column}\""))
            .collect();
        quoted.join(", ")
    }

    /// Whether an update has changed one of the columns.
    fn changed(&self) -> String {
        let mut out = String::new();
        for column in self.watched {
            let or = if out.is_empty() { "" } else { " OR " };
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "{or}OLD.\"{column}\" IS DISTINCT FROM NEW.\"{column}\""
            );
        }
        out
    }
}

/// The view of all that can be found, with options, and with another column.
fn sources(options: &str, extra: &str) -> String {
    let parts: Vec<_> = SOURCES.iter().map(|source| source.select(extra)).collect();
    format!(
        "CREATE VIEW search_sources{options} AS {}",
        parts.join(" UNION ALL ")
    )
}
