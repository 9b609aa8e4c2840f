//! What each scalar of the schema accepts: what its own type, which will read it, does.

use crate::graph::{Cursor, Date};
use async_graphql::{InputType, Value};
use entity::{BigInt, Timestamp};

/// Whether a scalar of this name accepts a value; if not, what it expects. Those of the specification are looked at where
/// they stand.
///
/// # Errors
/// What it expects instead.
pub(super) fn accepts(name: &str, value: Value) -> Result<(), &'static str> {
    match name {
        "BigInt" => read::<BigInt>(
            value,
            "a whole number of at most 64 bits, or a string of one",
        ),
        "Cursor" => read::<Cursor>(value, "a cursor, as a string"),
        "Date" => read::<Date>(value, "a day, such as \"2026-05-04\""),
        "DateTime" => read::<Timestamp>(value, "RFC 3339, such as \"2026-05-04T09:30:00Z\""),
        _ => Ok(()),
    }
}

/// The scalars that are looked at here, and the one that accepts everything.
#[cfg(test)]
pub(super) const KNOWN: [&str; 5] = ["BigInt", "Cursor", "Date", "DateTime", "JSON"];

fn read<T: InputType>(value: Value, expected: &'static str) -> Result<(), &'static str> {
    T::parse(Some(value)).map(|_| ()).map_err(|_| expected)
}
