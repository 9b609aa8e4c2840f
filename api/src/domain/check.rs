//! What a text in an input may be.

use crate::error::{Error, Result, counted};
use chrono::NaiveTime;

/// A text without surrounding white space that has between `least` and `most` characters.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field and the limit.
pub(crate) fn text(field: &str, value: &str, least: usize, most: usize) -> Result<String> {
    let value = value.trim();
    let length = value.chars().count();
    match wrong_length(least as u64, most as u64, length as u64) {
        Some(reason) => Err(Error::bad_input(field, reason)),
        None => Ok(value.to_owned()),
    }
}

/// A text in one line, such as a title: as in [`text`], without line breaks and other controls, and without what turns
/// the direction of what stands around it. Something of it can be seen.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field and what is wrong.
pub(crate) fn line(field: &str, value: &str, least: usize, most: usize) -> Result<String> {
    let value = text(field, value, least, most)?;
    let breaks = |char| matches!(char, '\u{2028}' | '\u{2029}');
    let is_out = |char: char| char.is_control() || breaks(char) || turns(char);
    if value.chars().any(is_out) {
        return Err(Error::bad_input(
            field,
            "is one line: it has no line breaks, control characters or changes of direction",
        ));
    }
    if least > 0 && value.chars().all(is_unseen) {
        return Err(Error::bad_input(field, "has nothing that can be seen"));
    }
    Ok(value)
}

/// Whether it changes the direction of the text after it.
fn turns(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nothing is seen of it when it stands alone.
fn is_unseen(char: char) -> bool {
    char.is_whitespace()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}')
}

/// A time of day as `HH:MM`, from `00:00` to `23:59`.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn time_of_day(field: &str, value: &str) -> Result<String> {
    let value = value.trim();
    let read = NaiveTime::parse_from_str(value, "%H:%M").ok();
    match read.filter(|_| value.len() == 5) {
        Some(_) => Ok(value.to_owned()),
        None => Err(Error::bad_input(
            field,
            "expected a time of day as HH:MM, such as 07:30",
        )),
    }
}

/// What is wrong with a text of so many characters, which may have so many.
pub(crate) fn wrong_length(least: u64, most: u64, length: u64) -> Option<String> {
    match length {
        0 if least == 1 => Some("cannot be empty".to_owned()),
        length if length < least => Some(format!("needs at least {}", counted(least, "character"))),
        length if length > most => Some(format!(
            "has {length} characters; at most {most} are allowed"
        )),
        _ => None,
    }
}

/// What is wrong with a list of so many entries, which may have so many.
pub(crate) fn wrong_size(least: u64, most: u64, size: u64) -> Option<String> {
    match size {
        size if size < least => Some(format!("needs at least {}", counted(least, "entry"))),
        size if size > most => Some(format!("has {size} entries; at most {most} are allowed")),
        _ => None,
    }
}

/// A list of at most `most` texts, each as in [`text`].
///
/// # Errors
/// [`Error::BadUserInput`] naming the field and the limit.
pub(crate) fn texts(
    field: &str,
    values: &[String],
    most: usize,
    longest: usize,
) -> Result<Vec<String>> {
    if let Some(reason) = wrong_size(0, most as u64, values.len() as u64) {
        return Err(Error::bad_input(field, reason));
    }
    let entry = |(position, value): (usize, &String)| {
        text(&format!("{field}[{position}]"), value, 1, longest)
    };
    values.iter().enumerate().map(entry).collect()
}

/// An e-mail address, in lower case.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn email(field: &str, value: &str) -> Result<String> {
    let value = line(field, value, 3, 254)?.to_lowercase();
    let is_part = |part: &str| {
        let is_out =
            |char: char| char.is_whitespace() || is_unseen(char) || "<>()[]\\,;:\"@".contains(char);
        !part.is_empty() && !part.contains(is_out)
    };
    match value.rsplit_once('@') {
        Some((user, host)) if is_part(user) && is_part(host) => Ok(value),
        _ => Err(Error::bad_input(
            field,
            "expected an address such as ada@example.com",
        )),
    }
}

/// A telephone number in international form, such as `+4915112345678`.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn phone(field: &str, value: &str) -> Result<String> {
    let value = value.trim();
    let digits = value.strip_prefix('+').unwrap_or_default();
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    match (7..=15).contains(&digits.len()) && is_number(digits) && !digits.starts_with('0') {
        true => Ok(value.to_owned()),
        false => Err(Error::bad_input(
            field,
            "expected a number in international form, such as +4915112345678",
        )),
    }
}

