//! Attendees as text: `Ann Archer (AAR), Bo Berg (BB)`, or one in an item of a list.

use super::super::Participant;
use super::super::label::is_abbreviation;

/// A name of more words is a sentence.
const MAX_WORDS: usize = 5;

/// What parts a name from what follows it.
const SEPARATORS: [char; 6] = [' ', ',', ':', '-', '–', '—'];

/// Everybody with something in brackets behind the name, as in `Ann Archer (AAR)`.
pub(super) fn pairs(text: &str) -> Vec<Participant> {
    let mut people = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('(') {
        let Some((inner, after)) = behind.split_once(')') else {
            break;
        };
        rest = after;
        let name = before.rsplit([',', ';']).next().unwrap_or(before).trim();
        let name = ["and ", "& ", "with "]
            .iter()
            .find_map(|word| name.strip_prefix(word))
            .unwrap_or(name);
        if let Some(person) = person(name) {
            people.push(bracketed(person, inner.trim()));
        }
    }
    people
}

/// Everybody in a line of names, with or without brackets.
pub(super) fn names(text: &str) -> Vec<Participant> {
    let people = pairs(text);
    if !people.is_empty() {
        return people;
    }
    let parts = text.split([',', ';']).flat_map(|part| part.split(" and "));
    let parts = parts.map(|part| part.trim().trim_end_matches('.'));
    parts
        .filter(|part| !is_nobody(part))
        .filter_map(person)
        .collect()
}

/// The person in an item of a list: `- Ann (AAR), Acme`, `- AAR: Ann`, `- Ann, Acme`.
pub(super) fn item(line: &str) -> Option<Participant> {
    let text = bullet(line)?;
    if let Some((abbreviation, name)) = text
        .split_once([':', '-', '–'])
        .filter(|(left, _)| is_abbreviation(left.trim()))
    {
        let abbreviation = Some(abbreviation.trim().to_owned());
        return Some(Participant {
            abbreviation,
            ..listed(name.trim())?
        });
    }
    listed(text)
}

fn listed(text: &str) -> Option<Participant> {
    if let Some(person) = pairs(text).into_iter().next() {
        let behind = text.split_once(')').map_or("", |(_, behind)| behind);
        return Some(Participant {
            organisation: filled(behind).or(person.organisation),
            ..person
        });
    }
    let end = [", ", " - ", " – ", " — ", ": "]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    let (name, behind) = text.split_at(end.unwrap_or(text.len()));
    let person = person(name.trim()).filter(|_| !is_nobody(name))?;
    Some(Participant {
        organisation: filled(behind),
        ..person
    })
}

/// Sets what the brackets tell: the abbreviation, where somebody sat, or whom they are with.
fn bracketed(person: Participant, inner: &str) -> Participant {
    if is_abbreviation(inner) {
        let abbreviation = Some(inner.to_owned());
        Participant {
            abbreviation,
            ..person
        }
    } else if inner.eq_ignore_ascii_case("remote") {
        Participant {
            remote: Some(true),
            ..person
        }
    } else {
        Participant {
            organisation: filled(inner),
            ..person
        }
    }
}

fn person(name: &str) -> Option<Participant> {
    let name = name.trim_matches(['*', '_', '`', ' ']);
    let words = name.split_whitespace().count();
    let is_name = (1..=MAX_WORDS).contains(&words)
        && name.starts_with(char::is_alphabetic)
        && !name.starts_with(char::is_lowercase)
        && !name.contains(['/', ':', '[', ']', '|']);
    is_name.then(|| Participant {
        name: name.to_owned(),
        ..Participant::default()
    })
}

fn is_nobody(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name.starts_with("none") || matches!(name.as_str(), "tbd" | "n/a")
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim_matches(SEPARATORS);
    text.contains(char::is_alphanumeric)
        .then(|| text.to_owned())
}

/// The text of a list's item.
fn bullet(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(|character: char| character.is_ascii_digit());
    let marks: &[char] = if rest.len() == line.len() {
        &['-', '*', '+']
    } else {
        &['.', ')']
    };
    rest.strip_prefix(marks)?.strip_prefix(' ').map(str::trim)
}
