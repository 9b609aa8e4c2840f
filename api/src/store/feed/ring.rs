//! The latest entries of one ledger, in memory: contiguous, bounded, shared by all who follow.

use super::{event::Event, weight::Weight};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::AtomicUsize},
};

/// How many entries are held.
pub(super) const CAPACITY: usize = 4096;
/// How many entries a ring holds on to when memory is short, so that those who keep up can go on.
const LEAST: usize = 64;

/// The latest entries. The newest one is at position `last`; none is missing between it and the oldest.
pub(super) struct Ring {
    events: VecDeque<Arc<Event>>,
    last: i64,
    capacity: usize,
    weight: Weight,
}

/// What comes after a position.
pub(super) enum After {
    /// This entry.
    Next(Arc<Event>),
    /// Nothing yet.
    End,
    /// Something that is held no more, or never was.
    Gone,
}

/// An entry that is not the one after the newest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gap;

impl Ring {
    /// Holds nothing yet; the next entry is the one after `last`. Its bytes count in all.
    pub(super) fn new(last: i64, capacity: usize, all: &Arc<AtomicUsize>) -> Self {
        Self {
            events: VecDeque::new(),
            last,
            capacity,
            weight: Weight::of(all),
        }
    }

    /// How many entries it holds at most.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The newest entry's position.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// Takes the next entry, and lets go of the oldest when it is full.
    ///
    /// # Errors
    /// [`Gap`] when it is not the next one; then nothing changed.
    pub(super) fn push(&mut self, event: Arc<Event>) -> Result<(), Gap> {
        if event.seq() != self.last + 1 {
            return Err(Gap);
        }
        if self.events.len() == self.capacity {
            self.pop();
        }
        self.last = event.seq();
        self.weight.add(event.bytes());
        self.events.push_back(event);
        Ok(())
    }

    /// How many bytes it could let go of.
    pub(super) fn bytes(&self) -> usize {
        if self.events.len() > LEAST {
            self.weight.own()
        } else {
            0
        }
    }

    /// Lets go of the oldest entries, until it holds no more than so many bytes, or the least that it holds.
    pub(super) fn shrink(&mut self, most: usize) {
        while self.bytes() > most {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.weight.remove(oldest.bytes());
        }
    }

    /// What comes after a position.
    pub(super) fn after(&self, position: i64) -> After {
        if position >= self.last {
            return After::End;
        }
        let oldest = self.last - self.events.len() as i64 + 1;
        usize::try_from(position + 1 - oldest)
            .ok()
            .and_then(|index| self.events.get(index))
            .map_or(After::Gone, |event| After::Next(event.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::feed::event::tests::event;

    fn ring(last: i64) -> Ring {
        Ring::new(last, 3, &Arc::default())
    }

    fn seq(after: After) -> Option<i64> {
        match after {
            After::Next(event) => Some(event.seq()),
            After::End | After::Gone => None,
        }
    }

    #[test]
    fn a_full_ring_lets_go_of_the_oldest_and_knows_it() {
        let mut ring = ring(10);
        for position in 11..=15 {
            assert_eq!(ring.push(event(position)), Ok(()));
        }
        assert_eq!(ring.last(), 15);
        assert!(matches!(ring.after(11), After::Gone));
        assert_eq!(seq(ring.after(12)), Some(13));
        assert_eq!(seq(ring.after(14)), Some(15));
        assert!(matches!(ring.after(15), After::End));
    }

    #[test]
    fn a_ring_that_begins_at_a_position_does_not_know_what_was_before() {
        let ring = ring(10);
        assert!(matches!(ring.after(9), After::Gone));
        assert!(matches!(ring.after(10), After::End));
    }

    #[test]
    fn an_entry_out_of_turn_is_refused() {
        let mut ring = ring(0);
        assert_eq!(ring.push(event(2)), Err(Gap));
        assert_eq!(ring.push(event(1)), Ok(()));
        assert_eq!(ring.push(event(1)), Err(Gap));
        assert_eq!(ring.last(), 1);
    }

    #[test]
    fn what_a_ring_holds_is_weighed_and_let_go_of_from_the_oldest_on() {
        let all = Arc::default();
        let mut ring = Ring::new(0, 200, &all);
        for position in 1..=200 {
            assert_eq!(ring.push(event(position)), Ok(()));
        }
        let bytes = ring.bytes();
        assert!(bytes > 200 * 100 && bytes == all.load(std::sync::atomic::Ordering::Relaxed));
        ring.shrink(bytes / 2);
        assert!(matches!(ring.after(99), After::Gone));
        assert_eq!(seq(ring.after(105)), Some(106));
        ring.shrink(0);
        assert_eq!((ring.events.len(), ring.bytes()), (LEAST, 0));
        drop(ring);
        assert_eq!(all.load(std::sync::atomic::Ordering::Relaxed), 0);
    }
}
