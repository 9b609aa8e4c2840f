//! The tools a definition names.

use serde_json::Value;

/// The names in a list, or in text between commas or spaces; `None` for anything else.
///
/// Commas and spaces in brackets belong to the name, as in `Bash(git add:*, git status)`.
pub(super) fn read(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(split(text)),
        Value::Array(items) => {
            let names = items.iter().map(|item| item.as_str().map(str::trim));
            names
                .filter(|name| *name != Some(""))
                .map(|name| name.map(str::to_owned))
                .collect()
        }
        _ => None,
    }
}

fn split(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let names = text.split(|character: char| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (character == ',' || character.is_whitespace())
    });
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tools_are_read_in_every_form() {
        for (value, expected) in [
            (
                json!("Read, Write,Edit"),
                Some(vec!["Read", "Write", "Edit"]),
            ),
            (
                json!("Read Bash(git add:*, ls) "),
                Some(vec!["Read", "Bash(git add:*, ls)"]),
            ),
            (
                json!(["Read", "", " Web Search "]),
                Some(vec!["Read", "Web Search"]),
            ),
            (json!(["Read", 1]), None),
            (json!({"a": 1}), None),
            (json!("*"), Some(vec!["*"])),
            (json!("Bash(a, b"), Some(vec!["Bash(a, b"])),
            (json!(""), Some(vec![])),
            (json!(null), Some(vec![])),
        ] {
            let found = read(&value);
            let expected =
                expected.map(|names| names.into_iter().map(String::from).collect::<Vec<_>>());
            assert_eq!(found, expected, "{value}");
        }
    }
}
