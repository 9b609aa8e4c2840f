//! The commands that see to the keys which secrets of other services are sealed with.

use crate::print;
use clap::Subcommand;
use std::io::{self, Write};
use workgraph::{store::Store, vault::keys};

// No doc comment: clap would show it in place of what the command line says of `keys`.
#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Print a new key, to be put before the others in WORKGRAPH_KEYS or in the .keys file beside the database
    New,
    /// List the keys and how many secrets each of them seals; the exit status is 1 if one is missing
    List,
    /// Seal all secrets anew with the first key, while servers serve that have it already; broken off, it goes on where it was
    Rotate,
    /// Delete the secrets that are sealed with a key that is lost; people enter them anew
    Forget {
        /// The key's id
        #[arg(value_name = "ID")]
        id: String,
        /// Delete them; without it, this only says how many they are
        #[arg(long)]
        yes: bool,
    },
}

/// Does what a command says. A new key is printed before there is a store.
///
/// # Errors
/// What to tell people, also when a key is missing.
pub(crate) async fn see_to_keys(store: &Store, command: Keys) -> Result<(), String> {
    match command {
        Keys::New => Ok(()),
        Keys::List => {
            let listed = keys::list(store).await.map_err(|error| error.cause())?;
            print(&listed.to_string())?;
            match listed.missing() {
                0 => Ok(()),
                1 => Err("a key is missing that secrets are sealed with".to_owned()),
                many => Err(format!(
                    "{many} keys are missing that secrets are sealed with"
                )),
            }
        }
        Keys::Rotate => {
            let rotated = keys::rotate(store, |progress| {
                // Standard error may be closed; the work goes on.
                let _ = writeln!(io::stderr(), "{progress}");
            });
            print(&format!(
                "{}\n",
                rotated.await.map_err(|error| error.cause())?
            ))
        }
        Keys::Forget { id, yes: false } => {
            let lost = keys::lost_with(store, &id).await;
            let lost = lost.map_err(|error| error.cause())?;
            Err(format!(
                "{lost} would be deleted, for good. If the key `{id}` is lost, and no server has it, run this again with --yes"
            ))
        }
        Keys::Forget { id, yes: true } => {
            let gone = keys::forget(store, &id)
                .await
                .map_err(|error| error.cause())?;
            print(&format!("{gone} deleted.\n"))
        }
    }
}
