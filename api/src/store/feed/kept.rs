//! What was made of entries once, kept for all who need the same, and weighed.

use super::weight::Weight;
use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicUsize},
};
use tokio::sync::OnceCell;

/// What is replayed, and what is made at a heartbeat, is kept to so many bytes of one feed, and for those who need it
/// right then.
const MOST_PASSING: usize = 4 << 20;
/// What keeping something takes beside it.
const BESIDE: usize = 256;

/// Names what was made of something. A key must always stand for the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The entry's position.
    pub(crate) position: i64,
    /// What was made of it.
    pub(crate) made: Made,
}

/// What can be made of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Made {
    /// The row that it is about.
    Row,
    /// What it says was changed.
    Change,
    /// A frame of this selection, by the position of the frame before it.
    Frame(u128, i64),
    /// The same without an entry, at this heartbeat.
    Beat(u128, i64, u64),
}

type Anything = dyn Any + Send + Sync;

enum Cell {
    /// Some are making it, or wait for it.
    Wanted(Weak<Anything>),
    Kept(Arc<Anything>),
}

/// How long something is worth to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Until its entry is old.
    Fresh,
    /// For a moment.
    Passing,
}

/// What is kept of one feed's entries.
pub(super) struct Kept {
    shelf: Mutex<Shelf>,
    weight: Weight,
}

#[derive(Default)]
struct Shelf {
    cells: HashMap<Key, Cell>,
    /// What is kept, oldest first, with its bytes.
    fresh: VecDeque<(Key, usize)>,
    passing: VecDeque<(Key, usize)>,
    passing_bytes: usize,
    /// How many of those that pass were there when it was last swept.
    swept: usize,
}

impl Kept {
    /// Keeps nothing yet.
    pub(super) fn new(all: &Arc<AtomicUsize>) -> Self {
        Self {
            shelf: Mutex::default(),
            weight: Weight::of(all),
        }
    }

    /// How many bytes are kept.
    pub(super) fn bytes(&self) -> usize {
        self.weight.own()
    }

