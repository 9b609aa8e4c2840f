//! The step on SQLite: an FTS5 table that keeps the index and not the texts.

use super::{CURRENT, MEETING, SOURCES, Source, sources};

pub(super) fn statements() -> Vec<String> {
    let mut out = vec![
        sources("", ""),
        "CREATE TABLE search_documents (\n  number INTEGER PRIMARY KEY,\n  \"tenantId\" text NOT NULL,\n  \
         kind text NOT NULL,\n  id text NOT NULL,\n  UNIQUE (\"tenantId\", kind, id),\n  \
         FOREIGN KEY (\"tenantId\") REFERENCES tenants (id) ON DELETE CASCADE\n)"
            .to_owned(),
        format!(
            "CREATE VIRTUAL TABLE search_words USING fts5(owner, title, summary, transcript, content = '', \
             contentless_delete = 1, tokenize = \"unicode61 remove_diacritics 0 categories 'L* Nd' separators '{}'\")",
            separators()
        ),
        "CREATE TRIGGER search_documents_forget AFTER DELETE ON search_documents \
         BEGIN DELETE FROM search_words WHERE rowid = OLD.number; END"
            .to_owned(),
    ];
    out.extend(SOURCES.iter().flat_map(triggers));
    out.extend(transcript_triggers());
    out.push(
        "INSERT INTO search_documents (\"tenantId\", kind, id) SELECT \"tenantId\", kind, id FROM search_sources"
            .to_owned(),
    );
    out.push(index("true"));
    out
}

/// The symbols that FTS5 would take for letters: its Unicode is 6.1, and what it does not know it keeps in a word. New
/// letters are welcome there, but not the currency signs, the punctuation and the many emoji that came later.
fn separators() -> String {
    [
        0x061c..=0x061c,
        0x2066..=0x2069,
        0x20ba..=0x20cf,
        0x218a..=0x218b,
        0x23f4..=0x23ff,
        0x2700..=0x2700,
        0x2b4d..=0x2bff,
        0x2e3c..=0x2e7f,
        0x1f000..=0x1fbef,
    ]
    .into_iter()
    .flatten()
    .filter_map(char::from_u32)
    .collect()
}

/// Writes the words of the sources that satisfy a condition and have a document, which must be without words.
///
/// A row that is being deleted with its workspace may have lost its document already.
fn index(condition: &str) -> String {
    let document = "FROM search_documents d WHERE d.\"tenantId\" = s.\"tenantId\" AND d.kind = s.kind AND d.id = s.id";
    format!(
        "INSERT INTO search_words (rowid, owner, title, summary, transcript) \
         SELECT (SELECT d.number {document}), s.\"tenantId\", s.title, s.summary, s.transcript \
         FROM search_sources s WHERE {condition} AND EXISTS (SELECT 1 {document})"
    )
}

/// Writes anew the words of the document whose id is this column of a trigger's row. The index cannot be told to change,
/// only to forget.
fn refresh(kind: &str, row: &str, column: &str) -> String {
    format!(
        "DELETE FROM search_words WHERE rowid IN (SELECT number FROM search_documents \
         WHERE \"tenantId\" = {row}.\"tenantId\" AND kind = '{kind}' AND id = {row}.\"{column}\"); {}",
        index(&format!("s.kind = '{kind}' AND s.id = {row}.\"{column}\""))
    )
}

fn triggers(source: &Source) -> [String; 3] {
    let Source { kind, table, .. } = source;
    [
        format!(
            "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN \
             INSERT INTO search_documents (\"tenantId\", kind, id) VALUES (NEW.\"tenantId\", '{kind}', NEW.id); {}; END",
            index(&format!("s.kind = '{kind}' AND s.id = NEW.id"))
        ),
        format!(
            "CREATE TRIGGER {table}_search_update AFTER UPDATE OF {} ON {table} WHEN {} BEGIN {}; END",
            source.columns(),
            source.changed(),
            refresh(kind, "NEW", "id")
        ),
        format!(
            "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN DELETE FROM search_documents \
             WHERE \"tenantId\" = OLD.\"tenantId\" AND kind = '{kind}' AND id = OLD.id; END"
        ),
    ]
}

/// A version of a transcript is usually written before its meeting points to it, and never changes. These are for the
/// other ways to get there.
fn transcript_triggers() -> [String; 3] {
    let trigger = |name: &str, event: &str, row: &str, changed: &str| {
        format!(
            "CREATE TRIGGER transcripts_search_{name} AFTER {event} ON transcripts WHEN {changed}EXISTS (SELECT 1 FROM \
             meetings m WHERE m.id = {row}.\"meetingId\" AND m.\"{CURRENT}\" = {row}.id) BEGIN {}; END",
            refresh(MEETING, row, "meetingId")
        )
    };
    let changed = "OLD.\"fullText\" IS DISTINCT FROM NEW.\"fullText\" AND ";
    [
        trigger("insert", "INSERT", "NEW", ""),
        trigger("update", "UPDATE OF \"fullText\"", "NEW", changed),
        trigger("delete", "DELETE", "OLD", ""),
    ]
}
