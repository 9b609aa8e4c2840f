//! The keys that secrets are sealed with: the first seals, all open.

use super::Plain;
use crate::error::{Error, Result};
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use std::{fmt, str::FromStr, sync::Arc};
use zeroize::Zeroizing;

/// How it is sealed, as the column `algorithm` says.
const ALGORITHM: &str = "aes-256-gcm";

/// The length of a nonce in bytes.
const NONCE: usize = 12;

/// What is wrong with a key, and a right one.
const EXPECTED: &str = "expected ID:BASE64, separated by commas, where BASE64 is 32 bytes; `workgraph keys new` makes one";

/// The keys, the one that seals first. Cheap to clone; without any, nothing can be sealed.
#[derive(Clone, Default)]
pub struct KeyRing(Arc<[Key]>);

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// A sealed secret, as its row holds it.
pub(crate) struct Sealed {
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) algorithm: &'static str,
}

/// Where a secret is kept: elsewhere it does not open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whereabouts<'w> {
    /// Whose it is.
    pub(crate) tenant: &'w str,
    /// What kind of secret its row is for.
    pub(crate) kind: &'w str,
    /// Its row.
    pub(crate) id: &'w str,
}

impl Whereabouts<'_> {
    /// The data that is sealed with the secret and kept nowhere. None of its parts has a zero byte.
    fn associated(self) -> Vec<u8> {
        let Self { tenant, kind, id } = self;
        format!("workgraph vault 1\0{tenant}\0{kind}\0{id}").into_bytes()
    }
}

impl KeyRing {
    /// The ids of the keys, the one that seals first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    /// Seals a secret for where it is kept.
    ///
    /// # Errors
    /// [`Error::OutOfReach`] when there is no key.
    pub(crate) fn seal(&self, secret: &Plain, at: Whereabouts<'_>) -> Result<Sealed> {
        let key = self.0.first().ok_or_else(|| {
            Error::OutOfReach(
                "This server has no key to keep secrets with. Its operator sets WORKGRAPH_KEYS; `workgraph keys new` makes \
                 one."
                    .to_owned(),
            )
        })?;
        let nonce = rand::random::<[u8; NONCE]>();
        let aad = at.associated();
        let message = Payload {
            msg: secret.expose().as_bytes(),
            aad: &aad,
        };
        let sealed = key.cipher.encrypt(&Nonce::from(nonce), message);
        Ok(Sealed {
            ciphertext: sealed.map_err(|_| Error::internal("a secret cannot be sealed"))?,
            nonce: nonce.to_vec(),
            key_id: key.id.clone(),
            algorithm: ALGORITHM,
        })
    }

    /// Opens a secret that was sealed for where it is kept.
    ///
    /// # Errors
    /// [`Error::Internal`] when its key is missing or another one, or it was sealed for elsewhere or altered.
    pub(crate) fn open(&self, sealed: &Sealed, at: Whereabouts<'_>) -> Result<Plain> {
        let (id, row) = (&sealed.key_id, at.id);
        let key = self.0.iter().find(|key| key.id == *id).ok_or_else(|| {
            Error::internal(format!(
                "the credential {row} is sealed with the key `{id}`, which is not among WORKGRAPH_KEYS"
            ))
        })?;
        let unopened = || {
            Error::internal(format!(
                "the credential {row} does not open: it was altered or moved, or the key `{id}` is another one than when it \
                 was sealed"
            ))
        };
        let nonce = <[u8; NONCE]>::try_from(sealed.nonce.as_slice()).map_err(|_| unopened())?;
        let aad = at.associated();
        let message = Payload {
            msg: &sealed.ciphertext,
            aad: &aad,
        };
        let opened = key.cipher.decrypt(&Nonce::from(nonce), message);
        let opened = Zeroizing::new(opened.map_err(|_| unopened())?);
        let text = std::str::from_utf8(&opened).map_err(|_| unopened())?;
        Ok(Plain::new(text))
    }
}

impl FromStr for KeyRing {
    type Err = String;

    /// Reads `ID:BASE64`, separated by commas or line breaks. What is wrong is told without a word of the keys.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        let parts = text.split([',', '\n']).map(str::trim);
        for (place, part) in parts.filter(|part| !part.is_empty()).enumerate() {
            let key = read(part).map_err(|reason| format!("key {}: {reason}", place + 1))?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(format!("the key `{}` is there twice", key.id));
            }
            keys.push(key);
        }
        match keys.is_empty() {
            true => Err(EXPECTED.to_owned()),
            false => Ok(Self(keys.into())),
        }
    }
}

