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
    /// Of those nobody will say whether they are: the connection broke before the database had answered.
    unheard: Vec<String>,
}

/// What is known of a field's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing was committed.
    Nothing,
    /// Something was.
    Committed,
    /// The database has not said.
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
                unheard: Vec::new(),
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
        if is_in(&state.committed) {
            Fate::Committed
        } else if is_in(&state.under_way) || is_in(&state.unheard) {
            Fate::Unknown
        } else {
            Fate::Nothing
        }
    }

    /// Whether anything was committed, or may be.
    pub(crate) fn any(&self) -> bool {
        let state = self.state();
        let lists = [&state.committed, &state.under_way, &state.unheard];
        lists.iter().any(|names| !names.is_empty())
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

/// A commit that the database was asked for, until it has answered. If this is dropped before, nobody knows.
pub(super) struct UnderWay {
    meter: Arc<Meter>,
    field: String,
    said: Option<bool>,
}

impl UnderWay {
    pub(super) fn new(meter: Arc<Meter>) -> Self {
        let mut state = meter.commits().state();
        let field = state.field.clone();
        state.under_way.push(field.clone());
        drop(state);
        Self {
            meter,
            field,
            said: None,
        }
    }

    /// The database has said whether it is committed.
    pub(super) fn said(mut self, is_committed: bool) {
        self.said = Some(is_committed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let commits = self.meter.commits();
        let mut state = commits.state();
        if let Some(at) = state.under_way.iter().position(|name| *name == self.field) {
            let field = state.under_way.swap_remove(at);
            match self.said {
                Some(true) => state.committed.push(field),
                Some(false) => {}
                None => state.unheard.push(field),
            }
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
        UnderWay::new(meter.clone()).said(true);
        commits.begin("second");
        let under_way = UnderWay::new(meter.clone());
        commits.settled().await;
        assert_eq!(commits.fate("first"), Fate::Committed);
        assert_eq!(commits.fate("second"), Fate::Unknown);
        let refused = tokio::spawn(async move {
            tokio::time::sleep(SETTLED_WITHIN / 20).await;
            under_way.said(false);
        });
        commits.settled().await;
        assert!(refused.is_finished());
        assert_eq!(commits.fate("second"), Fate::Nothing);
        commits.begin("third");
        drop(UnderWay::new(meter.clone()));
        commits.settled().await;
        assert_eq!(commits.fate("third"), Fate::Unknown, "the connection broke");
    }
}
