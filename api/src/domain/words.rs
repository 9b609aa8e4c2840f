//! What a word is, and what a search asks for.
//!
//! Both databases cut texts into words in the same way (see the migration of search); this is that way, for queries and
//! for showing where they match.

use crate::error::{Error, Result};
use std::ops::Range;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The longest query, in characters.
const LONGEST: usize = 200;
/// The most words of a query.
const MOST: usize = 16;

/// Accents that stand alone, as a bit for each character from U+0300: they go on a word, and do not begin one.
const ACCENTS: u64 = 0x0003_61f8_0802_9fdf;

fn is_letter_or_digit(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || (!character.is_ascii()
            && (character.general_category_group() == GeneralCategoryGroup::Letter
                || character.general_category() == GeneralCategory::DecimalNumber))
}

fn is_accent(character: char) -> bool {
    let position = u32::from(character).wrapping_sub(0x300);
    position < 64 && ACCENTS >> position & 1 == 1
}

/// Where a text's words are, in bytes.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(is_letter_or_digit)?;
        let goes_on = |character| is_letter_or_digit(character) || is_accent(character);
        let length = text[start..].find(|character| !goes_on(character));
        from = length.map_or(text.len(), |length| start + length);
        Some(start..from)
    })
}

/// A word without its case, letter by letter, so that it stays as long as it was.
fn folded(word: &str) -> String {
    word.chars().map(small).collect()
}

fn small(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    let small = match (lower.next(), lower.next()) {
        (Some(small), None) => small,
        _ => letter,
    };
    // Letters that are another one's small letter by another look.
    match small {
        'ſ' => 's',
        'ϐ' => 'β',
        'ϵ' => 'ε',
        'ϑ' => 'θ',
        '\u{1fbe}' => 'ι',
        'ϰ' => 'κ',
        'µ' => 'μ',
        'ϖ' => 'π',
        'ϱ' => 'ρ',
        'ς' => 'σ',
        'ϕ' => 'φ',
        'ẛ' => 'ṡ',
        small => small,
    }
}

fn capital(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(capital), None) => capital,
        _ => letter,
    }
}

/// The words a search asks for. All must be there, the last one as the beginning of a word.
#[derive(Clone, Debug)]
pub(crate) struct Sought(Vec<Word>);

/// A word of a query.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// As it was written.
    pub(crate) written: String,
    /// Without its case.
    pub(crate) folded: String,
    /// Whether it may go on.
    pub(crate) is_beginning: bool,
}

impl Sought {
    /// Reads a query. Signs only separate its words.
    ///
    /// # Errors
    /// When it is too long, has too many words, or has none.
    pub(crate) fn parse(query: &str) -> Result<Self> {
        let limit = |name, limit: usize, actual: usize| match actual <= limit {
            true => Ok(()),
            false => Err(Error::LimitExceeded {
                name,
                limit: limit as u64,
                actual: actual as u64,
            }),
        };
        limit("Characters in a search", LONGEST, query.chars().count())?;
        let mut all: Vec<Word> = words(query)
            .map(|range| Word {
                written: query[range.clone()].to_owned(),
                folded: folded(&query[range]),
                is_beginning: false,
            })
            .collect();
        limit("Words in a search", MOST, all.len())?;
        match all.last_mut() {
            Some(last) => last.is_beginning = true,
            None => {
                return Err(Error::bad_input(
                    "query",
                    "needs at least one letter or digit: search looks for words, and signs only separate them",
                ));
            }
        }
        Ok(Self(all))
    }

    /// The words.
    pub(crate) fn words(&self) -> &[Word] {
        &self.0
    }

    /// The same for queries that ask for the same.
    pub(crate) fn name(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|word| word.folded.as_str()).collect();
        words.join(" ")
    }

    /// Where the sought words are in a text, in bytes.
    pub(crate) fn places(&self, text: &str) -> Vec<Range<usize>> {
        words(text)
            .filter(|range| {
                let found = folded(&text[range.clone()]);
                self.0.iter().any(|word| {
                    found == word.folded || (word.is_beginning && found.starts_with(&word.folded))
                })
            })
            .collect()
    }
}

impl Word {
    /// How it may stand in a text whose letters A to Z were made small: in small letters, with a capital, in capitals,
    /// as it was written.
    pub(crate) fn spellings(&self) -> Vec<String> {
        let mut letters = self.folded.chars();
        let first: String = letters.next().map(capital).into_iter().collect();
        let mut out = Vec::new();
        for mut spelling in [
            self.folded.clone(),
            first + letters.as_str(),
            self.folded.chars().map(capital).collect(),
            self.written.clone(),
        ] {
            spelling.make_ascii_lowercase();
            if !out.contains(&spelling) {
                out.push(spelling);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        words(text).map(|range| &text[range]).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(
            cut("ann@example.org, snake_case-v2!"),
            ["ann", "example", "org", "snake", "case", "v2"]
        );
        assert_eq!(
            cut("“Größe”/naïve 東京タワー 🚀x²"),
            ["Größe", "naïve", "東京タワー", "x"]
        );
        assert_eq!(cut("cafe\u{301}s \u{301}a"), ["cafe\u{301}s", "a"]);
        assert!(cut("- ' \" * ( 🦀 _").is_empty());
    }

    #[test]
    fn case_is_folded_letter_by_letter() {
        for (written, same) in [
            ("GRÖßE", "größe"),
            ("ÉTÉ", "été"),
            ("ОБЗОР", "обзор"),
            ("ΟΔΟΣ", "οδος"),
            ("ẞ", "ß"),
        ] {
            assert_eq!(folded(written), folded(same));
        }
        assert_eq!(folded("İ"), "İ");
    }

    #[test]
    fn a_query_needs_a_word_and_has_its_limits() {
        let code = |query: &str| Sought::parse(query).map_err(|error| error.code()).err();
        assert_eq!(code("\"*\" -:()🦀"), Some("BAD_USER_INPUT"));
        assert_eq!(code(&"a".repeat(201)), Some("LIMIT_EXCEEDED"));
        assert_eq!(code(&"a ".repeat(17)), Some("LIMIT_EXCEEDED"));
        assert_eq!(code(&"ä".repeat(200)), None);
        assert_eq!(code(&"a ".repeat(16)), None);
    }

    #[test]
    fn only_the_last_word_may_go_on() {
        let places = |query: &str, text: &str| {
            let sought = Sought::parse(query).map_err(|error| error.message());
            sought.map(|sought| sought.places(text).len())
        };
        assert_eq!(places("art par", "Party art, parts of art"), Ok(4));
        assert_eq!(places("par art", "Party art, parts of art"), Ok(2));
    }

    #[test]
    fn a_word_is_spelt_in_the_ways_it_may_stand_in_a_text() {
        let spellings =
            |query: &str| Sought::parse(query).map(|sought| sought.words()[0].spellings());
        assert_eq!(spellings("Plan").ok(), Some(vec!["plan".to_owned()]));
        assert_eq!(
            spellings("éTé").ok(),
            Some(["été", "Été", "ÉtÉ", "étÉ"].map(str::to_owned).to_vec())
        );
    }
}
