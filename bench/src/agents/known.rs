//! What agents know for certain, of which nothing may be lost or doubled; and what they do not know.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A try of a job.
pub(super) type Try = (String, i64);

/// What was sent, and whether it was acknowledged.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) names: BTreeMap<String, bool>,
}

impl Sent {
    fn send(&mut self, name: &str) {
        self.names.entry(name.to_owned()).or_default();
    }

    fn acknowledge(&mut self, name: &str) {
        self.names.insert(name.to_owned(), true);
    }
}

/// The entries of a journal: how many were sent at most, and how many are there for certain.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) sent: i64,
    pub(super) acknowledged: i64,
}

/// What all agents know.
#[derive(Default)]
pub(super) struct Knowledge {
    pub(super) journals: HashMap<Try, Journal>,
    /// Who was given a try.
    pub(super) claims: HashMap<Try, String>,
    /// Results by the job, with the try that they are of.
    pub(super) done: HashMap<String, (i64, String)>,
    /// Failures by the job.
    pub(super) failed: HashMap<String, String>,
    pub(super) calls: Sent,
    pub(super) reservations: Sent,
    pub(super) questions: Sent,
    /// Jobs that were taken from an agent that lives, and how it was told.
    pub(super) taken: Vec<(String, String)>,
    /// Checkpoints of each ticket, in the order in which they were sent.
    pub(super) checkpoints: HashMap<String, Vec<(String, bool)>>,
}

/// The same, shared.
#[derive(Default)]
pub(super) struct Known(Mutex<Knowledge>);

impl Known {
    pub(super) fn lock(&self) -> MutexGuard<'_, Knowledge> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Knowledge {
    pub(super) fn journal(&mut self, of: &Try) -> &mut Journal {
        self.journals.entry(of.clone()).or_default()
    }

    pub(super) fn call(&mut self, name: &str, is_acknowledged: bool) {
        note(&mut self.calls, name, is_acknowledged);
    }

    pub(super) fn reservation(&mut self, name: &str) {
        note(&mut self.reservations, name, true);
    }

    pub(super) fn question(&mut self, name: &str, is_acknowledged: bool) {
        note(&mut self.questions, name, is_acknowledged);
    }

    pub(super) fn checkpoint(&mut self, ticket: &str, name: &str, is_acknowledged: bool) {
        let saved = self.checkpoints.entry(ticket.to_owned()).or_default();
        match saved.iter_mut().find(|(saved, _)| saved == name) {
            Some((_, known)) => *known |= is_acknowledged,
            None => saved.push((name.to_owned(), is_acknowledged)),
        }
    }
}

fn note(of: &mut Sent, name: &str, is_acknowledged: bool) {
    match is_acknowledged {
        true => of.acknowledge(name),
        false => of.send(name),
    }
}
