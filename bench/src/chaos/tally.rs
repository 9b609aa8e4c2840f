//! What everyone who takes part counts, and what is wrong.

use crate::count::{Count, Faults};
use std::fmt::Display;

/// What happened.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) written: Count,
    pub(super) refused: Count,
    pub(super) repeated: Count,
    pub(super) dropped: Count,
    pub(super) broken: Count,
    pub(super) busy: Count,
    pub(super) frames: Count,
    pub(super) breaks: Count,
    pub(super) left: Count,
    pub(super) resyncs: Count,
    pub(super) kills: Count,
    pub(super) cuts: Count,
    pub(super) nats_kills: Count,
    faults: Faults,
}

impl Tally {
    /// Something that must not be.
    pub(super) fn fault(&self, fault: impl Display) {
        self.faults.add(fault);
    }

    /// How many faults there are, and the first of them.
    pub(super) fn faults(&self) -> (u64, Vec<String>) {
        self.faults.get()
    }
}
