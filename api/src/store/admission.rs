//! Whose turn it is: so many operations at once, shared out evenly, and a bounded queue of those that wait.

use crate::error::{Error, Result, Whose};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// A number for one actor, for one workspace, and for all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    pub(crate) actor: u64,
    pub(crate) workspace: u64,
    pub(crate) all: u64,
}

/// How many may go on at once, how many may be there, going on or waiting, and how long one waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) at_once: Shares,
    pub(crate) present: Shares,
    pub(crate) wait: Duration,
}

/// Lets in so many at once. A turn that becomes free goes round the workspaces, and within a workspace round its actors,
/// so that nobody waits behind the many that another one sent.
pub(crate) struct Admission {
    most: Most,
    state: Mutex<State>,
}

/// The right to go on. Dropping it gives the turn to the next.
#[must_use = "the turn ends when this is dropped"]
pub(crate) struct Permit {
    _held: Option<Held>,
}

/// A turn, for as long as somebody holds it.
struct Held {
    admission: Arc<Admission>,
    of: Of,
}

/// Whose a turn is.
#[derive(Clone)]
struct Of {
    workspace: Arc<str>,
    actor: Arc<str>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    running: u64,
    waiting: u64,
}

#[derive(Default)]
struct State {
    count: Count,
    workspaces: HashMap<Arc<str>, Workspace>,
    /// The workspaces that wait, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    numbers: u64,
}

#[derive(Default)]
struct Workspace {
    count: Count,
    actors: HashMap<Arc<str>, Actor>,
    /// The actors that wait, in the order of their turns.
    turns: VecDeque<Arc<str>>,
}

#[derive(Default)]
struct Actor {
    count: Count,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    called: oneshot::Sender<Permit>,
}

impl Admission {
    /// Lets in at most so many.
    pub(crate) fn new(most: Most) -> Arc<Self> {
        Arc::new(Self {
            most,
            state: Mutex::default(),
        })
    }

    /// Waits for a turn of this actor. Whoever stops waiting gives the place up.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are there already, or no turn came in time.
    pub(crate) async fn acquire(self: &Arc<Self>, workspace: &str, actor: &str) -> Result<Permit> {
        let of = Of {
            workspace: workspace.into(),
            actor: actor.into(),
        };
        let place = {
            let mut state = self.state();
            if let Some(whose) = state.full(&of, &self.most.present) {
                return Err(Error::Busy(whose));
            }
            if state.may_run(&of, &self.most.at_once) {
                state.begin(&of);
                return Ok(self.permit(of));
            }
            let (number, called) = state.wait(&of);
            Place {
                admission: self.clone(),
                of,
                number,
                called,
            }
        };
        place.turn().await
    }

    fn permit(self: &Arc<Self>, of: Of) -> Permit {
        Permit {
            _held: Some(Held {
                admission: self.clone(),
                of,
            }),
        }
    }

    /// Calls those whose turn it is now.
    fn call(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        while let Some((of, called)) = state.next(&self.most.at_once) {
            if let Err(refused) = called.send(self.permit(of)) {
                // Dropping it takes the lock, and calls the next.
                drop(state);
                drop(refused);
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.end(&self.of);
        self.admission.call(state);
    }
}

impl Permit {
    /// A turn where nothing is shared.
    pub(crate) fn free() -> Self {
        Self { _held: None }
    }
}

/// A place in the queue, as long as it is waited at.
struct Place {
    admission: Arc<Admission>,
    of: Of,
    number: u64,
    called: oneshot::Receiver<Permit>,
}

impl Place {
    async fn turn(mut self) -> Result<Permit> {
        let wait = self.admission.most.wait;
        match tokio::time::timeout(wait, &mut self.called).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::Busy(Whose::All)),
        }
    }
}

impl Drop for Place {
    /// A turn that came meanwhile is dropped with the channel.
    fn drop(&mut self) {
        self.admission.state().leave(&self.of, self.number);
    }
}

impl Count {
    fn present(self) -> u64 {
        self.running + self.waiting
    }
}

