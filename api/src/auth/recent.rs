//! A memory of what came lately, bounded by number and by time.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    mem,
    time::{Duration, Instant},
};

/// What was kept for each key: lately, and before that. The older half is forgotten when the newer one is full, or has
/// its age.
pub(super) struct Recent<V> {
    most: usize,
    age: Duration,
    hasher: RandomState,
    lately: HashMap<u64, V>,
    before: HashMap<u64, V>,
    since: Instant,
}

impl<V: Copy> Recent<V> {
    /// Remembers at most so many keys, each for so long at least while there are fewer than half of them.
    pub(super) fn new(most: usize, age: Duration) -> Self {
        Self {
            most,
            age,
            hasher: RandomState::new(),
            lately: HashMap::new(),
            before: HashMap::new(),
            since: Instant::now(),
        }
    }

    /// What was kept for a key.
    pub(super) fn get(&self, key: &str) -> Option<V> {
        let key = self.hasher.hash_one(key);
        let kept = self.lately.get(&key).or_else(|| self.before.get(&key));
        kept.copied()
    }

    /// Keeps a value for a key.
    pub(super) fn keep(&mut self, key: &str, value: V, now: Instant) {
        if self.lately.len() >= self.most / 2
            || now.saturating_duration_since(self.since) >= self.age
        {
            self.before = mem::take(&mut self.lately);
            self.since = now;
        }
        self.lately.insert(self.hasher.hash_one(key), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_remembered_and_the_oldest_forgotten() {
        let mut recent = Recent::new(10, Duration::MAX);
        for number in 0..1000 {
            recent.keep(&number.to_string(), number, Instant::now());
            assert!(recent.lately.len() + recent.before.len() <= 10);
        }
        let remembered = |number: &u32| recent.get(&number.to_string()) == Some(*number);
        assert!((995..1000).all(|number| remembered(&number)));
        assert!(!(0..990).any(|number| remembered(&number)));
    }

    #[test]
    fn what_was_kept_is_remembered_for_so_long_and_not_twice() {
        let (age, start) = (Duration::from_secs(60), Instant::now());
        let mut recent = Recent::new(100, age);
        recent.keep("a", 1, start);
        for (seconds, kept) in [(59, Some(1)), (61, Some(1)), (120, Some(1)), (122, None)] {
            recent.keep(
                "whoever makes it forget",
                0,
                start + Duration::from_secs(seconds),
            );
            assert_eq!(recent.get("a"), kept, "{seconds}");
        }
    }
}
