//! The keys that secrets of other services are sealed with: given, or one that is made once and kept in a file.

use super::{Settings, kept::kept};
use crate::{
    clock::Clock,
    integrations::Services,
    store::DatabaseUrl,
    vault::{KeyRing, Vault, new_key},
};
use std::path::PathBuf;

impl Settings {
    /// What secrets are sealed with, and where they may be sent.
    ///
    /// # Errors
    /// As [`key_ring`](Self::key_ring).
    pub fn vault(&self, clock: &Clock) -> Result<Vault, String> {
        Ok(self.vault_of(self.key_ring(clock)?))
    }

    /// The same for who looks after keys: where there is none, none is made.
    ///
    /// # Errors
    /// As [`key_ring`](Self::key_ring).
    pub fn vault_as_it_is(&self, clock: &Clock) -> Result<Vault, String> {
        let has_none = self.keys.is_none() && !self.keys_file().exists();
        match has_none {
            true => Ok(self.vault_of(KeyRing::default())),
            false => self.vault(clock),
        }
    }

    fn vault_of(&self, keys: KeyRing) -> Vault {
        let private = self.allow_private_addresses || self.is_development();
        Vault::new(keys, Services::new(self.services.clone(), private))
    }

    /// The keys: the given ones, or those in a file beside the database. A SQLite file has its keys beside it wherever it is
    /// served; one who serves PostgreSQL to others sets them, or keeps no secrets.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no keys.
    pub fn key_ring(&self, clock: &Clock) -> Result<KeyRing, String> {
        if let Some(keys) = &self.keys {
            return Ok(keys.clone());
        }
        let path = self.keys_file();
        let is_beside = matches!(self.database_url, DatabaseUrl::Sqlite(_));
        if !is_beside && !self.is_development() && !path.exists() {
            return Ok(KeyRing::default());
        }
        let read = kept(&path, || format!("{}\n", new_key(clock.now().inner())));
        let read = read.map_err(|error| error.to_string());
        read.and_then(|text| text.parse()).map_err(|reason| {
            format!(
                "{}: {reason}. It holds the keys that secrets of other services are sealed with; let this user read and \
                 write it, or set WORKGRAPH_KEYS",
                path.display()
            )
        })
    }

    fn keys_file(&self) -> PathBuf {
        match &self.database_url {
            DatabaseUrl::Sqlite(path) => path.with_added_extension("keys"),
            DatabaseUrl::Postgres { .. } => PathBuf::from("workgraph.keys"),
        }
    }
}
