//! What a word is, for texts and for queries alike.
//!
//! A word is a run of letters and digits with the marks that belong to them. Scripts that put no spaces between words
//! are cut into pairs of letters instead, so that a word is found wherever it stands in a run.

mod sought;

pub(crate) use sought::{Sought, Word};

use super::letters;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// How many characters of a word count.
const LENGTH: usize = 200;
/// How many marks of a letter count: more than any script puts on one. PostgreSQL takes no word of more than 2,046 bytes.
const MARKS: usize = 16;

/// What a character is to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// A letter or digit of a script that puts something between words.
    Spaced,
    /// A letter of a script that does not.
    Dense,
    /// Goes on whatever it follows.
    Mark,
    /// Separates words.
    Sign,
}

fn class(character: char) -> Class {
    if character.is_ascii() {
        return match character.is_ascii_alphanumeric() {
            true => Class::Spaced,
            false => Class::Sign,
        };
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter if is_dense(character) => Class::Dense,
        GeneralCategoryGroup::Letter => Class::Spaced,
        GeneralCategoryGroup::Mark => Class::Mark,
        _ if character.general_category() == GeneralCategory::DecimalNumber => Class::Spaced,
        _ if character == '〇' => Class::Dense,
        _ if is_invisible(character) => Class::Mark,
        _ => Class::Sign,
    }
}

/// Letters of Thai, Lao, Myanmar, Khmer, Chinese, Japanese and Korean. Korean has spaces, but what they separate are not
/// words: particles stick to them.
fn is_dense(letter: char) -> bool {
    matches!(letter,
        '\u{0e00}'..='\u{0eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{318f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{a9e0}'..='\u{a9ff}'
        | '\u{aa60}'..='\u{aa7f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{323af}')
}

/// Joiners, the soft hyphen and the like: within a word, and no part of it.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}'
    )
}

/// A part of a text: where it is, in bytes, and whether its script puts no spaces between words.
struct Run {
    range: Range<usize>,
    is_dense: bool,
}

fn runs(text: &str) -> impl Iterator<Item = Run> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let begins = |character| matches!(class(character), Class::Spaced | Class::Dense);
        let start = from + text.get(from..)?.find(begins)?;
        let first = class(text[start..].chars().next()?);
        let goes_on = |character| [first, Class::Mark].contains(&class(character));
        let length = text[start..].find(|character| !goes_on(character));
        from = length.map_or(text.len(), |length| start + length);
        Some(Run {
            range: start..from,
            is_dense: first == Class::Dense,
        })
    })
}

/// A run without its case and in one form, however its characters were put together: `É` is `é`, `ß` is `ss`, a wide
/// letter is a narrow one. Of a long word the beginning is left, a dense run being none, and of a letter's marks the first
/// ones.
fn folded(run: &str, is_dense: bool) -> String {
    let most = if is_dense { usize::MAX } else { LENGTH };
    if run.is_ascii() {
        let mut word = run.to_ascii_lowercase();
        word.truncate(most);
        return word;
    }
    let composed = run.nfkc().filter(|character| !is_invisible(*character));
    let small = composed.flat_map(letters::folded_fully).nfkc();
    let mut marks = 0;
    let counts = |character: &char| match class(*character) {
        Class::Sign => false,
        Class::Mark => {
            marks += 1;
            marks <= MARKS
        }
        Class::Spaced | Class::Dense => {
            marks = 0;
            true
        }
    };
    small.filter(counts).take(most).collect()
}

/// The letters of a folded run, each with its marks.
fn units(run: &str) -> Vec<&str> {
    let mut starts: Vec<_> = run
        .char_indices()
        .filter(|(at, character)| *at == 0 || class(*character) != Class::Mark)
        .map(|(at, _)| at)
        .collect();
    starts.push(run.len());
    starts
        .windows(2)
        .map(|ends| &run[ends[0]..ends[1]])
        .collect()
}

