//! What a text in an input may be.

use crate::error::{Error, Result};

/// A text without surrounding white space that has between `least` and `most` characters.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field and the limit.
pub(crate) fn text(field: &str, value: &str, least: usize, most: usize) -> Result<String> {
    let value = value.trim();
    let length = value.chars().count();
    if length < least {
        return Err(Error::bad_input(
            field,
            if least == 1 {
                "cannot be empty".to_owned()
            } else {
                format!("needs at least {least} characters")
            },
        ));
    }
    if length > most {
        return Err(Error::bad_input(
            field,
            format!("has {length} characters; at most {most} are allowed"),
        ));
    }
    Ok(value.to_owned())
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
    if values.len() > most {
        return Err(Error::bad_input(
            field,
            format!("has {} entries; at most {most} are allowed", values.len()),
        ));
    }
    let entry = |(position, value): (usize, &String)| {
        text(&format!("{field}[{position}]"), value, 1, longest)
    };
    values.iter().enumerate().map(entry).collect()
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
    fn a_colour_has_six_hexadecimal_digits() {
        assert_eq!(color("color", "#1F6FEB").ok().as_deref(), Some("#1f6feb"));
        for refused in ["1f6feb", "#1f6fe", "#1f6feg", "red"] {
            assert!(color("color", refused).is_err(), "{refused}");
        }
    }
}
