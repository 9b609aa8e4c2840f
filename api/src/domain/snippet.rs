//! A piece of a text around what was sought in it, on one line.

use super::words::Sought;

/// How many characters of a text are shown.
pub(crate) const LENGTH: i32 = 240;
/// How many of them come before the first match.
pub(crate) const LEAD: i32 = 80;

/// How much of a title is searched, in characters.
const SEARCHED: usize = 1_000;

/// How far from its ends a piece may be shortened so that it does not end within a word.
const SLACK: usize = 40;

/// A part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The text.
    pub(crate) text: String,
    /// Whether it is a word that was sought.
    pub(crate) is_match: bool,
}

/// What the database cut out of a text.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The characters.
    pub(crate) text: String,
    /// Whether there are more before.
    pub(crate) is_cut_before: bool,
    /// Whether there are more after.
    pub(crate) is_cut_after: bool,
}

impl Window {
    /// Cuts it out of a whole text.
    pub(crate) fn around(text: &str, sought: &Sought) -> Self {
        let (length, lead) = (LENGTH.unsigned_abs() as usize, LEAD.unsigned_abs() as usize);
        let searched = text.char_indices().nth(SEARCHED);
        let beginning = searched.map_or(text, |(end, _)| &text[..end]);
        let places = sought.places(beginning);
        let first = places.first().map_or(0, |range| range.start);
        let total = text.chars().count();
        let start = match total <= length {
            true => 0,
            false => text[..first].chars().count().saturating_sub(lead),
        };
        Self {
            text: text.chars().skip(start).take(length).collect(),
            is_cut_before: start > 0,
            is_cut_after: start + length < total,
        }
    }

    /// The snippet: whole words, white space as single spaces, `…` where it was cut, and the matches told apart.
    pub(crate) fn parts(&self, sought: &Sought) -> Vec<Part> {
        let mut text = self.text.as_str();
        if self.is_cut_before {
            let space = text.find(char::is_whitespace).filter(|at| *at <= SLACK);
            text = space.map_or(text, |at| &text[at..]);
        }
        if self.is_cut_after {
            let space = text.rfind(char::is_whitespace);
            let space = space.filter(|at| text.len() - at <= SLACK);
            text = space.map_or(text, |at| &text[..at]);
        }
        let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.is_cut_before {
            line.insert(0, '…');
        }
        if self.is_cut_after {
            line.push('…');
        }
        let mut out = Vec::new();
        let mut push = |text: &str, is_match| {
            if !text.is_empty() {
                out.push(Part {
                    text: text.to_owned(),
                    is_match,
                });
            }
        };
        let mut from = 0;
        for place in sought.places(&line) {
            push(&line[from..place.start], false);
            push(&line[place.clone()], true);
            from = place.end;
        }
        push(&line[from..], false);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, query: &str) -> String {
        let Ok(sought) = Sought::parse(query) else {
            return String::new();
        };
        let parts = Window::around(text, &sought).parts(&sought);
        let mark = |part: Part| match part.is_match {
            true => format!("[{}]", part.text),
            false => part.text,
        };
        parts.into_iter().map(mark).collect()
    }

    #[test]
    fn a_short_text_is_shown_whole_with_its_matches() {
        assert_eq!(
            marked("Ship\n the  Größe-planner, then ship", "GRÖßE SHI"),
            "[Ship] the [Größe]-planner, then [ship]"
        );
        assert_eq!(marked("nothing here", "absent"), "nothing here");
    }

    #[test]
    fn a_long_text_is_cut_between_words_around_the_first_match() {
        let text = format!("{}needle {}", "before ".repeat(50), "after ".repeat(50));
        let shown = marked(&text, "needle");
        assert!(shown.starts_with("…before before"), "{shown}");
        assert!(
            shown.contains("before [needle] after") && shown.ends_with("after…"),
            "{shown}"
        );
        assert!(shown.chars().count() <= 244, "{shown}");
    }
}
