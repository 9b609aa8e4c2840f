//! What of an operation was committed: whatever goes wrong afterwards, who asked is told of it.

use super::meter::Meter;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// How long an operation whose time is up waits for a commit that is under way.
const SETTLED_WITHIN: Duration = Duration::from_secs(1);

/// The root fields of a mutation that wrote something, by their names in the answer.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The root field that runs now: they run one after the other.
    field: String,
    under_way: Vec<String>,
    committed: Vec<String>,
}

/// What is known of a field's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing was committed.
    Nothing,
    /// Something was.
    Committed,
    /// The database has not said yet.
    Unknown,
}

impl Commits {
    /// With these fields committed, and these under way.
    #[cfg(test)]
    pub(crate) fn of(committed: &[&str], under_way: &[&str]) -> Self {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            state: Mutex::new(State {
                field: String::new(),
                under_way: names(under_way),
                committed: names(committed),
            }),
            ..Self::default()
        }
    }

    /// Says which root field runs now.
    pub(crate) fn begin(&self, field: &str) {
        field.clone_into(&mut self.state().field);
    }

    /// What became of a field's changes.
    pub(crate) fn fate(&self, field: &str) -> Fate {
        let state = self.state();
        let is_in = |names: &[String]| names.iter().any(|name| name == field);
        match (is_in(&state.committed), is_in(&state.under_way)) {
            (true, _) => Fate::Committed,
            (false, true) => Fate::Unknown,
            (false, false) => Fate::Nothing,
        }
    }

    /// Whether anything was committed, or may be.
    pub(crate) fn any(&self) -> bool {
        let state = self.state();
        !(state.committed.is_empty() && state.under_way.is_empty())
    }

    /// Waits for the database's word on what it was asked to commit, but not for long.
    pub(crate) async fn settled(&self) {
        let all = async {
            loop {
                let notified = self.settled.notified();
                if self.state().under_way.is_empty() {
                    return;
                }
                notified.await;
            }
        };
        let _ = tokio::time::timeout(SETTLED_WITHIN, all).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit that the database was asked for, until it has answered.
pub(super) struct UnderWay {
    meter: Arc<Meter>,
    field: String,
}

impl UnderWay {
    pub(super) fn new(meter: Arc<Meter>) -> Self {
        let mut state = meter.commits().state();
        let field = state.field.clone();
        state.under_way.push(field.clone());
        drop(state);
        Self { meter, field }
    }

    /// It is committed.
    pub(super) fn done(self) {
        let field = self.field.clone();
        self.meter.commits().state().committed.push(field);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let commits = self.meter.commits();
        let mut state = commits.state();
        if let Some(at) = state.under_way.iter().position(|name| *name == self.field) {
            state.under_way.swap_remove(at);
        }
        drop(state);
        commits.settled.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_committed_is_known_and_what_may_be_is_waited_for() {
        let meter = Arc::new(Meter::default());
        let commits = meter.commits();
        commits.begin("first");
        assert_eq!(
            (commits.fate("first"), commits.any()),
            (Fate::Nothing, false)
        );
        UnderWay::new(meter.clone()).done();
        commits.begin("second");
        let under_way = UnderWay::new(meter.clone());
        commits.settled().await;
        assert_eq!(commits.fate("first"), Fate::Committed);
        assert_eq!(commits.fate("second"), Fate::Unknown);
        let refused = tokio::spawn(async move {
            tokio::time::sleep(SETTLED_WITHIN / 20).await;
            drop(under_way);
        });
        commits.settled().await;
        assert!(refused.is_finished());
        assert_eq!(commits.fate("second"), Fate::Nothing);
    }
}
