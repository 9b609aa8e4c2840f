//! Who speaks in a line such as `Ann: good morning`.

use std::collections::HashMap;

use super::name::{Form, form, stands_alone};
use super::time::clock_time;

/// How far from its start a line is searched for a colon, in characters: a name, and a time behind it.
const REACH: usize = 100;

/// Marks that say in which direction to write, and that are not seen.
const UNSEEN: [char; 12] = [
    '\u{feff}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
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

/// The labels of a text. What is half a name and half a sentence is a label if it comes more than once.
#[derive(Debug, Default)]
pub(super) struct Labels<'a> {
    doubtful: HashMap<&'a str, usize>,
    /// How many lines start with what is a name for sure.
    pub(super) certain: usize,
}

impl<'a> Labels<'a> {
    /// Learns the labels from all lines of a text.
    pub(super) fn of(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut labels = Self::default();
        for line in lines {
            match label(line) {
                Some((Form::Doubtful, label)) => {
                    *labels.doubtful.entry(label.speaker).or_default() += 1;
                }
                Some(_) => labels.certain += 1,
                None => {}
            }
        }
        labels
    }

    /// Reads `Speaker: text`, also with a time before or behind the name and with the name in bold.
    ///
    /// A colon is not enough: `https://…`, `10:30`, `C:\`, `Question:` and a sentence that leads up to a colon are not
    /// speakers.
    pub(super) fn read<'l>(&self, line: &'l str) -> Option<Label<'l>> {
        let (form, label) = label(line)?;
        let is_one = form == Form::Name
            || self
                .doubtful
                .get(label.speaker)
                .is_some_and(|times| *times > 1);
        is_one.then_some(label)
    }
}

fn label(line: &str) -> Option<(Form, Label<'_>)> {
    let (before, line) = leading_time(line.trim_start().trim_start_matches(UNSEEN));
    let (name, text) = bold(line).or_else(|| plain(line))?;
    let (name, behind) = trailing_time(name.trim());
    let name = name.trim_end_matches('_').trim_end();
    let name = name.strip_suffix("**").unwrap_or(name).trim_end();
    let name = match before {
        // A chat that was saved names who wrote and to whom.
        Some(_) => addressed(name),
        None => name,
    };
    let name = bracketed(name).unwrap_or(name);
    let text = text.trim();
    let form = form(name);
    if form == Form::Other || text.is_empty() && !stands_alone(name) {
        return None;
    }
    let label = Label {
        speaker: name,
        start_time: before.flatten().or(behind),
        text,
    };
    Some((form, label))
}

/// The name in `From Ann to Everyone`.
fn addressed(name: &str) -> &str {
    let from = name.strip_prefix("From ").unwrap_or(name);
    let name = match from.rsplit_once(" to ") {
        Some((name, "Everyone" | "everyone")) if from != name => name,
        _ => from,
    };
    name.trim()
}

/// The name in `[Ann Archer]`.
pub(super) fn bracketed(name: &str) -> Option<&str> {
    let name = name.strip_prefix('[')?.strip_suffix(']')?.trim();
    (stands_alone(name) && !name.contains(['[', ']'])).then_some(name)
}

/// Takes `[00:01:23]`, `(1:23)`, `00:01:23` or `20/11/2026, 10:02 AM -` off the start: whether there was a time, and the
/// seconds if it counts from the beginning.
pub(super) fn leading_time(line: &str) -> (Option<Option<f64>>, &str) {
    const GAP: [char; 4] = [' ', '\t', '-', '–'];
    let found = match line.chars().next() {
        Some('[') => line[1..].split_once(']'),
        Some('(') => line[1..].split_once(')'),
        Some('0'..='9') => {
            let end = stamp_length(line);
            let (stamp, rest) = line.split_at(end);
            rest.starts_with([' ', '\t', '\u{202f}'])
                .then_some((stamp, rest))
        }
        _ => None,
    };
    match found {
        Some((stamp, rest)) if is_stamp(stamp) => (
            Some(clock_time(stamp.trim())),
            rest.trim_start().trim_start_matches(GAP),
        ),
        _ => (None, line),
    }
}