/// The address of a page, which people can follow.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn web_address(field: &str, value: &str, longest: usize) -> Result<String> {
    let value = line(field, value, 1, longest)?;
    match value.starts_with("https://") || value.starts_with("http://") {
        true => Ok(value),
        false => Err(Error::bad_input(
            field,
            "must begin with https:// or http://",
        )),
    }
}

/// A repository as `owner/name`, as the places that keep repositories let them be called.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn repository(field: &str, value: &str) -> Result<String> {
    let value = value.trim();
    let is_name = |name: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=100).contains(&name.len()) && name.bytes().all(known) && !matches!(name, "." | "..")
    };
    match value.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok(value.to_owned()),
        _ => Err(Error::bad_input(
            field,
            "expected a repository as owner/name, such as acme/website",
        )),
    }
}

/// A language by its tag, such as `en` or `pt-BR`.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn language(field: &str, value: &str) -> Result<String> {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut parts = value.split('-');
    let is_first = |part: &str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_alphabetic());
    if value.len() <= 35 && parts.next().is_some_and(is_first) && value.split('-').all(is_part) {
        return Ok(value.to_owned());
    }
    Err(Error::bad_input(
        field,
        "expected a language's tag, such as en or pt-BR",
    ))
}

/// A key, such as `rolloutPlan`: a letter, then letters, digits and `_`, at most 64 in all.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn key(field: &str, value: &str) -> Result<String> {
    let value = line(field, value, 1, 64)?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match value.starts_with(|first: char| first.is_ascii_alphabetic()) && value.bytes().all(is_part)
    {
        true => Ok(value),
        false => Err(Error::bad_input(
            field,
            "expected a letter, then letters, digits and _, such as rolloutPlan",
        )),
    }
}

/// The name of a file below a folder, which leads to nowhere else: names of letters, digits, `-`, `_` and `.` with `/` between
/// them, at most 200 characters in all.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn file_name(field: &str, value: &str) -> Result<()> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(known) && name.bytes().any(|byte| byte != b'.')
    };
    match value.len() <= 200 && value.split('/').all(is_name) {
        true => Ok(()),
        false => Err(Error::bad_input(
            field,
            "expected a file's name below the skill, such as templates/report.md: letters, digits, -, _ and . with / between \
             folders, at most 200 characters",
        )),
    }
}

/// A colour such as `#1f6feb`.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field.
pub(crate) fn color(field: &str, value: &str) -> Result<String> {
    let hex = value
        .strip_prefix('#')
        .filter(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hex.map(|_| value.to_ascii_lowercase())
        .ok_or_else(|| Error::bad_input(field, "expected a colour such as #1f6feb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_measured_in_characters() {
        assert_eq!(text("name", "  été ", 1, 3).ok().as_deref(), Some("été"));
        for refused in ["", "   ", "four"] {
            assert!(text("name", refused, 1, 3).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_line_is_one_and_can_be_seen() {
        for good in [
            "Ticket 7",
            "שלום עולם",
            "مرحبا\u{200f}!",
            "👩‍💻 at work",
            "日本語",
        ] {
            assert_eq!(line("title", good, 1, 50).ok().as_deref(), Some(good));
        }
        for refused in [
            "a\nb",
            "a\tb",
            "a\u{2028}b",
            "a\u{7}",
            "\u{202e}drow",
            "a\u{2067}b",
            "\u{200b}",
            "\u{2800}\u{ad}",
            "\u{85}a\u{85}b",
        ] {
            assert!(line("title", refused, 1, 50).is_err(), "{refused:?}");
        }
        assert_eq!(line("title", "", 0, 50).ok().as_deref(), Some(""));
    }

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        for taken in ["acme/website", " Acme-1/web_site.rs ", "a/b"] {
            assert_eq!(repository("r", taken).ok().as_deref(), Some(taken.trim()));
        }
        let long = format!("a/{}", "b".repeat(101));
        for refused in [
            "",
            "website",
            "acme/",
            "/website",
            "a/b/c",
            "a/..",
            "a b/c",
            "https://x.example/a/b",
            &long,
        ] {
            assert!(repository("r", refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_language_is_a_tag() {
        for taken in ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996"] {
            assert_eq!(language("l", taken).ok().as_deref(), Some(taken));
        }
        for refused in ["", "e", "English please", "en-", "-en", "en_US", "12"] {
            assert!(language("l", refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_colour_has_six_hexadecimal_digits() {
        assert_eq!(color("color", "#1F6FEB").ok().as_deref(), Some("#1f6feb"));
        for refused in ["1f6feb", "#1f6fe", "#1f6feg", "red"] {
            assert!(color("color", refused).is_err(), "{refused}");
        }
    }
}
