//! How long nothing was heard of a client.

use std::time::Duration;
use tokio::time::Instant;

/// A client that gives no sign of life for so long is gone.
const SILENCE: Duration = Duration::from_secs(40);

/// When a client was last heard of. While nobody listens, because something is written to it or it is made to wait, that is
/// not its silence.
pub(super) struct Hearing {
    last: Instant,
    /// Why nobody listens, and since when.
    reasons: Vec<Reason>,
    deaf_since: Instant,
}

/// Why nobody listens to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Something is written to it.
    Writing,
    /// A newer token of it is being checked: one at a time.
    Renewing,
    /// It was refused too often.
    Refused,
}

impl Hearing {
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            last: now,
            reasons: Vec::new(),
            deaf_since: now,
        }
    }

    /// It was heard of.
    pub(super) fn hears(&mut self, now: Instant) {
        self.last = now;
    }

    /// There is a reason not to listen; whether it is a new one.
    pub(super) fn stops(&mut self, reason: Reason, now: Instant) -> bool {
        let is_new = !self.reasons.contains(&reason);
        if self.listens() {
            self.deaf_since = now;
        }
        if is_new {
            self.reasons.push(reason);
        }
        is_new
    }

    /// The reason is none any more.
    pub(super) fn goes_on(&mut self, reason: Reason, now: Instant) {
        let was_deaf = !self.listens();
        self.reasons.retain(|other| *other != reason);
        if was_deaf && self.listens() {
            self.last += now.duration_since(self.deaf_since);
        }
    }

    /// Whether there is no reason not to listen.
    pub(super) fn listens(&self) -> bool {
        self.reasons.is_empty()
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.listens() && now.duration_since(self.last) >= SILENCE
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
        // A long answer is read slowly, to a client that is made to wait.
        assert!(hearing.stops(Reason::Writing, second(10)));
        assert!(hearing.stops(Reason::Refused, second(20)));
        assert!(!hearing.stops(Reason::Refused, second(21)));
        assert!(!hearing.listens() && !hearing.is_over(second(70)));
        hearing.goes_on(Reason::Refused, second(70));
        assert!(!hearing.listens() && !hearing.is_over(second(80)));
        hearing.goes_on(Reason::Writing, second(80));
        hearing.goes_on(Reason::Writing, second(81));
        // Each moment counts once, whatever the reasons were.
        assert!(hearing.listens());
        assert!(!hearing.is_over(second(109)) && hearing.is_over(second(110)));
        hearing.hears(second(100));
        assert!(!hearing.is_over(second(139)) && hearing.is_over(second(140)));
    }
}
