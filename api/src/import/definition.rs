//! Definitions of skills and subagents: Markdown with YAML frontmatter.

mod file;
mod frontmatter;
mod tools;
mod yaml;

use serde_json::{Map, Value};

pub(crate) use self::file::is_definition;
use self::frontmatter::Frontmatter;
use crate::domain::parse_error::ParseError;
use crate::domain::transcript::lines;

/// The longest description, in characters: it is read into every prompt that may use the definition.
const MAX_DESCRIPTION: usize = 4096;

/// A skill or a subagent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    /// What it is called: letters, digits, dashes and dots.
    pub(crate) name: String,
    /// What it is for; 1 to 4096 characters.
    pub(crate) description: String,
    /// The tools it may use (`tools`, then `allowed-tools`), each once; empty when the file names none.
    pub(crate) tools: Vec<String>,
    /// The model it asks for.
    pub(crate) model: Option<String>,
    /// The Markdown below the frontmatter, without blank lines around it; lines end with LF.
    pub(crate) body: String,
    /// What else the frontmatter holds.
    pub(crate) extra: Map<String, Value>,
}

/// Reads a definition.
///
/// # Errors
/// The line in the file of a value that is not what it must be, of what is no YAML, or of a NUL;
/// line 1 when the frontmatter or one of its required keys is missing.
pub(crate) fn parse(text: &str) -> Result<Definition, ParseError> {
    let text = lines::readable(text)?;
    let mut front = Frontmatter::split(text)?;
    let name = front.required("name")?;
    if !is_name(&name) {
        let expected = "a `name` of letters, digits, dashes and dots";
        return Err(ParseError::found(front.line_of("name"), expected, &name));
    }
    let description = front.required("description")?;
    if description.chars().nth(MAX_DESCRIPTION).is_some() {
        let length = description.chars().count();
        let reason = format!(
            "expected a `description` of at most {MAX_DESCRIPTION} characters, found {length}"
        );
        return Err(ParseError::new(front.line_of("description"), reason));
    }
    let mut tools = Vec::new();
    for key in ["tools", "allowed-tools"] {
        let value = front.take(key);
        let Some(found) = tools::read(&value) else {
            let expected = format!("`{key}` as a list of names or as names between commas");
            return Err(ParseError::found(
                front.line_of(key),
                &expected,
                &value.to_string(),
            ));
        };
        for tool in found {
            if !tools.contains(&tool) {
                tools.push(tool);
            }
        }
    }
    let model = front.optional("model")?;
    Ok(Definition {
        name,
        description,
        tools,
        model,
        body: front.body,
        extra: front.values,
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nname: tidy-up.2\ndescription: Use when: \"the desk\" is full\n\
        tools: Read, Bash(git:*, ls)\nmodel: small\nlicense: MIT\n---\n\n\
        # Tidy\n\n---\nend\n\n";

    #[test]
    fn a_definition_is_read() -> Result<(), ParseError> {
        let definition = parse(TEXT)?;
        assert_eq!(definition.name, "tidy-up.2");
        assert_eq!(definition.description, "Use when: \"the desk\" is full");
        assert_eq!(definition.tools, ["Read", "Bash(git:*, ls)"]);
        assert_eq!(definition.model.as_deref(), Some("small"));
        assert_eq!(definition.body, "# Tidy\n\n---\nend");
        assert_eq!(
            Value::Object(definition.extra),
            serde_json::json!({ "license": "MIT" })
        );
        assert_eq!(parse(&TEXT.replace('\n', "\r\n"))?.body, definition.body);
        Ok(())
    }

    #[test]
    fn only_name_and_description_are_required() -> Result<(), ParseError> {
        let definition = parse(
            "\u{feff}---\nname: a\ndescription: |-\n  one\n  two\nallowed-tools:\n  - Read\n  - Read\n---",
        )?;
        assert_eq!(definition.description, "one\ntwo");
        assert_eq!(definition.tools, ["Read"]);
        assert_eq!((definition.model, definition.body.as_str()), (None, ""));
        assert!(definition.extra.is_empty());
        Ok(())
    }

    #[test]
    fn an_error_names_the_key_and_its_line() {
        let long = format!("---\nname: a\ndescription: {}\n---\n", "é".repeat(4097));
        for (text, line, part) in [
            ("", 1, "text"),
            ("# Readme\n", 1, "`---`"),
            ("---\nname: a\n", 1, "never closed"),
            ("---\ndescription: d\n---\n", 1, "`name`"),
            ("---\nname: a\n---\n", 1, "`description`"),
            ("---\n---\nbody", 1, "`name`"),
            ("---\nname: a\ndescription: ' '\n---\n", 3, "`description`"),
            ("---\n\nname: a b\ndescription: d\n---\n", 3, "`name`"),
            ("---\nname: -a\ndescription: d\n---\n", 2, "`name`"),
            ("---\nname: [a]\ndescription: d\n---\n", 2, "`name`"),
            (&long, 3, "4097"),
            (
                "---\nname: a\ndescription: d\ntools: {a: b}\n---\n",
                4,
                "`tools`",
            ),
            (
                "---\nname: a\ndescription: d\nmodel: [x]\n---\n",
                4,
                "`model`",
            ),
            ("---\nname: a\ndescription: 'd\n---\n", 3, ""),
            ("---\nname: a\nname: b\ndescription: d\n---\n", 3, "name"),
            ("---\n- name\n---\n", 2, ""),
            ("---\nname: a\ndescription: d\0\n---\n", 3, "NUL"),
        ] {
            let Err(error) = parse(text) else {
                panic!("{text:?} was accepted");
            };
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.reason.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn no_slice_of_a_definition_panics() {
        for (cut, _) in TEXT.char_indices() {
            let _ = parse(&TEXT[..cut]);
            let _ = parse(&TEXT[cut..]);
        }
    }
}
