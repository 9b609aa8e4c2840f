//! What one operation has used so far: bytes, statements, time, and the fields it has in hand. It is measured while it works, not afterwards.

use super::{commits::Commits, parking::Parking};
use crate::error::{Error, Measured, Result};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// An operation may read so many times as much as it may answer: it reads whole rows and shows some of their columns.
const READ_FOR_ANSWERED: u64 = 4;

/// After so much work an operation looks at the clock. A value is one piece of work, and so are [`BYTES_OF_WORK`].
const WORK: u64 = 512;

/// So many bytes are as much work as a value.
const BYTES_OF_WORK: u64 = 256;

/// Measures one operation, or whatever else the program does.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    limits: Option<Limits>,
    answered: AtomicU64,
    read: AtomicU64,
    work: AtomicU64,
    pending: AtomicU64,
    statements: AtomicU32,
    commits: Commits,
    parking: Parking,
    stopped: OnceLock<Error>,
    stop: Notify,
}

#[derive(Debug)]
struct Limits {
    answer: u64,
    pending: u64,
    until: Instant,
}

/// A field, or an entry of a list, that was begun; it is pending until this is dropped.
pub(crate) struct Pending<'m>(&'m Meter);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Relaxed);
    }
}

impl Meter {
    /// Measures an operation that may answer with so many bytes, and so many fields at once, within this time.
    pub(crate) fn within(answer: u64, pending: u64, time: Duration) -> Arc<Self> {
        let until = Instant::now() + time;
        Arc::new(Self {
            limits: Some(Limits {
                answer,
                pending,
                until,
            }),
            ..Self::default()
        })
    }

    /// One whose time is up, and of which these are committed or under way.
    #[cfg(test)]
    pub(crate) fn too_late(commits: Commits) -> Self {
        Self {
            limits: Some(Limits {
                answer: u64::MAX,
                pending: u64::MAX,
                until: Instant::now(),
            }),
            commits,
            ..Self::default()
        }
    }

    /// Counts one SQL statement.
    pub(super) fn count_statement(&self) {
        self.statements.fetch_add(1, Relaxed);
    }

    /// How many SQL statements there were, not counting those that began a transaction.
    pub(crate) fn statements(&self) -> u32 {
        self.statements.load(Relaxed)
    }

    /// What was committed.
    pub(crate) fn commits(&self) -> &Commits {
        &self.commits
    }

