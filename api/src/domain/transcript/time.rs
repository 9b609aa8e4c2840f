//! Times of day of a recording, as seconds.

/// Hours of more digits are not a time but a number, and their thousandths would not fit in 32 bits.
const MAX_HOUR_DIGITS: usize = 3;

/// A time in a subtitle: `mm:ss.ttt` or `hh:mm:ss.ttt`, with a comma or a full stop before the fraction, which may be
/// missing; tools leave out zeros in front, too.
pub(super) fn cue_time(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once([',', '.']).unwrap_or((text, ""));
    let parts: Vec<_> = whole.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [minutes, seconds] => (0, minutes, seconds),
        [hours, minutes, seconds] => (digits(hours, 1..=MAX_HOUR_DIGITS)?, minutes, seconds),
        _ => return None,
    };
    let minutes = digits(minutes, 1..=2).filter(|minutes| *minutes < 60)?;
    let seconds = digits(seconds, 1..=2).filter(|seconds| *seconds < 60)?;
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = is_fraction.then(|| format!("{fraction:0<3.3}").parse::<u32>().ok())??;
    Some(f64::from(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths) / 1000.0)
}

/// Whether this is a time as WebVTT has it within a text: `00:01.000`, `01:00:01.000`.
pub(super) fn is_stamp(text: &str) -> bool {
    let length = text.rsplit(':').next().map(str::len);
    length == Some("01.000".len()) && text.contains('.') && cue_time(text).is_some()
}

/// A time as people write it beside a name: `1:02`, `01:02:03`, `01:02:03.5`.
pub(super) fn clock_time(text: &str) -> Option<f64> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<_> = whole.split(':').collect();
    let (minutes, seconds) = match parts[..] {
        // Without hours the minutes may well go beyond 59.
        [minutes, seconds] => (digits(minutes, 1..=3)?, seconds),
        [hours, minutes, seconds] => {
            let minutes = digits(minutes, 2..=2).filter(|minutes| *minutes < 60)?;
            (digits(hours, 1..=MAX_HOUR_DIGITS)? * 60 + minutes, seconds)
        }
        _ => return None,
    };
    let seconds = digits(seconds, 2..=2).filter(|seconds| *seconds < 60)?;
    let thousandths = match fraction {
        Some(fraction) => {
            digits(fraction, 1..=3)? * 10_u32.pow(3 - u32::try_from(fraction.len()).ok()?)
        }
        None => 0,
    };
    Some(f64::from((minutes * 60 + seconds) * 1000 + thousandths) / 1000.0)
}

/// A number of ASCII digits, as many as `lengths` allows.
fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cue_times_are_what_tools_write() {
        for (text, seconds) in [
            ("00:01.000", Some(1.0)),
            ("01:00:01.250", Some(3601.25)),
            ("100:00:00.000", Some(360_000.0)),
            ("999:59:59.999", Some(3_599_999.999)),
            ("00:00:01,500", Some(1.5)),
            ("0:0:5.20", Some(5.2)),
            ("0:01.000", Some(1.0)),
            ("00:01", Some(1.0)),
            ("00:00:01.123456", Some(1.123)),
            ("1000:00:00.000", None),
            ("00:60.000", None),
            ("60:00.000", None),
            ("+0:01.000", None),
            ("00:01.0000000000", None),
            ("00:01.x", None),
            ("01.000", None),
            ("", None),
        ] {
            assert_eq!(cue_time(text), seconds, "{text:?}");
        }
    }

    #[test]
    fn stamps_are_strict() {
        for stamp in ["00:01.000", "01:00:01.000"] {
            assert!(is_stamp(stamp), "{stamp:?}");
        }
        for other in ["1:02", "00:01", "10:30:00", "01.000", "x"] {
            assert!(!is_stamp(other), "{other:?}");
        }
    }

    #[test]
    fn clock_times_are_lenient() {
        for (text, seconds) in [
            ("1:02", Some(62.0)),
            ("75:10", Some(4510.0)),
            ("00:01:23", Some(83.0)),
            ("1:00:00.5", Some(3600.5)),
            ("1:2", None),
            ("1:02:3", None),
            ("10", None),
            ("a:10", None),
            ("1:02.", None),
        ] {
            assert_eq!(clock_time(text), seconds, "{text:?}");
        }
    }
}
