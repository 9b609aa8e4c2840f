//! Whose turn it is: so many operations at once, shared out evenly, and a bounded queue of those that wait.

mod state;
#[cfg(test)]
mod tests;

use self::state::{Of, State};
use crate::error::{Error, Result, Whose};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// A number for one actor, for one workspace, and for all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    pub(crate) actor: u64,
    pub(crate) workspace: u64,
    pub(crate) all: u64,
}

/// How many may go on at once, how many may be there, going on or waiting, and how long one waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) at_once: Shares,
    pub(crate) present: Shares,
    pub(crate) wait: Duration,
}

/// Lets in so many at once. A turn that becomes free goes to the waiting workspace that has fewest, and within it to the
/// actor that has fewest; among equals it goes round. The last part of all turns is for workspaces that have none, and the
/// last part of a workspace's for actors that have none: however long those take that came first, the next one finds a
/// turn.
pub(crate) struct Admission {
    most: Most,
    state: Mutex<State>,
}

/// The right to go on. Dropping it gives the turn to the next.
#[must_use = "the turn ends when this is dropped"]
pub(crate) struct Permit {
    _held: Option<Held>,
}

/// A turn, for as long as somebody holds it.
struct Held {
    admission: Arc<Admission>,
    of: Of,
}

impl Shares {
    /// The same for each and for all together.
    pub(crate) fn everyone(count: u64) -> Self {
        Self {
            actor: count,
            workspace: count,
            all: count,
        }
    }
}

impl Admission {
    /// Lets in at most so many.
    pub(crate) fn new(most: Most) -> Arc<Self> {
        Arc::new(Self {
            most,
            state: Mutex::default(),
        })
    }

    /// Waits for a turn of this actor. Whoever stops waiting gives the place up.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are there already, or no turn came in time.
    pub(crate) async fn acquire(self: &Arc<Self>, workspace: &str, actor: &str) -> Result<Permit> {
        let of = Of {
            workspace: workspace.into(),
            actor: actor.into(),
        };
        let place = {
            let mut state = self.state();
            if let Some(whose) = state.full(&of, &self.most.present) {
                return Err(Error::Busy(whose));
            }
            if state.may_run(&of, &self.most.at_once) {
                state.begin(&of);
                return Ok(self.permit(of));
            }
            if self.most.wait.is_zero() {
                return Err(Error::Busy(Whose::All));
            }
            let (number, called) = state.wait(&of);
            Place {
                admission: self.clone(),
                of,
                number,
                called,
            }
        };
        place.turn().await
    }

    fn permit(self: &Arc<Self>, of: Of) -> Permit {
        Permit {
            _held: Some(Held {
                admission: self.clone(),
                of,
            }),
        }
    }

    /// Calls those whose turn it is now.
    fn call(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        while let Some((of, called)) = state.next(&self.most.at_once) {
            if let Err(refused) = called.send(self.permit(of)) {
                // Dropping it takes the lock, and calls the next.
                drop(state);
                drop(refused);
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.end(&self.of);
        self.admission.call(state);
    }
}

impl Permit {
    /// A turn where nothing is shared.
    pub(crate) fn free() -> Self {
        Self { _held: None }
    }
}

/// A place in the queue, as long as it is waited at.
struct Place {
    admission: Arc<Admission>,
    of: Of,
    number: u64,
    called: oneshot::Receiver<Permit>,
}

impl Place {
    async fn turn(mut self) -> Result<Permit> {
        let wait = self.admission.most.wait;
        match tokio::time::timeout(wait, &mut self.called).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::Busy(Whose::All)),
        }
    }
}

impl Drop for Place {
    /// A turn that came meanwhile is dropped with the channel.
    fn drop(&mut self) {
        self.admission.state().leave(&self.of, self.number);
    }
}
