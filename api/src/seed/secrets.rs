//! Secrets of the demo: one documented password, and tokens and keys that nobody knows.

use crate::{
    auth::DEMO_PASSWORD,
    domain::digest::sha256,
    error::{Error, Result},
    integrations::{INTEGRATIONS, Values, ai_provider},
    vault::Plain,
    workflow::Kept,
};
use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
use entity::{
    Secret,
    credential::{CredentialHealth, CredentialKind},
};

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

/// A credential that nobody gave out, with this end: what its service needs, made up.
pub(super) fn invented(kind: CredentialKind, name: &str, hint: &str) -> Result<Kept> {
    let secret = || format!("demo-{}{hint}", hex::encode(random::<16>()));
    let key = name.split('/').next().unwrap_or(name);
    let service = match kind {
        CredentialKind::Integration => INTEGRATIONS.iter().find(|service| service.key == key),
        CredentialKind::AiProvider => ai_provider(key),
        _ => None,
    };
    let plain = match service {
        None => Plain::new(&secret()),
        Some(service) => {
            let given: Vec<_> = { service.fields.iter() }
                .map(|field| match field.key {
                    _ if field.is_secret => (field.key, secret()),
                    "email" => (field.key, "work@demo.example".to_owned()),
                    "baseUrl" => (field.key, "https://models.demo.example/v1".to_owned()),
                    _ => (field.key, "demo".to_owned()),
                })
                .collect();
            let given = given.iter().map(|(key, value)| (*key, value.as_str()));
            Values::new(service, given)?.to_seal()
        }
    };
    Ok(Kept {
        plain,
        hint: Some(hint.to_owned()),
        health: CredentialHealth::Unknown,
        base_url: None,
    })
}

/// Something that looks encrypted and opens to nothing.
pub(super) fn random<const LENGTH: usize>() -> Vec<u8> {
    rand::random::<[u8; LENGTH]>().to_vec()
}
