//! What there is only so much of, as it is held by each and by all together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So much for each, who is named, and so much in all.
pub(super) struct Quota {
    of_each: u64,
    in_all: u64,
    /// Whoever holds no more than this is let in however much the others hold.
    little: u64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: u64,
    /// What each holds who holds anything.
    each: HashMap<Arc<str>, u64>,
}

/// What somebody holds of a quota, until it is dropped.
pub(super) struct Portion {
    quota: Arc<Quota>,
    whose: Arc<str>,
    amount: u64,
}

impl Quota {
    /// A quota of which nobody holds anything.
    pub(super) fn new(of_each: u64, in_all: u64) -> Arc<Self> {
        Self::with_little(of_each, in_all, 0)
    }

    /// A quota in which the many that some hold keep nobody from holding a little.
    pub(super) fn with_little(of_each: u64, in_all: u64, little: u64) -> Arc<Self> {
        Arc::new(Self {
            of_each,
            in_all,
            little,
            held: Mutex::default(),
        })
    }

    /// Takes so much for somebody, if there is so much left.
    pub(super) fn take(self: &Arc<Self>, whose: &str, amount: u64) -> Option<Portion> {
        let mut portion = self.none(whose);
        portion.resize(amount).then_some(portion)
    }

    /// Holds so much for somebody, however much there is left: what is there must be counted.
    pub(super) fn hold(self: &Arc<Self>, whose: &str, amount: u64) -> Portion {
        let mut portion = self.none(whose);
        portion.set(amount, &mut self.held());
        portion
    }

    /// Nothing yet, for somebody who may need more later.
    pub(super) fn none(self: &Arc<Self>, whose: &str) -> Portion {
        Portion {
            quota: self.clone(),
            whose: whose.into(),
            amount: 0,
        }
    }

    /// How much somebody holds.
    pub(super) fn held_by(&self, whose: &str) -> u64 {
        self.held().of(whose)
    }

    /// Whether there is anything left of what all may hold together.
    pub(super) fn has_room_in_all(&self) -> bool {
        self.held().all < self.in_all
    }

    /// Whether there is anything left for somebody.
    pub(super) fn has_room(&self, whose: &str) -> bool {
        let held = self.held();
        self.fits(&held, whose, 1)
    }

    fn fits(&self, held: &Held, whose: &str, more: u64) -> bool {
        let each = held.of(whose).saturating_add(more);
        let all = held.all.saturating_add(more);
        each <= self.of_each && (all <= self.in_all || each <= self.little)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn of(&self, whose: &str) -> u64 {
        self.each.get(whose).copied().unwrap_or_default()
    }
}

impl Portion {
    /// Makes it so large, if there is so much left. Otherwise it stays as it was.
    #[must_use = "there may not be so much left"]
    pub(super) fn resize(&mut self, amount: u64) -> bool {
        let quota = self.quota.clone();
        let mut held = quota.held();
        let more = amount.saturating_sub(self.amount);
        let fits = more == 0 || quota.fits(&held, &self.whose, more);
        if fits {
            self.set(amount, &mut held);
        }
        fits
    }

    /// Lets go of it, before it is dropped.
    pub(super) fn release(&mut self) {
        if self.amount > 0 {
            let quota = self.quota.clone();
            self.set(0, &mut quota.held());
        }
    }

    fn set(&mut self, amount: u64, held: &mut Held) {
        let changed = |before: u64| before.saturating_add(amount).saturating_sub(self.amount);
        let each = changed(held.of(&self.whose));
        held.all = changed(held.all);
        if each > 0 {
            held.each.insert(self.whose.clone(), each);
        } else {
            held.each.remove(&self.whose);
        }
        self.amount = amount;
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_for_each_and_for_all_until_it_is_let_go() {
        let quota = Quota::new(3, 4);
        let mut first = quota.take("a", 2).expect("there is so much");
        assert!(quota.take("a", 2).is_none() && quota.has_room("a"));
        let second = quota.take("a", 1);
        assert!(second.is_some() && !quota.has_room("a"));
        assert!(quota.take("b", 2).is_none() && quota.has_room("b"));
        assert!(!first.resize(3) && first.resize(0) && first.resize(2));
        drop(second);
        let third = quota.take("b", 2);
        assert!(third.is_some() && !quota.has_room("a") && !quota.has_room("b"));
        let more = quota.hold("b", 9);
        drop((first, third));
        assert!(!quota.has_room("a"), "it counts, though there was no room");
        drop(more);
        let held = quota.held();
        assert!(held.all == 0 && held.each.is_empty());
    }

    #[test]
    fn the_many_that_some_hold_keep_nobody_from_a_little() {
        let quota = Quota::with_little(10, 20, 2);
        let loud = ["a", "b"].map(|whose| quota.hold(whose, 15));
        assert!(!quota.has_room("a") && quota.take("b", 1).is_none());
        let quiet = quota.take("c", 2);
        assert!(quiet.is_some() && quota.take("c", 1).is_none());
        drop((loud, quiet));
        assert!(quota.take("c", 10).is_some());
    }
}
