//! The step on PostgreSQL: one function for the triggers of all tables. A statement that a foreign key runs is told from
//! others by its depth: it runs within the trigger that keeps the key.

use super::{Kept, OnDelete, Rule};

/// Its arguments: the columns that may become null, whether rows go with those they belong to, and the door.
const REFUSE: &str = r#"CREATE FUNCTION workgraph_keep_rows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  pointers text[] := TG_ARGV[0]::text[];
  follows boolean := TG_ARGV[1]::boolean AND pg_trigger_depth() > 1;
  door text := nullif(current_setting('workgraph.door', true), '');
  was jsonb;
  becomes jsonb;
BEGIN
  IF TG_OP = 'DELETE' AND (follows OR door = TG_ARGV[2]) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND follows THEN
    was := to_jsonb(OLD);
    becomes := to_jsonb(NEW);
    IF was - pointers = becomes - pointers
      AND NOT EXISTS (SELECT 1 FROM unnest(pointers) AS p WHERE becomes -> p NOT IN ('null', was -> p))
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION '% keeps its rows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$"#;

pub(super) fn statements(kept: &[Kept]) -> Vec<String> {
    let mut out = vec![REFUSE.to_owned()];
    out.extend(kept.iter().flat_map(triggers));
    out
}

pub(super) fn triggers(kept: &Kept) -> Vec<String> {
    let name = kept.table.name;
    let pointers: Vec<_> = kept
        .pointers(OnDelete::SetNull)
        .iter()
        .map(|(column, _)| *column)
        .collect();
    let call = format!(
        "EXECUTE FUNCTION workgraph_keep_rows('{{{}}}', '{}', '{}')",
        pointers.join(","),
        kept.rule == Rule::AppendOnly,
        kept.door.unwrap_or_default()
    );
    let trigger = |event: &str, each: &str, condition: &str| {
        let suffix = event.to_lowercase();
        format!(
            "CREATE TRIGGER \"{name}_refuse_{suffix}\" BEFORE {event} ON \"{name}\" FOR EACH {each} {condition}{call}"
        )
    };
    let mut out = vec![
        trigger("DELETE", "ROW", ""),
        trigger("TRUNCATE", "STATEMENT", ""),
    ];
    match kept.rule {
        Rule::AppendOnly => out.push(trigger("UPDATE", "ROW", "")),
        Rule::Head => {
            let forward =
                r#"WHEN (NEW."tenantId" <> OLD."tenantId" OR NEW."headSeq" <= OLD."headSeq") "#;
            out.push(trigger("UPDATE", "ROW", forward));
        }
        Rule::Workspace => {}
    }
    out
}
