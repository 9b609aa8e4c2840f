//! What fuzz targets call: the code that reads what strangers send, without a server around it.

use crate::{
    domain::transcript,
    graph,
    http::{Guard, Limits},
    store,
};
use std::sync::LazyLock;

/// The judge, as a server has it.
static GUARD: LazyLock<Option<Guard>> =
    LazyLock::new(|| Guard::new(&graph::sdl(), Limits::default(), true).ok());

/// Judges the body of a request.
pub fn request(body: &[u8]) {
    if let Some(guard) = &*GUARD {
        let _ = guard.verdict(body);
    }
}

/// Judges a document.
pub fn document(text: &str) {
    request(serde_json::json!({ "query": text }).to_string().as_bytes());
}

/// Reads a cursor.
pub fn cursor(text: &str) {
    store::fuzz_cursor(text);
}

/// Reads a transcript in each format.
pub fn transcript(text: &str) {
    use transcript::Format::{Plain, SubRip, WebVtt};
    for format in [None, Some(Plain), Some(WebVtt), Some(SubRip)] {
        let _ = transcript::parse(text, format);
    }
}