    /// What is kept under a key.
    pub(super) fn get<T: Clone + Send + Sync + 'static>(&self, key: &Key) -> Option<T> {
        let shelf = self.shelf();
        let Some(Cell::Kept(cell)) = shelf.cells.get(key) else {
            return None;
        };
        cell.downcast_ref::<OnceCell<T>>()?.get().cloned()
    }

    /// Where what a key stands for is made; all who want it at the same time are given the same place.
    pub(super) fn cell<T: Send + Sync + 'static>(&self, key: Key) -> Arc<OnceCell<T>> {
        let mut shelf = self.shelf();
        let cell = match shelf.cells.get(&key) {
            Some(Cell::Wanted(cell)) => cell.upgrade(),
            Some(Cell::Kept(cell)) => Some(cell.clone()),
            None => None,
        };
        if let Some(cell) = cell.and_then(|cell| cell.downcast().ok()) {
            return cell;
        }
        if shelf.cells.len() == shelf.cells.capacity() {
            shelf.cells.retain(|_, cell| match cell {
                Cell::Wanted(cell) => cell.strong_count() > 0,
                Cell::Kept(_) => true,
            });
        }
        let cell = Arc::new(OnceCell::<T>::new());
        let wanted: Weak<OnceCell<T>> = Arc::downgrade(&cell);
        shelf.cells.insert(key, Cell::Wanted(wanted));
        cell
    }

    /// Keeps what was made, or forgets it if it has no weight. Of all who wanted it the first to say so counts.
    pub(super) fn keep<T: Send + Sync + 'static>(
        &self,
        key: Key,
        cell: &Arc<OnceCell<T>>,
        bytes: Option<usize>,
        lane: Lane,
    ) {
        let mut shelf = self.shelf();
        let Some(Cell::Wanted(wanted)) = shelf.cells.get(&key) else {
            return;
        };
        if !std::ptr::addr_eq(wanted.as_ptr(), Arc::as_ptr(cell)) {
            return;
        }
        let Some(bytes) = bytes.map(|bytes| bytes + BESIDE) else {
            shelf.cells.remove(&key);
            return;
        };
        shelf.cells.insert(key, Cell::Kept(cell.clone()));
        self.weight.add(bytes);
        match lane {
            Lane::Fresh => shelf.fresh.push_back((key, bytes)),
            Lane::Passing => {
                shelf.passing.push_back((key, bytes));
                shelf.passing_bytes += bytes;
                while shelf.passing_bytes > MOST_PASSING && self.drop_passing(&mut shelf) {}
            }
        }
    }

    /// Forgets what was made of entries up to a position.
    pub(super) fn age(&self, position: i64) {
        let mut shelf = self.shelf();
        while shelf
            .fresh
            .front()
            .is_some_and(|(key, _)| key.position <= position)
        {
            self.drop_fresh(&mut shelf);
        }
    }

    /// Forgets what was passing when it was last swept.
    pub(super) fn sweep(&self) {
        let mut shelf = self.shelf();
        for _ in 0..shelf.swept {
            self.drop_passing(&mut shelf);
        }
        shelf.swept = shelf.passing.len();
    }

    /// Forgets what is oldest, until no more than so many bytes are kept.
    pub(super) fn shrink(&self, most: usize) {
        let mut shelf = self.shelf();
        while self.bytes() > most && (self.drop_passing(&mut shelf) || self.drop_fresh(&mut shelf))
        {
        }
    }

    fn drop_fresh(&self, shelf: &mut Shelf) -> bool {
        let oldest = shelf.fresh.pop_front();
        oldest.is_some_and(|oldest| self.forget(shelf, oldest))
    }

    fn drop_passing(&self, shelf: &mut Shelf) -> bool {
        let Some(oldest) = shelf.passing.pop_front() else {
            return false;
        };
        shelf.passing_bytes -= oldest.1;
        shelf.swept = shelf.swept.saturating_sub(1);
        self.forget(shelf, oldest)
    }

    fn forget(&self, shelf: &mut Shelf, (key, bytes): (Key, usize)) -> bool {
        shelf.cells.remove(&key);
        self.weight.remove(bytes);
        true
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    fn key(position: i64) -> Key {
        Key {
            position,
            made: Made::Row,
        }
    }

    fn kept() -> (Kept, Arc<AtomicUsize>) {
        let all = Arc::default();
        (Kept::new(&all), all)
    }

    /// Makes something of an entry, which is kept.
    fn make(kept: &Kept, position: i64, bytes: usize, lane: Lane) {
        let cell = kept.cell::<i64>(key(position));
        cell.set(position).unwrap();
        kept.keep(key(position), &cell, Some(bytes - BESIDE), lane);
    }

    fn positions(kept: &Kept, up_to: i64) -> Vec<i64> {
        (0..=up_to)
            .filter(|at| kept.get::<i64>(&key(*at)) == Some(*at))
            .collect()
    }

    #[test]
    fn what_is_oldest_is_let_go_of_first_and_what_passes_before_it() {
        let (kept, all) = kept();
        for position in 0..4 {
            make(&kept, position, 1000, Lane::Fresh);
        }
        make(&kept, 4, 1000, Lane::Passing);
        assert_eq!(all.load(Ordering::Relaxed), 5000);
        kept.shrink(4500);
        assert_eq!(positions(&kept, 4), [0, 1, 2, 3]);
        kept.shrink(2000);
        assert_eq!(positions(&kept, 4), [2, 3]);
        kept.age(2);
        assert_eq!((positions(&kept, 4), kept.bytes()), (vec![3], 1000));
        drop(kept);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_replayed_is_kept_for_a_moment_and_to_a_few_bytes() {
        let (kept, _) = kept();
        for position in 0..100 {
            make(&kept, position, MOST_PASSING / 8, Lane::Passing);
            assert!(kept.bytes() <= MOST_PASSING);
        }
        assert_eq!(positions(&kept, 100), Vec::from_iter(92..100));
        kept.sweep();
        make(&kept, 100, 1000, Lane::Passing);
        kept.sweep();
        assert_eq!((positions(&kept, 100), kept.bytes()), (vec![100], 1000));
        kept.sweep();
        assert_eq!(kept.bytes(), 0);
    }

    #[test]
    fn what_nobody_wants_any_more_and_what_has_no_weight_is_not_held() {
        let (kept, _) = kept();
        for position in 0..10_000 {
            drop(kept.cell::<i64>(key(position)));
        }
        assert!(kept.shelf().cells.len() < 100);
        let (cell, same) = (kept.cell::<i64>(key(-1)), kept.cell::<i64>(key(-1)));
        assert!(Arc::ptr_eq(&cell, &same), "all want the same");
        cell.set(1).unwrap();
        kept.keep(key(-1), &cell, None, Lane::Fresh);
        assert!(!kept.shelf().cells.contains_key(&key(-1)));
        let other = kept.cell::<i64>(key(-1));
        kept.keep(key(-1), &same, Some(9), Lane::Fresh);
        assert_eq!(kept.bytes(), 0, "that was wanted before");
        assert!(other.get().is_none());
    }
}
