//! The heartbeat of a feed: one timer for all who want it equally often.

use super::Feed;
use std::{
    sync::{Arc, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// A beat: where the ledger's head was when it fell. Until the first one it stands at 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beat {
    head: i64,
    number: u64,
}

impl Beat {
    /// Where the head was.
    pub(crate) fn head(self) -> i64 {
        self.head
    }

    /// Tells it apart from all others of its feed.
    pub(crate) fn number(self) -> u64 {
        self.number
    }
}

/// A timer that beats as long as somebody holds it.
pub(crate) struct Pulse(watch::Sender<Beat>);

impl Pulse {
    /// The beats from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<Beat> {
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
        pulse.0.send_replace(Beat {
            head: feed.last(),
            number: feed.beats.fetch_add(1, Ordering::Relaxed),
        });
    }
}
