//! What cursors are sealed with: whoever has not the key makes none, and none fits another list.
//!
//! The key is made of the server's secret, so all servers with the same one understand each other's cursors.

use crate::{
    auth::Secret,
    error::{Error, Result},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::Value as Json;
use sha2::Sha256;

pub(super) const DAMAGED: Error = Error::CursorMismatch("This cursor is damaged.");

/// How many bytes of the digest a cursor carries.
const LENGTH: usize = 16;

/// The server's seal.
#[derive(Clone)]
pub(super) struct Seal(Hmac<Sha256>);

/// The seal of one list.
#[derive(Clone)]
pub(super) struct ListSeal(Hmac<Sha256>);

impl Seal {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(secret.keyed("cursors"))
    }

    /// What tells a text apart from others, to whoever has the key: nobody else can try which text it was.
    pub(super) fn mark(&self, text: &str) -> String {
        let marked = self.of("marks").over(text.as_bytes());
        hex::encode(marked.finalize().into_bytes())
    }

    /// The seal of the list with this name.
    pub(super) fn of(&self, list: &str) -> ListSeal {
        let mut seal = self.0.clone();
        // With the length ahead no name runs on into the values.
        seal.update(&(list.len() as u64).to_be_bytes());
        seal.update(list.as_bytes());
        ListSeal(seal)
    }
}

impl ListSeal {
    /// The opaque cursor of a row with these values.
    pub(super) fn close(&self, values: Vec<Json>) -> String {
        let values = Json::Array(values).to_string();
        let mut cursor = self.over(values.as_bytes()).finalize().into_bytes()[..LENGTH].to_vec();
        cursor.extend_from_slice(values.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(cursor)
    }

    /// A cursor's values, so many.
    ///
    /// # Errors
    /// [`Error::CursorMismatch`] when it is damaged, forged, or belongs to another list.
    pub(super) fn open(&self, cursor: &str, count: usize) -> Result<Vec<Json>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| DAMAGED)?;
        let (seal, values) = bytes.split_at_checked(LENGTH).ok_or(DAMAGED)?;
        self.over(values).verify_truncated_left(seal).map_err(|_| {
            Error::CursorMismatch(
                "This cursor belongs to another list, order, filter or role, or is damaged.",
            )
        })?;
        match serde_json::from_slice(values) {
            Ok(Json::Array(items)) if items.len() == count => Ok(items),
            _ => Err(DAMAGED),
        }
    }

    fn over(&self, values: &[u8]) -> Hmac<Sha256> {
        let mut seal = self.0.clone();
        seal.update(values);
        seal
    }
}

/// The places in a list, counted from 0, as cursors.
pub(crate) struct Places(pub(super) ListSeal);

impl Places {
    pub(crate) fn cursor(&self, position: usize) -> String {
        self.0.close(vec![position.into()])
    }

    /// Which place a cursor is of.
    ///
    /// # Errors
    /// [`Error::CursorMismatch`] when it is damaged, forged, or belongs to another list.
    pub(crate) fn position(&self, cursor: &str) -> Result<usize> {
        let values = self.0.open(cursor, 1)?;
        let position = values.first().and_then(Json::as_u64);
        position
            .and_then(|position| usize::try_from(position).ok())
            .ok_or(DAMAGED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seal(secret: &str) -> Seal {
        Seal::new(&Secret::new(secret).unwrap())
    }

    #[test]
    fn only_what_was_sealed_for_the_same_list_with_the_same_key_is_opened() {
        let (mine, theirs) = (seal(&"a".repeat(32)), seal(&"b".repeat(32)));
        let values = vec![json!(1), json!("two"), json!(null)];
        let cursor = mine.of("list").close(values.clone());
        assert_eq!(mine.of("list").open(&cursor, 3).unwrap(), values);
        for refused in [
            mine.of("lis").open(&cursor, 3),
            mine.of("list").open(&cursor, 2),
            theirs.of("list").open(&cursor, 3),
        ] {
            assert!(matches!(refused, Err(Error::CursorMismatch(_))));
        }
    }

    #[test]
    fn no_change_of_a_cursor_is_overlooked() {
        let list = seal(&"a".repeat(32)).of("list");
        let cursor = list.close(vec![json!("a\u{0}b"), json!(41)]);
        assert!(list.open(&cursor, 2).is_ok());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut forged = bytes.clone();
                forged[at] ^= 1 << bit;
                let forged = BASE64_URL_SAFE_NO_PAD.encode(forged);
                assert!(list.open(&forged, 2).is_err(), "byte {at}, bit {bit}");
            }
        }
        for end in 0..cursor.len() {
            assert!(list.open(&cursor[..end], 2).is_err(), "cut at {end}");
        }
        for strange in [
            "\u{0}",
            "é",
            "====",
            &"A".repeat(1_000_000),
            &format!("{cursor}A"),
        ] {
            assert!(list.open(strange, 2).is_err());
        }
    }
}
