//! A document's text, before it is parsed.

use crate::{
    error::{Error, Result},
    http::Limits,
};

/// How deep brackets may be nested, so that the parser's own recursion is bounded whatever the settings say.
const NESTING: u64 = 60;

/// Judges a document's text.
///
/// # Errors
/// [`Error::LimitExceeded`] naming the limit.
pub(super) fn check(document: &str, limits: &Limits) -> Result<()> {
    limits.check_document_bytes(document.len() as u64)?;
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
        Error::within("The nesting of brackets in the document", NESTING, nesting)?;
        limits.check_document_tokens(tokens)?;
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
