//! An agent, as one written with nothing but the schema: it says one thing after the other, and takes in what is answered.

use super::{
    job::Job,
    known::Known,
    operation::{Operation, Step},
    tally::Tally,
    wire::{Answer, Said, Wire},
};
use crate::Result;
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc};

const HELD: &str = "query($session: ID!) { agentJobs(first: 50, filter: { sessionId: { eq: $session }, \
    status: { in: [DISPATCHED, IN_PROGRESS] } }) { nodes { id attempt action payload ticket { id } } } }";

/// What everyone who takes part shares.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) tally: Arc<Tally>,
    pub(super) known: Arc<Known>,
    /// A person's way to the servers, who answers.
    pub(super) person: Arc<Wire>,
}

/// An agent.
pub(super) struct Daemon {
    pub(super) name: String,
    pub(super) wire: Arc<Wire>,
    pub(super) shared: Shared,
    pub(super) session: Option<String>,
    pub(super) job: Option<Job>,
    /// What it does next, in this order.
    pub(super) script: VecDeque<Step>,
    asked: Option<String>,
    said: u64,
    lives: u64,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It goes on.
    On,
    /// There is no ticket for it now.
    Idle,
}

impl Daemon {
    pub(super) fn new(name: String, wire: Arc<Wire>, shared: Shared) -> Self {
        Self {
            name,
            wire,
            shared,
            session: None,
            job: None,
            script: VecDeque::new(),
            asked: None,
            said: 0,
            lives: 0,
        }
    }

    /// Something that was never said before.
    fn number(&mut self) -> String {
        self.said += 1;
        format!("{}-{}-{}", self.name, self.lives, self.said)
    }

    /// What it sends next; nothing when its script is at its end. A step for which it has no job is left out.
    pub(super) fn next(&mut self) -> Option<Operation> {
        loop {
            let step = *self.script.front()?;
            if let Some(operation) = self.operation(step) {
                self.send(&operation);
                return Some(operation);
            }
            self.script.pop_front();
        }
    }

    fn operation(&mut self, step: Step) -> Option<Operation> {
        let number = self.number();
        let input = match step {
            Step::Register => {
                let mut input = json!({ "repos": [], "maxActiveJobs": 2 });
                if let Some(session) = &self.session {
                    input["sessionId"] = json!(session);
                }
                input
            }
            Step::Beat => {
                let jobs: Vec<_> = self.job.iter().map(|job| &job.id).collect();
                json!({ "sessionId": self.session, "activeJobIds": jobs })
            }
            Step::Claim => json!({ "sessionId": self.session }),
            Step::Answer => json!({ "id": self.asked.as_ref()?, "response": number }),
            Step::Ask if self.job.as_ref()?.answers >= 2 => return None,
            _ => self.job.as_mut()?.input(step, &number),
        };
        Some(Operation::new(step, input, &number))
    }

    /// What is about to be sent may come about from now on.
    fn send(&self, operation: &Operation) {
        let Some(job) = &self.job else { return };
        let mut known = self.shared.known.lock();
        let input = &operation.input;
        match operation.step {
            Step::Record => {
                let last = last_seq(input);
                let journal = known.journal(&(job.id.clone(), job.attempt));
                journal.sent = journal.sent.max(last);
            }
            Step::Save => known.checkpoint(&job.ticket, text(&input["checkpoint"]["at"]), false),
            Step::Spend => known.call(text(&input["requestId"]), false),
            Step::Ask => known.question(text(&input["question"]), false),
            _ => {}
        }
    }

    /// Which way this one goes: a person answers.
    pub(super) fn wire_for(&self, operation: &Operation) -> Arc<Wire> {
        match operation.step {
            Step::Answer => self.shared.person.clone(),
            _ => self.wire.clone(),
        }
    }

    /// Takes in what was answered.
    pub(super) fn take(&mut self, operation: &Operation, answer: Answer) -> Came {
        let Answer { said, is_resent } = answer;
        let step = operation.step;
        let data = match said {
            Said::Done(data) => data,
            said => {
                self.take_refusal(operation, &said, is_resent);
                return Came::On;
            }
        };
        let payload = operation.payload(&data);
        if step == Step::Claim {
            return self.take_claim(payload);
        }
        self.script.pop_front();
        match step {
            Step::Register => {
                let session = &payload["agentSession"]["id"];
                self.session = session.as_str().map(str::to_owned);
            }
            Step::Answer => self.asked = None,
            Step::Beat => {
                let lost = payload["lostJobIds"].as_array();
                if lost.is_some_and(|lost| !lost.is_empty()) {
                    self.lose(&format!("a heartbeat says {payload}"));
                }
            }
            _ => self.acknowledge(operation, payload),
        }
        if step.ends() {
            self.job = None;
        }
        Came::On
    }

