//! Tokens that mean nothing by themselves: random text, of which only the hash is kept.

use crate::domain::digest::sha256;
use rand::distr::{Alphanumeric, SampleString};

/// What an agent token begins with, so that people and secret scanners know it.
pub(crate) const AGENT: &str = "wga_";
/// What a service token begins with.
pub(crate) const SERVICE: &str = "wgs_";
/// What a refresh token begins with.
pub(crate) const REFRESH: &str = "wgr_";
/// What the token of a reply to a message begins with.
pub(crate) const REPLY: &str = "wgp_";

/// What a secret begins with that services sign their webhooks with.
pub(crate) const WEBHOOK: &str = "wgh_";
/// What the token of an invitation begins with.
pub(crate) const INVITATION: &str = "wgi_";
/// What a token for a new password begins with.
pub(crate) const RESET: &str = "wgn_";

/// So many letters and digits hold 256 random bits.
pub(super) const LENGTH: usize = 43;

/// These.
pub(super) const ALPHABET: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

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

/// What people know a token by that they cannot see any more: its last four characters.
pub(crate) fn hint(token: &str) -> &str {
    let start = token.len().saturating_sub(4);
    token.get(start..).unwrap_or_default()
}

/// Whether a text can be a token of a kind at all. What cannot need not be looked up.
pub(crate) fn is_one(prefix: &str, token: &str) -> bool {
    let random = token.strip_prefix(prefix).map(str::as_bytes);
    random.is_some_and(|random| {
        random.len() == LENGTH && random.iter().all(u8::is_ascii_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_shape() {
        let token = mint(REFRESH);
        assert!(is_one(REFRESH, &token) && !is_one(AGENT, &token));
        for wrong in [
            &token[1..],
            &token[..token.len() - 1],
            &format!("{token}x"),
            "",
            "wgr_",
            &format!("{}é", &token[..45]),
        ] {
            assert!(!is_one(REFRESH, wrong), "{wrong}");
        }
    }
}
