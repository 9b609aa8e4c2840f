//! JSON, written straight into the answer.

use chrono::{DateTime, SecondsFormat, Utc};
use tokio_postgres::{Row, types::FromSql};

/// How a column's value looks in the answer.
#[derive(Clone, Copy)]
pub(crate) enum As {
    /// Text.
    Text,
    /// A stored word in the API's capitals.
    Word,
    /// A moment.
    Time,
    /// A 32-bit number.
    Int,
    /// A 64-bit number, as text.
    Big,
    /// A fraction.
    Float,
    /// True or false.
    Bool,
    /// JSON that was selected as text.
    Json,
}

/// A field of the answer: its name, and what its column holds.
pub(crate) type Field = (&'static str, As);

/// Writes the object of these fields, out of the row's columns from `first` on.
pub(crate) fn object(out: &mut String, row: &Row, first: usize, fields: &[Field]) {
    out.push('{');
    for (index, &(name, form)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        key(out, name);
        value(out, row, first + index, form);
    }
    out.push('}');
}

pub(crate) fn key(out: &mut String, name: &str) {
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

fn value(out: &mut String, row: &Row, column: usize, form: As) {
    match form {
        As::Text => some(out, row, column, |out, text: &str| quoted(out, text)),
        As::Word => some(out, row, column, |out, text: &str| {
            out.push('"');
            out.push_str(&text.to_ascii_uppercase());
            out.push('"');
        }),
        As::Time => some(out, row, column, |out, at: DateTime<Utc>| {
            out.push('"');
            out.push_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true));
            out.push('"');
        }),
        As::Int => some(out, row, column, |out, number: i32| {
            out.push_str(&number.to_string());
        }),
        As::Big => some(out, row, column, |out, number: i64| {
            out.push('"');
            out.push_str(&number.to_string());
            out.push('"');
        }),
        As::Float => some(out, row, column, |out, number: f64| {
            out.push_str(&format!("{number:?}"));
        }),
        As::Bool => some(out, row, column, |out, is: bool| {
            out.push_str(if is { "true" } else { "false" });
        }),
        As::Json => some(out, row, column, |out, text: &str| out.push_str(text)),
    }
}

fn some<'a, T: FromSql<'a>>(
    out: &mut String,
    row: &'a Row,
    column: usize,
    write: impl FnOnce(&mut String, T),
) {
    match row.try_get::<_, Option<T>>(column) {
        Ok(Some(value)) => write(out, value),
        _ => out.push_str("null"),
    }
}

/// Writes text as JSON has it.
pub(crate) fn quoted(out: &mut String, text: &str) {
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}
