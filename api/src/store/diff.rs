//! What the ledger shows of a change: the changed columns, no secret, and of a large text only its length and hash.

use super::order::to_json;
use crate::domain::digest::sha256;
use entity::{Owned, Reading};
use sea_orm::{ActiveModelTrait, ActiveValue, IdenStatic, Iterable, ModelTrait, Value};
use serde_json::{Map, Value as Json, json};

/// When a row was made; every table has this column.
pub(super) const CREATED_AT: &str = "createdAt";
/// When a row last changed; every table whose rows can has this column.
pub(super) const UPDATED_AT: &str = "updatedAt";

/// The column with this name, if the table has one.
pub(super) fn column<E: Owned>(name: &str) -> Option<E::Column> {
    E::Column::iter().find(|column| column.as_str() == name)
}

/// A text value's text.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => text,
        _ => None,
    }
}

/// Whether an ordinary read leaves this column out.
pub(super) fn is_deferred<E: Owned>(column: E::Column) -> bool {
    E::column(column).reading != Reading::Ordinary
}

fn is_bookkeeping<E: Owned>(column: E::Column) -> bool {
    [E::ID.as_str(), E::TENANT.as_str(), CREATED_AT, UPDATED_AT].contains(&column.as_str())
}

/// What these columns of a row hold, as the ledger shows it. Bookkeeping columns and those without a value are left out.
pub(super) fn kept<E: Owned>(
    row: &E::Model,
    columns: impl Iterator<Item = E::Column>,
) -> impl Iterator<Item = (String, Json)> {
    columns
        .filter(|column| !is_bookkeeping::<E>(*column))
        .filter_map(|column| {
            let value = row.get(column);
            (value != value.as_null())
                .then(|| (column.as_str().to_owned(), shown_value::<E>(column, &value)))
        })
}

/// The set columns that pass, as the ledger shows them. Bookkeeping columns are left out.
pub(super) fn shown<E, A>(row: &A, passes: impl Fn(E::Column, &Value) -> bool) -> Map<String, Json>
where
    E: Owned,
    A: ActiveModelTrait<Entity = E>,
{
    E::Column::iter()
        .filter(|column| !is_bookkeeping::<E>(*column))
        .filter_map(|column| match row.get(column) {
            ActiveValue::Set(value) if passes(column, &value) => {
                Some((column.as_str().to_owned(), shown_value::<E>(column, &value)))
            }
            _ => None,
        })
        .collect()
}

/// A value as the ledger shows it: no secret, and of a large text only its length and hash.
pub(super) fn shown_value<E: Owned>(column: E::Column, value: &Value) -> Json {
    let reading = E::column(column).reading;
    if reading == Reading::Secret {
        return json!("[redacted]");
    }
    let json = to_json(value);
    if reading != Reading::Large || json == Json::Null {
        return json;
    }
    let text = json
        .as_str()
        .map_or_else(|| json.to_string(), str::to_owned);
    json!({ "length": text.chars().count(), "sha256": sha256(text) })
}
