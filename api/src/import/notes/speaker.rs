//! Who says a line of the notes, and what note-takers in a hurry make of `ABC: text`.

use std::collections::HashSet;

use super::label::{bracketed, is_abbreviation, without_remarks};
use super::roster::Roster;

/// The speaker of words nobody knows whose they are; notes have `??:` there.
const UNKNOWN: &str = "Unknown";

/// Words that stand for several people.
const CROWDS: [&str; 3] = ["All", "Everybody", "Everyone"];

/// A longer label is a sentence, in bytes.
const MAX_LABEL: usize = 100;

/// What parts the speakers of words said together.
const TOGETHER: [char; 4] = ['/', '&', '+', ','];

/// What surrounds a line and decides how far its form may be trusted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context<'a> {
    /// Whether this is a summary, in which `ABC agrees` is about somebody and not by them.
    pub(super) is_summary: bool,
    /// Whether the line before is a quotation, so that `>>` quotes as well.
    pub(super) is_quotation: bool,
    /// Who presents the topic, if it is one person.
    pub(super) presenter: Option<&'a str>,
}

/// Finds the speakers of a meeting, one line after another.
pub(super) struct Speakers<'a> {
    roster: &'a Roster,
    /// Abbreviations that speak; most are on the roster, some only here.
    heard: HashSet<String>,
}

impl<'a> Speakers<'a> {
    /// Nobody has spoken yet.
    pub(super) fn new(roster: &'a Roster) -> Self {
        let heard = HashSet::new();
        Self { roster, heard }
    }