/// The words of a text as the index has them, each as often as it stands there.
///
/// Of a dense run these are its pairs of letters, and its last letter alone: so a letter is the beginning of some word
/// wherever it stands.
pub(crate) fn indexed(text: &str) -> impl Iterator<Item = String> {
    runs(text).flat_map(|run| {
        let word = folded(&text[run.range], run.is_dense);
        if word.is_empty() {
            return Vec::new();
        }
        if !run.is_dense {
            return vec![word];
        }
        let units = units(&word);
        let pairs = units.windows(2).map(<[&str]>::concat);
        let last = units.last().map(|last| (*last).to_owned());
        pairs.chain(last).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::domain::words) fn words(text: &str) -> Vec<String> {
        indexed(text).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(
            words("ann@example.org, snake_case-v2!"),
            ["ann", "example", "org", "snake", "case", "v2"]
        );
        assert_eq!(words("“Größe”/naïve 🚀x²"), ["grösse", "naïve", "x"]);
        assert_eq!(words("हिन्दी में, العَرَبِيَّة"), ["हिन्दी", "में", "العَرَبِيَّة"]);
        assert!(words("- ' \" * ( 🦀 _ \u{301}").is_empty());
    }

    #[test]
    fn runs_without_spaces_are_cut_into_pairs() {
        assert_eq!(words("今日の会議"), ["今日", "日の", "の会", "会議", "議"]);
        assert_eq!(words("PRD会議2026"), ["prd", "会議", "議", "2026"]);
        assert_eq!(words("회의에서 は"), ["회의", "의에", "에서", "서", "は"]);
        assert_eq!(words("ﾊﾞｽ"), words("バス"));
        assert_eq!(words("が"), words("か\u{3099}"));
        assert_eq!(words("ที่นี่"), ["ที่นี่", "นี่"]);
    }

    #[test]
    fn case_and_composition_do_not_matter() {
        for (written, same) in [
            ("GRÖßE", "größe"),
            ("STRASSE", "straße"),
            ("STRAẞE", "straße"),
            ("ÉTÉ", "e\u{301}te\u{301}"),
            ("ОБЗОР Й", "обзор и\u{306}"),
            ("ΟΔΟΣ", "οδος"),
            ("ΐ", "Ϊ\u{301}"),
            ("İSTANBUL", "istanbul"),
            ("ISPARTA", "ısparta"),
            ("ﬁn ſo µm", "fin so μm"),
            ("ＡＢＣ１", "abc1"),
            ("re\u{ad}port", "report"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("ą\u{301}", "a\u{301}\u{328}"),
        ] {
            assert_eq!(words(written), words(same));
        }
        assert_ne!(words("ete"), words("été"));
    }

    /// All that may be in a word, but of the planes beyond the first one in a hundred.
    pub(in crate::domain::words) fn characters() -> impl Iterator<Item = char> {
        let first = '\0'..='\u{ffff}';
        let all = first.chain(('\u{10000}'..=char::MAX).step_by(97));
        all.filter(|character| class(*character) != Class::Sign)
    }

    #[test]
    fn no_word_holds_anything_but_letters_digits_and_marks() {
        for character in characters() {
            for word in indexed(&format!("a{character}b 会{character}議")) {
                assert!(!word.is_empty(), "{character:?}");
                assert!(
                    word.chars()
                        .all(|character| class(character) != Class::Sign),
                    "{character:?} {word:?}"
                );
            }
        }
    }

    #[test]
    fn no_word_is_longer_than_a_database_takes() {
        let marks = "\u{301}".repeat(3000);
        for letter in characters()
            .step_by(97)
            .chain(['か', 'a', 'ท', '한', '\u{fdfa}'])
        {
            for text in [
                format!("{letter}{marks}{letter}{marks}"),
                letter.to_string().repeat(3000),
                format!("会{marks}{letter}"),
            ] {
                let longest = indexed(&text).map(|word| word.len()).max();
                assert!(
                    longest.is_none_or(|length| length <= 2046),
                    "{letter:?}: {longest:?}"
                );
            }
        }
        assert_eq!(
            words(&format!("か{marks}議")),
            words(&format!("か{}議", "\u{301}".repeat(16)))
        );
    }
}
