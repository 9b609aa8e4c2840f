//! What a socket takes in: no message that is too large, none that takes too long to arrive, and no more of unfinished ones
//! than all sockets together may hold. What is too much is not even looked at.

use super::frames::Frames;
use crate::http::quota::Portion;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Why nothing more is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A message is larger than it may be.
    TooLarge,
    /// A message that was begun did not come to its end.
    TooSlow,
    /// All sockets together hold as much of unfinished messages as they may.
    Crowded,
}

/// A socket's stream, which stops when too much comes in.
pub(super) struct Intake<S> {
    stream: S,
    bounds: Bounds,
    frames: Frames,
    /// What the message that is coming takes.
    held: Portion,
    /// The end of the time for the message that is coming.
    due: Option<Pin<Box<Sleep>>>,
}

/// The bounds of what comes in, in the hands of the socket.
#[derive(Clone)]
pub(super) struct Bounds(Arc<Mutex<Bound>>);

struct Bound {
    bytes: u64,
    time: Duration,
    fault: Option<Fault>,
}

impl Bounds {
    /// So many bytes of a message, in so much time.
    pub(super) fn new(bytes: u64, time: Duration) -> Self {
        let fault = None;
        Self(Arc::new(Mutex::new(Bound { bytes, time, fault })))
    }

    /// Goes on with other bounds.
    pub(super) fn set(&self, bytes: u64, time: Duration) {
        let mut bound = self.bound();
        (bound.bytes, bound.time) = (bytes, time);
    }

    /// The most bytes of a message now.
    pub(super) fn bytes(&self) -> u64 {
        self.bound().bytes
    }

    /// Why nothing more is taken in, if so.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.bound().fault
    }

    fn bound(&self) -> MutexGuard<'_, Bound> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Intake<S> {
    pub(super) fn new(stream: S, bounds: Bounds, held: Portion) -> Self {
        Self {
            stream,
            bounds,
            frames: Frames::default(),
            held,
            due: None,
        }
    }

    /// Looks at what came in.
    fn check(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.frames.read(bytes) {
            // The next message has its own time, though it began before the last one was looked at.
            self.due = None;
        }
        let bound = self.bounds.bound();
        let (most, time) = (bound.bytes, bound.time);
        drop(bound);
        let unfinished = self.frames.unfinished();
        match unfinished {
            Some(_) => _ = self.due.get_or_insert_with(|| Box::pin(sleep(time))),
            None => self.due = None,
        }
        let unfinished = unfinished.unwrap_or_default();
        if unfinished > most {
            Err(Fault::TooLarge)
        } else if self.held.resize(unfinished) {
            Ok(())
        } else {
            Err(Fault::Crowded)
        }
    }

    fn stop(&self, fault: Fault) -> Poll<io::Result<()>> {
        self.bounds.bound().fault = Some(fault);
        Poll::Ready(Err(io::Error::other("nothing more is taken in")))
    }
}

impl<S: AsyncRead + Unpin> Intake<S> {
    /// Lets what still comes pass by, until the client has nothing more to send.
    pub(super) async fn pass_by(&mut self) {
        let mut passing = [0; 4096];
        while matches!(self.stream.read(&mut passing).await, Ok(1..)) {}
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Intake<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match read {
            Poll::Ready(Ok(())) => match self.check(&buffer.filled()[before..]) {
                Ok(()) => read,
                Err(fault) => {
                    buffer.set_filled(before);
                    self.stop(fault)
                }
            },
            Poll::Ready(Err(_)) => read,
            Poll::Pending => {
                let due = self.due.as_mut().map(|due| due.as_mut().poll(context));
                match due {
                    Some(Poll::Ready(())) => self.stop(Fault::TooSlow),
                    _ => Poll::Pending,
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Intake<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
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
    use crate::http::quota::Quota;
    use tokio::io::AsyncWriteExt;

    const TIME: Duration = Duration::from_millis(20);

    /// A masked text frame's header, of a message of so many bytes.
    fn begun(length: u16) -> Vec<u8> {
        [&[0x81, 0xfe][..], &length.to_be_bytes(), &[0; 4]].concat()
    }

    #[tokio::test]
    async fn what_is_too_much_is_not_taken_in() {
        for (bytes, in_all, length, fault) in [
            (1000, 9999, 1001, Some(Fault::TooLarge)),
            (1000, 999, 1000, Some(Fault::Crowded)),
            (1000, 9999, 1000, None),
        ] {
            let quota = Quota::new(in_all, in_all);
            let bounds = Bounds::new(bytes, TIME);
            let (mut client, server) = tokio::io::duplex(4096);
            let mut intake = Intake::new(server, bounds.clone(), quota.none("a"));
            client.write_all(&begun(length)).await.unwrap();
            let mut buffer = [0; 100];
            let read = intake.read(&mut buffer).await;
            assert_eq!((read.is_err(), bounds.fault()), (fault.is_some(), fault));
            if fault.is_none() {
                // It holds what is to come, until that is there.
                assert!(quota.take("b", in_all).is_none());
                assert!(
                    intake.read(&mut buffer).await.is_err(),
                    "it waits no longer"
                );
                assert_eq!(bounds.fault(), Some(Fault::TooSlow));
            }
            drop(intake);
            assert!(quota.take("b", in_all).is_some());
        }
    }

    #[tokio::test]
    async fn each_message_has_a_time_of_its_own() {
        let bounds = Bounds::new(1000, TIME);
        let quota = Quota::new(1000, 1000);
        let mut intake = Intake::new(tokio::io::empty(), bounds, quota.none("a"));
        let message = [begun(200), vec![0; 200]].concat();
        let (begin, end) = message.split_at(100);
        let due = |intake: &Intake<_>| intake.due.as_ref().map(|due| due.deadline());
        assert_eq!(intake.check(begin), Ok(()));
        let first = due(&intake);
        assert_eq!(intake.check(&end[..50]), Ok(()));
        assert_eq!(due(&intake), first, "it goes on");
        assert_eq!(intake.check(&[&end[50..], begin].concat()), Ok(()));
        assert!(
            first.is_some() && due(&intake) > first,
            "the next one begins"
        );
    }
}
