//! The vault: secrets of other services are sealed before they are stored, and opened only to be sent to the service that
//! they are for.
//!
//! A sealed value is bound to its row: what was moved to another row, kind or tenant does not open. Nothing here reads or
//! writes a row; see `workflow::credential` and `store::vault`.

mod key_ring;
pub mod keys;
mod plain;

pub use self::key_ring::{KeyRing, new_key};
pub(crate) use self::{
    key_ring::{Sealed, Whereabouts},
    plain::Plain,
};

use crate::integrations::Services;
use std::sync::Arc;

/// What secrets are sealed with, and where they may be sent. Cheap to clone.
#[derive(Clone, Default)]
pub struct Vault(Arc<Parts>);

#[derive(Default)]
struct Parts {
    keys: KeyRing,
    services: Services,
}

impl Vault {
    /// A vault with these keys, whose secrets go to these services.
    pub fn new(keys: KeyRing, services: Services) -> Self {
        Self(Arc::new(Parts { keys, services }))
    }

    /// What secrets are sealed with.
    pub(crate) fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    /// Where they may be sent.
    pub(crate) fn services(&self) -> &Services {
        &self.0.services
    }
}