fn read(part: &str) -> Result<Key, String> {
    let (id, key) = part.split_once(':').ok_or(EXPECTED)?;
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=64).contains(&id.len()) || !id.bytes().all(is_id) {
        return Err(format!(
            "an id has 1 to 64 letters, digits, dashes, dots and underscores; {EXPECTED}"
        ));
    }
    let bytes = BASE64_STANDARD.decode(key.trim()).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| format!("`{id}` is not BASE64; {EXPECTED}"))?;
    let cipher = Aes256Gcm::new_from_slice(&bytes)
        .map_err(|_| format!("`{id}` has {} bytes; {EXPECTED}", bytes.len()))?;
    Ok(Key {
        id: id.to_owned(),
        cipher,
    })
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing")
            .field(&self.ids().collect::<Vec<_>>())
            .finish()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A new key as `ID:BASE64`, with the day in its id.
pub fn new_key(now: DateTime<Utc>) -> String {
    let key = Zeroizing::new(rand::random::<[u8; 32]>());
    let day = now.format("%Y-%m-%d");
    let apart = hex::encode(rand::random::<[u8; 2]>());
    format!("{day}-{apart}:{}", BASE64_STANDARD.encode(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Whereabouts<'_> = Whereabouts {
        tenant: "t1",
        kind: "integration",
        id: "c1",
    };

    fn ring(ids: &[(&str, u8)]) -> KeyRing {
        let key = |(id, byte): &(&str, u8)| format!("{id}:{}", BASE64_STANDARD.encode([*byte; 32]));
        ids.iter()
            .map(key)
            .collect::<Vec<_>>()
            .join(",")
            .parse()
            .unwrap()
    }

    #[test]
    fn a_secret_opens_where_it_was_sealed_for_and_nowhere_else() {
        let ring = ring(&[("a", 1)]);
        let sealed = ring.seal(&Plain::new("hush"), HERE).unwrap();
        assert_eq!(ring.open(&sealed, HERE).unwrap().expose(), "hush");
        for elsewhere in [
            Whereabouts {
                tenant: "t2",
                ..HERE
            },
            Whereabouts {
                kind: "oauth",
                ..HERE
            },
            Whereabouts { id: "c2", ..HERE },
            Whereabouts {
                kind: "integration\0c1",
                id: "",
                ..HERE
            },
        ] {
            let refused = ring.open(&sealed, elsewhere).unwrap_err();
            assert!(!refused.cause().contains("hush"), "{elsewhere:?}");
        }
    }

    #[test]
    fn no_change_of_what_is_sealed_is_overlooked() {
        let ring = ring(&[("a", 1)]);
        let secret = Plain::new("hush");
        for part in ["ciphertext", "nonce"] {
            for at in 0..NONCE {
                let mut sealed = ring.seal(&secret, HERE).unwrap();
                let bytes = match part {
                    "nonce" => &mut sealed.nonce,
                    _ => &mut sealed.ciphertext,
                };
                bytes[at] ^= 1;
                assert!(ring.open(&sealed, HERE).is_err(), "{part} {at}");
            }
        }
        let mut short = ring.seal(&secret, HERE).unwrap();
        short.nonce.pop();
        assert!(ring.open(&short, HERE).is_err());
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (old, new) = (ring(&[("a", 1)]), ring(&[("b", 2), ("a", 1)]));
        let sealed = old.seal(&Plain::new("hush"), HERE).unwrap();
        assert_eq!(new.open(&sealed, HERE).unwrap().expose(), "hush");
        let again = new.seal(&Plain::new("hush"), HERE).unwrap();
        assert_eq!(again.key_id, "b");
        let refused = old.open(&again, HERE).unwrap_err();
        assert!(refused.cause().contains("`b`"), "{}", refused.cause());
        // Another key under the same id.
        assert!(ring(&[("b", 3)]).open(&again, HERE).is_err());
    }

    #[test]
    fn a_secret_is_never_sealed_alike_twice() {
        let ring = ring(&[("a", 1)]);
        let seal = || ring.seal(&Plain::new("hush"), HERE).unwrap();
        let (one, other) = (seal(), seal());
        assert_ne!(one.nonce, other.nonce);
        assert_ne!(one.ciphertext, other.ciphertext);
    }

    #[test]
    fn what_is_wrong_with_keys_is_told_without_them() {
        let right = BASE64_STANDARD.encode([7; 32]);
        for (wrong, word) in [
            (String::new(), "keys new"),
            (right.clone(), "ID:BASE64"),
            (format!("a b:{right}"), "letters"),
            (format!("a:{right}A"), "`a`"),
            (format!("a:{}", BASE64_STANDARD.encode([7; 31])), "31 bytes"),
            (format!("a:{right},a:{right}"), "twice"),
        ] {
            let told = wrong.parse::<KeyRing>().unwrap_err();
            assert!(told.contains(word) && !told.contains(&right[..8]), "{told}");
        }
        let ring: KeyRing = format!("new:{right}\n\nold:{right}\n").parse().unwrap();
        assert_eq!(ring.ids().collect::<Vec<_>>(), ["new", "old"]);
        assert_eq!(format!("{ring:?}"), "KeyRing([\"new\", \"old\"])");
        assert!(new_key(DateTime::UNIX_EPOCH).parse::<KeyRing>().is_ok());
        assert!(KeyRing::default().seal(&Plain::new("hush"), HERE).is_err());
    }
}
