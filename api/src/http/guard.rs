//! What a document may be, judged in time linear in its length and before the library looks at it.
//!
//! The library walks a fragment as often as it is spread, in its validation and in its own limits, so a document of
//! under a kilobyte whose fragments spread each other twice could keep it busy for minutes. Here each fragment is priced
//! once.

use crate::{
    error::{Error, Result},
    graph::DEPTH,
};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use std::collections::HashMap;

/// The most bytes of a document.
const BYTES: u64 = 64 << 10;
/// The most names, numbers, strings and signs of a document.
const TOKENS: u64 = 10_000;
/// How deep brackets may be nested, so that the parser's own recursion is bounded.
const NESTING: u64 = 60;
/// The most fragments of a document.
const FRAGMENTS: u64 = 100;
/// The most fields of an operation, counting a fragment's as often as it is spread.
const FIELDS: u64 = 5_000;
/// The most aliases of an operation.
const ALIASES: u64 = 200;
/// The most directives of an operation.
const DIRECTIVES: u64 = 100;

/// Judges a document's text.
///
/// # Errors
/// [`Error::LimitExceeded`] naming the limit.
pub(super) fn check_text(document: &str) -> Result<()> {
    within(
        "Length of the document in bytes",
        BYTES,
        document.len() as u64,
    )?;
    let bytes = document.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0, 0_u64);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => at + 1,
            b'#' => skip(bytes, at, |byte| !matches!(byte, b'\n' | b'\r')),
            b'"' => end_of_string(bytes, at),
            byte if is_word(*byte) => skip(bytes, at, is_word),
            _ => at + 1,
        };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b'#' => continue,
            b'{' | b'[' | b'(' => nesting += 1,
            b'}' | b']' | b')' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        tokens += 1;
        within("Nesting of brackets in the document", NESTING, nesting)?;
        within("Number of tokens in the document", TOKENS, tokens)?;
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = bytes[from..].iter().position(|byte| !belongs(*byte));
    rest.map_or(bytes.len(), |length| from + length)
}

/// Behind the string that begins here, in quotes or in triple quotes; an unclosed one ends the document.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let block = bytes[from..].starts_with(b"\"\"\"");
    let (quote, escape): (&[u8], &[u8]) = if block {
        (b"\"\"\"", b"\\\"\"\"")
    } else {
        (b"\"", b"\\")
    };
    let mut at = from + quote.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += if rest.starts_with(escape) {
            escape.len() + usize::from(!block)
        } else if rest.starts_with(quote) {
            return at + quote.len();
        } else if !block && matches!(rest[0], b'\n' | b'\r') {
            return at;
        } else {
            1
        };
    }
    bytes.len()
}

/// What a selection asks for, with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct Price {
    fields: u64,
    depth: u64,
    aliases: u64,
    directives: u64,
}

impl Price {
    fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
        }
    }
}

/// Judges a parsed document: each of its operations, and fragments that none of them uses.
///
/// # Errors
/// [`Error::LimitExceeded`] naming the limit.
pub(super) fn check_document(document: &ExecutableDocument) -> Result<()> {
    within(
        "Number of fragments in the document",
        FRAGMENTS,
        document.fragments.len() as u64,
    )?;
    let mut prices = Prices {
        document,
        fragments: HashMap::new(),
    };
    let operations = document
        .operations
        .iter()
        .map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document
        .fragments
        .values()
        .map(|fragment| &fragment.node.selection_set.node);
    for selection in operations.chain(fragments) {
        let price = prices.of(selection);
        within("Number of fields in the operation", FIELDS, price.fields)?;
        within("Depth of the operation", DEPTH as u64, price.depth)?;
        within("Number of aliases in the operation", ALIASES, price.aliases)?;
        within(
            "Number of directives in the operation",
            DIRECTIVES,
            price.directives,
        )?;
    }
    Ok(())
}

struct Prices<'d> {
    document: &'d ExecutableDocument,
    /// `None` while a fragment is being priced: one that spreads itself costs nothing here and is refused by the
    /// library's validation.
    fragments: HashMap<&'d str, Option<Price>>,
}

