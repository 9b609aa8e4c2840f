//! What stands in front of a colon in the notes, as far as its form tells.

/// Capitals in front of a colon that are not a person's, unless the attendees say so.
const NOT_PEOPLE: [&str; 16] = [
    "API", "EOF", "FAQ", "FYI", "ID", "NB", "NOTE", "OK", "PR", "PS", "RFC", "TBD", "TLDR", "TODO",
    "URL", "UTC",
];

/// Whether this looks like what notes call a person: two to four capitals.
pub(super) fn is_abbreviation(text: &str) -> bool {
    (2..=4).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase())
        && !NOT_PEOPLE.contains(&text)
}

/// The label without brackets behind it and without question marks: `ABC [on the queue]`, `ABC(?)`.
pub(super) fn without_remarks(label: &str) -> &str {
    let label = label.trim_end_matches(['?', ' ']);
    let start = match label.chars().next_back() {
        Some(')') => label.rfind('('),
        Some(']') => label.rfind('['),
        _ => None,
    };
    start.map_or(label, |start| label[..start].trim_end_matches(['?', ' ']))
}

/// `[Di]`, a name somebody put in later.
pub(super) fn bracketed(label: &str) -> Option<String> {
    let name = label.strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut words = name.split_whitespace();
    let is_name =
        words.clone().count() <= 3 && words.all(|word| word.starts_with(char::is_uppercase));
    (is_name && !name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_told_from_words() {
        for text in ["AB", "ABC", "ABCD"] {
            assert!(is_abbreviation(text), "{text:?}");
        }
        for text in ["", "A", "ABCDE", "Abc", "AB1", "A B", "ÄÖ", "NB", "TODO"] {
            assert!(!is_abbreviation(text), "{text:?}");
        }
    }

    #[test]
    fn remarks_are_taken_off() {
        for (label, name) in [
            ("AB", "AB"),
            ("AB (?)", "AB"),
            ("AB?? ", "AB"),
            ("AB? [aside]", "AB"),
            ("??", ""),
            ("[Di]", ""),
            ("AB)", "AB)"),
        ] {
            assert_eq!(without_remarks(label), name, "{label:?}");
        }
    }

    #[test]
    fn names_in_brackets_are_names() {
        assert_eq!(bracketed("[Di Diaz]").as_deref(), Some("Di Diaz"));
        for label in ["[]", "[on the queue]", "[A B C D]", "Di"] {
            assert_eq!(bracketed(label), None, "{label:?}");
        }
    }
}