impl State {
    fn counts(&self, of: &Of) -> (Count, Count, Count) {
        let workspace = self.workspaces.get(&of.workspace);
        let actor = workspace.and_then(|workspace| workspace.actors.get(&of.actor));
        (
            actor.map(|actor| actor.count).unwrap_or_default(),
            workspace
                .map(|workspace| workspace.count)
                .unwrap_or_default(),
            self.count,
        )
    }

    /// Whose share is used up, if one is.
    fn full(&self, of: &Of, most: &Shares) -> Option<Whose> {
        let (actor, workspace, all) = self.counts(of);
        if actor.present() >= most.actor {
            Some(Whose::Actor)
        } else if workspace.present() >= most.workspace {
            Some(Whose::Workspace)
        } else {
            (all.present() >= most.all).then_some(Whose::All)
        }
    }

    /// Whoever waits cannot run yet, so whoever can does not overtake.
    fn may_run(&self, of: &Of, most: &Shares) -> bool {
        let (actor, workspace, all) = self.counts(of);
        actor.running < most.actor && workspace.running < most.workspace && all.running < most.all
    }

    /// Changes the counts of an actor, its workspace and all; whoever has nothing left is forgotten.
    fn count(&mut self, of: &Of, change: impl Fn(&mut Count)) {
        let workspace = self.workspaces.entry(of.workspace.clone()).or_default();
        let actor = workspace.actors.entry(of.actor.clone()).or_default();
        for count in [&mut self.count, &mut workspace.count, &mut actor.count] {
            change(count);
        }
        if actor.count.present() == 0 {
            workspace.actors.remove(&of.actor);
        }
        if workspace.count.present() == 0 {
            self.workspaces.remove(&of.workspace);
        }
    }

    fn begin(&mut self, of: &Of) {
        self.count(of, |count| count.running += 1);
    }

    fn end(&mut self, of: &Of) {
        self.count(of, |count| count.running -= 1);
    }

    fn wait(&mut self, of: &Of) -> (u64, oneshot::Receiver<Permit>) {
        let (called, calls) = oneshot::channel();
        self.numbers += 1;
        let number = self.numbers;
        self.count(of, |count| count.waiting += 1);
        let workspace = self.workspaces.entry(of.workspace.clone()).or_default();
        let actor = workspace.actors.entry(of.actor.clone()).or_default();
        if actor.waiting.is_empty() {
            workspace.turns.push_back(of.actor.clone());
        }
        if workspace.count.waiting == 1 {
            self.turns.push_back(of.workspace.clone());
        }
        actor.waiting.push_back(Waiting { number, called });
        (number, calls)
    }

    /// Gives a place in the queue up, unless its turn has come.
    fn leave(&mut self, of: &Of, number: u64) {
        let Some(workspace) = self.workspaces.get_mut(&of.workspace) else {
            return;
        };
        let Some(actor) = workspace.actors.get_mut(&of.actor) else {
            return;
        };
        let Some(at) = actor
            .waiting
            .iter()
            .position(|place| place.number == number)
        else {
            return;
        };
        actor.waiting.remove(at);
        if actor.waiting.is_empty() {
            workspace.turns.retain(|name| *name != of.actor);
        }
        if workspace.turns.is_empty() {
            self.turns.retain(|name| *name != of.workspace);
        }
        self.count(of, |count| count.waiting -= 1);
    }

    /// Takes the next whose turn it is out of the queue, and counts it as running.
    fn next(&mut self, most: &Shares) -> Option<(Of, oneshot::Sender<Permit>)> {
        if self.count.running >= most.all {
            return None;
        }
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let workspace = self.workspaces.get_mut(&name)?;
            let found = (workspace.count.running < most.workspace)
                .then(|| workspace.next(most.actor))
                .flatten();
            if !workspace.turns.is_empty() {
                self.turns.push_back(name.clone());
            }
            if let Some((actor, waiting)) = found {
                let of = Of {
                    workspace: name,
                    actor,
                };
                self.count(&of, |count| {
                    count.waiting -= 1;
                    count.running += 1;
                });
                return Some((of, waiting.called));
            }
        }
        None
    }
}

