//! A document's text, before it is parsed.

use crate::{
    error::{Error, Result},
    http::Limits,
};
use std::{borrow::Cow, ops::Range};

/// How deep brackets may be nested, so that no recursion goes deeper, whatever the settings say.
pub(super) const NESTING: u64 = 60;

/// How long a name may be. An alias is repeated in the answer for each row, and in the path of each error.
const NAME: u64 = 256;

/// Judges a document's text.
///
/// # Errors
/// [`Error::LimitExceeded`] naming the limit.
pub(super) fn check(document: &str, limits: &Limits) -> Result<()> {
    limits.check_document_bytes(document.len() as u64)?;
    let (mut tokens, mut nesting) = (0, 0_u64);
    for token in Tokens::of(document) {
        match document.as_bytes()[token.start] {
            b'{' | b'[' | b'(' => nesting += 1,
            b'}' | b']' | b')' => nesting = nesting.saturating_sub(1),
            byte if is_word(byte) => {
                let length = token.len() as u64;
                Error::within("The length of a name in the document", NAME, length)?;
            }
            _ => {}
        }
        tokens += 1;
        Error::within("The nesting of brackets in the document", NESTING, nesting)?;
        limits.check_document_tokens(tokens)?;
    }
    Ok(())
}

/// The document with spaces in place of the descriptions of its operations, fragments and variables, which mean nothing
/// here (September 2025, 2.3) and which the parser does not know. Everything stays where it was.
pub(super) fn without_descriptions(document: &str) -> Cow<'_, str> {
    if !document.contains('"') {
        return Cow::Borrowed(document);
    }
    let mut described = Vec::new();
    let (mut depth, mut outermost, mut before) = (0_u64, b'}', b'}');
    let mut tokens = Tokens::of(document).peekable();
    while let Some(token) = tokens.next() {
        let byte = document.as_bytes()[token.start];
        let next = tokens.peek().map_or("", |next| &document[next.clone()]);
        match byte {
            b'{' | b'[' | b'(' => {
                if depth == 0 {
                    outermost = byte;
                }
                depth += 1;
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'"' => {
                let definition = depth == 0
                    && before == b'}'
                    && ["query", "mutation", "subscription", "fragment"].contains(&next);
                let variable = depth == 1
                    && outermost == b'('
                    && !matches!(before, b'=' | b':')
                    && next == "$";
                if definition || variable {
                    described.push(token);
                    continue;
                }
            }
            _ => {}
        }
        before = byte;
    }
    blank(document, &described)
}

/// Where the parser passed over something: the first token of the document that what it read, written out again, has not.
/// It takes an argument, a field of an input and a variable without their colon for nothing at all.
pub(super) fn passed_over(document: &str, read: &str) -> Option<usize> {
    let mut read = significant(read);
    for (at, token) in significant(document) {
        let (_, other) = read.next().unwrap_or_default();
        // A string may be written in several ways.
        let equal = token == other || token.starts_with('"') && other.starts_with('"');
        if !equal {
            return Some(at);
        }
    }
    read.next().map(|_| document.len())
}

/// The tokens with their places, but for the word `query`, which may be left out before an operation.
fn significant(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut depth = 0_u64;
    Tokens::of(text).filter_map(move |range| {
        let token = &text[range.clone()];
        match token {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => depth = depth.saturating_sub(1),
            "query" if depth == 0 => return None,
            _ => {}
        }
        Some((range.start, token))
    })
}

fn blank<'d>(document: &'d str, ranges: &[Range<usize>]) -> Cow<'d, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(document);
    }
    let mut blanked = String::with_capacity(document.len());
    let mut done = 0;
    for range in ranges {
        blanked.push_str(&document[done..range.start]);
        blanked.extend(document[range.clone()].bytes().map(|byte| match byte {
            b'\n' | b'\r' => char::from(byte),
            _ => ' ',
        }));
        done = range.end;
    }
    blanked.push_str(&document[done..]);
    Cow::Owned(blanked)
}

/// The names, numbers, strings and signs of a text, without what is between them.
struct Tokens<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.bytes;
        loop {
            let start = self.at;
            let byte = *bytes.get(start)?;
            self.at = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => start + 1,
                b'#' => skip(bytes, start, |byte| !matches!(byte, b'\n' | b'\r')),
                b'"' => end_of_string(bytes, start),
                byte if is_word(byte) => skip(bytes, start, is_word),
                // The rest of a character beyond ASCII belongs to it.
                _ => skip(bytes, start + 1, |byte| byte & 0xC0 == 0x80),
            };
            let ignored = matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'#')
                || bytes[start..].starts_with("\u{feff}".as_bytes());
            if !ignored {
                return Some(start..self.at);
            }
        }
    }
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
