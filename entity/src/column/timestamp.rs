use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike, SubsecRound, Timelike, Utc};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// A moment in UTC with milliseconds, as precise as the API shows it, so that what a client read is what a filter finds.
///
/// It lies in the years 1 to 9999: RFC 3339 can write no other, and only these sort alike as text and as moments.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    DeriveValueType,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    const FIRST: DateTime<Utc> = match DateTime::from_timestamp_millis(-62_135_596_800_000) {
        Some(at) => at,
        None => DateTime::UNIX_EPOCH,
    };
    const LAST: DateTime<Utc> = match DateTime::from_timestamp_millis(253_402_300_799_999) {
        Some(at) => at,
        None => DateTime::UNIX_EPOCH,
    };

    /// Truncates to milliseconds. What was computed beyond the first or the last moment becomes that one.
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(3).clamp(Self::FIRST, Self::LAST))
    }

    /// A moment as people write it.
    ///
    /// # Errors
    /// What is wrong with it, for people to read.
    fn read(text: &str) -> Result<Self, &'static str> {
        let at = DateTime::parse_from_rfc3339(text)
            .map_err(|_| "expected RFC 3339, such as 2026-05-04T09:30:00Z")?
            .to_utc();
        if at.nanosecond() >= 1_000_000_000 {
            return Err("expected seconds up to 59: leap seconds are not known here");
        }
        if !(1..=9999).contains(&at.year()) {
            return Err("expected a moment in the years 0001 to 9999 in UTC");
        }
        Ok(Self::new(at))
    }

    /// The moment as a chrono value.
    pub fn inner(self) -> DateTime<Utc> {
        self.0
    }
}

impl std::fmt::Display for Timestamp {
    /// As `to_rfc3339_opts` would write it, without its generality: a page shows hundreds of moments.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let (at, year) = (self.0, self.0.year().unsigned_abs());
        for (place, digits, mut number) in [
            (0, 4, year),
            (5, 2, at.month()),
            (8, 2, at.day()),
            (11, 2, at.hour()),
            (14, 2, at.minute()),
            (17, 2, at.second()),
            (20, 3, at.nanosecond() / 1_000_000),
        ] {
            for digit in text[place..place + digits].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
    }
}

/// A moment in UTC: RFC 3339 with milliseconds, such as `2026-05-04T09:30:00.000Z`, in the years 0001 to 9999.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
)]
impl ScalarType for Timestamp {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Self::read(text).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{SecondsFormat, TimeDelta};

    fn shown(text: &str) -> Option<String> {
        Timestamp::read(text).ok().map(|at| at.to_string())
    }

    #[test]
    fn a_moment_that_is_taken_can_be_shown_and_taken_again() {
        for (text, moment) in [
            ("2026-05-04T11:30:00.1239+02:00", "2026-05-04T09:30:00.123Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
            ("9999-12-31T23:59:59.999+01:00", "9999-12-31T22:59:59.999Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(moment));
            assert_eq!(shown(moment).as_deref(), Some(moment));
        }
    }

    #[test]
    fn moments_outside_the_years_and_leap_seconds_are_refused() {
        for text in [
            "9999-12-31T23:59:59.999-01:00",
            "0001-01-01T00:00:00+00:01",
            "0000-01-01T00:00:00Z",
            "0000-01-01T00:00:00+01:00",
            "+10000-01-01T00:59:59.999Z",
            "-0001-01-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.5Z",
            "2026-05-04T09:30:60+02:00",
            "2026-02-30T00:00:00Z",
            "2026-05-04",
            "",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_as_chrono_writes_it() {
        let step = TimeDelta::milliseconds(98_765_432_109);
        let mut at = Timestamp::FIRST;
        while at < Timestamp::LAST - step {
            at += step;
            let expected = at.to_rfc3339_opts(SecondsFormat::Millis, true);
            assert_eq!(Timestamp::new(at).to_string(), expected);
        }
    }

    #[test]
    fn what_is_computed_stays_within_the_years() {
        let late = Timestamp::LAST + TimeDelta::days(400);
        assert_eq!(Timestamp::new(late).to_string(), "9999-12-31T23:59:59.999Z");
        let early = Timestamp::FIRST - TimeDelta::days(400);
        assert_eq!(
            Timestamp::new(early).to_string(),
            "0001-01-01T00:00:00.000Z"
        );
    }
}
