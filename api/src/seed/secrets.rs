//! Secrets of the demo: one documented password, and tokens and keys that nobody knows.

use crate::{
    auth::DEMO_PASSWORD,
    domain::digest::sha256,
    error::{Error, Result},
};
use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
use entity::Secret;

/// So many hashes of the demo's password, each with its own salt.
///
/// They are cheap to make: nothing is gained by making it slow to guess what everyone may know.
pub(super) fn password_hashes(count: usize) -> Result<Vec<String>> {
    let cheap = Params::new(1024, 1, 1, None).map_err(Error::internal)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap);
    let hash = || {
        argon2
            .hash_password(DEMO_PASSWORD.as_bytes())
            .map(|hash| hash.to_string())
    };
    (0..count)
        .map(|_| hash().map_err(Error::internal))
        .collect()
}

/// The hash of a token that was never shown to anyone.
pub(super) fn token_hash() -> Secret<String> {
    Secret::new(sha256(random::<32>()))
}

/// Something that looks encrypted and opens to nothing.
pub(super) fn random<const LENGTH: usize>() -> Vec<u8> {
    rand::random::<[u8; LENGTH]>().to_vec()
}
