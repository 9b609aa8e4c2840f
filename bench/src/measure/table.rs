//! A table for people.

use std::fmt;

/// Rows under a heading, in columns as wide as they need.
pub(super) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    pub(super) fn new(title: &str, heading: &[&str]) -> Self {
        let heading = heading.iter().map(|&text| text.to_owned()).collect();
        Self {
            title: title.to_owned(),
            rows: vec![heading],
            notes: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            for (column, text) in row.iter().enumerate() {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let width = cells
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or_default();
                write!(f, "  {text:>width$}")?;
            }
            writeln!(f)?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}
