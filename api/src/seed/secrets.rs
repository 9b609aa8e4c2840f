//! Secrets of the demo: one documented password, and tokens and keys that nobody knows.

use crate::error::{Error, Result};
use argon2::{Argon2, password_hash::PasswordHasher};
use entity::Secret;
use sha2::{Digest, Sha256};

/// The password of everyone in the demo.
const PASSWORD: &str = "workgraph-demo";

/// So many hashes of the demo's password, each with its own salt. Slow on purpose.
pub(super) fn password_hashes(count: usize) -> Result<Vec<String>> {
    let hash = || Argon2::default().hash_password(PASSWORD.as_bytes()).map(|hash| hash.to_string());
    (0..count).map(|_| hash().map_err(Error::internal)).collect()
}

/// The hash of a token that was never shown to anyone.
pub(super) fn token_hash() -> Secret<String> {
    Secret::new(sha256(&random::<32>()))
}

/// Something that looks encrypted and opens to nothing.
pub(super) fn random<const LENGTH: usize>() -> Vec<u8> {
    rand::random::<[u8; LENGTH]>().to_vec()
}

/// SHA-256 in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