/// How long the words at the start are that a date and a time are made of.
fn stamp_length(line: &str) -> usize {
    let mut end = 0;
    for (at, character) in line.char_indices().take(REACH) {
        if character.is_whitespace() {
            let next = line[at..].trim_start();
            let word = next.split(char::is_whitespace).next().unwrap_or_default();
            end = at;
            if !is_stamp_word(word) {
                break;
            }
        }
    }
    end
}

fn is_stamp_word(word: &str) -> bool {
    let word = word.trim_end_matches(',');
    let is_half = ["am", "pm", "a.m.", "p.m."]
        .iter()
        .any(|half| word.eq_ignore_ascii_case(half));
    let is_number = word.starts_with(|first: char| first.is_ascii_digit())
        && word.ends_with(|last: char| last.is_ascii_digit() || last == 'Z')
        && word.contains([':', '/', '.', '-'])
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b":/.-,TZ".contains(&byte));
    is_half || is_number
}

/// Whether all of it is a date and a time, or a time.
fn is_stamp(text: &str) -> bool {
    text.contains(':')
        && text.len() < REACH
        && text.split_whitespace().all(is_stamp_word)
        && text
            .split_whitespace()
            .any(|word| clock_time(word.trim_end_matches(',')).is_some() || word.contains('T'))
}

/// Takes `(00:01:23)` or `[1:23]` off the end; other brackets are part of the name.
pub(super) fn trailing_time(name: &str) -> (&str, Option<f64>) {
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
    let line = ["**", "__"]
        .iter()
        .find_map(|mark| line.strip_prefix(mark))
        .unwrap_or(line);
    let mut depth = 0_usize;
    for (position, character) in line.char_indices().take(REACH) {
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
            ("10:02 AM Ann: x", "Ann", None, "x"),
            ("20/11/2026, 10:02 - Ann: x", "Ann", None, "x"),
            ("[20/11/2026, 10:02:03] Ann: x", "Ann", None, "x"),
            ("2026-11-20T10:02:03Z Ann: x", "Ann", None, "x"),
            (
                "00:12:34\t From  Ann Bo to Everyone: x",
                "Ann Bo",
                Some(754.0),
                "x",
            ),
            ("10:02:03 From  Ann : x", "Ann", Some(36_123.0), "x"),
            ("Ann (00:01:23): x", "Ann", Some(83.0), "x"),
            ("Ann [1:23]: x", "Ann", Some(83.0), "x"),
            ("Ann (Acme: Sales): x", "Ann (Acme: Sales)", None, "x"),
            ("[Ann Bo]: x", "Ann Bo", None, "x"),
            ("**Ann:** x", "Ann", None, "x"),
            ("**Ann**: x", "Ann", None, "x"),
            ("__Ann__ (0:05): x", "Ann", Some(5.0), "x"),
            ("[0:05] **Ann (host):** x", "Ann (host)", Some(5.0), "x"),
            ("speaker 1: x", "speaker 1", None, "x"),
            ("van der Meer: x", "van der Meer", None, "x"),
            ("ABC/DEF: x", "ABC/DEF", None, "x"),
            ("O'Neil, J.-P.: x", "O'Neil, J.-P.", None, "x"),
            ("王小明：你好", "王小明", None, "你好"),
            ("\u{200e}Ann: x", "Ann", None, "x"),
            ("14155550123: x", "14155550123", None, "x"),
            ("+1 (415) 555-0123: x", "+1 (415) 555-0123", None, "x"),
            ("Ann:", "Ann", None, ""),
        ] {
            let expected = Label {
                speaker,
                start_time,
                text,
            };
            assert_eq!(Labels::default().read(line), Some(expected), "{line:?}");
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
            "One thing: we try",
            "One Two Three Four Five Six Seven: x",
            "Really? Yes: x",
            "Question: who?",
            "NOTE: x",
            "3: third",
            "2026-11-20: a day",
            "",
            ":",
            "Ann",
            "what follows:",
            "let x = \"a\": b",
            "(aside: x)",
            &long,
        ] {
            assert_eq!(Labels::default().read(line), None, "{line:?}");
        }
    }

    #[test]
    fn what_comes_again_is_a_name() {
        let labels = Labels::of(["ann archer: a", "one thing: b", "ann archer: c"].into_iter());
        assert_eq!(
            labels.read("ann archer: a").map(|label| label.speaker),
            Some("ann archer")
        );
        assert_eq!(labels.read("one thing: b"), None);
    }
}
