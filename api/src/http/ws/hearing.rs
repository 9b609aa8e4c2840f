//! How long nothing was heard of a client.

use std::time::Duration;
use tokio::time::Instant;

/// A client that gives no sign of life for so long is gone.
const SILENCE: Duration = Duration::from_secs(40);

/// When a client was last heard of. While nobody listens, because something is written to it or it is made to wait, that is
/// not its silence.
pub(super) struct Hearing {
    last: Instant,
}

impl Hearing {
    pub(super) fn begin(now: Instant) -> Self {
        Self { last: now }
    }

    /// It was heard of.
    pub(super) fn hears(&mut self, now: Instant) {
        self.last = now;
    }

    /// Nobody listened from one moment to the other.
    pub(super) fn was_deaf(&mut self, from: Instant, to: Instant) {
        self.last += to.duration_since(from);
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.last) >= SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_is_gone_and_who_is_not_listened_to_is_not() {
        let begun = Instant::now();
        let second = |second| begun + Duration::from_secs(second);
        let mut hearing = Hearing::begin(begun);
        assert!(!hearing.is_over(second(39)) && hearing.is_over(second(40)));
        // A long answer is read slowly.
        hearing.was_deaf(second(10), second(80));
        assert!(!hearing.is_over(second(80)) && hearing.is_over(second(110)));
        hearing.hears(second(100));
        assert!(!hearing.is_over(second(139)) && hearing.is_over(second(140)));
    }
}
