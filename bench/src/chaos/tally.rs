//! What everyone who takes part counts, and what is wrong.

use std::{
    fmt::Display,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// So many faults are told in full.
const TOLD: usize = 40;

/// A number that only grows.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

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
    faults: Mutex<(u64, Vec<String>)>,
}

impl Tally {
    /// Something that must not be.
    pub(super) fn fault(&self, fault: impl Display) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.0 += 1;
        if faults.1.len() < TOLD {
            faults.1.push(fault.to_string());
        }
    }

    /// How many faults there are, and the first of them.
    pub(super) fn faults(&self) -> (u64, Vec<String>) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
