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
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What must not be: how often there was something, and the first of it.
#[derive(Default)]
pub(crate) struct Faults(Mutex<(u64, Vec<String>)>);

impl Faults {
    pub(crate) fn add(&self, fault: impl Display) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.0 += 1;
        if faults.1.len() < TOLD {
            faults.1.push(fault.to_string());
        }
    }

    /// How many faults there are, and the first of them.
    pub(crate) fn get(&self) -> (u64, Vec<String>) {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.clone()
    }
}
