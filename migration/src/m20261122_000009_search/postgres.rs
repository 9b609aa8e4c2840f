//! The step on PostgreSQL: words as text-search vectors with a GIN index.
//!
//! `search_documents` is the one table without row-level security. PostgreSQL answers `words @@ query` from the index
//! only where no policy must be asked first, because `@@` is not leakproof: under a policy every row of the table would
//! be read for every search. It is safe because nothing is ever shown from here. The table holds each document's words
//! in alphabetical order, not its text, and the one reader (`api/src/store/search.rs`) joins every hit, by id and tenant,
//! to its own row, where the policy holds; a document that has no such row for the asking tenant is not a hit. Each
//! document also holds its tenant as one more word, so that a search walks its own tenant's documents only.

use super::{CURRENT, MEETING, SOURCES, Source, sources};
use sea_orm_migration::{
    prelude::DbErr,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

/// Words are folded and told apart as ICU does it; the "C" locale of our columns knows no letter but A to Z.
pub(super) async fn require_icu(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let sql = "SELECT 1 AS one FROM pg_collation WHERE collname = 'und-x-icu'";
    let found = connection
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    found.map(|_| ()).ok_or_else(|| {
        DbErr::Migration(
            "This PostgreSQL was built without ICU, which Workgraph's search needs. \
             Use one with it, as all usual packages are."
                .to_owned(),
        )
    })
}

/// Writers wait only for the statements from the first trigger on: what takes long, filling and indexing, comes before,
/// and what changed meanwhile is told by its version and done again.
pub(super) fn statements() -> Vec<String> {
    let version = r#", t.xmin::text AS version"#;
    let mut out = vec![
        // The texts of all tenants are read.
        "SELECT set_config('workgraph.tenant', '*', true)".to_owned(),
        sources(INVOKER, version),
        DOCUMENTS.to_owned(),
        WORDS.to_owned(),
        VECTORS.to_owned(),
        "CREATE TEMPORARY TABLE search_filled ON COMMIT DROP AS SELECT kind, id, version FROM search_sources"
            .to_owned(),
        "INSERT INTO search_documents SELECT * FROM search_vectors".to_owned(),
        "CREATE INDEX search_documents_words_idx ON search_documents USING gin (words)".to_owned(),
    ];
    out.extend(functions());
    out.extend(SOURCES.iter().flat_map(triggers));
    out.extend(transcript_triggers());
    out.push(format!(
        "DO $$ DECLARE late record; BEGIN FOR late IN SELECT kind, id FROM search_sources s \
         LEFT JOIN search_filled f USING (kind, id, version) WHERE f.version IS NULL LOOP {}; END LOOP; END $$",
        upsert("v.kind = late.kind AND v.id = late.id")
    ));
    out.push(
        "DELETE FROM search_documents d WHERE NOT EXISTS \
         (SELECT FROM search_sources s WHERE s.kind = d.kind AND s.id = d.id AND s.\"tenantId\" = d.\"tenantId\")"
            .to_owned(),
    );
    out
}

/// A view is read as whoever asks, so that the policies of its tables hold whoever made it.
const INVOKER: &str = " WITH (security_invoker = true)";

/// `titleWords` and `summaryWords` tell where a query was found: each holds the words up to there, and `words` all.
const DOCUMENTS: &str = r#"CREATE TABLE search_documents (
  "tenantId" text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  "titleWords" tsvector NOT NULL,
  "summaryWords" tsvector NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY ("tenantId", kind, id),
  FOREIGN KEY ("tenantId") REFERENCES tenants (id) ON DELETE CASCADE
)"#;

