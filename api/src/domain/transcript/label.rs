//! Who speaks in a line such as `Ann: good morning`.

use super::time::clock_time;

/// A name of more characters is a sentence with a colon in it.
const MAX_CHARACTERS: usize = 80;

/// So is one of more words.
const MAX_WORDS: usize = 6;

/// From this many words on, a name has a second word that does not start in lower case.
const SENTENCE_WORDS: usize = 4;

/// What no name has but code, quotes and sentences do.
const NOT_IN_NAMES: &[char] = &[
    '*', '"', '`', '“', '”', '<', '>', '{', '}', '=', '?', '!', ';', '|', '\\',
];

/// The start of a turn.
#[derive(Debug, PartialEq)]
pub(super) struct Label<'a> {
    /// Who speaks.
    pub(super) speaker: &'a str,
    /// When they began, in seconds, when the line tells.
    pub(super) start_time: Option<f64>,
    /// The rest of the line.
    pub(super) text: &'a str,
}

/// Reads `Speaker: text`, also with a time before or behind the name and with the name in bold.
///
/// A colon is not enough: `https://…`, `10:30`, `C:\` and a sentence that leads up to a colon are
/// not speakers.
pub(super) fn label(line: &str) -> Option<Label<'_>> {
    let (before, line) = leading_time(line.trim_start());
    let (name, text) = bold(line).or_else(|| plain(line))?;
    let (name, behind) = trailing_time(name.trim());
    let name = name.trim_end_matches(['*', '_']).trim_end();
    let text = text.trim();
    (is_name(name) && (!text.is_empty() || stands_alone(name))).then_some(Label {
        speaker: name,
        start_time: before.or(behind),
        text,
    })
}

/// Takes `[00:01:23]`, `(1:23)` or `00:01:23` off the start.
fn leading_time(line: &str) -> (Option<f64>, &str) {
    let found = match line.chars().next() {
        Some('[') => line[1..].split_once(']'),
        Some('(') => line[1..].split_once(')'),
        Some('0'..='9') => line.split_once([' ', '\t']),
        _ => None,
    };
    let timed = found.and_then(|(time, rest)| Some((clock_time(time.trim())?, rest)));
    match timed {
        Some((time, rest)) => (Some(time), rest.trim_start_matches([' ', '\t', '-', '–'])),
        None => (None, line),
    }
}

/// Takes `(00:01:23)` or `[1:23]` off the end; other brackets are part of the name.
fn trailing_time(name: &str) -> (&str, Option<f64>) {
    let found = match name.chars().next_back() {
        Some(')') => name[..name.len() - 1].rsplit_once('('),
        Some(']') => name[..name.len() - 1].rsplit_once('['),
        _ => None,
    };
    match found.and_then(|(name, time)| Some((name, clock_time(time.trim())?))) {
        Some((name, time)) => (name.trim_end(), Some(time)),
        None => (name, None),
    }
}

/// `**Name:** text`; the colon behind the stars is [`plain`]'s to find.
fn bold(line: &str) -> Option<(&str, &str)> {
    let mark = &line.get(..2).filter(|mark| matches!(*mark, "**" | "__"))?;
    let (inner, text) = line[2..].split_once(mark)?;
    Some((inner.trim_end().strip_suffix(':')?, text))
}

/// Splits at the first colon outside brackets, if a space or the end of the line follows it.
fn plain(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(['*', '_']);
    let mut depth = 0_usize;
    // Room for a time behind the name.
    for (position, character) in line.char_indices().take(MAX_CHARACTERS + 20) {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                let text = &line[position + 1..];
                let spaced = text.is_empty() || text.starts_with(char::is_whitespace);
                return spaced.then_some((&line[..position], text));
            }
            // The wide colon of Chinese and Japanese has its space built in.
            '：' if depth == 0 => {
                return Some((&line[..position], &line[position + character.len_utf8()..]));
            }
            _ => {}
        }
    }
    None
}

/// Whether this can be what somebody is called.
fn is_name(name: &str) -> bool {
    let words = name.split_whitespace().count();
    name.starts_with(char::is_alphabetic)
        && words <= MAX_WORDS
        && !name.contains(NOT_IN_NAMES)
        && name.chars().nth(MAX_CHARACTERS).is_none()
        && !name.ends_with("http")
        && !name.ends_with("https")
        // `So the idea is: …` begins like a name but goes on like a sentence.
        && (words < SENTENCE_WORDS || name.split_whitespace().skip(1).any(is_proper))
}

/// Whether a name may stand on a line of its own, with what was said below it.
fn stands_alone(name: &str) -> bool {
    name.split_whitespace().all(is_proper)
}

/// Whether the word is one of a name rather than of a sentence; scripts without case always are.
fn is_proper(word: &str) -> bool {
    !word.starts_with(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_are_found() {
        for (line, speaker, start_time, text) in [
            ("Ann: hello", "Ann", None, "hello"),
            ("  Ann Bo :  hi: there ", "Ann Bo", None, "hi: there"),
            ("[00:01:23] Ann: x", "Ann", Some(83.0), "x"),
            ("(1:23) - Ann: x", "Ann", Some(83.0), "x"),
            ("00:01:23 Ann: x", "Ann", Some(83.0), "x"),
            ("Ann (00:01:23): x", "Ann", Some(83.0), "x"),
            ("Ann [1:23]: x", "Ann", Some(83.0), "x"),
            ("Ann (Acme: Sales): x", "Ann (Acme: Sales)", None, "x"),
            ("**Ann:** x", "Ann", None, "x"),
            ("**Ann**: x", "Ann", None, "x"),
            ("__Ann__ (0:05): x", "Ann", Some(5.0), "x"),
            ("[0:05] **Ann (host):** x", "Ann (host)", Some(5.0), "x"),
            ("speaker 1: x", "speaker 1", None, "x"),
            ("van der Meer: x", "van der Meer", None, "x"),
            ("ABC/DEF: x", "ABC/DEF", None, "x"),
            ("O'Neil, J.-P.: x", "O'Neil, J.-P.", None, "x"),
            ("王小明：你好", "王小明", None, "你好"),
            ("Ann:", "Ann", None, ""),
        ] {
            let expected = Label {
                speaker,
                start_time,
                text,
            };
            assert_eq!(label(line), Some(expected), "{line:?}");
        }
    }

    #[test]
    fn other_colons_are_not_speakers() {
        let long = format!("{}: x", "N".repeat(81));
        for line in [
            "https://example.test",
            "see https: there",
            "10:30 it began",
            "C:\\temp",
            "std::fmt",
            "- Ann: x",
            "So the idea is: we try",
            "One Two Three Four Five Six Seven: x",
            "Really? Yes: x",
            "",
            ":",
            "Ann",
            "what follows:",
            "let x = \"a\": b",
            "(aside: x)",
            &long,
        ] {
            assert_eq!(label(line), None, "{line:?}");
        }
    }
}
