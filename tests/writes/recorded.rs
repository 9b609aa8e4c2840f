//! The ledger's entries of new rows, held against the rows themselves.

use super::{head, operation, sample};
use crate::support::{Schema, TestApp};
use entity::Owned;
use sea_orm::{ConnectionTrait, IdenStatic, Iterable, Statement};
use serde_json::{Value, json};

on_both_databases! {
    async fn what_is_created_is_in_the_ledger_as_it_was_written(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let mut kinds = std::collections::BTreeSet::new();
        for mutation in schema.writes().filter(|mutation| mutation.name.starts_with("create")) {
            let before = head(&client).await;
            let input = sample(&app, &client, &mutation.name).await;
            client.data(&operation(mutation), json!({ "input": input })).await;
            let entries = client.data(
                "query($after: BigInt!) { activity(first: 50, filter: { seq: { gt: $after } }, orderBy: [{ field: SEQ }]) { nodes {
                    action targetType targetId diff { before after } } } }",
                json!({ "after": before.to_string() }),
            ).await;
            let entries = entries["activity"]["nodes"].as_array().expect("entries").clone();
            for (place, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry["diff"]["after"].is_null() && entry["diff"]["before"].is_null()) {
                let later: Vec<_> = entries[place + 1..].iter().filter(|later| later["targetId"] == entry["targetId"]).collect();
                let mut compared = 0;
                macro_rules! compare {
                    ($($table:ident),*) => { $(
                        compared += compare_after::<entity::$table::Entity>(&app, entry, &later).await;
                    )* };
                }
                entity::for_each_table!(compare);
                assert!(compared > 0, "{entry:#}");
                kinds.insert(entry["targetType"].to_string());
            }
        }
        assert!(kinds.len() >= 9, "{kinds:?}");
    }
}

/// Holds the entry of a new row against the row: every column that has a value is in `after` and equal to it, unless a
/// later entry of the same mutation changed it. Returns how many columns it looked at; none when the row is of another
/// table.
async fn compare_after<E: Owned>(app: &TestApp, entry: &Value, later: &[&Value]) -> usize {
    if entry["targetType"] != E::KIND {
        return 0;
    }
    let connection = app.connection.across_tenants().await;
    let has =
        |columns: &[E::Column], name: &str| columns.iter().any(|column| column.as_str() == name);
    let after = &entry["diff"]["after"];
    let mut compared = 0;
    for column in E::Column::iter() {
        let name = column.as_str();
        let changed = later
            .iter()
            .any(|entry| entry["diff"]["after"].get(name).is_some());
        if [E::ID.as_str(), E::TENANT.as_str(), "createdAt", "updatedAt"].contains(&name) || changed
        {
            continue;
        }
        let sql = format!(
            "SELECT CAST(\"{name}\" AS text) AS text FROM \"{}\" WHERE \"{}\" = '{}'",
            E::default().table_name(),
            E::ID.as_str(),
            entry["targetId"].as_str().expect("an id"),
        );
        let row = connection
            .query_one_raw(Statement::from_string(
                connection.get_database_backend(),
                sql,
            ))
            .await;
        let written: Option<String> = row
            .expect("reads")
            .expect("is there")
            .try_get("", "text")
            .expect("a text");
        let told = after.get(name);
        compared += 1;
        let (Some(written), Some(told)) = (&written, told) else {
            // A secret that the database's default decides is nothing to tell of.
            let untold = has(E::SECRET, name) && told.is_none();
            assert!(
                untold || written.is_none() && told.is_none(),
                "{}.{name} is {written:?}, and {told:?} in {entry:#}",
                E::KIND
            );
            continue;
        };
        let is_same = match told {
            _ if has(E::SECRET, name) => told == "[redacted]",
            _ if has(E::LARGE, name) => told["sha256"].is_string(),
            Value::String(told) => told == written || same_moment(told, written),
            Value::Bool(told) => ["1", "true"].contains(&written.as_str()) == *told,
            Value::Number(told) => written.parse::<f64>().ok() == told.as_f64(),
            told => serde_json::from_str::<Value>(written).ok().as_ref() == Some(told),
        };
        assert!(
            is_same,
            "{}.{name} is {written}, and {told} in {entry:#}",
            E::KIND
        );
    }
    compared
}

/// Whether two texts are the same time, written differently.
fn same_moment(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let text = text.replacen(' ', "T", 1);
        let text = if text.ends_with("+00") {
            format!("{text}:00")
        } else {
            text
        };
        chrono::DateTime::parse_from_rfc3339(&text).ok()
    };
    read(one).is_some() && read(one) == read(other)
}
