//! What a word is, for texts and for queries alike, and what a search asks for.
//!
//! A word is a run of letters and digits with the marks that belong to them. Scripts that put no spaces between words
//! are cut into pairs of letters instead, so that a word is found wherever it stands in a run.

use super::letters;
use crate::error::{Error, Result};
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The longest query, in characters.
const LONGEST: usize = 200;
/// The most words of a query.
const MOST: usize = 16;
/// How many characters of a word count.
const LENGTH: usize = 200;

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
/// letter is a narrow one. Of a long word the beginning is left; a dense run is none.
fn folded(run: &str, is_dense: bool) -> String {
    let most = if is_dense { usize::MAX } else { LENGTH };
    if run.is_ascii() {
        let mut word = run.to_ascii_lowercase();
        word.truncate(most);
        return word;
    }
    let composed = run.nfkc().filter(|character| !is_invisible(*character));
    let small = composed.flat_map(letters::folded_fully).nfkc();
    small
        .filter(|character| class(*character) != Class::Sign)
        .take(most)
        .collect()
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

/// The words a search asks for. All must be there, the last one as the beginning of a word.
#[derive(Clone, Debug)]
pub(crate) struct Sought(Vec<Word>);

/// A word of a query.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// As it was written.
    written: String,
    /// Without its case.
    folded: String,
    /// Whether it is found within a run.
    is_dense: bool,
    /// Whether it may go on.
    pub(crate) is_beginning: bool,
}

/// A word of the index that is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// The word: letters, digits and marks.
    pub(crate) word: String,
    /// Whether it may go on.
    pub(crate) is_beginning: bool,
}

impl Sought {
    /// Reads a query. Signs only separate its words.
    ///
    /// # Errors
    /// When it is too long, has too many words, or has none.
    pub(crate) fn parse(query: &str) -> Result<Self> {
        let limit =
            |name, limit: usize, actual: usize| Error::within(name, limit as u64, actual as u64);
        limit("Characters in a search", LONGEST, query.chars().count())?;
        let mut all: Vec<Word> = runs(query)
            .map(|run| Word {
                written: query[run.range.clone()].to_owned(),
                folded: folded(&query[run.range], run.is_dense),
                is_dense: run.is_dense,
                is_beginning: false,
            })
            .filter(|word| !word.folded.is_empty())
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

    /// What is looked up in the index.
    pub(crate) fn terms(&self) -> Vec<Term> {
        self.0.iter().flat_map(Word::terms).collect()
    }

    /// The same for queries that ask for the same.
    pub(crate) fn name(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|word| word.folded.as_str()).collect();
        words.join(" ")
    }

    /// Where the sought words are in a text, in bytes.
    pub(crate) fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        for run in runs(text) {
            let written = &text[run.range.clone()];
            if run.is_dense {
                let places = self.within(written).into_iter();
                out.extend(places.map(|at| run.range.start + at.start..run.range.start + at.end));
                continue;
            }
            let found = folded(written, false);
            let is_sought = |word: &Word| {
                found == word.folded || (word.is_beginning && found.starts_with(&word.folded))
            };
            if self.0.iter().any(|word| !word.is_dense && is_sought(word)) {
                out.push(run.range);
            }
        }
        out
    }

    /// Where the sought words are in a dense run.
    fn within(&self, run: &str) -> Vec<Range<usize>> {
        let mut starts: Vec<_> = run
            .char_indices()
            .filter(|(at, character)| *at == 0 || !joins(*character))
            .map(|(at, _)| at)
            .collect();
        starts.push(run.len());
        // A letter of the text may be several when it is folded.
        let letters: Vec<(String, Range<usize>)> = starts
            .windows(2)
            .flat_map(|ends| {
                let letter = folded(&run[ends[0]..ends[1]], true);
                let all = units(&letter).into_iter().map(str::to_owned);
                all.map(|unit| (unit, ends[0]..ends[1])).collect::<Vec<_>>()
            })
            .collect();
        let mut out: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while at < letters.len() {
            let dense = self.0.iter().filter(|word| word.is_dense);
            let longest = dense.filter_map(|word| {
                let units = units(&word.folded);
                let there = letters.get(at..at + units.len())?;
                let same = there
                    .iter()
                    .zip(&units)
                    .all(|((letter, _), unit)| letter == unit);
                same.then_some(units.len())
            });
            let Some(length) = longest.max() else {
                at += 1;
                continue;
            };
            let (start, end) = (letters[at].1.start, letters[at + length - 1].1.end);
            match out.last_mut() {
                Some(last) if last.end >= start => last.end = end,
                _ => out.push(start..end),
            }
            at += length;
        }
        out
    }
}

