//! The step on SQLite: FTS5 gets words with spaces between them, and takes every other sign for a part of one.

use super::{NOTE_ALL, SOURCES, Source, forget, note, pending};

pub(super) fn statements() -> Vec<String> {
    let mut out: Vec<_> = SOURCES
        .iter()
        .flat_map(|source| {
            ["insert", "update", "delete"]
                .map(|event| format!("DROP TRIGGER {}_search_{event}", source.table))
        })
        .collect();
    out.extend(
        ["insert", "update", "delete"]
            .map(|event| format!("DROP TRIGGER transcripts_search_{event}")),
    );
    out.extend([
        "DROP TRIGGER search_documents_forget".to_owned(),
        "DROP TABLE search_words".to_owned(),
        "DELETE FROM search_documents".to_owned(),
        "CREATE VIRTUAL TABLE search_words USING fts5(owner, title, summary, transcript, content = '', \
         contentless_delete = 1, tokenize = 'ascii')"
            .to_owned(),
        "CREATE TRIGGER search_documents_forget AFTER DELETE ON search_documents \
         BEGIN DELETE FROM search_words WHERE rowid = OLD.number; END"
            .to_owned(),
        format!("{} WITHOUT ROWID", pending("text")),
    ]);
    out.extend(SOURCES.iter().flat_map(triggers));
    out.extend(transcript_triggers());
    out.push(NOTE_ALL.to_owned());
    out
}

fn triggers(source: &Source) -> [String; 3] {
    let Source { kind, table, .. } = source;
    let kind = format!("'{kind}'");
    let noted = note(&kind, "NEW.\"tenantId\"", "NEW.id");
    [
        format!("CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN {noted}; END"),
        format!(
            "CREATE TRIGGER {table}_search_update AFTER UPDATE OF {} ON {table} WHEN {} BEGIN {noted}; END",
            source.columns(),
            source.changed()
        ),
        format!(
            "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {}; {}; END",
            forget("search_pending", &kind),
            forget("search_documents", &kind)
        ),
    ]
}

/// A version of a transcript is usually written before its meeting points to it, and never changes. These are for the
/// other ways to get there.
fn transcript_triggers() -> [String; 3] {
    let trigger = |name: &str, event: &str, row: &str, changed: &str| {
        format!(
            "CREATE TRIGGER transcripts_search_{name} AFTER {event} ON transcripts WHEN {changed}EXISTS (SELECT 1 FROM \
             meetings m WHERE m.id = {row}.\"meetingId\" AND m.\"currentTranscriptId\" = {row}.id) BEGIN {}; END",
            note(
                "'Meeting'",
                &format!("{row}.\"tenantId\""),
                &format!("{row}.\"meetingId\"")
            )
        )
    };
    let changed = "OLD.\"fullText\" IS DISTINCT FROM NEW.\"fullText\" AND ";
    [
        trigger("insert", "INSERT", "NEW", ""),
        trigger("update", "UPDATE OF \"fullText\"", "NEW", changed),
        trigger("delete", "DELETE", "OLD", ""),
    ]
}
