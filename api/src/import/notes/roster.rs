//! Who was there: the attendee list in its many forms, and the presenters named later on.

mod entry;
mod table;

use std::collections::{HashMap, HashSet};

use self::entry::{item, names, pairs};
use self::table::Columns;
use super::Participant;
use super::label::is_abbreviation;
use crate::domain::transcript::lines::heading;

/// Everybody the notes know by name.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Those who were there, each name once.
    pub(super) participants: Vec<Participant>,
    /// Their names, for looking up.
    people: HashSet<String>,
    /// The full name behind an abbreviation.
    names: HashMap<String, String>,
}

impl Roster {
    /// Reads the list above the first topic, then the `Presenter:` lines everywhere.
    pub(super) fn read(rows: &[&str]) -> Self {
        let mut roster = Self::default();
        roster.read_attendees(rows);
        for line in rows {
            for person in presenters(line).map(pairs).unwrap_or_default() {
                let known = person
                    .abbreviation
                    .as_ref()
                    .is_none_or(|it| roster.names.contains_key(it));
                if !known {
                    roster.add(person);
                }
            }
        }
        roster
    }

    /// The full name of whom the notes call `abbreviation`.
    pub(super) fn name(&self, abbreviation: &str) -> Option<&str> {
        self.names.get(abbreviation).map(String::as_str)
    }

    /// Whether somebody is called exactly this.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.people.contains(name)
    }

    fn read_attendees(&mut self, rows: &[&str]) {
        // Within a list: whether it is the one of those who took part from afar.
        let mut section: Option<Option<bool>> = None;
        let mut columns: Option<Columns> = None;
        for line in rows.iter().map(|line| line.trim()) {
            if let Some((remote, rest)) = marker(line) {
                section = Some(remote);
                columns = None;
                names(rest)
                    .into_iter()
                    .for_each(|person| self.add(Participant { remote, ..person }));
                continue;
            }
            let starts_topic = heading(line).is_some_and(|(level, _)| level > 1);
            let is_turn = line
                .split_once(':')
                .is_some_and(|(label, _)| is_abbreviation(label));
            if starts_topic || is_turn {
                return;
            }
            let remote = section.flatten();
            let people = if line.starts_with('|') {
                match Columns::of_header(line) {
                    Some(header) => {
                        columns = Some(header);
                        section = section.or(Some(None));
                        Vec::new()
                    }
                    None if section.is_some() => columns
                        .unwrap_or_default()
                        .person(line)
                        .into_iter()
                        .collect(),
                    None => Vec::new(),
                }
            } else if section.is_some() {
                item(line).map_or_else(|| pairs(line), |person| vec![person])
            } else {
                // Older notes have the list without a word of introduction. One pair is a mention.
                let people = pairs(line);
                let abbreviated = people
                    .iter()
                    .filter(|person| person.abbreviation.is_some())
                    .count();
                if abbreviated > 1 { people } else { Vec::new() }
            };
            for person in people {
                let remote = person.remote.or(remote);
                self.add(Participant { remote, ..person });
            }
        }
    }

    /// Adds somebody, unless the name is there; the abbreviation may be a second one.
    fn add(&mut self, person: Participant) {
        if let Some(abbreviation) = &person.abbreviation {
            self.names
                .entry(abbreviation.clone())
                .or_insert_with(|| person.name.clone());
        }
        if self.people.insert(person.name.clone()) {
            self.participants.push(person);
        }
    }
}

/// What follows `Presenter:` in a line, also at the end of a heading.
pub(super) fn presenters(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("Presenter")?;
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let rest = rest.strip_prefix(':')?;
    (before.trim().is_empty() || before.starts_with('#')).then_some(rest)
}

