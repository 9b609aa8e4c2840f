//! The storm: agents live, and servers and agents die at random, always at some step.

use super::{
    daemon::{Came, Daemon},
    ghost::Ghost,
    operation::{Operation, Step},
    tally::Tally,
    time::Dead,
    wire::{Answer, Moment},
};
use crate::Result;
use rand::seq::SliceRandom as _;
use serde_json::json;
use std::{
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};

/// Between two claims where there is no ticket.
const IDLE: Duration = Duration::from_millis(50);
/// So long an agent waits for a ticket before it looks whether it has one that it does not know of.
const DOUBT: Duration = Duration::from_secs(1);
/// How often it is looked whether it is time for a server to die.
const LOOK: Duration = Duration::from_millis(5);
/// If nobody takes a step for so long, another one is chosen.
const OVERDUE: Duration = Duration::from_millis(500);

const LEAVE: &str = "mutation($input: DisconnectAgentInput!) { disconnectAgent(input: $input) { agentSession { activeJobs } } }";

/// What rages.
pub(super) struct Storm {
    pub(super) dead: Arc<Dead>,
    /// The step at which the next server is killed, and when.
    next: Mutex<Option<(Step, Moment)>>,
    is_over: AtomicBool,
    /// Whether there is nothing to do any more.
    pub(super) is_done: AtomicBool,
}

impl Storm {
    pub(super) fn new(dead: &Arc<Dead>) -> Self {
        Self {
            dead: dead.clone(),
            next: Mutex::default(),
            is_over: AtomicBool::default(),
            is_done: AtomicBool::default(),
        }
    }

    /// Chooses where servers die, all steps and moments in a random order, whenever so many requests were answered, until told
    /// to stop.
    pub(super) async fn rage(
        &self,
        every: Range<u64>,
        tally: &Tally,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut deck = Vec::new();
        let mut next = rand::random_range(every.clone());
        loop {
            let over = tokio::time::timeout(LOOK, stopping.wait_for(|stopping| *stopping));
            if over.await.is_ok() {
                break;
            }
            if tally.answered.get() < next {
                continue;
            }
            if deck.is_empty() {
                let all = { Step::ALL.into_iter() }
                    // Here people answer by themselves.
                    .filter(|step| *step != Step::Answer)
                    .flat_map(|step| Moment::ALL.map(|moment| (step, moment)));
                deck.extend(all);
                deck.shuffle(&mut rand::rng());
            }
            self.set(deck.pop());
            let set = Instant::now();
            while self.is_set() && set.elapsed() < OVERDUE {
                tokio::time::sleep(LOOK).await;
            }
            next = tally.answered.get() + rand::random_range(every.clone());
        }
        self.set(None);
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn set(&self, next: Option<(Step, Moment)>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn is_set(&self) -> bool {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.is_some()
    }

    /// When, if it is to die at this step, whoever takes it has the server die.
    fn strikes(&self, step: Step) -> Option<Moment> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, moment) = next.take_if(|(at, _)| *at == step)?;
        Some(moment)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Lives until there is nothing to do any more.
pub(super) async fn live(
    mut daemon: Daemon,
    storm: Arc<Storm>,
    mut haunting: JoinSet<Result<()>>,
) -> Result<JoinSet<Result<()>>> {
    let mut idle_since = Instant::now();
    while daemon.job.is_some() || !storm.is_done.load(Ordering::Relaxed) {
        if daemon.script.is_empty() {
            daemon.script = script(&daemon).into();
        }
        let Some(operation) = daemon.next() else {
            continue;
        };
        if !storm.is_over() && rand::random_bool(0.012) {
            die(&mut daemon, &operation, &storm, &mut haunting).await?;
            continue;
        }
        let wire = daemon.wire_for(&operation);
        let answer: Answer = match storm.strikes(operation.step) {
            Some(moment) => wire.send_fatally(&operation, moment).await?,
            None => wire.send(&operation).await?,
        };
        match daemon.take(&operation, answer) {
            Came::On => idle_since = Instant::now(),
            Came::Idle if DOUBT < idle_since.elapsed() => {
                daemon.come_back().await?;
                idle_since = Instant::now();
            }
            Came::Idle => {
                daemon.script.clear();
                tokio::time::sleep(IDLE).await;
            }
        }
    }
    Ok(haunting)
}

/// What an agent does with the next ticket.
fn script(daemon: &Daemon) -> Vec<Step> {
    use Step::{
        Ask, Beat, Claim, Complete, Fail, Record, Register, Release, Report, Reserve, Save, Spend,
        Start,
    };
    if daemon.session.is_none() {
        return vec![Register];
    }
    let mut script = vec![];
    if rand::random_bool(0.2) {
        script.push(Beat);
    }
    if rand::random_bool(0.05) {
        script.push(Register);
    }
    script.extend([Claim, Start]);
    let mut work = [Report, Record, Record, Save, Beat, Reserve, Spend];
    work[..5].shuffle(&mut rand::rng());
    script.extend(work.into_iter().filter(|_| rand::random_bool(0.6)));
    script.push(match rand::random_range(0..100) {
        0..8 => Ask,
        8..16 => Release,
        16..24 => Fail,
        _ => Complete,
    });
    script
}

/// An agent dies at a step, before, while, or after it is taken.
async fn die(
    daemon: &mut Daemon,
    operation: &Operation,
    storm: &Arc<Storm>,
    haunting: &mut JoinSet<Result<()>>,
) -> Result<()> {
    let wire = daemon.wire_for(operation);
    let last = match rand::random_range(0..3) {
        0 => None,
        1 => {
            wire.send_and_leave(operation).await?;
            Some(operation.step)
        }
        _ => {
            wire.send_once(operation).await?;
            Some(operation.step)
        }
    };
    match rand::random_range(0..10) {
        0..5 => {
            daemon.shared.tally.returned.add(1);
            if daemon.session.is_some() {
                daemon.come_back().await?;
            }
        }
        5..9 => {
            let ghost = Ghost::of(daemon, last);
            let dead = storm.dead.clone();
            haunting.spawn(async move { ghost.haunt(&dead).await });
        }
        _ => leave(daemon).await?,
    }
    Ok(())
}

/// It leaves in order. What it has is given back.
async fn leave(daemon: &mut Daemon) -> Result<()> {
    daemon.job = None;
    daemon.script.clear();
    let Some(session) = daemon.session.take() else {
        return Ok(());
    };
    let input = json!({ "input": { "sessionId": session } });
    let left = daemon.wire.data(LEAVE, &input).await?;
    if left["disconnectAgent"]["agentSession"]["activeJobs"] != 0 {
        let fault = format!("{} left and has jobs: {left}", daemon.name);
        daemon.shared.tally.faults.add(fault);
    }
    daemon.shared.tally.left.add(1);
    Ok(())
}
