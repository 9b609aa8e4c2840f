//! What happened, and what is wrong.

use super::{operation::Step, wire::Moment};
use crate::count::{Count, Faults};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How often a server was killed at each step.
type Kills = BTreeMap<(Step, Moment), u64>;

/// What happened.
#[derive(Default)]
pub(super) struct Tally {
    /// Requests that were answered, that nobody answered, that were told to come again, and that were sent again.
    pub(super) answered: Count,
    pub(super) broken: Count,
    pub(super) busy: Count,
    pub(super) resent: Count,
    /// Answers that were lost, and were the same when they were asked for again.
    pub(super) same: Count,
    /// Agents that died, and then came back or stayed away.
    pub(super) returned: Count,
    pub(super) vanished: Count,
    pub(super) left: Count,
    /// What those said later that others took for dead, which was refused.
    pub(super) late: Count,
    pub(super) claimed: Count,
    pub(super) kills: Count,
    pub(super) faults: Faults,
    steps: Mutex<Kills>,
}

impl Tally {
    /// A server was killed at this step.
    pub(super) fn killed(&self, step: Step, moment: Moment) {
        self.kills.add(1);
        self.struck(step, moment);
    }

    /// A server was killed while this was one of several steps that were under way.
    pub(super) fn struck(&self, step: Step, moment: Moment) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        *steps.entry((step, moment)).or_default() += 1;
    }

    pub(super) fn steps(&self) -> Kills {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.clone()
    }
}
