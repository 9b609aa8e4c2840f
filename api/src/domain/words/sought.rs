//! What a search asks for: which words, and where they stand in a text.

use super::{Class, class, folded, letters, runs, units};
use crate::error::{Error, Result};
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// The longest query, in characters.
const LONGEST: usize = 200;
/// The most words of a query.
const MOST_WORDS: usize = 16;

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
        limit(
            "The number of characters in a search",
            LONGEST,
            query.chars().count(),
        )?;
        let mut all: Vec<Word> = runs(query)
            .map(|run| Word {
                written: query[run.range.clone()].to_owned(),
                folded: folded(&query[run.range], run.is_dense),
                is_dense: run.is_dense,
                is_beginning: false,
            })
            .filter(|word| !word.folded.is_empty())
            .collect();
        limit("The number of words in a search", MOST_WORDS, all.len())?;
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
    use super::{
        super::tests::{characters, words},
        *,
    };

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
