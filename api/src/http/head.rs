//! What of a request has come in before the request is there.

use super::{connections::HEADER_BYTES, quota::Portion};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many bytes each connection may hold: the head of an ordinary request, of which there may be as many as connections.
const ORDINARY: u64 = 8 << 10;

/// The head of a connection's next request, as far as it has come. A long one is counted among the bytes of what is
/// unfinished. Clones are the same head.
#[derive(Clone)]
pub(super) struct Head(Arc<Mutex<Read>>);

struct Read {
    held: Portion,
    bytes: u64,
    /// Whether a request is there: what comes now is its body, or nothing that is kept.
    begun: bool,
}

impl Head {
    /// Nothing yet; `held` is what a long one will be counted as.
    pub(super) fn new(held: Portion) -> Self {
        Self(Arc::new(Mutex::new(Read {
            held,
            bytes: 0,
            begun: false,
        })))
    }

    /// So much more came. Whether there is room for it.
    pub(super) fn grows(&self, bytes: usize) -> bool {
        let mut read = self.read();
        if read.begun {
            return true;
        }
        // More than that is not kept.
        read.bytes = (read.bytes + bytes as u64).min(HEADER_BYTES as u64);
        let long = read.bytes.saturating_sub(ORDINARY);
        long == 0 || read.held.resize(long)
    }

    /// The request is there.
    pub(super) fn is_whole(&self) {
        let mut read = self.read();
        read.begun = true;
        read.bytes = 0;
        read.held.release();
    }

    /// The request is answered, and the next one may come.
    pub(super) fn next(&self) {
        self.read().begun = false;
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::quota::Quota;

    #[test]
    fn long_heads_share_what_there_is_and_bodies_are_counted_elsewhere() {
        let quota = Quota::new(30_000, 40_000);
        let head = || Head::new(quota.none("here"));
        let (one, other) = (head(), head());
        assert!((0..100).all(|_| head().grows(ORDINARY as usize)));
        assert!(one.grows(20_000) && other.grows(20_000));
        assert!(!other.grows(10_000), "there is no room for both");
        one.is_whole();
        assert!(one.grows(1 << 30) && other.grows(1));
        one.next();
        assert!(!one.grows(30_000));
    }
}
