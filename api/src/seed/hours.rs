//! A company's working hours, into which everything falls that is told of its past.

use crate::domain::calendar::Calendar;
use chrono::{Datelike, Days, NaiveDate, TimeDelta, Weekday};
use entity::Timestamp;

/// When the day begins and ends, counted from midnight.
const OPENS: TimeDelta = TimeDelta::minutes(8 * 60 + 30);
const CLOSES: TimeDelta = TimeDelta::hours(18);
/// A day that has lasted less than this so far is counted to the one before it.
const SHORTEST: TimeDelta = TimeDelta::hours(1);

/// The working hours in a timezone, as of a moment.
pub(super) struct Hours {
    calendar: Calendar,
    /// What is younger stays as it is: it may have been at night.
    last: Timestamp,
}

/// A stretch of time, and the working hours into which it is drawn together.
struct Stretch {
    from: Timestamp,
    to: Timestamp,
    opens: Timestamp,
    closes: Timestamp,
}

impl Hours {
    pub(super) fn new(calendar: Calendar, now: Timestamp) -> Self {
        let last = plus(now, -TimeDelta::days(1));
        Self { calendar, last }
    }

    /// The day that a moment lies in.
    pub(super) fn day(&self, at: Timestamp) -> NaiveDate {
        self.calendar.day(at)
    }

    /// When something of this moment happens. What came before something still does: each day is drawn together into its
    /// working hours, and a weekend with the Friday before it.
    pub(super) fn within(&self, at: Timestamp) -> Timestamp {
        if at > self.last {
            return at;
        }
        let stretch = self.stretch(at);
        let passed = share(at, stretch.from, stretch.to);
        between(stretch.opens, stretch.closes, passed)
    }

    /// Of which moment something is that happens at this one: the reverse of [`within`](Self::within).
    pub(super) fn around(&self, at: Timestamp) -> Timestamp {
        if at > self.last {
            return at;
        }
        let stretch = self.stretch(at);
        let passed = share(at, stretch.opens, stretch.closes);
        between(stretch.from, stretch.to, passed)
    }

    /// The first moment from this one on that is within working hours, or young enough.
    pub(super) fn next(&self, at: Timestamp) -> Timestamp {
        let day = self.calendar.day(at);
        let open = if is_weekend(day) || at > self.closes(day) {
            self.opens(following(workday(day)))
        } else {
            at.max(self.opens(day))
        };
        match at > self.last {
            true => at,
            false => open.min(plus(self.last, TimeDelta::minutes(1))),
        }
    }

    fn stretch(&self, at: Timestamp) -> Stretch {
        let day = workday(self.calendar.day(at));
        let today = self.last_day();
        if day < today {
            return Stretch {
                from: self.calendar.beginning(day),
                to: self.calendar.beginning(following(day)),
                opens: self.opens(day),
                closes: self.closes(day),
            };
        }
        Stretch {
            from: self.calendar.beginning(today),
            to: self.last,
            opens: self.opens(today),
            closes: self.closes(today).min(self.last),
        }
    }

    /// The last day of which enough is over.
    fn last_day(&self) -> NaiveDate {
        let day = workday(self.calendar.day(self.last));
        match self.last < plus(self.opens(day), SHORTEST) {
            true => workday(day - Days::new(1)),
            false => day,
        }
    }

    fn opens(&self, day: NaiveDate) -> Timestamp {
        plus(self.calendar.beginning(day), OPENS)
    }

    fn closes(&self, day: NaiveDate) -> Timestamp {
        plus(self.calendar.beginning(day), CLOSES)
    }
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The day itself, or the Friday before it.
fn workday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day - Days::new(1),
        Weekday::Sun => day - Days::new(2),
        _ => day,
    }
}

/// The workday after a workday.
fn following(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Fri => day + Days::new(3),
        _ => day + Days::new(1),
    }
}

fn plus(at: Timestamp, time: TimeDelta) -> Timestamp {
    Timestamp::new(at.inner() + time)
}

/// How much of a stretch is over, from 0 to 1.
fn share(at: Timestamp, from: Timestamp, to: Timestamp) -> f64 {
    let milliseconds =
        |from: Timestamp, to: Timestamp| (to.inner() - from.inner()).num_milliseconds() as f64;
    (milliseconds(from, at) / milliseconds(from, to)).clamp(0.0, 1.0)
}

fn between(from: Timestamp, to: Timestamp, share: f64) -> Timestamp {
    let length = (to.inner() - from.inner()).num_milliseconds() as f64;
    plus(from, TimeDelta::milliseconds((length * share) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;
    use chrono_tz::Europe::Berlin;

    fn at(text: &str) -> Timestamp {
        Timestamp::new(text.parse().unwrap())
    }

    fn is_open(at: Timestamp) -> bool {
        let local = at.inner().with_timezone(&Berlin);
        let minutes = local.hour() * 60 + local.minute();
        !is_weekend(local.date_naive()) && (8 * 60 + 30..=18 * 60).contains(&minutes)
    }

    /// Moments of every time of day and day of the week at which the demo may be written.
    fn moments() -> impl Iterator<Item = Timestamp> {
        // Two weeks, with the day on which the clocks go forward.
        let first = at("2026-03-20T00:07:00Z");
        (0..14 * 24).map(move |hours| plus(first, TimeDelta::hours(hours)))
    }

    #[test]
    fn what_is_older_than_a_day_happens_in_working_hours_and_in_the_same_order() {
        for now in moments() {
            let hours = Hours::new(Calendar::of("Europe/Berlin"), now);
            let mut before = None;
            for minutes in (0..12 * 24 * 60_i32).step_by(37).rev() {
                let told = plus(now, -TimeDelta::minutes(minutes.into()));
                let happened = hours.within(told);
                assert!(happened <= now && before.is_none_or(|before| before < happened));
                let is_old = minutes >= 24 * 60;
                assert!(
                    !is_old || is_open(happened),
                    "{told} is {happened} at {now}"
                );
                assert!(is_old || told == happened);
                let back = hours.around(happened).inner() - told.inner();
                assert!(back.num_seconds().abs() < 1, "{told} at {now}");
                before = Some(happened);
            }
        }
    }

    #[test]
    fn what_is_due_at_night_is_done_in_the_morning() {
        for now in moments() {
            let hours = Hours::new(Calendar::of("Europe/Berlin"), now);
            for minutes in (0..12 * 24 * 60).step_by(41) {
                let due = plus(now, -TimeDelta::minutes(minutes));
                let done = hours.next(due);
                let is_young = done > hours.last;
                assert!(done >= due && (is_open(done) || is_young), "{due} at {now}");
                assert!(!is_open(due) || done == due);
            }
        }
    }
}
