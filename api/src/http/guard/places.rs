//! Where things stand in a document: lines and columns, as errors tell them.

use apollo_compiler::parser::SourceSpan;
use async_graphql::Pos;

/// The lines of a document. Finds any place without reading the document again.
pub(super) struct Places {
    /// Where each line begins.
    lines: Vec<usize>,
    /// For a document beyond ASCII: how many characters begin before each byte.
    characters: Option<Vec<u32>>,
}

impl Places {
    /// Reads the document once.
    pub(super) fn of(document: &str) -> Self {
        let bytes = document.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| {
            **byte == b'\n' || **byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')
        });
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        let characters = (!document.is_ascii()).then(|| {
            let mut count = 0;
            let counted = (0..=bytes.len()).map(|at| {
                let before = count;
                count += u32::from(document.is_char_boundary(at));
                before
            });
            counted.collect()
        });
        Self {
            lines: lines.collect(),
            characters,
        }
    }

    /// The place of a byte.
    pub(super) fn at(&self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines[line - 1];
        let column = match &self.characters {
            Some(characters) => {
                let before = |at: usize| characters.get(at).copied().unwrap_or_default();
                (before(offset).saturating_sub(before(start))) as usize
            }
            None => offset - start,
        };
        Pos {
            line,
            column: column + 1,
        }
    }

    /// Where something begins; the start of the document if that is not known.
    pub(super) fn of_span(&self, span: Option<SourceSpan>) -> Pos {
        self.at(span.map_or(0, |span| span.offset()))
    }
}
