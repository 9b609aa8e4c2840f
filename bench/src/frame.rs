//! What `activity` says, found by searching bytes: there are millions of frames, and who reads them shares the machine
//! with the server.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The subscription whose frames are read here. The order of its fields is the order they are searched in.
pub(crate) const ACTIVITY: &str = "subscription($after: Cursor, $filter: ActivityFilter) \
    { activity(after: $after, filter: $filter, heartbeatSeconds: 5) \
    { cursor position previous event { seq id action targetId } } }";

/// A frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'t> {
    pub(crate) cursor: &'t str,
    pub(crate) position: i64,
    pub(crate) previous: i64,
    pub(crate) event: Option<Entry<'t>>,
}

/// An entry of the ledger, as much as is asked for here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) seq: i64,
    pub(crate) id: &'t str,
    pub(crate) action: &'t str,
    pub(crate) target: &'t str,
}

impl<'t> Frame<'t> {
    /// Reads one from its JSON; none if it is something else.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        let mut rest = text.split_once(r#"{"activity":{"#)?.1;
        let cursor = string(&mut rest, r#""cursor":""#)?;
        let position = string(&mut rest, r#","position":""#)?.parse().ok()?;
        let previous = string(&mut rest, r#","previous":""#)?.parse().ok()?;
        let event = if rest.starts_with(r#","event":null}}"#) {
            None
        } else {
            Some(Entry {
                seq: string(&mut rest, r#","event":{"seq":""#)?.parse().ok()?,
                id: string(&mut rest, r#","id":""#)?,
                action: string(&mut rest, r#","action":""#)?,
                target: string(&mut rest, r#","targetId":""#)?,
            })
        };
        // What failed within it is told after the data.
        let whole = event.is_none() || rest.starts_with("}}}");
        let failed = text.contains(r#""errors":["#);
        (whole && !failed).then_some(Self {
            cursor,
            position,
            previous,
            event,
        })
    }
}

impl Entry<'_> {
    /// Tells entries apart by all that was asked for.
    pub(crate) fn digest(&self) -> u64 {
        digest(self.seq, self.id, self.action, self.target)
    }
}

/// Tells entries apart by all that is asked for.
pub(crate) fn digest(seq: i64, id: &str, action: &str, target: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seq, id, action, target).hash(&mut hasher);
    hasher.finish()
}

/// The string that stands next, after this. None of those that are read has an escaped character.
fn string<'t>(rest: &mut &'t str, before: &str) -> Option<&'t str> {
    let (text, after) = rest.strip_prefix(before)?.split_once('"')?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_with_and_without_an_event() {
        let frame =
            r#"{"data":{"activity":{"cursor":"abc","position":"7","previous":"5","event":null}}}"#;
        let read = Frame::read(frame).unwrap();
        assert_eq!((read.cursor, read.position, read.previous), ("abc", 7, 5));
        assert_eq!(read.event, None);
        let event = r#"{"seq":"7","id":"i","action":"goal.created","targetId":"t"}"#;
        let frame = frame.replace("null", event);
        let read = Frame::read(&frame).unwrap().event.unwrap();
        assert_eq!(
            (read.seq, read.id, read.action, read.target),
            (7, "i", "goal.created", "t")
        );
    }

    #[test]
    fn what_failed_is_no_frame() {
        for text in [
            r#"{"data":null,"errors":[{"message":"no"}]}"#,
            r#"{"data":{"activity":{"cursor":"a","position":"7","previous":"5","event":null}},"errors":[{}]}"#,
            r#"{"data":{"activity":{"cursor":"a","position":"x","previous":"5","event":null}}}"#,
        ] {
            assert_eq!(Frame::read(text), None, "{text}");
        }
    }
}
