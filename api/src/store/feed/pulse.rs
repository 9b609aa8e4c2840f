//! The heartbeat of a feed: one timer for all who want it equally often.

use super::{Feed, kept::Kept};
use std::{
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// A beat: where the ledger's head was when it fell. Until the first one it stands at 0.
#[derive(Default)]
pub(crate) struct Beat {
    head: i64,
    kept: Kept,
}

impl Beat {
    /// Where the head was.
    pub(crate) fn head(&self) -> i64 {
        self.head
    }

    /// What followers made of it, for the others who need the same.
    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }
}

/// A timer that beats as long as somebody holds it.
pub(crate) struct Pulse(watch::Sender<Arc<Beat>>);

impl Pulse {
    /// The beats from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<Arc<Beat>> {
        self.0.subscribe()
    }
}

impl Feed {
    /// The timer with this many seconds between its beats.
    pub(crate) fn pulse(self: &Arc<Self>, seconds: u8) -> Arc<Pulse> {
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pulse) = pulses.get(&seconds).and_then(Weak::upgrade) {
            return pulse;
        }
        let pulse = Arc::new(Pulse(watch::Sender::default()));
        pulses.insert(seconds, Arc::downgrade(&pulse));
        let (feed, beating) = (Arc::downgrade(self), Arc::downgrade(&pulse));
        tokio::spawn(beat(feed, beating, Duration::from_secs(seconds.into())));
        pulse
    }
}

async fn beat(feed: Weak<Feed>, pulse: Weak<Pulse>, period: Duration) {
    let mut timer = interval_at(Instant::now() + period, period);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let (Some(feed), Some(pulse)) = (feed.upgrade(), pulse.upgrade()) else {
            return;
        };
        pulse.0.send_replace(Arc::new(Beat {
            head: feed.last(),
            kept: Kept::default(),
        }));
    }
}
