//! Days and months as a workspace sees them: in its own timezone, whatever the clocks there do.

use crate::error::{Error, Result};
use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone,
    Utc,
};
use chrono_tz::Tz;
use entity::Timestamp;

/// How many days figures can be asked for at once.
const MOST_DAYS: i64 = 400;
/// How many days figures are about when the question does not say.
const USUAL_DAYS: i64 = 30;
const DAY: TimeDelta = TimeDelta::days(1);

/// A span of time, its end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// Its first moment.
    pub(crate) from: Timestamp,
    /// The first moment after it.
    pub(crate) to: Timestamp,
}

impl Period {
    /// The span asked for: up to now, and thirty days long, unless told otherwise.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when it ends before it begins, [`Error::LimitExceeded`] when it is too long.
    pub(crate) fn asked(
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self> {
        let to = to.unwrap_or(now);
        let usual = || to.inner().checked_sub_signed(DAY * USUAL_DAYS as i32);
        let from = from
            .or_else(|| usual().map(Timestamp::new))
            .filter(|from| *from < to)
            .ok_or_else(|| Error::bad_input("from", "must be earlier than `to`"))?;
        let length = to.inner() - from.inner();
        if length > DAY * MOST_DAYS as i32 {
            return Err(Error::LimitExceeded {
                name: "The number of days from `from` to `to`",
                limit: MOST_DAYS.unsigned_abs(),
                actual: (length - TimeDelta::nanoseconds(1))
                    .num_days()
                    .unsigned_abs()
                    + 1,
            });
        }
        Ok(Self { from, to })
    }
}

/// A stretch of time over which days follow each other every 24 hours, until the next stretch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Its first moment.
    pub(crate) begins: Timestamp,
    /// The day it begins with.
    pub(crate) day: NaiveDate,
}

/// A timezone's calendar.
///
/// A day lasts from the first moment that the clocks show its date until the first moment of the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar(Tz);

impl Calendar {
    /// The calendar of the timezone with this IANA name; that of UTC when there is none.
    pub(crate) fn of(timezone: &str) -> Self {
        Self::named(timezone).unwrap_or(Self(Tz::UTC))
    }

    /// The calendar of the timezone with this IANA name, if there is one.
    pub(crate) fn named(timezone: &str) -> Option<Self> {
        timezone.parse().ok().map(Self)
    }

    /// The timezone's IANA name.
    pub(crate) fn timezone(self) -> &'static str {
        self.0.name()
    }

    /// The date that the clocks show.
    pub(crate) fn day(self, at: Timestamp) -> NaiveDate {
        self.date(at.inner())
    }

    fn date(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// A day's first moment.
    pub(crate) fn beginning(self, day: NaiveDate) -> Timestamp {
        let midnight = day.and_time(NaiveTime::MIN);
        Timestamp::new(match self.0.from_local_datetime(&midnight) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.to_utc(),
            MappedLocalTime::None => self.first_shown(day, midnight.and_utc()),
        })
    }

    /// The first second with this date or a later one, on a day whose midnight the clocks leave out.
    fn first_shown(self, day: NaiveDate, midnight: DateTime<Utc>) -> DateTime<Utc> {
        // No timezone is further than this from UTC.
        let (mut before, mut after) = (midnight - DAY, midnight + DAY);
        while after - before > TimeDelta::seconds(1) {
            let half = TimeDelta::seconds((after - before).num_seconds() / 2);
            if self.date(before + half) < day {
                before += half;
            } else {
                after = before + half;
            }
        }
        after
    }

    /// The day that a moment lies in.
    pub(crate) fn day_around(self, at: Timestamp) -> Period {
        let day = self.day(at);
        Period {
            from: self.beginning(day),
            to: self.beginning(next(day)),
        }
    }

    /// The month that a moment lies in.
    pub(crate) fn month_around(self, at: Timestamp) -> Period {
        let day = self.day(at);
        let first = day.with_day(1).unwrap_or(day);
        let following = first.checked_add_months(Months::new(1)).unwrap_or(first);
        Period {
            from: self.beginning(first),
            to: self.beginning(following),
        }
    }

    /// Every day that a period touches, in order.
    pub(crate) fn days(self, period: Period) -> impl Iterator<Item = NaiveDate> {
        let last = self.day(Timestamp::new(
            period.to.inner() - TimeDelta::milliseconds(1),
        ));
        self.day(period.from)
            .iter_days()
            .take_while(move |day| *day <= last)
    }

    /// The stretches that a period touches, in order. There are few: one more or two for each change of the clocks.
    ///
    /// With them a database that knows no timezones can tell which day a moment belongs to.
    pub(crate) fn stretches(self, period: Period) -> Vec<Stretch> {
        let mut out: Vec<Stretch> = Vec::new();
        let mut expected = None;
        for day in self.days(period) {
            let begins = self.beginning(day);
            match expected {
                Some(expected) if expected == begins => {}
                Some(expected) => {
                    // The day before was longer than 24 hours: the rest still belongs to it.
                    if expected < begins {
                        let day = day.pred_opt().unwrap_or(day);
                        out.push(Stretch {
                            begins: expected,
                            day,
                        });
                    }
                    out.push(Stretch { begins, day });
                }
                None => out.push(Stretch { begins, day }),
            }
            expected = Some(Timestamp::new(begins.inner() + DAY));
        }
        out
    }
}

fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::new(text.parse().unwrap())
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(from: &str, to: &str) -> Period {
        Period {
            from: at(from),
            to: at(to),
        }
    }

    /// The day as a database finds it.
    fn day_by(stretches: &[Stretch], moment: Timestamp) -> NaiveDate {
        let stretch = stretches
            .iter()
            .rfind(|stretch| stretch.begins <= moment)
            .unwrap();
        let days = (moment.inner() - stretch.begins.inner()).num_days();
        stretch.day + TimeDelta::days(days)
    }

    #[test]
    fn a_day_begins_when_the_clocks_first_show_it() {
        for (zone, day, begins) in [
            ("UTC", "2026-05-01", "2026-05-01T00:00:00Z"),
            ("Europe/Berlin", "2026-05-01", "2026-04-30T22:00:00Z"),
            ("Asia/Kathmandu", "2026-05-01", "2026-04-30T18:15:00Z"),
            // Midnight did not exist: the clocks went from 23:59 to 01:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            // Midnight came twice.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
            // The whole day was left out.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
            ("Nowhere/Atlantis", "2026-05-01", "2026-05-01T00:00:00Z"),
        ] {
            let found = Calendar::of(zone).beginning(date(day));
            assert_eq!(found, at(begins), "{zone} {day}");
        }
    }

    #[test]
    fn stretches_tell_the_same_days_as_the_clocks() {
        for zone in [
            "UTC",
            "Europe/Berlin",
            "America/Sao_Paulo",
            "America/Havana",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "Pacific/Apia",
        ] {
            let calendar = Calendar::of(zone);
            for year in [2011, 2018, 2026] {
                let period = period(
                    &format!("{year}-01-01T13:20:00Z"),
                    &format!("{year}-12-31T23:20:00Z"),
                );
                let stretches = calendar.stretches(period);
                assert!(stretches.len() <= 13, "{zone} has {}", stretches.len());
                let mut moment = period.from.inner();
                while moment < period.to.inner() {
                    let shown = calendar.day(Timestamp::new(moment));
                    assert_eq!(
                        day_by(&stretches, Timestamp::new(moment)),
                        shown,
                        "{zone} {moment}"
                    );
                    moment += TimeDelta::minutes(15);
                }
            }
        }
    }

    #[test]
    fn a_month_has_its_edges_in_the_timezone() {
        let berlin = Calendar::of("Europe/Berlin");
        let march = period("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z");
        assert_eq!(berlin.month_around(at("2026-03-31T21:59:59.999Z")), march);
        assert_eq!(berlin.month_around(at("2026-02-28T23:00:00Z")), march);
        let december = berlin.month_around(at("2026-12-31T12:00:00Z"));
        assert_eq!(december.to, at("2026-12-31T23:00:00Z"));
        let longest = berlin.day_around(at("2026-10-25T12:00:00Z"));
        assert_eq!(
            longest.to.inner() - longest.from.inner(),
            TimeDelta::hours(25)
        );
    }

    #[test]
    fn a_period_has_its_limits() {
        let now = at("2026-05-01T00:00:00Z");
        let asked = |from, to| Period::asked(from, to, now).map_err(|error| error.code());
        assert_eq!(
            asked(None, None),
            Ok(period("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"))
        );
        let longest = Timestamp::new(now.inner() - DAY * 400);
        assert!(asked(Some(longest), None).is_ok());
        let longer = Timestamp::new(longest.inner() - TimeDelta::milliseconds(1));
        assert_eq!(asked(Some(longer), None), Err("LIMIT_EXCEEDED"));
        assert_eq!(asked(Some(now), Some(now)), Err("BAD_USER_INPUT"));
        let ancient = at("0001-03-01T00:00:00Z");
        assert!(asked(None, Some(ancient)).is_ok());
    }
}
