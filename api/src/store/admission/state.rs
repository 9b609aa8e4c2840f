//! Who has a turn, who waits for one, and who is next.

use super::{Permit, Shares};
use crate::error::Whose;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::sync::oneshot;

/// One in so many turns, rounded up, is kept for those who have none.
const KEPT: u64 = 4;

/// Whose a turn is.
#[derive(Clone)]
pub(super) struct Of {
    pub(super) workspace: Arc<str>,
    pub(super) actor: Arc<str>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    running: u64,
    waiting: u64,
}

/// Who has a turn, and who waits for one.
#[derive(Default)]
pub(super) struct State {
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
    pub(super) fn full(&self, of: &Of, most: &Shares) -> Option<Whose> {
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
    pub(super) fn may_run(&self, of: &Of, most: &Shares) -> bool {
        let (actor, workspace, all) = self.counts(of);
        actor.running < most.actor
            && workspace.running < most.workspace
            && has_room(actor.running, workspace.running, most.workspace)
            && has_room(workspace.running, all.running, most.all)
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

    pub(super) fn begin(&mut self, of: &Of) {
        self.count(of, |count| count.running += 1);
    }

    pub(super) fn end(&mut self, of: &Of) {
        self.count(of, |count| count.running -= 1);
    }

    pub(super) fn wait(&mut self, of: &Of) -> (u64, oneshot::Receiver<Permit>) {
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
    pub(super) fn leave(&mut self, of: &Of, number: u64) {
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
    pub(super) fn next(&mut self, most: &Shares) -> Option<(Of, oneshot::Sender<Permit>)> {
        let all = self.count.running;
        let callable = self.turns.iter().filter_map(|name| {
            let workspace = self.workspaces.get(name)?;
            let running = workspace.count.running;
            let may = running < most.workspace && has_room(running, all, most.all);
            let actor = workspace.next(most).filter(|_| may)?;
            Some((running, name.clone(), actor))
        });
        let (_, workspace, actor) = callable.min_by_key(|(running, ..)| *running)?;
        let of = Of { workspace, actor };
        let called = self.take(&of)?;
        self.count(&of, |count| {
            count.waiting -= 1;
            count.running += 1;
        });
        Some((of, called))
    }

    /// Takes the first place of an actor out of the queue. Whoever has another one goes to the end.
    fn take(&mut self, of: &Of) -> Option<oneshot::Sender<Permit>> {
        let workspace = self.workspaces.get_mut(&of.workspace)?;
        let actor = workspace.actors.get_mut(&of.actor)?;
        let place = actor.waiting.pop_front()?;
        workspace.turns.retain(|name| *name != of.actor);
        if !actor.waiting.is_empty() {
            workspace.turns.push_back(of.actor.clone());
        }
        self.turns.retain(|name| *name != of.workspace);
        if !workspace.turns.is_empty() {
            self.turns.push_back(of.workspace.clone());
        }
        Some(place.called)
    }
}

impl Workspace {
    /// The actor whose turn it is next within the workspace.
    fn next(&self, most: &Shares) -> Option<Arc<str>> {
        let all = self.count.running;
        let callable = self.turns.iter().filter_map(|name| {
            let running = self.actors.get(name)?.count.running;
            let may = running < most.actor && has_room(running, all, most.workspace);
            may.then_some((running, name))
        });
        let (_, name) = callable.min_by_key(|(running, _)| *running)?;
        Some(name.clone())
    }
}

/// Whether there is room for one more of someone who has so many. The last part is kept for those who have none.
fn has_room(running: u64, all: u64, most: u64) -> bool {
    let kept = if running > 0 && most > 1 {
        most.div_ceil(KEPT)
    } else {
        0
    };
    all + kept < most
}

#[cfg(test)]
impl State {
    /// Whether nobody is there.
    pub(super) fn is_empty(&self) -> bool {
        self.workspaces.is_empty() && self.turns.is_empty()
    }
}
