//! The day in a title or a file's name.

use chrono::NaiveDate;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The shortest abbreviation of a month.
const SHORTEST: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Year(i32),
    /// A number of one or two digits.
    Number(u32),
    /// `1st`, `2nd` and so on.
    Ordinal(u32),
    Month(u32),
    Other,
}

/// Finds a date: `2031-05-02`, `20310502`, `May 2, 2031`, `2nd May 2031`, `2031-05-may-02`.
///
/// Of a range it is the first day.
pub(super) fn find(text: &str) -> Option<NaiveDate> {
    let words = || {
        text.split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    let tokens: Vec<_> = words().map(token).collect();
    named(&tokens)
        .or_else(|| numeric(&tokens))
        .or_else(|| words().find_map(packed))
}

fn token(word: &str) -> Token {
    let suffix = word.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = &word[..word.len() - suffix.len()];
    let number = digits.parse().unwrap_or(u32::MAX);
    match (digits.len(), suffix.to_ascii_lowercase().as_str()) {
        (4, "") if (1900..3000).contains(&number) => {
            i32::try_from(number).map_or(Token::Other, Token::Year)
        }
        (1 | 2, "") => Token::Number(number),
        (1 | 2, "st" | "nd" | "rd" | "th") => Token::Ordinal(number),
        (0, word) => month(word).map_or(Token::Other, Token::Month),
        _ => Token::Other,
    }
}

fn month(word: &str) -> Option<u32> {
    // `sept` is short for no longer reason than habit, and a prefix all the same.
    let index = MONTHS
        .iter()
        .position(|month| word.len() >= SHORTEST && month.starts_with(word))?;
    u32::try_from(index + 1).ok()
}

/// A date with the month in letters.
fn named(tokens: &[Token]) -> Option<NaiveDate> {
    let year = tokens.iter().find_map(|token| {
        if let Token::Year(year) = token {
            Some(*year)
        } else {
            None
        }
    })?;
    (0..tokens.len()).find_map(|at| {
        let Token::Month(month) = tokens[at] else {
            return None;
        };
        let near = |offset: isize| {
            at.checked_add_signed(offset)
                .and_then(|at| tokens.get(at))
                .copied()
        };
        let day = match (near(-2), near(-1), near(1), near(2)) {
            (_, Some(Token::Ordinal(day)), _, _) => day,
            (_, _, Some(Token::Number(day) | Token::Ordinal(day)), Some(Token::Year(_))) => day,
            // In `2031-05-may-02` the number in front is the month once more.
            (
                Some(Token::Year(_)),
                Some(Token::Number(_)),
                Some(Token::Number(day) | Token::Ordinal(day)),
                _,
            ) => day,
            (_, Some(Token::Number(day)), _, _) => day,
            (_, _, Some(Token::Number(day) | Token::Ordinal(day)), _) => day,
            _ => return None,
        };
        NaiveDate::from_ymd_opt(year, month, day)
    })
}

/// Year, month and day in this order.
fn numeric(tokens: &[Token]) -> Option<NaiveDate> {
    tokens.windows(3).find_map(|window| match *window {
        [Token::Year(year), Token::Number(month), Token::Number(day)] => {
            NaiveDate::from_ymd_opt(year, month, day)
        }
        _ => None,
    })
}

/// The same without anything between.
fn packed(word: &str) -> Option<NaiveDate> {
    let plain = word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit());
    if !plain {
        return None;
    }
    numeric(&[token(&word[..4]), token(&word[4..6]), token(&word[6..])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found() {
        let day = NaiveDate::from_ymd_opt(2031, 5, 2);
        for text in [
            "2031-05-02",
            "2031-05-may-02",
            "2031-05-may-2",
            "20310502-notes",
            "notes_2031_05_02",
            "2nd May 2031 100th Meeting",
            "105th Meeting | 2nd May 2031",
            "May 2, 2031 Meeting Notes",
            "2 May, 2031",
            "May 2nd 2031",
            "Meeting 5 May 2, 2031",
            "2 May - 4 May 2031",
            "2nd – 4th May 2031: May 2, 2031",
        ] {
            let expected = if text.starts_with("2nd –") {
                NaiveDate::from_ymd_opt(2031, 5, 4)
            } else {
                day
            };
            assert_eq!(find(text), expected, "{text:?}");
        }
        assert_eq!(find("sept-18 2031"), NaiveDate::from_ymd_opt(2031, 9, 18));
    }

    #[test]
    fn other_numbers_are_no_date() {
        for text in [
            "",
            "meeting 7",
            "may-02",
            "2031",
            "what may come in 2031",
            "2031-13-01",
            "31 February 2031",
            "99999999",
            "１２３４５６７８",
        ] {
            assert_eq!(find(text), None, "{text:?}");
        }
    }
}