    fn take_claim(&mut self, payload: &Value) -> Came {
        let Some(job) = Job::of(&payload["job"], &payload["ticket"]) else {
            return Came::Idle;
        };
        self.script.pop_front();
        self.shared.tally.claimed.add(1);
        let of = (job.id.clone(), job.attempt);
        let mut known = self.shared.known.lock();
        if let Some(other) = known.claims.insert(of, self.name.clone()) {
            self.shared.tally.faults.add(format!(
                "{} and {other} were both given {payload}",
                self.name
            ));
        }
        self.job = Some(job);
        Came::On
    }

    fn acknowledge(&mut self, operation: &Operation, payload: &Value) {
        let Some(job) = &mut self.job else { return };
        let (input, answered) = (&operation.input, &payload["agentJob"]);
        let mut known = self.shared.known.lock();
        match operation.step {
            Step::Record => {
                let last = last_seq(input);
                job.written = last;
                let journal = known.journal(&(job.id.clone(), job.attempt));
                journal.acknowledged = journal.acknowledged.max(last);
            }
            Step::Save => known.checkpoint(&job.ticket, text(&input["checkpoint"]["at"]), true),
            Step::Reserve => {
                let id = &payload["reservation"]["id"];
                job.reservation = id.as_str().map(str::to_owned);
                known.reservation(text(id));
            }
            Step::Spend => {
                job.reservation = None;
                known.call(text(&input["requestId"]), true);
            }
            Step::Ask => {
                known.question(text(&input["question"]), true);
                let id = payload["clarificationRequest"]["id"].as_str();
                self.asked = id.map(str::to_owned);
            }
            Step::Complete => {
                let result = (job.attempt, answered["result"].to_string());
                known.done.insert(job.id.clone(), result);
            }
            Step::Fail => {
                let error = text(&answered["error"]).to_owned();
                known.failed.insert(job.id.clone(), error);
            }
            _ => {}
        }
    }

    fn take_refusal(&mut self, operation: &Operation, said: &Said, is_resent: bool) {
        let step = operation.step;
        let is_session_over = matches!(said, Said::Refused { code, message, .. } if code == "CONFLICT" && message.starts_with("This session has ended"));
        if is_session_over {
            // It was silent for too long, and takes it up again.
            self.script.clear();
            self.script.push_back(Step::Register);
            self.job = None;
            return;
        }
        if !said.is_stale() || step == Step::Claim {
            let who = &self.name;
            let fault = format!("{who} sent {operation:?} and was told {said:?}");
            self.shared.tally.faults.add(fault);
        }
        self.script.pop_front();
        match step {
            Step::Claim => self.script.clear(),
            // It came about when it was sent before, and others have the job by now.
            _ if step.ends() && is_resent => self.job = None,
            _ => self.lose(&format!("{step} was told {said:?}")),
        }
    }

    /// It has its job no longer. Unless something was still on its way, there must be a reason.
    fn lose(&mut self, why: &str) {
        let Some(job) = self.job.take() else { return };
        if !job.is_uncertain {
            let why = format!("{} lost {job:?}: {why}", self.name);
            self.shared.known.lock().taken.push((job.id, why));
        }
        self.script.clear();
    }

    /// It died, and comes back under the same session. It knows nothing but that: it asks for what it has, and goes on with it or
    /// gives it back.
    pub(super) async fn come_back(&mut self) -> Result<()> {
        self.lives += 1;
        self.job = None;
        self.asked = None;
        self.script = [Step::Register].into();
        while let Some(operation) = self.next() {
            let answer = self.wire.send(&operation).await?;
            self.take(&operation, answer);
        }
        let held = self
            .wire
            .data(HELD, &json!({ "session": self.session }))
            .await?;
        let held = held["agentJobs"]["nodes"].as_array().cloned();
        for node in held.unwrap_or_default() {
            let Some(mut job) = Job::of(&node, &node["ticket"]) else {
                // It ended in between.
                continue;
            };
            job.is_uncertain = true;
            // It does not know whether it asked, or what it reserved.
            job.answers = 2;
            let script: &[Step] = match rand::random_bool(0.5) {
                true => &[Step::Release],
                false => &[Step::Start, Step::Record, Step::Save, Step::Complete],
            };
            self.job = Some(job);
            self.script = script.iter().copied().collect();
            while let Some(operation) = self.next() {
                let answer = self.wire.send(&operation).await?;
                self.take(&operation, answer);
            }
            self.job = None;
        }
        Ok(())
    }
}

fn last_seq(input: &Value) -> i64 {
    let events = input["events"].as_array();
    let last = events.and_then(|events| events.last()?["seq"].as_i64());
    last.unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
