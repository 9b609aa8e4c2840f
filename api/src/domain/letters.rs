//! Letters in upper and lower case.

use std::{collections::HashMap, sync::LazyLock};

/// A character as it is compared: without its case, one by one, so that a text stays as long as it was.
///
/// A to Z are capitals of a to z and of nothing else, so that the databases' own functions serve texts of these alone.
fn folded(character: char) -> char {
    // Through the capital, for letters that are another one's small letter by another look: ς, ϐ.
    let small = lower(upper(lower(character)));
    match small.is_ascii() && !character.is_ascii() {
        true => character,
        false => small,
    }
}

/// A character without its case, in as many letters as that takes: `ß` is `ss`, and every `i` is one.
pub(crate) fn folded_fully(character: char) -> impl Iterator<Item = char> {
    let twice = character.to_uppercase().flat_map(char::to_lowercase);
    // ẞ has a small letter whose capitals are two.
    let twice = twice
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    twice.filter(move |letter| character != 'İ' || *letter != '\u{307}')
}

/// A letter's capital, if that is one letter.
pub(crate) fn capital(letter: char) -> char {
    upper(letter)
}

fn lower(character: char) -> char {
    alone(character.to_lowercase()).unwrap_or(character)
}

fn upper(character: char) -> char {
    alone(character.to_uppercase()).unwrap_or(character)
}

fn alone(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next();
    first.filter(|_| characters.next().is_none())
}

/// No letter after this one has a case.
const LAST: char = '\u{1ffff}';

/// The characters that are the same but for their case, if there is more than the one.
static SPELLINGS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut all: HashMap<char, Vec<char>> = HashMap::new();
    for character in '\0'..=LAST {
        let small = folded(character);
        if small != character {
            all.entry(small)
                .or_insert_with(|| vec![small])
                .push(character);
        }
    }
    all
});

/// All characters that differ from this one in nothing but case, and itself.
pub(crate) fn spellings(character: char) -> Vec<char> {
    let all = SPELLINGS.get(&folded(character));
    all.cloned().unwrap_or_else(|| vec![character])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_differ_from_their_capitals_in_nothing_but_case() {
        for (character, same) in [
            ('a', "aA"),
            ('Ü', "üÜ"),
            ('k', "kK"),
            ('\u{212a}', "\u{212a}"),
            ('ς', "σΣς"),
            ('ſ', "ſ"),
            ('ß', "ßẞ"),
            ('İ', "İ"),
            ('ı', "ı"),
            ('i', "iI"),
            ('Ж', "жЖ"),
            ('7', "7"),
            ('会', "会"),
        ] {
            let mut found = spellings(character);
            let mut same: Vec<_> = same.chars().collect();
            found.sort_unstable();
            same.sort_unstable();
            assert_eq!(found, same);
        }
    }

    #[test]
    fn a_spelling_is_one_of_each_of_its_spellings() {
        for (small, all) in SPELLINGS.iter() {
            assert!(all.len() < 6, "{all:?}");
            for character in all {
                assert_eq!(folded(*character), *small);
            }
            let signs = ['[', ']', '^', '-', '\\'];
            assert!(!all.iter().any(|character| signs.contains(character)));
        }
        assert!((LAST..=char::MAX).all(|letter| folded(letter) == letter));
    }
}
