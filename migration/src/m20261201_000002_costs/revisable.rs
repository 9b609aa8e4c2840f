//! What a call cost can be said anew when a price was wrong, through a door of its own; nothing else of it changes.

use crate::{m20261122_000007_operations as operations, m20261129_000002_append_only::follows};
use sea_orm_migration::sea_orm::DbBackend;

/// What changes through the door.
const CHANGES: [&str; 2] = ["costMicros", "priceId"];

/// The doors that there are from now on. All are closed when a step runs.
const DOORS: &str = "CREATE TABLE open_doors (
  name text NOT NULL PRIMARY KEY CHECK (name IN ('delete-workspace', 'retention', 'repricing')),
  closed text NOT NULL DEFAULT 'before the transaction ends' REFERENCES open_doors (name) DEFERRABLE INITIALLY DEFERRED
)";

/// As before, with two more arguments: another door, and the columns that may change through it.
const REFUSE: &str = r#"CREATE OR REPLACE FUNCTION workgraph_keep_rows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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
  IF TG_OP = 'UPDATE' AND TG_NARGS > 3 AND door = TG_ARGV[3]
    AND to_jsonb(OLD) - TG_ARGV[4]::text[] = to_jsonb(NEW) - TG_ARGV[4]::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% keeps its rows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$"#;

/// The step's statements about `api_usage`, which has its new column already.
pub(super) fn statements(backend: DbBackend) -> Vec<String> {
    match backend {
        DbBackend::Sqlite => sqlite(),
        _ => postgres(),
    }
}

fn postgres() -> Vec<String> {
    vec![
        REFUSE.to_owned(),
        "DROP TRIGGER \"api_usage_refuse_update\" ON \"api_usage\"".to_owned(),
        format!(
            "CREATE TRIGGER \"api_usage_refuse_update\" BEFORE UPDATE ON \"api_usage\" FOR EACH ROW EXECUTE FUNCTION \
             workgraph_keep_rows('{{userId,projectId,prdId,planId,ticketId}}', 'true', 'retention', 'repricing', '{{{}}}')",
            CHANGES.join(",")
        ),
    ]
}

fn sqlite() -> Vec<String> {
    let tables = operations::tables().into_iter();
    let usage = tables.filter(|table| table.name == "api_usage");
    let triggers = usage.map(|usage| {
        let usage = usage.text("priceId").nullable();
        let same: Vec<String> = { usage.columns.iter() }
            .filter(|column| !CHANGES.contains(&column.name))
            .map(|column| format!("NEW.\"{0}\" IS OLD.\"{0}\"", column.name))
            .collect();
        let revised = format!(
            "EXISTS (SELECT 1 FROM open_doors WHERE name = 'repricing') AND {}",
            same.join(" AND ")
        );
        let follows = follows(usage).unwrap_or_else(|| "false".to_owned());
        format!(
            "CREATE TRIGGER \"api_usage_refuse_update\" BEFORE UPDATE ON \"api_usage\" \
             WHEN NOT ({follows}) AND NOT ({revised}) \
             BEGIN SELECT RAISE(ABORT, 'api_usage keeps its rows: UPDATE is refused'); END"
        )
    });
    let mut out = vec![
        "DROP TABLE open_doors".to_owned(),
        DOORS.to_owned(),
        "DROP TRIGGER \"api_usage_refuse_update\"".to_owned(),
    ];
    out.extend(triggers);
    out
}
