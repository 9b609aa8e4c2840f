//! A connection whose client must take what is sent to it, and not too slowly.

use super::{head::Head, quota::Portion};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// So many bytes are read at once: hyper doubles a buffer that was filled, up to the longest head that there may be, and
/// holds it for as long as the connection is open, however little of a body is kept.
const AT_ONCE: usize = (8 << 10) - 1;

/// For how long a client may leave something unread: for so long at most, and every byte that it takes gives it a little
/// more of that. So it may stop for a while, but an answer of any size is over in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    most: Duration,
    bytes_per_second: u64,
    left: Duration,
    waiting: Option<Instant>,
}

/// A connection that breaks when its client is too slow, or begins more than there is room for.
pub(super) struct Paced<S> {
    stream: S,
    pace: Pace,
    patience: Option<Pin<Box<Sleep>>>,
    head: Head,
    /// What it takes of the connections that there may be.
    _counted: Portion,
}

impl Pace {
    /// Lets a client stop for so long, when it takes so many bytes a second otherwise.
    pub(super) fn new(most: Duration, bytes_per_second: u64) -> Self {
        Self {
            most,
            bytes_per_second,
            left: most,
            waiting: None,
        }
    }

    /// The client takes nothing more at the moment. Returns until when it may do so.
    fn waits(&mut self, now: Instant) -> Instant {
        *self.waiting.get_or_insert(now) + self.left
    }

    /// The client took so many bytes.
    fn took(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(now - since);
        }
        let earned = Self::time_of(bytes as u64, self.bytes_per_second);
        self.left = self.left.saturating_add(earned).min(self.most);
    }

    /// How long so many bytes may take.
    pub(super) fn time_of(bytes: u64, bytes_per_second: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / bytes_per_second.max(1) as f64)
    }
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, pace: Pace, head: Head, counted: Portion) -> Self {
        Self {
            stream,
            pace,
            patience: None,
            head,
            _counted: counted,
        }
    }

    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            self.patience = None;
            if let Ok(bytes) = written {
                self.pace.took(bytes, Instant::now());
            }
            return Poll::Ready(written);
        }
        let until = self.pace.waits(Instant::now());
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.has_room() {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let room = buffer.remaining().min(AT_ONCE);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        let bytes = part.filled().len();
        buffer.advance(bytes);
        self.head.grows(bytes);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_sends_much_does_not_fill_a_buffer() {
        use crate::http::quota::Quota;
        use tokio::io::AsyncReadExt;
        let quota = Quota::new(1 << 20, 1 << 20);
        let sent = vec![b'x'; 100_000];
        let pace = Pace::new(Duration::from_secs(1), 1);
        let (head, counted) = (Head::new(quota.none("here")), quota.none("here"));
        let mut paced = Paced::new(sent.as_slice(), pace, head, counted);
        let (mut all, mut buffer) = (0, vec![0; 64 << 10]);
        loop {
            let bytes = paced.read(&mut buffer).await.unwrap();
            assert!(bytes < 8 << 10);
            all += bytes;
            if bytes == 0 {
                break;
            }
        }
        assert_eq!(all, sent.len());
    }

    /// How long a client lasts that takes so many bytes every second, and would go on for an hour.
    fn lasts(bytes: usize) -> u64 {
        let (mut pace, start) = (Pace::new(Duration::from_secs(30), 1000), Instant::now());
        for second in 0..3600 {
            let now = start + Duration::from_secs(second);
            if pace.waits(now) < now + Duration::from_secs(1) {
                return second;
            }
            pace.took(bytes, now + Duration::from_secs(1));
        }
        3600
    }

    #[test]
    fn who_takes_less_than_the_pace_asks_for_does_not_last() {
        assert_eq!(lasts(0), 30);
        assert_eq!(lasts(1), 30);
        assert_eq!(lasts(500), 59);
        assert_eq!(lasts(1000), 3600);
    }

    #[test]
    fn who_was_fast_may_stop_no_longer_than_others() {
        let (mut pace, now) = (Pace::new(Duration::from_secs(30), 1000), Instant::now());
        pace.took(1 << 30, now);
        assert_eq!(pace.waits(now), now + Duration::from_secs(30));
        let later = now + Duration::from_secs(20);
        pace.took(5000, later);
        // What it did not have to wait for takes nothing of its time.
        let much_later = later + Duration::from_secs(1000);
        assert_eq!(pace.waits(much_later), much_later + Duration::from_secs(15));
    }
}
