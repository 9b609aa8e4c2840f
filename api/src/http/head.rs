//! What of a request has come in before the request is there.

use super::{connections::HEADER_BYTES, quota::Portion};
use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

/// So many bytes each connection may hold: the head of an ordinary request, of which there may be as many as connections.
const ORDINARY: u64 = 8 << 10;

/// The head of a connection's next request, as far as it has come. A long one is counted among the bytes of what is
/// unfinished. Clones are the same head.
#[derive(Clone)]
pub(super) struct Head(Arc<Mutex<Read>>);

struct Read {
    held: Portion,
    bytes: u64,
    /// Whether the request before it was answered, if there was one.
    is_answered: bool,
    /// Whether the body of that one has come to its end, or is not wanted any more.
    has_body: bool,
}

/// A request's body, whose end the next head waits for.
pub(super) struct Watched {
    body: Incoming,
    end: End,
}

/// Says when a body has come to its end, or nobody wants more of it.
struct End(Head);

impl Head {
    /// Nothing yet; `held` is what a long one will be counted as.
    pub(super) fn new(held: Portion) -> Self {
        Self(Arc::new(Mutex::new(Read {
            held,
            bytes: 0,
            is_answered: true,
            has_body: true,
        })))
    }

    /// Whether there is room for what has come, now that more is read because the request is still not there. What comes
    /// at once with a head may be its body.
    pub(super) fn has_room(&self) -> bool {
        let mut read = self.read();
        let long = read.bytes.saturating_sub(ORDINARY);
        long == 0 || read.held.resize(long)
    }

    /// So much came.
    pub(super) fn grows(&self, bytes: usize) {
        let mut read = self.read();
        if read.is_answered && read.has_body {
            // More than that is not kept.
            read.bytes = (read.bytes + bytes as u64).min(HEADER_BYTES as u64);
        }
    }

    /// The request is there, with its body on the way.
    pub(super) fn is_whole(&self, body: Incoming) -> Watched {
        let end = self.begins(body.is_end_stream());
        Watched { body, end }
    }

    fn begins(&self, has_body: bool) -> End {
        let mut read = self.read();
        (read.is_answered, read.has_body, read.bytes) = (false, has_body, 0);
        read.held.release();
        End(self.clone())
    }

    /// The request is answered.
    pub(super) fn is_answered(&self) {
        self.read().is_answered = true;
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn has_come(&self) {
        self.0.read().has_body = true;
    }
}

impl Drop for End {
    /// What nobody wanted of it is not kept: what comes now is the next head.
    fn drop(&mut self) {
        self.has_come();
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.end.has_come();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
        let grows = |head: &Head, bytes: usize| {
            head.grows(bytes);
            head.has_room()
        };
        assert!((0..100).all(|_| grows(&head(), ORDINARY as usize)));
        assert!(grows(&one, 20_000) && grows(&other, 20_000));
        assert!(!grows(&other, 10_000), "there is no room for both");
        let end = one.begins(false);
        assert!(grows(&one, 1 << 30) && grows(&other, 1));
        // What comes of its body is no head.
        one.is_answered();
        assert!(grows(&one, 1 << 30));
        end.has_come();
        // A head that comes with its body is whole before more is read.
        one.grows(100_000);
        let end = one.begins(true);
        one.is_answered();
        assert!(!grows(&one, 30_000));
        drop(end);
        // A body that nobody reads to its end.
        let end = one.begins(false);
        one.is_answered();
        assert!(grows(&one, 1 << 30));
        drop(end);
        assert!(!grows(&one, 30_000));
    }
}