/// A text's words. The accents are those that FTS5 leaves in a word, and the letters at the end are those that it folds
/// and ICU's lower case leaves alone; İ is the one letter that ICU makes two of. A word is cut where a query must end.
const WORDS: &str = r#"CREATE FUNCTION search_words(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_to_tsvector(ARRAY(
    SELECT left(translate(found.word, U&'ſϐϵϑ\1FBEϰ\00B5ϖϱςϕẛ', U&'sβεθικ\03BCπρσφṡ'), 200) FROM (
      SELECT DISTINCT ltrim(piece, U&'\0300\0301\0302\0303\0304\0306\0307\0308\0309\030A\030B\030C\030F\0311\031B\0323\0324\0325\0326\0327\0328\032D\032E\0330\0331') COLLATE "C" AS word
      FROM regexp_split_to_table(
        replace(lower(content COLLATE "und-x-icu"), U&'i\0307', 'İ') COLLATE "und-x-icu",
        '[^[:alnum:]\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030A\u030B\u030C\u030F\u0311\u031B\u0323\u0324\u0325\u0326\u0327\u0328\u032D\u032E\u0330\u0331]+'
      ) AS piece
    ) AS found WHERE found.word <> ''
  ))
$$"#;

/// The sources as documents.
const VECTORS: &str = r#"CREATE VIEW search_vectors WITH (security_invoker = true) AS
SELECT s."tenantId", s.kind, s.id, p.title AS "titleWords", p.title || p.summary AS "summaryWords",
  p.title || p.summary || p.transcript || array_to_tsvector(ARRAY[':' || s."tenantId"]) AS words
FROM search_sources s CROSS JOIN LATERAL (
  SELECT search_words(s.title) AS title, search_words(s.summary) AS summary, search_words(s.transcript) AS transcript
  OFFSET 0
) AS p"#;

/// Writes the documents that satisfy a condition on `v`.
fn upsert(condition: &str) -> String {
    format!(
        r#"INSERT INTO search_documents SELECT v.* FROM search_vectors v WHERE {condition}
ON CONFLICT ("tenantId", kind, id) DO UPDATE SET
  "titleWords" = EXCLUDED."titleWords", "summaryWords" = EXCLUDED."summaryWords", words = EXCLUDED.words"#
    )
}

fn functions() -> [String; 3] {
    let function = |name: &str, body: &str| {
        format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
        )
    };
    // Updates only: a meeting that is being deleted with its workspace may have lost its document already.
    let meeting = format!(
        r#"IF TG_OP = 'DELETE' THEN NEW := OLD; END IF;
IF EXISTS (SELECT FROM meetings m WHERE m.id = NEW."meetingId" AND m."{CURRENT}" = NEW.id) THEN
  UPDATE search_documents d SET
    "titleWords" = v."titleWords", "summaryWords" = v."summaryWords", words = v.words
  FROM search_vectors v WHERE v.kind = '{MEETING}' AND v.id = NEW."meetingId"
    AND d."tenantId" = v."tenantId" AND d.kind = v.kind AND d.id = v.id;
END IF"#
    );
    [
        function(
            "search_refresh",
            &upsert("v.kind = TG_ARGV[0] AND v.id = NEW.id"),
        ),
        function("search_refresh_meeting", &meeting),
        function(
            "search_forget",
            "DELETE FROM search_documents \
             WHERE \"tenantId\" = OLD.\"tenantId\" AND kind = TG_ARGV[0] AND id = OLD.id",
        ),
    ]
}

fn triggers(source: &Source) -> [String; 3] {
    let Source { kind, table, .. } = source;
    [
        format!(
            "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} \
             FOR EACH ROW EXECUTE FUNCTION search_refresh('{kind}')"
        ),
        format!(
            "CREATE TRIGGER {table}_search_update AFTER UPDATE OF {} ON {table} \
             FOR EACH ROW WHEN ({}) EXECUTE FUNCTION search_refresh('{kind}')",
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
         FOR EACH ROW EXECUTE FUNCTION search_refresh_meeting()"
            .to_owned(),
        "CREATE TRIGGER transcripts_search_update AFTER UPDATE OF \"fullText\" ON transcripts FOR EACH ROW \
         WHEN (OLD.\"fullText\" IS DISTINCT FROM NEW.\"fullText\") EXECUTE FUNCTION search_refresh_meeting()"
            .to_owned(),
    ]
}
