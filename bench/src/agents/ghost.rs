//! Agents that are taken for dead, and are heard of again.

use super::{
    daemon::{Daemon, Shared},
    job::Job,
    operation::{Operation, Step},
    time::Dead,
    wire::{Said, Wire},
};
use crate::Result;
use serde_json::json;
use std::sync::Arc;

/// What is left of an agent that vanished.
pub(super) struct Ghost {
    name: String,
    wire: Arc<Wire>,
    shared: Shared,
    session: Option<String>,
    job: Option<Job>,
    /// Whether its last word, by which it may have ended its job, was on its way.
    may_have_ended: bool,
}

impl Ghost {
    /// An agent vanishes. Under its name there is another from then on.
    pub(super) fn of(daemon: &mut Daemon, last: Option<Step>) -> Self {
        let ghost = Self {
            name: daemon.name.clone(),
            wire: daemon.wire.clone(),
            shared: daemon.shared.clone(),
            session: daemon.session.take(),
            job: daemon.job.take(),
            may_have_ended: last.is_some_and(Step::ends),
        };
        daemon.script.clear();
        ghost.shared.tally.vanished.add(1);
        ghost
    }

    /// It comes back after its time has run out, with all that it would have said. Nothing of that may be taken, but what it
    /// spent.
    pub(super) async fn haunt(self, dead: &Dead) -> Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        dead.bury(session);
        dead.wait().await;
        let Some(job) = &self.job else {
            return Ok(());
        };
        let beat = json!({ "sessionId": session, "activeJobIds": [job.id] });
        let beat = Operation {
            step: Step::Beat,
            input: beat,
        };
        let said = self.wire.send(&beat).await?.said;
        let is_lost = match &said {
            Said::Done(data) => beat.payload(data)["lostJobIds"] == json!([job.id]),
            Said::Refused { code, .. } => code == "CONFLICT",
        };
        self.check(is_lost, &beat, &said);
        for late in job.late() {
            let said = self.wire.send(&late).await?.said;
            let is_refused = match &said {
                Said::Refused { code, .. } if self.may_have_ended => code == "CONFLICT",
                said => said.is_stale(),
            };
            self.check(is_refused, &late, &said);
        }
        self.pay(job).await
    }

    /// What was spent is recorded, whoever has the job by now.
    async fn pay(&self, job: &Job) -> Result<()> {
        let name = format!("late {}/{}", job.id, job.attempt);
        let mut job = job.clone();
        let spend = Operation::new(Step::Spend, job.input(Step::Spend, &name), &name);
        self.shared.known.lock().call(&name, false);
        let said = self.wire.send(&spend).await?.said;
        let is_taken = matches!(said, Said::Done(_));
        if is_taken {
            self.shared.known.lock().call(&name, true);
        }
        self.check(is_taken, &spend, &said);
        Ok(())
    }

    fn check(&self, is_right: bool, late: &Operation, said: &Said) {
        let tally = &self.shared.tally;
        match is_right {
            true => tally.late.add(1),
            false => tally.faults.add(format!(
                "{}, taken for dead with {:?}, sent {late:?} and was told {said:?}",
                self.name, self.job
            )),
        }
    }
}
