//! A brief as a Markdown document (CommonMark, with a table as on GitHub).
//!
//! What people and models wrote is text: whatever in it Markdown or HTML would take for more is escaped.

use entity::{
    Json, Large,
    prd::{self, Requirement, Risk},
};
use sea_orm::ActiveEnum;
use std::fmt::Write as _;

/// The document of a brief that was read with its large columns.
pub(crate) fn brief(brief: &prd::Model) -> String {
    let mut page = Page(format!("# {}\n", line(&brief.title)));
    page.paragraphs(&brief.summary);
    page.facts(brief);
    for (title, text) in [
        ("Goal", &brief.goal_text),
        ("Target users", &brief.target_users),
        ("Success metrics", &brief.success_metrics),
        ("Scope", &brief.scope),
        ("Not in scope", &brief.non_scope),
    ] {
        if let Some(text) = text {
            page.section(title, |page| page.paragraphs(text));
        }
    }
    page.list("Objectives", items(&brief.objectives));
    let requirements = items(&brief.requirements);
    if !requirements.is_empty() {
        page.section("Requirements", |page| {
            requirements.iter().for_each(|one| page.requirement(one));
        });
    }
    page.list("Acceptance criteria", items(&brief.acceptance_criteria));
    page.list("Out of scope", items(&brief.out_of_scope));
    page.list("Assumptions", items(&brief.assumptions));
    page.risks(items(&brief.risks));
    if let Some(chosen) = &brief.selected_architecture.0 {
        page.section("Architecture", |page| page.paragraphs(chosen));
    }
    page.list("Open questions", &brief.open_questions);
    page.0
}

fn items<T>(column: &Large<Json<Vec<T>>>) -> &[T] {
    column.0.as_ref().map_or(&[], |items| items.as_slice())
}

struct Page(String);

impl Page {
    fn block(&mut self, text: &str) {
        self.0.push('\n');
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn section(&mut self, title: &str, content: impl FnOnce(&mut Self)) {
        self.block(&format!("## {title}"));
        content(self);
    }

    /// Text with its own lines; empty ones separate paragraphs.
    fn paragraphs(&mut self, text: &str) {
        let lines: Vec<_> = text.lines().map(line).collect();
        for paragraph in lines.split(String::is_empty) {
            if !paragraph.is_empty() {
                self.block(&paragraph.join("\\\n"));
            }
        }
    }

    fn list(&mut self, title: &str, items: &[String]) {
        if !items.is_empty() {
            self.section(title, |page| page.bullets(items));
        }
    }

    fn bullets(&mut self, items: &[String]) {
        let bullets: Vec<_> = items
            .iter()
            .map(|item| format!("- {}", line(item)))
            .collect();
        self.block(&bullets.join("\n"));
    }

    fn facts(&mut self, brief: &prd::Model) {
        let mut facts = format!(
            "- Status: {}\n- Version: {}\n- Confidence: {:.0} %",
            words(brief.status),
            brief.version,
            brief.confidence * 100.0
        );
        for (name, value) in [
            ("Timeline", &brief.timeline),
            ("Repository", &brief.target_repo),
        ] {
            if let Some(value) = value {
                // Writing into a String cannot fail.
                let _ = write!(facts, "\n- {name}: {}", line(value));
            }
        }
        self.block(&facts);
    }

    fn requirement(&mut self, requirement: &Requirement) {
        let id = Some(line(&requirement.id)).filter(|id| !id.is_empty());
        let id = id.map(|id| format!("{id}: ")).unwrap_or_default();
        self.block(&format!("### {id}{}", line(&requirement.title)));
        let (priority, kind) = (words(requirement.priority), words(requirement.kind));
        self.block(&format!("*{priority}, {kind}*"));
        self.paragraphs(&requirement.description);
        if !requirement.acceptance_criteria.is_empty() {
            self.bullets(&requirement.acceptance_criteria);
        }
    }

    fn risks(&mut self, risks: &[Risk]) {
        if risks.is_empty() {
            return;
        }
        let mut table = "| Risk | Impact | Mitigation |\n|---|---|---|".to_owned();
        for risk in risks {
            let cells = [&risk.description, &risk.impact, &risk.mitigation].map(|text| line(text));
            let _ = write!(table, "\n| {} |", cells.join(" | "));
        }
        self.section("Risks", |page| page.block(&table));
    }
}

/// An enum's value as words.
fn words(value: impl ActiveEnum<Value = String>) -> String {
    value.into_value().replace('_', " ")
}

/// A text on one line, in which nothing is markup.
fn line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    for (position, character) in text.char_indices() {
        let begins_a_block = match character {
            '#' | '+' | '-' | '=' => position == 0,
            '.' | ')' => digits > 0 && position == digits,
            _ => false,
        };
        if begins_a_block || "\\`*_[]<>|~&$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, shown) in [
            ("a plain line", "a plain line"),
            ("# not a title", "\\# not a title"),
            ("- not a list", "\\- not a list"),
            ("well-known", "well-known"),
            ("1. not a list", "1\\. not a list"),
            ("version 1.2", "version 1.2"),
            ("*bold* _and_ `code`", "\\*bold\\* \\_and\\_ \\`code\\`"),
            (
                "<script>alert(1)</script>",
                "\\<script\\>alert(1)\\</script\\>",
            ),
            (
                "![image](https://a.example)",
                "!\\[image\\](https://a.example)",
            ),
            ("a | b", "a \\| b"),
            ("&lt;", "\\&lt;"),
            ("back\\slash", "back\\\\slash"),
            ("    indented\nand broken", "indented and broken"),
        ] {
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn lines_of_a_paragraph_stay_apart() {
        let mut page = Page(String::new());
        page.paragraphs("one\ntwo\n\n\n# three");
        assert_eq!(page.0, "\none\\\ntwo\n\n\\# three\n");
    }
}
