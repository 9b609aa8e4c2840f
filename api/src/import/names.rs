//! Full names behind abbreviations, out of the attendee lists of many meetings.

use std::collections::HashMap;

use super::notes::Participant;

/// What stands between people who said something together; the notes' parser writes it.
const TOGETHER: &str = " / ";

/// Who is called what, as far as all lists agree.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// The first spelling of the name; `None` for an abbreviation that two people share.
    names: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Names<'a> {
    /// Learns the names of everybody who has an abbreviation.
    pub(super) fn of(people: impl Iterator<Item = &'a Participant>) -> Self {
        let mut names: HashMap<&str, Option<&str>> = HashMap::new();
        for person in people {
            let Some(abbreviation) = &person.abbreviation else {
                continue;
            };
            let name = names.entry(abbreviation).or_insert(Some(&person.name));
            *name = name.filter(|name| is_same_person(name, &person.name));
        }
        Self { names }
    }

    /// The speaker with full names in the place of abbreviations; `None` when there is nothing to replace.
    pub(super) fn full(&self, speaker: &str) -> Option<String> {
        let name = |part: &str| self.names.get(part).copied().flatten();
        if !together(speaker).any(|part| name(part).is_some()) {
            return None;
        }
        let parts: Vec<_> = together(speaker)
            .map(|part| name(part).unwrap_or(part))
            .collect();
        Some(parts.join(TOGETHER))
    }
}

/// Whether two names have the same first and last word, as `Ann B. Archer` and `Ann Archer` do.
fn is_same_person(one: &str, other: &str) -> bool {
    let ends = |name: &str| {
        let mut words = name
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase);
        let first = words.next();
        (words.next_back().or_else(|| first.clone()), first)
    };
    ends(one) == ends(other)
}

/// The people who said something together, one by one.
pub(super) fn together(speaker: &str) -> impl Iterator<Item = &str> {
    speaker.split(TOGETHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_get_the_name_all_lists_agree_on() {
        let person = |name: &str, abbreviation: Option<&str>| Participant {
            name: name.to_owned(),
            abbreviation: abbreviation.map(str::to_owned),
            ..Participant::default()
        };
        let people = [
            person("Ann Archer", Some("AAR")),
            person("Ann B.ARCHER", Some("AAR")),
            person("Bo Berg", Some("BB")),
            person("Bea Bach", Some("BB")),
            person("Bo Berg", Some("BB")),
            person("CCO", None),
        ];
        let names = Names::of(people.iter());
        for (speaker, full) in [
            ("AAR", Some("Ann Archer")),
            ("BB / AAR / ZZ", Some("BB / Ann Archer / ZZ")),
            ("BB", None),
            ("CCO", None),
            ("AA", None),
            ("", None),
        ] {
            assert_eq!(names.full(speaker).as_deref(), full, "{speaker:?}");
        }
    }
}
