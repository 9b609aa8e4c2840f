//! The step on PostgreSQL: the vectors stay, and the functions that made them go.

use super::{NOTE_ALL, SOURCES, Source, forget, note, pending};

pub(super) fn statements() -> Vec<String> {
    // The rows of all tenants are read.
    let mut out = vec!["SELECT set_config('workgraph.tenant', '*', true)".to_owned()];
    out.extend(SOURCES.iter().flat_map(|source| {
        let table = source.table;
        ["insert", "update", "delete"]
            .map(|event| format!("DROP TRIGGER {table}_search_{event} ON {table}"))
    }));
    out.extend(
        [
            "DROP TRIGGER transcripts_search ON transcripts",
            "DROP TRIGGER transcripts_search_update ON transcripts",
            "DROP FUNCTION search_refresh()",
            "DROP FUNCTION search_refresh_meeting()",
            "DROP FUNCTION search_forget()",
            "DROP VIEW search_vectors",
            "DROP FUNCTION search_words(text)",
        ]
        .map(str::to_owned),
    );
    out.push(pending(r#"text COLLATE "C""#));
    out.extend(policy());
    out.extend(functions());
    out.extend(SOURCES.iter().flat_map(triggers));
    out.extend(transcript_triggers());
    out.push(NOTE_ALL.to_owned());
    out
}

/// As of every table with a tenant.
fn policy() -> [String; 3] {
    let setting = "current_setting('workgraph.tenant', true)";
    let own = format!(r#""tenantId" = {setting} OR {setting} = '*'"#);
    [
        "ALTER TABLE search_pending ENABLE ROW LEVEL SECURITY".to_owned(),
        "ALTER TABLE search_pending FORCE ROW LEVEL SECURITY".to_owned(),
        format!(
            "CREATE POLICY search_pending_own ON search_pending USING ({own}) WITH CHECK ({own})"
        ),
    ]
}

fn functions() -> [String; 3] {
    let function = |name: &str, body: &str| {
        format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
        )
    };
    let meeting = note("'Meeting'", "NEW.\"tenantId\"", "NEW.\"meetingId\"");
    [
        function(
            "search_note",
            &note("TG_ARGV[0]", "NEW.\"tenantId\"", "NEW.id"),
        ),
        function(
            "search_note_meeting",
            &format!(
                "IF TG_OP = 'DELETE' THEN NEW := OLD; END IF; IF EXISTS (SELECT FROM meetings m \
                 WHERE m.id = NEW.\"meetingId\" AND m.\"currentTranscriptId\" = NEW.id) THEN {meeting}; END IF"
            ),
        ),
        function(
            "search_forget",
            &format!(
                "{}; {}",
                forget("search_pending", "TG_ARGV[0]"),
                forget("search_documents", "TG_ARGV[0]")
            ),
        ),
    ]
}

fn triggers(source: &Source) -> [String; 3] {
    let Source { kind, table, .. } = source;
    [
        format!(
            "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} \
             FOR EACH ROW EXECUTE FUNCTION search_note('{kind}')"
        ),
        format!(
            "CREATE TRIGGER {table}_search_update AFTER UPDATE OF {} ON {table} \
             FOR EACH ROW WHEN ({}) EXECUTE FUNCTION search_note('{kind}')",
            source.columns(),
            source.changed()
        ),
        format!(
            "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION search_forget('{kind}')"
        ),
    ]
}

/// A version of a transcript is usually written before its meeting points to it, and never changes. These are for the
/// other ways to get there.
fn transcript_triggers() -> [String; 2] {
    [
        "CREATE TRIGGER transcripts_search AFTER INSERT OR DELETE ON transcripts \
         FOR EACH ROW EXECUTE FUNCTION search_note_meeting()"
            .to_owned(),
        "CREATE TRIGGER transcripts_search_update AFTER UPDATE OF \"fullText\" ON transcripts FOR EACH ROW \
         WHEN (OLD.\"fullText\" IS DISTINCT FROM NEW.\"fullText\") EXECUTE FUNCTION search_note_meeting()"
            .to_owned(),
    ]
}
