//! What a subscriber knows of itself: where it is, what it saw, and whether that adds up.

use crate::frame::Frame;

/// One subscriber's arithmetic.
#[derive(Default)]
pub(super) struct Arithmetic {
    filtered: bool,
    /// Where it began; none before the first frame.
    start: Option<i64>,
    position: i64,
    cursor: Option<String>,
    /// Whether the next frame is the first one of a connection.
    first: bool,
    seen: Vec<(i64, u64)>,
}

/// What was seen, against what should have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) disordered: u64,
    /// Seen, but not in the ledger, or not meant for this subscriber.
    pub(super) foreign: u64,
}

impl Arithmetic {
    /// One that begins after this place, or where its first frame says.
    pub(super) fn new(filtered: bool, after: Option<(i64, String)>) -> Self {
        let (start, cursor) = after.unzip();
        Self {
            filtered,
            start,
            position: start.unwrap_or_default(),
            cursor,
            ..Self::default()
        }
    }

    /// A connection begins.
    pub(super) fn connected(&mut self) {
        self.first = true;
    }

    /// Where to go on.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Where it began.
    pub(super) fn start(&self) -> i64 {
        self.start.unwrap_or_default()
    }

    /// Where it is; none before the first frame.
    pub(super) fn position(&self) -> Option<i64> {
        self.start.map(|_| self.position)
    }

    /// How many entries it saw.
    pub(super) fn seen(&self) -> usize {
        self.seen.len()
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// When it does not follow from the one before. It is taken nevertheless.
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> Result<(), String> {
        let first = std::mem::take(&mut self.first);
        let before = *self.start.get_or_insert(frame.position);
        let before = if self.cursor.is_some() {
            self.position
        } else {
            before
        };
        let fits = match &frame.event {
            None if first => frame.position == before && frame.previous == before,
            None if self.filtered => frame.previous == before && frame.position >= before,
            None => frame.previous == before && frame.position == before,
            Some(event) => {
                !first
                    && frame.previous == before
                    && event.seq == frame.position
                    && (frame.position == before + 1 || self.filtered && frame.position > before)
            }
        };
        self.position = frame.position;
        self.cursor = Some(frame.cursor.to_owned());
        if let Some(event) = &frame.event {
            self.seen.push((frame.position, event.digest()));
        }
        if fits {
            return Ok(());
        }
        let which = if first { "the first frame" } else { "a frame" };
        Err(format!("at {before}, {which} is {frame:?}"))
    }

    /// Compares what was seen with the entries that should have been: those of the ledger after the start, up to where
    /// it is.
    pub(super) fn compare(&self, ledger: &[(i64, u64)]) -> Difference {
        let (start, end) = (self.start(), self.position);
        let from = ledger.partition_point(|(seq, _)| *seq <= start);
        let to = ledger.partition_point(|(seq, _)| *seq <= end).max(from);
        let disordered = self.seen.windows(2).filter(|pair| pair[1].0 < pair[0].0);
        let mut difference = Difference {
            disordered: disordered.count() as u64,
            ..Difference::default()
        };
        let mut seen = self.seen.clone();
        seen.sort_unstable();
        let (mut expected, mut last) = (ledger[from..to].iter().peekable(), None);
        for entry in &seen {
            if last == Some(entry) {
                difference.doubled += 1;
                continue;
            }
            last = Some(entry);
            while expected.next_if(|expected| *expected < entry).is_some() {
                difference.lost += 1;
            }
            if expected.next_if_eq(&entry).is_none() {
                difference.foreign += 1;
            }
        }
        difference.lost += expected.count() as u64;
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Entry, digest};

    fn frame(position: i64, previous: i64, event: bool) -> Frame<'static> {
        let entry = || Entry {
            seq: position,
            id: "i",
            action: "a",
            target: "t",
        };
        Frame {
            cursor: "c",
            position,
            previous,
            event: event.then(entry),
        }
    }

    fn ledger(entries: impl Iterator<Item = i64>) -> Vec<(i64, u64)> {
        entries
            .map(|seq| (seq, digest(seq, "i", "a", "t")))
            .collect()
    }

    fn at(position: i64, filtered: bool) -> Arithmetic {
        let mut made = Arithmetic::new(filtered, None);
        made.connected();
        assert_eq!(made.take(&frame(position, position, false)), Ok(()));
        made
    }

    #[test]
    fn what_follows_adds_up() {
        let mut all = at(3, false);
        for position in 4..9 {
            assert_eq!(all.take(&frame(position, position - 1, true)), Ok(()));
        }
        all.connected();
        assert_eq!(all.take(&frame(8, 8, false)), Ok(()));
        assert_eq!(all.take(&frame(8, 8, false)), Ok(()));
        assert_eq!(all.compare(&ledger(1..12)), Difference::default());
    }

    #[test]
    fn what_is_left_out_repeated_or_elsewhere_is_noticed() {
        for wrong in [
            frame(5, 4, true),
            frame(5, 3, true),
            frame(3, 3, true),
            frame(4, 3, false),
        ] {
            assert!(at(3, false).take(&wrong).is_err(), "{wrong:?}");
        }
        let mut resumed = at(3, false);
        resumed.connected();
        assert!(resumed.take(&frame(4, 4, false)).is_err());
        assert!(at(3, true).take(&frame(5, 4, true)).is_err());
    }

    #[test]
    fn what_a_filter_left_out_wrongly_is_found_in_the_ledger() {
        let mut filtered = at(3, true);
        assert_eq!(filtered.take(&frame(6, 3, true)), Ok(()));
        assert_eq!(filtered.take(&frame(9, 6, false)), Ok(()));
        let expected = ledger([2, 6, 8, 10].into_iter());
        let lost = Difference {
            lost: 1,
            ..Difference::default()
        };
        assert_eq!(filtered.compare(&expected), lost);
        let foreign = Difference {
            foreign: 1,
            ..Difference::default()
        };
        assert_eq!(filtered.compare(&ledger([2, 10].into_iter())), foreign);
    }

    #[test]
    fn repeats_and_disorder_are_counted() {
        let mut wrong = at(3, false);
        for position in [4, 6, 5, 5] {
            let _ = wrong.take(&frame(position, 0, true));
        }
        wrong.position = 7;
        let difference = Difference {
            lost: 1,
            doubled: 1,
            disordered: 1,
            foreign: 0,
        };
        assert_eq!(wrong.compare(&ledger(1..8)), difference);
    }
}
