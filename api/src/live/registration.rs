//! What a subscription's resolver says when it is asked to register.

use super::Interest;
use std::sync::{Arc, Mutex, PoisonError};

/// What to follow, from where, and how often to say that there is nothing new.
pub(crate) struct Following {
    /// The cursor to follow after; none begins at the head.
    pub(crate) after: Option<String>,
    /// Seconds between heartbeats.
    pub(crate) heartbeat_seconds: u8,
    /// Which entries concern it.
    pub(crate) interest: Box<dyn Interest>,
}

/// Where the resolver puts what to follow. Without one in its data an operation cannot be followed.
#[derive(Clone, Default)]
pub(crate) struct Registration(Arc<Mutex<Option<Following>>>);

impl Registration {
    /// Registers.
    pub(crate) fn put(&self, following: Following) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(following);
    }

    /// What was registered.
    pub(super) fn take(&self) -> Option<Following> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
