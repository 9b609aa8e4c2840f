//! What tells one cause of a failure from another.

use regex::Regex;
use std::sync::LazyLock;

/// The longest signature, in characters.
const LONGEST: usize = 200;

/// What differs from one failure of the same cause to the next, and what stands in its place.
static DIFFERS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "<id>",
        ),
        (r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b", "<address>"),
        (
            r"(?:[a-z]:)?[\w.\-]*[/\\][\w./\\\-]+(:\d+(:\d+)?)?",
            "<path>",
        ),
        (r"\b[\w\-]+\.[a-z]{1,5}:\d+(:\d+)?\b", "<path>"),
        (r"\d{4,}", "<number>"),
        (r"\s+", " "),
    ];
    let compiled = patterns.into_iter().filter_map(|(pattern, instead)| {
        let compiled = Regex::new(pattern).ok()?;
        Some((compiled, instead))
    });
    compiled.collect()
});

/// A failure's text without what differs each time, so that equal causes compare equal: paths with lines and columns,
/// UUIDs, addresses and long numbers. In small letters, at most 200 characters.
pub(crate) fn signature(error: &str) -> String {
    // Of a text of any length no more is looked at than can come out of it.
    let begins: String = error.chars().take(8 * LONGEST).collect();
    let mut text = begins.trim().to_lowercase();
    for (pattern, instead) in DIFFERS.iter() {
        text = pattern.replace_all(&text, *instead).into_owned();
    }
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(DIFFERS.len(), 6);
    }

    #[test]
    fn what_differs_each_time_is_no_part_of_a_cause() {
        for (one, other) in [
            (
                "panicked at src/main.rs:10:5: boom",
                "panicked at src/lib.rs:77:12: Boom",
            ),
            ("main.rs:10:5 boom", "lib.rs:7 boom"),
            (
                "no row 6f1c1f3e-8c39-4a52-9d2b-6d2f0c6f7a10",
                "no row 00000000-0000-0000-0000-000000000001",
            ),
            ("refused 10.0.0.1:5432", "refused 192.168.1.20:80"),
            ("took 12345 ms\n  too long", "took 99999999 ms too long"),
            (r"C:\build\a.c:3 failed", "/home/x/b.c:9:1 failed"),
        ] {
            assert_eq!(signature(one), signature(other), "{one} / {other}");
        }
        for (one, other) in [("exit 1", "exit 2"), ("timeout", "refused")] {
            assert_ne!(signature(one), signature(other));
        }
    }

    #[test]
    fn it_is_short_however_long_the_error_is() {
        assert_eq!(signature(&"word ".repeat(100_000)).chars().count(), 200);
        assert_eq!(signature(&"é".repeat(500)).chars().count(), 200);
    }
}
