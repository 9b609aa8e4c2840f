//! Who speaks below a line such as `Nora Field  0:02`, as Otter, Teams, Webex and Zoom write it.

use std::collections::HashMap;

use super::label::{bracketed, leading_time, trailing_time};
use super::name::stands_alone;
use super::time::clock_time;

/// A name and a time on a line of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Header<'a> {
    /// Who speaks.
    pub(super) speaker: &'a str,
    /// When they began, in seconds, if the time counts from the beginning.
    pub(super) start_time: Option<f64>,
    /// Whether more than a space sets the time apart: `Monday 10:30` may be the beginning of a text.
    is_certain: bool,
}

/// The headers of a text, for each of its lines.
///
/// A header has a text below it. One that is not certain is none unless its name comes more than once.
pub(super) fn headers<'a>(lines: &[&'a str]) -> Vec<Option<Header<'a>>> {
    let mut headers: Vec<_> = lines.iter().map(|line| header(line)).collect();
    let mut has_text = false;
    for (header, line) in headers.iter_mut().zip(lines).rev() {
        if line.trim().is_empty() {
            continue;
        }
        let is_header = header.is_some();
        if !has_text {
            *header = None;
        }
        has_text = !is_header;
    }
    let mut often: HashMap<&str, usize> = HashMap::new();
    for header in headers.iter().flatten() {
        *often.entry(header.speaker).or_default() += 1;
    }
    for header in &mut headers {
        *header = header.filter(|header| {
            header.is_certain || often.get(header.speaker).is_some_and(|times| *times > 1)
        });
    }
    headers
}

fn header(line: &str) -> Option<Header<'_>> {
    let line = line.trim();
    // Longer than a name and a time can be.
    if line.len() > 400 {
        return None;
    }
    let (speaker, start_time, is_certain) = by_end(line).or_else(|| by_start(line))?;
    let speaker = speaker.trim().trim_matches('*').trim();
    let bracketed = bracketed(speaker);
    let speaker = bracketed.unwrap_or(speaker);
    stands_alone(speaker).then_some(Header {
        speaker,
        start_time,
        is_certain: is_certain || bracketed.is_some(),
    })
}

/// `Nora Field  0:02`, `Nora Field (0:02)`, `[Nora Field] 10:02:03`, `Nora Field  10:02 AM`.
fn by_end(line: &str) -> Option<(&str, Option<f64>, bool)> {
    if let (name, Some(time)) = trailing_time(line) {
        return Some((name, Some(time), true));
    }
    let (start, last) = line.rsplit_once(char::is_whitespace)?;
    let is_half = ["am", "pm"]
        .iter()
        .any(|half| last.eq_ignore_ascii_case(half));
    let (start, time) = match is_half {
        true => start.trim_end().rsplit_once(char::is_whitespace)?,
        false => (start, last),
    };
    let seconds = clock_time(time)?;
    let name = start.trim_end_matches(|sign: char| sign.is_whitespace() || "•|·-–,".contains(sign));
    // The space in front of the time was cut off.
    let is_certain = name.len() < start.len() || line[start.len()..].starts_with('\t');
    Some((name, Some(seconds).filter(|_| !is_half), is_certain))
}

/// `[0:02] Nora Field`, `0:02 Nora Field`.
fn by_start(line: &str) -> Option<(&str, Option<f64>, bool)> {
    let (time, name) = leading_time(line);
    time.map(|seconds| (name, seconds, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Option<f64>)> {
        let lines: Vec<_> = text.lines().collect();
        let headers = headers(&lines).into_iter().flatten();
        headers
            .map(|header| (header.speaker, header.start_time))
            .collect()
    }

    #[test]
    fn a_name_and_a_time_are_a_header() {
        for (line, speaker, seconds) in [
            ("Nora Field  0:02  ", "Nora Field", Some(2.0)),
            ("Nora Field\t00:01:02", "Nora Field", Some(62.0)),
            ("Nora Field (0:02)", "Nora Field", Some(2.0)),
            ("Nora Field • 0:02", "Nora Field", Some(2.0)),
            ("[Nora Field] 10:02:03", "Nora Field", Some(36_123.0)),
            ("**Nora Field**   0:02", "Nora Field", Some(2.0)),
            ("Nora Field  10:02 AM", "Nora Field", None),
            ("Speaker 1  0:02", "Speaker 1", Some(2.0)),
            ("+1 415-555-0123  0:02", "+1 415-555-0123", Some(2.0)),
        ] {
            assert_eq!(
                found(&format!("{line}\nhello")),
                [(speaker, seconds)],
                "{line:?}"
            );
        }
        let twice = "0:02 Nora Field\na\n[0:05] Nora Field\nb\nMonday 10:30\nc";
        assert_eq!(
            found(twice),
            [("Nora Field", Some(2.0)), ("Nora Field", Some(5.0))]
        );
    }

    #[test]
    fn other_lines_with_a_time_are_none() {
        for text in [
            "Monday 10:30\nwe met",
            "See you at  10:30\nbye",
            "Budget  10:30\nHiring  11:00",
            "Nora Field  0:02",
            "[0:01] Hello\n[0:02] World",
            "It ended at (0:02)\nbye",
            "0:02\nhello",
        ] {
            assert_eq!(found(text), [], "{text:?}");
        }
    }
}
