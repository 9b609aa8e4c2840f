//! Documents that were once good: those of the dashboard's pages, cut, spliced and with bytes changed.

use crate::{
    pages,
    support::{Footprint, Reply},
};
use serde_json::json;
use std::{collections::BTreeMap, ops::Range};

const DOCUMENTS: usize = 300;

/// Numbers that look random and are the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).expect("is below a usize")
    }

    /// One of these.
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }

    /// A text that has had one or two accidents.
    pub(super) fn damage(&mut self, texts: &[impl AsRef<[u8]>]) -> String {
        let mut bytes = self.pick(texts).as_ref().to_vec();
        for _ in 0..=self.roll(2) {
            let (from, to) = (self.roll(bytes.len()), self.roll(bytes.len()));
            let (from, to) = (from.min(to), from.max(to));
            match self.roll(12) {
                // The end is missing.
                0 => bytes.truncate(to),
                // Something is missing.
                1 => drop(bytes.drain(from..to)),
                // A part of another text is in it.
                2 => {
                    let other = self.pick(texts).as_ref();
                    let (a, b) = (self.roll(other.len()), self.roll(other.len()));
                    let part = other[a.min(b)..a.max(b)].to_vec();
                    drop(bytes.splice(from..from, part));
                }
                // A part is in it twice.
                3 => {
                    let part = bytes[from..to].to_vec();
                    drop(bytes.splice(from..from, part));
                }
                // A byte is another.
                4 => {
                    if let Some(byte) = bytes.get_mut(from) {
                        *byte = u8::try_from(self.roll(256)).expect("is a byte");
                    }
                }
                // A sign of the language is where it does not belong.
                5 => bytes.insert(from, *self.pick(b"{}()[]:,$@!|&=#\"\\.0-e_ \n")),
                // A line is missing, as a rule a field's.
                6 | 7 => drop(bytes.drain(line(&bytes, from))),
                // A line of another text is in it.
                8 | 9 => {
                    let other = self.pick(texts).as_ref();
                    let part = other[line(other, self.roll(other.len()))].to_vec();
                    let at = line(&bytes, from).start;
                    drop(bytes.splice(at..at, part));
                }
                // A word is spelled wrongly.
                _ => {
                    let letter = bytes[from..].iter().position(u8::is_ascii_alphabetic);
                    if let Some(at) = letter {
                        bytes[from + at] = *self.pick(b"aeiouxyzAZ_0");
                    }
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The line that holds a byte, with its end.
fn line(bytes: &[u8], at: usize) -> Range<usize> {
    let before = bytes[..at].iter().rposition(|byte| *byte == b'\n');
    let after = bytes[at..].iter().position(|byte| *byte == b'\n');
    before.map_or(0, |end| end + 1)..after.map_or(bytes.len(), |end| at + end + 1)
}

on_both_databases! {
    async fn a_damaged_document_is_answered_with_a_code(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let documents: Vec<_> = pages::operations().into_values().collect();
        let project = door.ask("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let project = &project.data()["projects"]["nodes"][0]["id"];
        let variables = json!({ "projectId": project, "id": project, "symbol": "a", "from": "a", "to": "b", "segments": 5 });
        let (mut dice, mut codes) = (Dice(0x5eed_0000_0000_0001), BTreeMap::<String, usize>::new());
        for _ in 0..DOCUMENTS {
            let document = dice.damage(&documents);
            let body = json!({ "query": document, "variables": variables });
            let reply = Reply::to(door.post(body.to_string())).await;
            // Some are still good, or fail in a field.
            assert!(matches!(reply.status, 200 | 400) && reply.code() != "INTERNAL", "{document}\nanswered {reply:#?}");
            *codes.entry(reply.code().to_owned()).or_default() += 1;
        }
        // The dice are loaded: if nearly all were refused by the parser alone, this would be a test of the parser.
        let seen = |code: &str| codes.get(code).copied().unwrap_or_default();
        assert!(seen("GRAPHQL_PARSE_FAILED") > DOCUMENTS / 4, "{codes:?}");
        assert!(seen("GRAPHQL_VALIDATION_FAILED") > DOCUMENTS / 20, "{codes:?}");
        before.must_be_that_of(&app).await;
    }
}
