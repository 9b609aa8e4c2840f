//! The step on SQLite. A statement that a foreign key runs is told from others by what it finds: the row that is pointed
//! to is gone already, which the key forbids at any other time.

use super::{Kept, OnDelete, Rule};

pub(super) fn statements(kept: &[Kept]) -> Vec<String> {
    let doors: Vec<String> = kept
        .iter()
        .filter_map(|kept| kept.door)
        .map(|door| format!("'{door}'"))
        .collect();
    let mut out = vec![format!(
        "CREATE TABLE open_doors (\n  name text NOT NULL PRIMARY KEY CHECK (name IN ({})),\n  \
         closed text NOT NULL DEFAULT 'before the transaction ends' REFERENCES open_doors (name) DEFERRABLE INITIALLY DEFERRED\n)",
        doors.join(", ")
    )];
    out.extend(kept.iter().flat_map(triggers));
    out
}

pub(super) fn triggers(kept: &Kept) -> Vec<String> {
    let mut out = vec![delete(kept)];
    match kept.rule {
        Rule::AppendOnly => out.extend([update(kept), replace(kept)]),
        Rule::Head => {
            let back = r#"NEW."tenantId" <> OLD."tenantId" OR NEW."headSeq" <= OLD."headSeq""#;
            out.extend([
                refuse(kept, "UPDATE", back, "UPDATE is refused"),
                replace(kept),
            ]);
        }
        Rule::Workspace => out.push(replace(kept)),
    }
    out
}

fn refuse(kept: &Kept, event: &str, condition: &str, reason: &str) -> String {
    let (name, suffix) = (kept.table.name, event.to_lowercase());
    let said = if event == "INSERT" {
        reason.to_owned()
    } else {
        format!("{name} keeps its rows: {reason}")
    };
    format!(
        "CREATE TRIGGER \"{name}_refuse_{suffix}\" BEFORE {event} ON \"{name}\" WHEN {condition} \
         BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )
}

fn delete(kept: &Kept) -> String {
    let mut conditions: Vec<String> = Vec::new();
    if let Some(door) = kept.door {
        conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM open_doors WHERE name = '{door}')"
        ));
    }
    conditions.extend(kept.pointers(OnDelete::Cascade).iter().map(|(column, table)| {
        format!("(OLD.\"{column}\" IS NULL OR EXISTS (SELECT 1 FROM \"{table}\" WHERE id = OLD.\"{column}\"))")
    }));
    if conditions.is_empty() {
        conditions.push("true".to_owned());
    }
    refuse(
        kept,
        "DELETE",
        &conditions.join(" AND "),
        "DELETE is refused",
    )
}

/// Only pointers change, each to null because what it pointed to is gone.
fn update(kept: &Kept) -> String {
    let condition = match follows(kept) {
        Some(follows) => format!("NOT ({follows})"),
        None => "true".to_owned(),
    };
    refuse(kept, "UPDATE", &condition, "UPDATE is refused")
}

/// "Only pointers change, each to null because what it pointed to is gone"; nothing where there are none.
pub(super) fn follows(kept: &Kept) -> Option<String> {
    let pointers = kept.pointers(OnDelete::SetNull);
    let same = |column: &str| format!("NEW.\"{column}\" IS OLD.\"{column}\"");
    let mut unchanged = Vec::new();
    let (mut cleared, mut either) = (Vec::new(), Vec::new());
    for column in &kept.table.columns {
        let Some((name, table)) = pointers.iter().find(|(name, _)| *name == column.name) else {
            unchanged.push(same(column.name));
            continue;
        };
        let gone = format!(
            "(OLD.\"{name}\" IS NOT NULL AND NEW.\"{name}\" IS NULL \
             AND NOT EXISTS (SELECT 1 FROM \"{table}\" WHERE id = OLD.\"{name}\"))"
        );
        either.push(format!("({} OR {gone})", same(name)));
        cleared.push(gone);
    }
    if cleared.is_empty() {
        return None;
    }
    Some(format!(
        "{} AND {} AND ({})",
        unchanged.join(" AND "),
        either.join(" AND "),
        cleared.join(" OR ")
    ))
}

/// `INSERT OR REPLACE` deletes the row with the same key, and no trigger is told.
fn replace(kept: &Kept) -> String {
    let name = kept.table.name;
    let by_id = vec![kept.table.primary_key];
    let keys = kept
        .table
        .indexes
        .iter()
        .filter(|index| index.unique)
        .map(|index| index.columns.clone());
    let conditions: Vec<String> = std::iter::once(by_id)
        .chain(keys.filter(|columns| !columns.contains(&kept.table.primary_key)))
        .map(|columns| {
            let equal: Vec<_> = columns
                .iter()
                .map(|column| format!("\"{column}\" = NEW.\"{column}\""))
                .collect();
            format!(
                "EXISTS (SELECT 1 FROM \"{name}\" WHERE {})",
                equal.join(" AND ")
            )
        })
        .collect();
    refuse(
        kept,
        "INSERT",
        &conditions.join(" OR "),
        &format!("UNIQUE constraint failed: {name}"),
    )
}
