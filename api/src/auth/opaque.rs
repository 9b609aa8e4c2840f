//! Tokens that mean nothing by themselves: random text, of which only the hash is kept.

use crate::domain::digest::sha256;
use rand::distr::{Alphanumeric, SampleString};

/// What an agent token begins with, so that people and secret scanners know it.
pub(crate) const AGENT: &str = "wga_";
/// What a refresh token begins with.
pub(crate) const REFRESH: &str = "wgr_";

/// So many letters and digits hold 256 random bits.
const LENGTH: usize = 43;

/// A new token of a kind.
pub(crate) fn mint(prefix: &str) -> String {
    format!(
        "{prefix}{}",
        Alphanumeric.sample_string(&mut rand::rng(), LENGTH)
    )
}

/// What is kept of a token: its SHA-256 in hex. A random token needs no salt and no slow hash.
pub(crate) fn hash(token: &str) -> String {
    sha256(token)
}