    /// Notes who speaks in these lines at all, so that slips are told from sentences about somebody.
    pub(super) fn listen<'l>(&mut self, lines: impl Iterator<Item = &'l str>) {
        for line in lines {
            let _ = self.turn(line, Context::default());
        }
    }

    /// The speaker and the words of a line that starts a turn.
    pub(super) fn turn<'l>(
        &mut self,
        line: &'l str,
        context: Context<'_>,
    ) -> Option<(String, &'l str)> {
        let line = line.trim();
        if let Some(text) = line.strip_prefix(">>").filter(|_| !context.is_quotation) {
            // A stenographer's mark for another voice.
            return Some((UNKNOWN.to_owned(), text));
        }
        let line = line.trim_start_matches(['.', ' ']);
        let line = line.strip_prefix("**").unwrap_or(line);
        let end = line.bytes().take(MAX_LABEL).position(|byte| byte == b':');
        let labelled = end
            .map(|end| (&line[..end], &line[end + 1..]))
            .filter(|(_, text)| !text.starts_with("//"));
        let turn = match labelled {
            Some((label, text)) => self.labelled(label, context).map(|speaker| (speaker, text)),
            None => None,
        };
        let (speaker, text) = turn.or_else(|| self.unpunctuated(line, context))?;
        Some((speaker, text.trim_start_matches("**")))
    }

    /// Whether the attendees' list makes this line somebody's for certain.
    pub(super) fn is_certain(roster: &Roster, line: &str) -> bool {
        line.split_once(": ")
            .is_some_and(|(label, _)| roster.name(label).is_some())
    }

    /// `ABC`, `ABC?`, `ABC (summary)`, `ABC/DEF`, a full name, `??`, `[Di]`.
    fn labelled(&mut self, label: &str, context: Context<'_>) -> Option<String> {
        let label = label.trim().trim_end_matches("**");
        let name = without_remarks(label);
        if name.is_empty() {
            return if label.contains('?') {
                Some(UNKNOWN.to_owned())
            } else {
                bracketed(label)
            };
        }
        if self.roster.has_name(name) || CROWDS.contains(&name) {
            return Some(name.to_owned());
        }
        let several = name
            .split(TOGETHER)
            .flat_map(|part| part.split(" and "))
            .map(str::trim);
        let several: Option<Vec<_>> = several
            .filter(|part| !part.is_empty())
            .map(|part| self.person(part))
            .collect();
        several
            .filter(|people| !people.is_empty())
            .map(|people| people.join(" / "))
            .or_else(|| self.statement(label, context))
    }

    /// The person behind an abbreviation: known, or at least of the right form.
    fn person(&mut self, text: &str) -> Option<String> {
        let name = self.roster.name(text);
        if name.is_none() && !is_abbreviation(text) {
            return None;
        }
        if !self.heard.contains(text) {
            self.heard.insert(text.to_owned());
        }
        Some(name.unwrap_or(text).to_owned())
    }

    /// `ABC; text` and `ABC Text`, by people known to be there.
    fn unpunctuated<'l>(&self, line: &'l str, context: Context<'_>) -> Option<(String, &'l str)> {
        let (label, text) = line.split_once(' ')?;
        let (label, is_marked) = label
            .strip_suffix(';')
            .map_or((label, false), |label| (label, true));
        let name = self.roster.name(label);
        if !is_abbreviation(label) || (name.is_none() && !self.heard.contains(label)) {
            return None;
        }
        let starts_sentence = text.starts_with(char::is_uppercase) && !context.is_summary;
        (is_marked || starts_sentence).then(|| (name.unwrap_or(label).to_owned(), text))
    }

    /// `Prepared statement from ABC`: what follows is theirs, though they may not be there.
    fn statement(&self, label: &str, context: Context<'_>) -> Option<String> {
        let lower = label.to_ascii_lowercase();
        if !lower.contains("statement") {
            return None;
        }
        let mut names = label
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| is_abbreviation(word) || self.roster.name(word).is_some());
        match (names.next(), names.next()) {
            (Some(word), None) => Some(self.roster.name(word).unwrap_or(word).to_owned()),
            (None, None) if lower == "prepared statement" => context.presenter.map(str::to_owned),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROSTER: &str = "**Attendees:**\n- Ann Archer (AAR)\n- Bo Berg (BB)\n- Cy Cole (IS)";

    fn turns(text: &str, context: Context<'_>) -> Vec<String> {
        let rows: Vec<_> = ROSTER.lines().collect();
        let roster = Roster::read(&rows);
        let mut speakers = Speakers::new(&roster);
        let turns = text.split('\n').map(|line| speakers.turn(line, context));
        turns
            .map(|turn| {
                turn.map_or("-".into(), |(speaker, text)| {
                    format!("{speaker}|{}", text.trim())
                })
            })
            .collect()
    }

    #[test]
    fn turns_are_found_in_every_form() {
        for (line, expected) in [
            ("AAR: hi: there", "Ann Archer|hi: there"),
            ("AAR:hi", "Ann Archer|hi"),
            ("AAR : hi", "Ann Archer|hi"),
            (". AAR: hi", "Ann Archer|hi"),
            (".AAR: hi", "Ann Archer|hi"),
            ("**AAR:** hi", "Ann Archer|hi"),
            ("**AAR**: hi", "Ann Archer|hi"),
            ("AAR?: hi", "Ann Archer|hi"),
            ("AAR(?): hi", "Ann Archer|hi"),
            ("AAR ??: hi", "Ann Archer|hi"),
            ("AAR [on the queue]: hi", "Ann Archer|hi"),
            ("AAR (summary): hi", "Ann Archer|hi"),
            ("AAR/BB: hi", "Ann Archer / Bo Berg|hi"),
            ("BB, ZZ and AAR: hi", "Bo Berg / ZZ / Ann Archer|hi"),
            ("Ann Archer: hi", "Ann Archer|hi"),
            ("Ann Archer (AAR): hi", "Ann Archer|hi"),
            ("ZZ: hi", "ZZ|hi"),
            ("AAR:", "Ann Archer|"),
            ("??: hi", "Unknown|hi"),
            ("?: hi", "Unknown|hi"),
            (">> hi", "Unknown|hi"),
            ("[Di]: hi", "Di|hi"),
            ("Everybody: hi", "Everybody|hi"),
            ("AAR; hi", "Ann Archer|hi"),
            ("AAR I do", "Ann Archer|I do"),
            ("IS Yes.", "Cy Cole|Yes."),
            ("Prepared statement from BB who is not here:", "Bo Berg|"),
            ("BB's prepared statement: no", "Bo Berg|no"),
            ("Statement from ZZ: no", "ZZ|no"),
        ] {
            assert_eq!(turns(line, Context::default()), [expected], "{line:?}");
        }
    }

    #[test]
    fn other_lines_are_not_turns() {
        for line in [
            "AAR agrees",
            "ZZ Top",
            "NB: x",
            "Summary: x",
            "https://example.test",
            "URL: x",
            "AAR://x",
            "a: b",
            "- AAR: x",
            "* AAR: x",
            "/: x",
            "So the idea is: x",
            "AAR and BB will review",
            "[slides](https://example.test): x",
            "",
            ":",
            "[]: x",
            "Statement: x",
            "Prepared statement:",
            "AAR, BB",
            "> quoted",
        ] {
            assert_eq!(turns(line, Context::default()), ["-"], "{line:?}");
        }
    }

    #[test]
    fn the_context_decides() {
        let summary = Context {
            is_summary: true,
            ..Context::default()
        };
        assert_eq!(
            turns("AAR Agreed.\nAAR: Agreed.", summary),
            ["-", "Ann Archer|Agreed."]
        );
        let quotation = Context {
            is_quotation: true,
            ..Context::default()
        };
        assert_eq!(turns(">> more", quotation), ["-"]);
        let presented = Context {
            presenter: Some("Di"),
            ..Context::default()
        };
        assert_eq!(turns("Prepared statement:", presented), ["Di|"]);
        assert_eq!(
            turns("ZZ: hi\nZZ Hello", Context::default()),
            ["ZZ|hi", "ZZ|Hello"]
        );
    }
}