impl Workspace {
    fn next(&mut self, most: u64) -> Option<(Arc<str>, Waiting)> {
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let actor = self.actors.get_mut(&name)?;
            let found = (actor.count.running < most)
                .then(|| actor.waiting.pop_front())
                .flatten();
            if !actor.waiting.is_empty() {
                self.turns.push_back(name.clone());
            }
            if let Some(waiting) = found {
                return Some((name, waiting));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, future::BoxFuture};

    const MOST: Most = Most {
        at_once: Shares {
            actor: 2,
            workspace: 3,
            all: 4,
        },
        present: Shares {
            actor: 5,
            workspace: 8,
            all: 12,
        },
        wait: Duration::from_millis(20),
    };

    type Asked<'a> = BoxFuture<'a, Result<Permit>>;

    fn ask<'a>(admission: &'a Arc<Admission>, (workspace, actor): (&'a str, &'a str)) -> Asked<'a> {
        admission.acquire(workspace, actor).boxed()
    }

    #[tokio::test]
    async fn turns_go_round_the_workspaces_and_their_actors() {
        let admission = Admission::new(MOST);
        let mut held = VecDeque::new();
        for of in [("a", "1"), ("a", "1"), ("a", "2"), ("b", "1")] {
            held.push_back(ask(&admission, of).await.unwrap());
        }
        let mut waiting: Vec<_> = ["a1", "a1", "a2", "a3", "b1", "c1"]
            .map(|name| (name, ask(&admission, name.split_at(1))))
            .into();
        for (_, asked) in &mut waiting {
            assert!(asked.now_or_never().is_none());
        }
        let mut order = Vec::new();
        while let Some(ended) = held.pop_front() {
            drop(ended);
            waiting.retain_mut(|(name, asked)| match asked.now_or_never() {
                Some(called) => {
                    order.push(*name);
                    held.push_back(called.unwrap());
                    false
                }
                None => true,
            });
        }
        assert_eq!(order, ["a1", "b1", "c1", "a2", "a3", "a1"]);
        assert!(admission.state().workspaces.is_empty());
    }

    #[tokio::test]
    async fn the_queue_is_bounded_for_each_and_for_all() {
        let admission = Admission::new(MOST);
        let mut present = Vec::new();
        let mut come = |of, times| {
            for _ in 0..times {
                let mut asked = ask(&admission, of);
                match (&mut asked).now_or_never() {
                    Some(Err(Error::Busy(whose))) => return Some(whose),
                    Some(other) => present.push(futures_util::future::ready(other).boxed()),
                    None => present.push(asked),
                }
            }
            None
        };
        assert_eq!(come(("a", "1"), 9), Some(Whose::Actor));
        assert_eq!(come(("a", "2"), 9), Some(Whose::Workspace));
        assert_eq!(come(("b", "1"), 4), None);
        assert_eq!(come(("c", "1"), 1), Some(Whose::All));
        // Whoever waits too long is sent away, and has left the queue.
        let waited = futures_util::future::join_all(present).await;
        let let_in = waited.iter().filter(|turn| turn.is_ok()).count();
        assert_eq!(let_in, 4);
        drop(waited);
        assert!(admission.state().workspaces.is_empty() && admission.state().turns.is_empty());
    }

    #[tokio::test]
    async fn whoever_stops_waiting_keeps_nobody_out() {
        let admission = Admission::new(MOST);
        let held = [
            ask(&admission, ("a", "1")).await,
            ask(&admission, ("a", "1")).await,
        ];
        for _ in 0..20 {
            let mut gone = ask(&admission, ("a", "1"));
            assert!((&mut gone).now_or_never().is_none());
        }
        let mut called_and_gone = ask(&admission, ("a", "1"));
        let mut last = ask(&admission, ("a", "1"));
        assert!((&mut called_and_gone).now_or_never().is_none());
        assert!((&mut last).now_or_never().is_none());
        drop(held);
        drop(called_and_gone);
        assert!(last.await.is_ok());
        assert!(admission.state().workspaces.is_empty());
    }
}
