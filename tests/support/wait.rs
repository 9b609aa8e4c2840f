//! Waiting for what comes about by itself, however slow the machine is.

use std::time::Duration;
use tokio::time::Instant;

/// What has not come about after so long will not.
const AT_MOST: Duration = Duration::from_secs(120);

/// Waits for something: `while !it_is_so { waiting.a_moment().await; }`.
pub struct Waiting {
    what: &'static str,
    until: Instant,
}

impl Waiting {
    /// Begins to wait until something is so.
    pub fn until(what: &'static str) -> Self {
        Self {
            what,
            until: Instant::now() + AT_MOST,
        }
    }

    /// Waits for a moment. Fails when it was too long altogether.
    pub async fn a_moment(&self) {
        let what = self.what;
        assert!(
            Instant::now() < self.until,
            "in {AT_MOST:?} it did not come about that {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
