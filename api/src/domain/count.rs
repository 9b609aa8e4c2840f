//! Numbers as the API and the columns count.

/// A number as the API and the columns count; one that is too large is the largest.
pub(crate) fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
