//! The YAML of frontmatter, with mercy for the colon everybody forgets to quote.

use serde_json::{Map, Value};
use serde_saphyr::{MessageFormatter, UserMessageFormatter};

use crate::domain::parse_error::ParseError;

/// Reads YAML; if it is none, once more with one-line values that hold a colon put in quotes.
pub(super) fn read(rows: &[&str]) -> Result<Map<String, Value>, ParseError> {
    if rows.iter().all(|row| row.trim().is_empty()) {
        return Ok(Map::new());
    }
    let error = match read_strictly(&rows.join("\n")) {
        Ok(values) => return Ok(values),
        Err(error) => error,
    };
    // The first error is about what the author wrote, so it is the one to report.
    let quoted = quoted(rows).and_then(|yaml| read_strictly(&yaml).ok());
    quoted.ok_or(error)
}

fn read_strictly(yaml: &str) -> Result<Map<String, Value>, ParseError> {
    let options = serde_saphyr::options! {
        // `on` and `yes` are names as good as any.
        strict_booleans: true,
        with_snippet: false,
        // What aliases stand for counts each time.
        budget: serde_saphyr::budget! {
            max_total_scalar_bytes: 1_000_000,
            max_nodes: 20_000,
            max_aliases: 100,
        },
    };
    serde_saphyr::from_str_with_options(yaml, options).map_err(|error| {
        let row = error
            .location()
            .and_then(|at| usize::try_from(at.line()).ok());
        let message = UserMessageFormatter.format_message(&error).into_owned();
        ParseError::new(
            row.unwrap_or(0) + 1,
            format!("expected YAML of keys and values: {message}"),
        )
    })
}

/// The YAML with quotes around each one-line value that a colon breaks; `None` if there is none.
fn quoted(rows: &[&str]) -> Option<String> {
    let mut found = false;
    let mut yaml = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        // A value that goes on in an indented line is not ours to end.
        let goes_on = rows
            .get(index + 1)
            .is_some_and(|next| next.starts_with([' ', '\t']));
        let broken = split_key(row).filter(|(_, value)| !goes_on && is_broken(value));
        yaml.push(match broken {
            Some((key, value)) => {
                found = true;
                format!("{key}: '{}'", value.replace('\'', "''"))
            }
            None => (*row).to_owned(),
        });
    }
    found.then(|| yaml.join("\n"))
}

/// The key and the value of a line on the top level.
pub(super) fn split_key(row: &str) -> Option<(&str, &str)> {
    let (key, value) = row.split_once(':')?;
    let is_key = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let separated = value.is_empty() || value.starts_with([' ', '\t']);
    (is_key && separated).then(|| (key, value.trim()))
}

/// Whether a plain value holds a colon that makes YAML see a key in it.
fn is_broken(value: &str) -> bool {
    let is_plain = !value.starts_with([
        '"', '\'', '[', '{', '|', '>', '&', '*', '!', '%', '@', '`', '#',
    ]);
    is_plain && (value.contains(": ") || value.ends_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(yaml: &str) -> Result<Value, ParseError> {
        let rows: Vec<_> = yaml.lines().collect();
        read(&rows).map(Value::Object)
    }

    #[test]
    fn unquoted_colons_are_forgiven() -> Result<(), ParseError> {
        for (yaml, expected) in [
            (
                "a: one: 'two', three",
                serde_json::json!({"a": "one: 'two', three"}),
            ),
            (
                "a: ends with:\nb:\n  - x: y",
                serde_json::json!({"a": "ends with:", "b": [{"x": "y"}]}),
            ),
            (
                "a: 'fine: as it is'\nb: c: d",
                serde_json::json!({"a": "fine: as it is", "b": "c: d"}),
            ),
            (
                "a: >-\n  folded: text\n  more\nb: yes",
                serde_json::json!({"a": "folded: text more", "b": "yes"}),
            ),
            (
                "a: https://example.test",
                serde_json::json!({"a": "https://example.test"}),
            ),
        ] {
            assert_eq!(values(yaml)?, expected, "{yaml:?}");
        }
        Ok(())
    }

    #[test]
    fn other_faults_are_reported_where_they_are() {
        for (yaml, line) in [
            ("a: b\nc: 'd", 3),
            ("a: b: c\nd: [e", 2),
            ("a: b\nc: *d", 3),
            ("a: b: c\n  d: e", 2),
        ] {
            let Err(error) = values(yaml) else {
                panic!("{yaml:?} was accepted");
            };
            assert_eq!(error.line, line, "{yaml:?}: {error}");
        }
    }
}
