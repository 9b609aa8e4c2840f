//! Fingerprints of content.

use sha2::{Digest, Sha256};

/// SHA-256 in hex.
pub(crate) fn sha256(content: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(content))
}
