//! The key that signs tokens: given, or made once and kept in a file.

use super::{Settings, kept::kept};
use crate::{auth::Secret, store::DatabaseUrl};
use std::{
    io,
    path::{Path, PathBuf},
};

impl Settings {
    /// The key that signs tokens: the given one, or on a loopback address one that is made once and kept in a file that
    /// only its owner can read.
    ///
    /// # Errors
    /// When there is none and the address is not a loopback one, or the file cannot be read or written.
    pub fn signing_secret(&self) -> Result<Secret, String> {
        if let Some(secret) = &self.secret {
            return Ok(secret.clone());
        }
        if !self.is_development() {
            let reached = match self.listen.ip().is_loopback() {
                true => "with WORKGRAPH_TRUST_FORWARDED_FOR a proxy passes requests on to it",
                false => "can be reached from elsewhere",
            };
            return Err(format!(
                "WORKGRAPH_SECRET is not set, and {} {reached}. Set it to at least 32 random characters; `openssl rand \
                 -hex 32` makes them.",
                self.listen
            ));
        }
        let path = self.secret_file();
        kept_secret(&path).map_err(|error| match path.exists() {
            true => format!(
                "{}: {error}. It holds the key that signs tokens; let this user read and write it, or set WORKGRAPH_SECRET",
                path.display()
            ),
            false => self.no_room_for_secret(&error),
        })
    }

    /// Where the key cannot be kept, the database mostly cannot either.
    fn no_room_for_secret(&self, error: &io::Error) -> String {
        let path = self.secret_file();
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).display();
        match self.database_url {
            DatabaseUrl::Sqlite(_) => format!(
                "this user cannot write to the folder {folder}, where the database and the key that signs tokens are kept: \
                 {error}. Let it, or name a file in another folder in DATABASE_URL"
            ),
            DatabaseUrl::Postgres { .. } => format!(
                "this user cannot write to the folder {folder}, where the key that signs tokens is kept: {error}. Let it, \
                 or set WORKGRAPH_SECRET"
            ),
        }
    }

    /// The key of the server that a token is for. Beside a SQLite file it is made by whoever needs it first; where a
    /// server on PostgreSQL was started, only that server knows.
    ///
    /// # Errors
    /// When it is not here.
    pub fn servers_secret(&self) -> Result<Secret, String> {
        let path = self.secret_file();
        let is_elsewhere = matches!(self.database_url, DatabaseUrl::Postgres { .. });
        if self.secret.is_none() && is_elsewhere && !path.exists() {
            return Err(format!(
                "the key that signs tokens is not here: there is no {}. Run this where the server was started, or set \
                 WORKGRAPH_SECRET to the server's key.",
                path.display()
            ));
        }
        self.signing_secret()
    }

    fn secret_file(&self) -> PathBuf {
        match &self.database_url {
            DatabaseUrl::Sqlite(path) => path.with_added_extension("secret"),
            DatabaseUrl::Postgres { .. } => PathBuf::from("workgraph.secret"),
        }
    }
}

/// The key in a file, which is made where there is none.
fn kept_secret(path: &Path) -> io::Result<Secret> {
    let text = kept(path, || hex::encode(rand::random::<[u8; 32]>()))?;
    Secret::new(text.trim()).map_err(io::Error::other)
}
