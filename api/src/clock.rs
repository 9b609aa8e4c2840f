//! Time, replaceable in tests.

use chrono::{DateTime, Utc};
use entity::Timestamp;
use std::{fmt, sync::Arc};

/// Tells the time. Everything that needs "now" asks the clock it was given.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the others ask"
    )]
    pub fn system() -> Self {
        Self::new(Utc::now)
    }

    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        Timestamp::new((self.0)())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