impl<'d> Prices<'d> {
    fn of(&mut self, set: &'d SelectionSet) -> Price {
        set.items.iter().fold(Price::default(), |sum, item| {
            let (price, directives) = match &item.node {
                Selection::Field(field) => {
                    let inner = self.of(&field.node.selection_set.node);
                    let own = Price {
                        fields: 1,
                        depth: inner.depth + 1,
                        aliases: u64::from(field.node.alias.is_some()),
                        directives: 0,
                    };
                    (inner.plus(own), &field.node.directives)
                }
                Selection::InlineFragment(fragment) => (
                    self.of(&fragment.node.selection_set.node),
                    &fragment.node.directives,
                ),
                Selection::FragmentSpread(spread) => (
                    self.of_fragment(&spread.node.fragment_name.node),
                    &spread.node.directives,
                ),
            };
            let directives = Price {
                directives: directives.len() as u64,
                ..Price::default()
            };
            sum.plus(price).plus(directives)
        })
    }

    fn of_fragment(&mut self, name: &'d str) -> Price {
        if let Some(price) = self.fragments.get(name) {
            return price.unwrap_or_default();
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Price::default();
        };
        self.fragments.insert(name, None);
        let price = self.of(&fragment.node.selection_set.node);
        self.fragments.insert(name, Some(price));
        price
    }
}

fn within(name: &'static str, limit: u64, actual: u64) -> Result<()> {
    if actual > limit {
        return Err(Error::LimitExceeded {
            name,
            limit,
            actual,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(document: &str) -> Option<&'static str> {
        let judged = check_text(document).and_then(|()| {
            match async_graphql::parser::parse_query(document) {
                Ok(parsed) => check_document(&parsed),
                Err(_) => Ok(()),
            }
        });
        match judged {
            Err(Error::LimitExceeded { name, .. }) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn each_limit_is_named() {
        let bomb: String = (0..40)
            .map(|n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} }} ", m = n + 1))
            .collect();
        let bomb =
            format!("{{ ...f0 }} {bomb} fragment f40 on Query {{ viewer {{ user {{ id }} }} }}");
        let refusals = [
            (bomb.as_str(), "Number of fields in the operation"),
            (
                &format!("{{ {} }}", "a ".repeat(5_001)),
                "Number of fields in the operation",
            ),
            (
                &format!("{{ {} }}", "b: a ".repeat(201)),
                "Number of aliases in the operation",
            ),
            (
                &format!("{{ a {} }}", "@skip(if: true) ".repeat(101)),
                "Number of directives in the operation",
            ),
            (
                &format!("{}{}", "{ a ".repeat(26), "}".repeat(26)),
                "Depth of the operation",
            ),
            (&"{".repeat(61), "Nesting of brackets in the document"),
            (&"a ".repeat(10_001), "Number of tokens in the document"),
            (&" ".repeat(70_000), "Length of the document in bytes"),
        ];
        for (document, limit) in refusals {
            assert_eq!(refused(document), Some(limit), "{:.60}", document);
        }
    }

    #[test]
    fn strings_and_comments_are_no_brackets() {
        let brackets = "{".repeat(100);
        for document in [
            format!("{{ a(b: \"{brackets}\") }}"),
            format!("{{ a(b: \"\"\"{brackets} \\\"\"\" {brackets}\"\"\") }}"),
            format!("{{ a }} # {brackets}"),
            format!("{{ a(b: \"\\\"{brackets}\") }}"),
        ] {
            assert_eq!(refused(&document), None, "{document}");
        }
    }

    #[test]
    fn a_fragment_that_spreads_itself_ends() {
        assert_eq!(
            refused("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"),
            None
        );
    }

    #[test]
    fn any_cut_of_a_document_is_judged() {
        let document = "query Q($a: [ID!] = [\"x\"]) { a(b: \"\"\"c \\\"\"\" d\"\"\", e: \"\\\"f\") @g { ...h } } # i";
        for end in 0..=document.len() {
            assert_eq!(refused(&document[..end]), None);
        }
    }
}
