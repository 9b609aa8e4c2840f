//! The documents that were judged and are likely to come again: a page sends the same one each time.

use super::document::Document;
use quick_cache::{Weighter, sync::Cache};
use std::sync::Arc;

/// About so many documents fit.
const ABOUT: usize = 2_000;

/// The documents by their text, as many as their memory allows. The cache hashes the text with a key of its own and lets
/// go first what came only once, so that a flood of new documents does not push out those in use.
pub(super) struct Kept(Cache<Arc<str>, Arc<Document>, Bytes>);

/// Weighs a document by its memory.
#[derive(Clone)]
struct Bytes;

impl Weighter<Arc<str>, Arc<Document>> for Bytes {
    fn weight(&self, text: &Arc<str>, document: &Arc<Document>) -> u64 {
        text.len() as u64 + document.bytes
    }
}

impl Kept {
    /// Keeps documents of so many bytes together.
    pub(super) fn new(bytes: u64) -> Self {
        Self(Cache::with_weighter(ABOUT, bytes, Bytes))
    }

    /// A document of this text that was judged before.
    pub(super) fn get(&self, text: &str) -> Option<Arc<Document>> {
        self.0.get(text)
    }

    /// Keeps a document.
    pub(super) fn keep(&self, text: &str, document: &Arc<Document>) {
        self.0.insert(text.into(), document.clone());
    }

    /// How much memory the documents take, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.0.weight()
    }
}
