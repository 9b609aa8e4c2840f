//! Walks through the notes line by line: topics and turns.

use std::collections::HashSet;

use entity::transcript::TranscriptSegment;

use super::code::fenced;
use super::roster::{Roster, is_caption, presenters};
use super::speaker::{Context, Speakers};
use crate::domain::transcript::lines::{Paragraphs, heading};

/// Words in the heading of a summary.
const SUMMARIES: [&str; 4] = ["summary", "conclusion", "key points", "resolution"];

/// What the notes hold besides the attendees.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The agenda, no topic twice.
    pub(super) topics: Vec<String>,
    /// What was said.
    pub(super) segments: Vec<TranscriptSegment>,
}

/// Reads topics and turns.
pub(super) fn read(rows: &[&str], roster: &Roster) -> Page {
    let code = fenced(rows, |line| Speakers::is_certain(roster, line));
    let mut walk = Walk {
        page: Page::default(),
        topics: HashSet::new(),
        turn: None,
        roster,
        presenter: None,
    };
    let mut speakers = Speakers::new(roster);
    let texts = rows.iter().zip(&code).filter(|(_, is_code)| !**is_code);
    speakers.listen(texts.map(|(line, _)| *line));
    let mut is_summary = false;
    let mut is_quotation = false;
    for (line, is_code) in rows.iter().zip(code) {
        if is_code {
            walk.go_on(|text| text.push_verbatim(line));
        } else if let Some((level, text)) = heading(line) {
            is_summary = is_summary_heading(text);
            walk.start_section(level, text);
        } else if let Some(names) = presenters(line) {
            walk.present(names);
        } else {
            let presenter = walk.presenter.as_deref();
            let context = Context {
                is_summary,
                is_quotation,
                presenter,
            };
            if let Some((speaker, text)) = speakers.turn(line, context) {
                walk.start_turn(speaker, text);
            } else if !is_remark(line.trim()) {
                walk.go_on(|text| text.push(line));
            }
        }
        // A turn marked `>>` is not a quotation, and neither is the next one.
        is_quotation = line.starts_with('>') && (is_quotation || !line.starts_with(">>"));
    }
    walk.end_turn();
    walk.page
}

struct Walk<'a> {
    page: Page,
    /// The topics so far, for looking up.
    topics: HashSet<String>,
    /// Whose turn it is, and what they said so far.
    turn: Option<(String, Paragraphs)>,
    roster: &'a Roster,
    /// Who presents the topic, if it is one person.
    presenter: Option<String>,
}

impl Walk<'_> {
    /// A heading ends a turn: until somebody is named, what follows is nobody's.
    fn start_section(&mut self, level: usize, text: &str) {
        self.end_turn();
        if level > 2 {
            return;
        }
        self.presenter = None;
        let (title, names) = match text.split_once("Presenter") {
            Some((title, _)) if presenters(&format!("#{text}")).is_some() => {
                (title, presenters(&text[title.len()..]))
            }
            _ => (text, None),
        };
        self.presenter = names.and_then(|names| self.single(names));
        let topic = title.replace('`', "");
        let topic = topic.trim();
        let is_topic = level == 2
            && !topic.is_empty()
            && !starts_summary(topic)
            && !is_caption(&format!("#{topic}"));
        if is_topic && self.topics.insert(topic.to_owned()) {
            self.page.topics.push(topic.to_owned());
        }
    }

    fn present(&mut self, names: &str) {
        self.end_turn();
        self.presenter = self.single(names);
    }

    /// The one person in `Ann Archer (AAR)`, `Ann Archer` or `AAR`.
    fn single(&self, names: &str) -> Option<String> {
        let name = names.trim();
        let known = name
            .rsplit_once('(')
            .map_or(name, |(_, inner)| inner.trim_end_matches([')', ' ']));
        let is_single = name.matches('(').count() <= 1 && !name.contains([',', '&']);
        let name = self
            .roster
            .name(known)
            .or_else(|| self.roster.has_name(name).then_some(name));
        name.filter(|_| is_single).map(str::to_owned)
    }

    fn start_turn(&mut self, speaker: String, text: &str) {
        self.end_turn();
        self.turn = Some((speaker, Paragraphs::starting(text)));
    }

    fn go_on(&mut self, add: impl FnOnce(&mut Paragraphs)) {
        if let Some((_, text)) = &mut self.turn {
            add(text);
        }
    }

    fn end_turn(&mut self) {
        let Some((speaker, text)) = self.turn.take() else {
            return;
        };
        let text = text.finish();
        if !text.is_empty() {
            self.page.segments.push(TranscriptSegment {
                speaker,
                text,
                ..TranscriptSegment::default()
            });
        }
    }
}