/// Whether a character is one with the letter before it: a mark, a vowel of Korean written by its parts, a narrow
/// Japanese voice mark, the vowel of Thai and Lao that begins with a mark.
fn joins(character: char) -> bool {
    class(character) == Class::Mark
        || matches!(character, '\u{e33}' | '\u{eb3}' | '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}'
            | '\u{ff9e}' | '\u{ff9f}')
}

impl Word {
    fn terms(&self) -> Vec<Term> {
        let term = |word: String, is_beginning| Term { word, is_beginning };
        if !self.is_dense {
            return vec![term(self.folded.clone(), self.is_beginning)];
        }
        match units(&self.folded)[..] {
            [letter] => vec![term(letter.to_owned(), true)],
            ref units => units
                .windows(2)
                .map(|pair| term(pair.concat(), false))
                .collect(),
        }
    }

    /// Whether it stands between signs in a text.
    pub(crate) fn is_spaced(&self) -> bool {
        !self.is_dense
    }

    /// How it may stand in a text whose letters A to Z were made small: in small letters, with a capital, in capitals,
    /// as it was written, and each with its accents after the letters.
    pub(crate) fn spellings(&self) -> Vec<String> {
        let mut out = Vec::new();
        let small = self.written.to_lowercase();
        for word in [&self.folded, &small, &self.written] {
            let mut letters = word.chars();
            let first: String = letters.next().map(letters::capital).into_iter().collect();
            let with_capital = first + letters.as_str();
            let in_capitals = word.chars().map(letters::capital).collect();
            for spelling in [word.clone(), with_capital, in_capitals] {
                let apart = spelling.nfd().collect();
                for mut spelling in [spelling, apart] {
                    spelling.make_ascii_lowercase();
                    if !out.contains(&spelling) {
                        out.push(spelling);
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
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
    fn characters() -> impl Iterator<Item = char> {
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
    fn what_is_indexed_is_found_by_itself() {
        for character in characters() {
            let text = character.to_string();
            let all = words(&text);
            let Ok(sought) = Sought::parse(&text) else {
                assert!(all.is_empty(), "{character:?}");
                continue;
            };
            for term in sought.terms() {
                let is_it = |word: &String| {
                    *word == term.word || (term.is_beginning && word.starts_with(&term.word))
                };
                assert!(all.iter().any(is_it), "{character:?}");
            }
            assert_eq!(sought.places(&text).len(), 1, "{character:?}");
        }
    }

    #[test]
    fn a_query_needs_a_word_and_has_its_limits() {
        let code = |query: &str| Sought::parse(query).map_err(|error| error.code()).err();
        assert_eq!(code("\"*\" -:()🦀"), Some("BAD_USER_INPUT"));
        assert_eq!(code(&"a".repeat(201)), Some("LIMIT_EXCEEDED"));
        assert_eq!(code(&"a ".repeat(17)), Some("LIMIT_EXCEEDED"));
        assert_eq!(code(&"ä".repeat(200)), None);
        assert_eq!(code(&"a ".repeat(16)), None);
        // One sign may be many letters.
        let largest = Sought::parse(&"\u{fdfa}".repeat(200)).map(|sought| sought.terms());
        assert!(largest.is_ok_and(|terms| terms.len() == 1 && terms[0].word.len() < 1_000));
        let most = Sought::parse(&"会".repeat(200)).map(|sought| sought.terms().len());
        assert_eq!(most.ok(), Some(199));
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
    fn a_word_is_marked_within_a_run() {
        let marked = |query: &str, text: &'static str| -> Vec<&str> {
            let places = Sought::parse(query).map(|sought| sought.places(text));
            let places = places.into_iter().flatten();
            places.map(|range| &text[range]).collect()
        };
        assert_eq!(marked("会議", "今日の会議は会議室で"), ["会議", "会議"]);
        assert_eq!(marked("議 会", "会議"), ["会議"]);
        assert_eq!(marked("バス", "大ﾊﾞｽ停"), ["ﾊﾞｽ"]);
        assert_eq!(marked("ทำงาน", "เขาทำงานหนัก"), ["ทำงาน"]);
        assert_eq!(
            marked("국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ["\u{1100}\u{116e}\u{11a8}"]
        );
        assert!(marked("京都", "東京 都庁").is_empty());
    }

    #[test]
    fn a_word_is_spelt_in_the_ways_it_may_stand_in_a_text() {
        let spellings =
            |query: &str| Sought::parse(query).map(|sought| sought.words()[0].spellings());
        assert_eq!(spellings("Plan").ok(), Some(vec!["plan".to_owned()]));
        let found = spellings("éTé").unwrap_or_default();
        for spelling in ["été", "Été", "ÉtÉ", "e\u{301}te\u{301}"] {
            assert!(found.contains(&spelling.to_owned()), "{spelling}");
        }
    }
}
