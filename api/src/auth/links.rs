//! The tokens of links that are mailed.
//!
//! A letter is written after its row was committed, perhaps by another server, when only the hash of its token is kept. So the
//! token is made anew, of a number that stands beside the hash and of the server's secret: neither alone opens anything.

use super::{
    Secret,
    opaque::{ALPHABET, LENGTH},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Makes tokens of numbers.
#[derive(Clone)]
pub(crate) struct Links(Hmac<Sha256>);

impl Links {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(secret.keyed("links"))
    }

    /// A number that no token was made of yet.
    pub(crate) fn nonce() -> String {
        hex::encode(rand::random::<[u8; 32]>())
    }

    /// The token of a kind that is made of a number, always the same.
    pub(crate) fn token(&self, prefix: &str, nonce: &str) -> String {
        let block = |number: u8| {
            let mut keyed = self.0.clone();
            for part in [prefix.as_bytes(), b" ", nonce.as_bytes(), &[number]] {
                keyed.update(part);
            }
            keyed.finalize().into_bytes()
        };
        // Two of them have more bits than the letters and digits hold.
        let letters = { block(0).into_iter().chain(block(1)) }
            .take(LENGTH)
            .map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        prefix.chars().chain(letters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::opaque::{INVITATION, RESET, is_one};

    #[test]
    fn a_token_is_made_anew_by_who_has_the_secret_alone() {
        let links = |secret: &str| Links::new(&Secret::new(secret.repeat(32)).unwrap());
        let (ours, nonce) = (links("a"), Links::nonce());
        let token = ours.token(INVITATION, &nonce);
        assert!(is_one(INVITATION, &token), "{token}");
        assert_eq!(token, links("a").token(INVITATION, &nonce));
        for other in [
            links("b").token(INVITATION, &nonce),
            ours.token(INVITATION, &Links::nonce()),
            ours.token(RESET, &nonce).replace(RESET, INVITATION),
        ] {
            assert_ne!(token, other);
        }
    }
}
