//! What the command line does with keys.

use crate::{
    error::{Error, Result},
    store::{KeyInUse, Resealed, Store, retried},
    workflow,
};
use std::fmt;

/// The part of the server that the ledger names.
const COMPONENT: &str = "command_line";

/// So many secrets are looked up at a time.
const BATCH: u64 = 100;

/// The keys that there are, and those that secrets need.
pub struct Listed {
    keys: Vec<String>,
    in_use: Vec<KeyInUse>,
    /// The ids under which another key is here than what secrets were sealed with.
    others: Vec<String>,
}

/// The keys, and how many secrets each seals.
///
/// # Errors
/// If the database fails.
pub async fn list(store: &Store) -> Result<Listed> {
    let keys: Vec<_> = store.vault().keys().ids().map(str::to_owned).collect();
    let mut others = Vec::new();
    for id in &keys {
        if store.is_another_key(id).await? {
            others.push(id.clone());
        }
    }
    let in_use = store.keys_in_use().await?;
    Ok(Listed {
        keys,
        in_use,
        others,
    })
}

impl Listed {
    /// How many keys are missing, those included in whose place another one is.
    pub fn missing(&self) -> usize {
        self.lost().count() + self.others.len()
    }

    fn lost(&self) -> impl Iterator<Item = &KeyInUse> {
        self.in_use
            .iter()
            .filter(|used| !self.keys.contains(&used.id))
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keys.is_empty() {
            writeln!(f, "There is no key here; `workgraph keys new` makes one.")?;
        }
        for (place, id) in self.keys.iter().enumerate() {
            let used = self.in_use.iter().find(|used| used.id == *id);
            let secrets = secrets(used.map_or(0, |used| used.secrets));
            let what = match place {
                _ if self.others.contains(id) => {
                    ", and this is another key than they were sealed with"
                }
                0 => ", and what is sealed now",
                _ => "",
            };
            writeln!(f, "{id}  {secrets}{what}")?;
        }
        for KeyInUse { id, secrets: many } in self.lost() {
            writeln!(f, "{id}  {}, and the key is missing", secrets(*many))?;
        }
        Ok(())
    }
}

/// What came of a rotation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// How many secrets were sealed anew.
    pub done: u64,
    first: String,
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, first } = self;
        write!(
            f,
            "{} sealed anew; all are under the key `{first}` now.",
            secrets(*done)
        )
    }
}

/// Seals all secrets anew with the first key, some at a time, until none is left under another one. `tell` hears how far it
/// is.
///
/// # Errors
/// If there is no key, one does not open or is another one than it was, or a server keeps sealing with another key meanwhile.
pub async fn rotate(store: &Store, tell: impl Fn(String)) -> Result<Rotated> {
    let first = store.vault().keys().ids().next().map(str::to_owned);
    let first = first.ok_or_else(|| {
        Error::internal("there is no key here; set WORKGRAPH_KEYS as for the server")
    })?;
    let mut rotated = Rotated {
        first,
        ..Rotated::default()
    };
    loop {
        let left = left(store, &rotated.first).await?;
        if left == 0 {
            if store.is_another_key(&rotated.first).await? {
                return Err(another_key(&rotated.first));
            }
            return Ok(rotated);
        }
        let before = rotated.done;
        let mut unopened = Vec::new();
        let mut after = None;
        loop {
            let Resealed {
                done,
                last,
                unopened: more,
                ..
            } = retried(|| store.reseal_some(after.as_ref())).await?;
            rotated.done += done;
            unopened.extend(more);
            if last.is_none() {
                break;
            }
            after = last;
            tell(format!(
                "{} of {} sealed anew",
                rotated.done - before,
                secrets(left)
            ));
        }
        if let Some(first) = unopened.first() {
            let many = secrets(unopened.len() as u64);
            return Err(Error::internal(format!(
                "{} sealed anew, but {many} could not be opened and stay as they are. The first: {first}",
                secrets(rotated.done)
            )));
        }
        if rotated.done == before {
            return Err(Error::internal(
                "secrets are sealed with another key as fast as they are sealed anew: a server that serves has another \
                 first key. Start it anew with the same WORKGRAPH_KEYS, then run this again",
            ));
        }
    }
}

/// How many secrets are under another key.
async fn left(store: &Store, first: &str) -> Result<u64> {
    let in_use = store.keys_in_use().await?;
    Ok(in_use
        .iter()
        .filter(|used| used.id != first)
        .map(|used| used.secrets)
        .sum())
}

fn another_key(id: &str) -> Error {
    Error::internal(format!(
        "what is here as `{id}` is another key than secrets were sealed with under that id; take it away and put the right one back"
    ))
}

/// How many secrets are lost with a key, in words.
///
/// # Errors
/// When it is not lost, or nothing is sealed with it; when there is no key at all, as where the settings are not the server's;
/// or if the database fails.
pub async fn lost_with(store: &Store, id: &str) -> Result<String> {
    let keys = store.vault().keys();
    if keys.ids().next().is_none() {
        return Err(Error::internal(
            "there is no key here at all; run this with the same settings as the server, with the key that it seals with now",
        ));
    }
    if keys.ids().any(|known| known == id) && !store.is_another_key(id).await? {
        return Err(Error::internal(format!(
            "the key `{id}` is here, so its secrets can be opened; `workgraph keys rotate` seals them with the first key"
        )));
    }
    let in_use = store.keys_in_use().await?;
    match in_use.iter().find(|used| used.id == id) {
        Some(used) => Ok(secrets(used.secrets)),
        None => Err(Error::internal(format!(
            "no secret is sealed with a key `{id}`; `workgraph keys list` shows those that are"
        ))),
    }
}

/// Deletes the secrets that are sealed with a key that is lost, each with its entry in its workspace's ledger. Returns how
/// many.
///
/// # Errors
/// As [`lost_with`].
pub async fn forget(store: &Store, id: &str) -> Result<String> {
    lost_with(store, id).await?;
    let mut gone = 0;
    loop {
        let some = store.sealed_with(id, BATCH).await?;
        if some.is_empty() {
            return Ok(secrets(gone));
        }
        for (tenant, row) in some {
            let scope = store.system().tenant(tenant, COMPONENT);
            let forgotten = retried(|| async {
                let mut tx = scope.begin().await?;
                workflow::forget_credential(&mut tx, &row).await?;
                tx.commit().await
            });
            match forgotten.await {
                Ok(_) => gone += 1,
                // Somebody was faster.
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn secrets(count: u64) -> String {
    crate::error::counted(count, "secret")
}
