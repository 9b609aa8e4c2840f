//! Attendees as a Markdown table.

use super::super::Participant;

/// Which column holds what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    name: usize,
    abbreviation: Option<usize>,
    organisation: Option<usize>,
    remote: Option<usize>,
}

impl Default for Columns {
    /// The order everybody uses, for tables that lost their header.
    fn default() -> Self {
        Self {
            name: 0,
            abbreviation: Some(1),
            organisation: Some(2),
            remote: None,
        }
    }
}

impl Columns {
    /// The columns, if this is a header with one for names.
    pub(super) fn of_header(line: &str) -> Option<Self> {
        let captions: Vec<_> = cells(line).map(str::to_ascii_lowercase).collect();
        let find = |starts: &[&str]| {
            captions
                .iter()
                .position(|caption| starts.iter().any(|start| caption.starts_with(start)))
        };
        let name = captions.iter().position(|caption| {
            matches!(
                caption.as_str(),
                "name" | "full name" | "attendee" | "participant"
            )
        })?;
        Some(Self {
            name,
            abbreviation: find(&["abbr", "initials", "acronym"]),
            organisation: find(&["organi", "affiliation", "company", "employer"]),
            remote: find(&["remote", "location"]),
        })
    }

    /// The person of a row; `None` for a rule and for a row without a name.
    pub(super) fn person(self, line: &str) -> Option<Participant> {
        let cells: Vec<_> = cells(line).collect();
        let cell =
            |column: Option<usize>| cells.get(column?).copied().filter(|cell| !cell.is_empty());
        let name = cell(Some(self.name)).filter(|name| name.contains(char::is_alphanumeric))?;
        Some(Participant {
            name: name.to_owned(),
            abbreviation: cell(self.abbreviation).map(str::to_owned),
            organisation: cell(self.organisation).map(str::to_owned),
            remote: cell(self.remote).and_then(is_remote),
        })
    }
}

/// The cells of a row, without markup around them.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|')
        .map(|cell| cell.trim_matches([' ', '\t', '*', '_', '`']))
}

fn is_remote(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "yes" | "y" | "x" | "true" | "remote" | "online" | "✓" => Some(true),
        "no" | "n" | "false" | "in person" | "in-person" | "on site" | "on-site" => Some(false),
        _ => None,
    }
}