/// Whether a line says that attendees follow, whether remote ones, and what else it says.
fn marker(line: &str) -> Option<(Option<bool>, &str)> {
    let marks = ['#', '*', '_', ' '];
    let (label, rest) = match line.split_once(':') {
        Some((label, rest)) => (label, rest),
        // Without a colon only markup tells a caption from a word.
        None if line.starts_with(['#', '*', '_']) => (line, ""),
        None => return None,
    };
    let remote = match label.trim_matches(marks).to_ascii_lowercase().as_str() {
        "attendees" | "participants" | "present" | "in attendance" => None,
        "remote" | "remote attendees" | "remote participants" | "online" | "online attendees" => {
            Some(true)
        }
        "in-person"
        | "in-person attendees"
        | "in person"
        | "in person attendees"
        | "on-site attendees" => Some(false),
        _ => return None,
    };
    Some((remote, rest.trim_matches(marks)))
}

/// Whether a heading is a caption of attendees and so no topic.
pub(super) fn is_caption(line: &str) -> bool {
    marker(line.trim()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(text: &str) -> Vec<String> {
        let rows: Vec<_> = text.lines().collect();
        let describe = |person: Participant| {
            let part = |part: Option<String>| part.unwrap_or_else(|| "-".into());
            let remote = person
                .remote
                .map_or("-", |remote| if remote { "remote" } else { "there" });
            format!(
                "{}|{}|{}|{remote}",
                person.name,
                part(person.abbreviation),
                part(person.organisation)
            )
        };
        Roster::read(&rows)
            .participants
            .into_iter()
            .map(describe)
            .collect()
    }

    #[test]
    fn every_form_of_list_is_read() {
        for (text, expected) in [
            (
                "**Attendees:**\n| Name | Abbreviation | Organization |\n|--|--|--|\n| Ann Archer | AAR | Acme |\n| **Bo** | | tbd",
                vec!["Ann Archer|AAR|Acme|-", "Bo|-|tbd|-"],
            ),
            (
                "| Initials | Full name | Remote |\n|:-|:-:|-|\n| AAR | Ann | yes |\n| BB | Bo | no |",
                vec!["Ann|AAR|-|remote", "Bo|BB|-|there"],
            ),
            (
                "**In-person attendees:** None :(\n\n**Remote attendees:**\n| Ann | AAR | Acme |",
                vec!["Ann|AAR|Acme|remote"],
            ),
            (
                "**In-person attendees:** Ann Archer (AAR), Bo (BB) Cy Cole (!!!)\n**Remote attendees:** Di (DI)",
                vec![
                    "Ann Archer|AAR|-|there",
                    "Bo|BB|-|there",
                    "Cy Cole|-|-|there",
                    "Di|DI|-|remote",
                ],
            ),
            (
                "# 1 May 2031\n---\nAnn Archer (AAR), Bo (BB) and Cy (CC)\n\nRemote: \nDi (DI)",
                vec![
                    "Ann Archer|AAR|-|-",
                    "Bo|BB|-|-",
                    "Cy|CC|-|-",
                    "Di|DI|-|remote",
                ],
            ),
            (
                "## Attendees\n- Ann Archer (AAR), Acme\n* BB: Bo\n1. Cy - Beta Inc.\n- Di (Acme)\n\n## Topic\n- Eve (EVE)",
                vec![
                    "Ann Archer|AAR|Acme|-",
                    "Bo|BB|-|-",
                    "Cy|-|Beta Inc.|-",
                    "Di|-|Acme|-",
                ],
            ),
            (
                "Attendees: Ann, Bo Berg and Cy",
                vec!["Ann|-|-|-", "Bo Berg|-|-|-", "Cy|-|-|-"],
            ),
            ("Thanks to Ann (AAR).\n| a | b |\n| c | d |", vec![]),
        ] {
            assert_eq!(people(text), expected, "{text:?}");
        }
    }

    #[test]
    fn presenters_join_unless_they_are_known() {
        let text = "**Attendees:**\n- Ann (AAR)\n\n## A\nPresenter: Bo Berg(BB ) and Ann (ANN)\n## B Presenters: Cy (CC), A. Typo (AAR)\nBB: Presenter: Di (DI)";
        assert_eq!(people(text), ["Ann|AAR|-|-", "Bo Berg|BB|-|-", "Cy|CC|-|-"]);
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(Roster::read(&rows).name("ANN"), Some("Ann"));
    }
}