fn is_summary_heading(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SUMMARIES.iter().any(|word| text.contains(word))
}

/// Whether the heading is nothing but that of a summary, and so no topic.
fn starts_summary(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace('’', "'");
    let text = text.strip_prefix("speaker's ").unwrap_or(&text);
    SUMMARIES.iter().any(|word| text.starts_with(word))
}

/// Whether the line is a rule or a remark in brackets, such as `[Applause]` or `(lunch)`.
fn is_remark(line: &str) -> bool {
    let rule = line.len() >= 3
        && ['-', '*', '_', '=']
            .iter()
            .any(|mark| line.trim_matches(*mark).is_empty());
    let bracketed = |open: char, close: char| {
        let inner = line
            .strip_prefix(open)
            .and_then(|line| line.strip_suffix(close));
        inner.is_some_and(|inner| !inner.contains([open, close]))
    };
    rule || bracketed('[', ']') || bracketed('(', ')')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Page {
        let rows: Vec<_> = text.lines().collect();
        read(&rows, &Roster::read(&rows))
    }

    fn turns(text: &str) -> Vec<String> {
        let turns = read_text(text).segments.into_iter();
        turns
            .map(|turn| format!("{}|{}", turn.speaker, turn.text))
            .collect()
    }

    #[test]
    fn topics_are_the_agenda() {
        let text = "# Day\n## Attendees\n## `a` for b\n### sub\n## Report Presenter: Ann (AAR)\n\
            ## `a` for b\n##\n## Conclusion\n## Speaker’s Summary\n# End";
        assert_eq!(read_text(text).topics, ["a for b", "Report"]);
        assert_eq!(
            read_text("## Presenters wanted").topics,
            ["Presenters wanted"]
        );
    }

    #[test]
    fn a_turn_goes_on_over_paragraphs_lists_and_code() {
        let text = "AB: one\ntwo\n\n- x\n  - y\n\n```js\n\n# z\nAB: q\n```\n\
            > quote\n[Applause]\n-----\nlast: words\nCD: next\n>> who\n>> me";
        let expected = [
            "AB|one\ntwo\n\n- x\n  - y\n\n```js\n\n# z\nAB: q\n```\n> quote\nlast: words",
            "CD|next",
            "Unknown|who",
            "Unknown|me",
        ];
        assert_eq!(turns(text), expected);
    }

    #[test]
    fn what_nobody_says_is_left_out() {
        let text = "Preface\nAB: hi\n### Conclusion\n- AB and CD review\nAB Approved\n\n\
            AB: done\n## Next\nSlides: here\nPresenter: Di\nCD:\n## End";
        assert_eq!(turns(text), ["AB|hi", "AB|done"]);
    }

    #[test]
    fn a_prepared_statement_is_the_presenters() {
        let text = "**Attendees:**\n- Ann (AAR)\n- Bo (BB)\n\n\
            ## A\nPresenter: Ann (AAR)\n\nPrepared statement:\n\n> fine\n\n\
            ## B Presenter: BB\nPrepared statement: ok\n\
            ## C\nPresenter: Ann (AAR), Bo (BB)\nPrepared statement: lost";
        assert_eq!(turns(text), ["Ann|> fine", "Bo|ok"]);
    }
}
