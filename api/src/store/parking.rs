//! When a batch leaves: once its operation is parked, so that there is nothing it could still ask before it is answered.
//!
//! Whoever polls an operation sees it parked: it returned without an answer, nothing that it waits for has come, and no
//! statement is under way whose rows could ask more. Only then are those let go who wait to ask the database for all. No
//! rounds are counted and no clock is asked, so what a batch takes along does not depend on how busy the machine is.
//!
//! Therefore an operation's turns are counted here and not by the runtime: who waits for the runtime's next turn is woken
//! some time later, and nobody can tell.

use super::meter::Meter;
use futures_util::{FutureExt, task::AtomicWaker};
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};
use tokio::{
    sync::Notify,
    task::coop::{self, Unconstrained},
};

/// So many pieces of work are a turn, as in the runtime. Then others have the thread.
const TURN: u32 = 128;

/// Where those wait who ask the database for others too.
#[derive(Debug, Default)]
pub(super) struct Parking {
    /// Whether the operation is run as [`Parked`]: else nobody would see it parked, and nobody waits.
    watched: AtomicBool,
    /// How much was done in this turn.
    done: AtomicU32,
    waiting: AtomicUsize,
    /// The statements that run, or wait for those before them.
    under_way: AtomicUsize,
    leave: Notify,
}

/// One more, for as long as it is held.
pub(super) struct Counted<'p>(&'p AtomicUsize);

impl<'p> Counted<'p> {
    fn among(count: &'p AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Parking {
    /// Waits until the operation is parked.
    pub(super) async fn until_parked(&self) {
        if !self.watched.load(Relaxed) {
            return;
        }
        // Before it is counted: who is counted is let go.
        let leave = self.leave.notified();
        let _waiting = Counted::among(&self.waiting);
        leave.await;
    }

    /// Counts a statement, until its rows are there.
    pub(super) fn statement(&self) -> Counted<'_> {
        Counted::among(&self.under_way)
    }

    /// Counts a piece of work, and waits for the next turn when this one is used up.
    pub(super) async fn take_turn(&self) {
        if !self.watched.load(Relaxed) {
            return coop::consume_budget().await;
        }
        poll_fn(|context| {
            if self.done.fetch_add(1, Relaxed) < TURN {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Counts a piece of work that waits for no turn: who waits for one next finds this one used up.
    pub(super) fn spend_turn(&self) {
        if self.watched.load(Relaxed) {
            self.done.fetch_add(1, Relaxed);
        } else {
            let _ = coop::consume_budget().now_or_never();
        }
    }

    fn let_go(&self) {
        if self.waiting.load(Relaxed) > 0 && self.under_way.load(Relaxed) == 0 {
            self.leave.notify_waiters();
        }
    }
}

/// Whom an operation wakes: whoever polls it, who wants to know whether it was woken.
#[derive(Default)]
struct Woken {
    outer: AtomicWaker,
    since_polled: AtomicBool,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.since_polled.store(true, Relaxed);
        self.outer.wake();
    }
}

/// An operation that is watched while it runs. From [`Meter::run`].
pub(crate) struct Parked<F> {
    operation: Pin<Box<Unconstrained<F>>>,
    meter: Arc<Meter>,
    woken: Arc<Woken>,
    waker: Waker,
}

impl Meter {
    /// Runs the operation that this measures: its batches leave when it is parked.
    pub(crate) fn run<F: Future>(self: &Arc<Self>, operation: F) -> Parked<F> {
        self.parking().watched.store(true, Relaxed);
        let woken = Arc::<Woken>::default();
        Parked {
            operation: Box::pin(coop::unconstrained(operation)),
            meter: self.clone(),
            waker: woken.clone().into(),
            woken,
        }
    }
}

impl<F: Future> Future for Parked<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let parking = this.meter.parking();
        parking.done.store(0, Relaxed);
        this.woken.outer.register(context.waker());
        this.woken.since_polled.store(false, Relaxed);
        let polled = this
            .operation
            .as_mut()
            .poll(&mut Context::from_waker(&this.waker));
        if polled.is_pending() && !this.woken.since_polled.load(Relaxed) {
            parking.let_go();
        }
        polled
    }
}