    /// When the operation's time is up.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.limits.as_ref().map(|limits| limits.until)
    }

    /// Where batches wait until the operation is parked.
    pub(super) fn parking(&self) -> &Parking {
        &self.parking
    }

    /// Begins a field, or an entry of a list. Each holds a few kilobytes until it is answered, long before there is a byte
    /// of the answer: a level of a document has as many as its lists have rows, times the fields that are selected of each.
    ///
    /// # Errors
    /// [`Error::TooMuch`] when too many are pending.
    pub(crate) fn enter(&self) -> Result<Pending<'_>> {
        let pending = self.pending.fetch_add(1, Relaxed) + 1;
        let entered = Pending(self);
        if let Some(limits) = &self.limits {
            self.check(Measured::Pending, limits.pending, pending)?;
        }
        Ok(entered)
    }

    /// Counts what does not wait for a turn by itself among what the turn was for.
    pub(crate) fn spend_turn(&self) {
        self.parking.spend_turn();
    }

    /// Waits until others have had their turn. Without it an operation whose fields have their values would go on to its
    /// end: it never waits for anything, so nobody else is served, and no clock could stop it.
    pub(crate) async fn take_turn(&self) {
        self.parking.take_turn().await;
    }

    /// Counts bytes that came from the database.
    ///
    /// # Errors
    /// [`Error::TooMuch`] when there are too many, [`Error::TOO_SLOW`] when the time is up.
    pub(super) fn read(&self, bytes: u64) -> Result<()> {
        let read = self.read.fetch_add(bytes, Relaxed) + bytes;
        if let Some(limits) = &self.limits {
            let limit = limits.answer.saturating_mul(READ_FOR_ANSWERED);
            self.check(Measured::Read, limit, read)?;
        }
        self.worked(1, bytes)
    }

    /// Counts values of the answer, and their bytes in it.
    ///
    /// # Errors
    /// As [`Meter::read`].
    pub(crate) fn answer(&self, values: u64, bytes: u64) -> Result<()> {
        let answered = self.answered.fetch_add(bytes, Relaxed) + bytes;
        if let Some(limits) = &self.limits {
            self.check(Measured::Answered, limits.answer, answered)?;
        }
        self.worked(values, bytes)
    }

    /// About how many bytes the answer has so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Relaxed)
    }

    /// Whether the answer is more than half as large as it may be.
    pub(crate) fn is_half_used(&self) -> bool {
        let answered = self.answered.load(Relaxed);
        self.limits
            .as_ref()
            .is_some_and(|limits| answered > limits.answer / 2)
    }

    /// Checks the whole answer's size.
    ///
    /// # Errors
    /// [`Error::TooMuch`] when it is too large.
    pub(crate) fn whole(&self, bytes: u64) -> Result<()> {
        match &self.limits {
            Some(limits) => self.check(Measured::Answered, limits.answer, bytes),
            None => Ok(()),
        }
    }

    fn check(&self, what: Measured, limit: u64, actual: u64) -> Result<()> {
        if actual <= limit {
            return Ok(());
        }
        self.stop(Error::TooMuch {
            what,
            limit,
            actual,
        })
    }

    fn worked(&self, values: u64, bytes: u64) -> Result<()> {
        let more = values + bytes / BYTES_OF_WORK;
        let before = self.work.fetch_add(more, Relaxed);
        match &self.limits {
            Some(limits)
                if before / WORK != (before + more) / WORK && Instant::now() > limits.until =>
            {
                self.stop(Error::TOO_SLOW)
            }
            _ => Ok(()),
        }
    }

    fn stop(&self, error: Error) -> Result<()> {
        let error = self.stopped.get_or_init(|| error).clone();
        self.stop.notify_one();
        Err(error)
    }

    /// Why the operation must not go on, if it must not.
    pub(crate) fn stopped(&self) -> Option<&Error> {
        self.stopped.get()
    }

    /// Waits until the operation must not go on.
    pub(crate) async fn until_stopped(&self) -> Error {
        loop {
            let notified = self.stop.notified();
            if let Some(error) = self.stopped() {
                return error.clone();
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn what_an_operation_uses_is_bounded_while_it_works() {
        let meter = Meter::within(1000, 2, Duration::from_secs(60));
        assert!(meter.answer(1, 1000).is_ok() && meter.read(4000).is_ok());
        assert!(meter.stopped().is_none());
        let refused = meter.read(1);
        assert!(matches!(
            refused,
            Err(Error::TooMuch {
                what: Measured::Read,
                limit: 4000,
                actual: 4001
            })
        ));
        assert!(matches!(meter.until_stopped().await, Error::TooMuch { .. }));
        let unlimited = Meter::default();
        assert!(unlimited.answer(1, u64::MAX / 2).is_ok());
    }

    #[test]
    fn the_fields_that_are_answered_at_once_are_bounded() {
        let meter = Meter::within(1000, 2, Duration::from_secs(60));
        let first = meter.enter();
        for _ in 0..10 {
            assert!(meter.enter().is_ok(), "what ended does not count");
        }
        let second = meter.enter();
        assert!(first.is_ok() && second.is_ok() && meter.stopped().is_none());
        let refused = meter.enter().err();
        assert!(matches!(
            refused,
            Some(Error::TooMuch {
                what: Measured::Pending,
                limit: 2,
                actual: 3
            })
        ));
        assert!(meter.stopped().is_some());
    }

    #[tokio::test]
    async fn work_ends_with_the_time() {
        let meter = Meter::within(u64::MAX, 1, Duration::ZERO);
        let done = (0..10 * WORK).take_while(|_| meter.answer(1, 1).is_ok());
        assert!(done.count() < WORK as usize);
        let meter = Meter::within(u64::MAX, 1, Duration::ZERO);
        let large = meter.answer(1, WORK * BYTES_OF_WORK);
        assert!(
            matches!(large, Err(Error::DeadlineExceeded(_))),
            "a large value is work too"
        );
    }

    #[tokio::test]
    async fn what_waits_for_no_turn_uses_one_up() {
        let meter = Meter::default();
        assert!(meter.take_turn().now_or_never().is_some());
        for _ in 0..1000 {
            meter.spend_turn();
        }
        assert!(meter.take_turn().now_or_never().is_none());
    }

    #[tokio::test]
    async fn an_operation_that_waits_for_nothing_lets_others_have_the_thread() {
        let meter = Arc::new(Meter::default());
        let endless = |meter: Arc<Meter>| async move {
            loop {
                let _entered = meter.enter();
                meter.take_turn().await;
            }
        };
        let many = || futures_util::future::join_all((0..100).map(|_| endless(meter.clone())));
        let patience = Duration::from_millis(20);
        let waited = tokio::time::timeout(patience, many()).await.is_err();
        let waited = waited
            && tokio::time::timeout(patience, meter.run(many()))
                .await
                .is_err();
        assert!(waited, "the clock stops it, though there is one thread");
    }
}
