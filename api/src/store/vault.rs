//! Sealed secrets of all workspaces: which keys they need, and how they get under another one.

use super::{Store, accounts::goes_on};
use crate::{
    error::{Error, Result},
    vault::{Sealed, Whereabouts},
};
use entity::{Id, credential};
use sea_orm::{
    ConnectionTrait, QueryResult,
    sea_query::{Expr, ExprTrait, Order, Query, SelectStatement},
};

/// So many secrets are sealed anew in one transaction: others wait to write.
const AT_ONCE: u64 = 50;

/// Of so many secrets one must open, or their key is another one.
const TRIED: u64 = 10;

/// A key, and how many secrets are sealed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    /// The key's id.
    pub id: String,
    /// How many secrets need it.
    pub secrets: u64,
}

/// What came of sealing some secrets anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many are under the first key now.
    pub done: u64,
    /// How many others changed meanwhile.
    pub passed: u64,
    /// What was looked at last; none when nothing is left behind it.
    pub last: Option<Id>,
    /// Those that do not open, and why.
    pub unopened: Vec<String>,
}

impl Store {
    /// The keys that secrets need, and how many need each.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn keys_in_use(&self) -> Result<Vec<KeyInUse>> {
        use credential::Column::KeyId;
        let select = Query::select()
            .column(KeyId)
            .expr_as(Expr::cust("COUNT(*)"), "secrets")
            .from(credential::Entity)
            .and_where(goes_on::<credential::Entity>())
            .group_by_col(KeyId)
            .order_by(KeyId, Order::Asc)
            .take();
        let rows = self.system().rows(&select).await?;
        { rows.iter() }
            .map(|row| {
                let secrets: i64 = row.try_get("", "secrets")?;
                Ok(KeyInUse {
                    id: row.try_get("", "keyId")?,
                    secrets: secrets.unsigned_abs(),
                })
            })
            .collect()
    }

    /// Fails when there are secrets that nobody could open: their key is missing, or another one under the same id.
    ///
    /// # Errors
    /// [`Error::Internal`], whose cause names the key and says what to do.
    pub async fn check_keys(&self) -> Result<()> {
        let keys = self.vault().keys();
        for KeyInUse { id, secrets } in self.keys_in_use().await? {
            let many = match secrets {
                1 => "1 secret of another service is".to_owned(),
                many => format!("{many} secrets of other services are"),
            };
            let told = format!(
                "{many} sealed with the key `{id}`. Put it back behind the others, as in WORKGRAPH_KEYS=NEW:…,{id}:…, or \
                 in the .keys file beside the database. If it is lost, so are they: `workgraph keys forget {id}` deletes \
                 them, and people enter them anew"
            );
            if !keys.ids().any(|known| known == id) {
                return Err(Error::internal(format!("the key is missing: {told}")));
            }
            if self.is_another_key(&id).await? {
                return Err(Error::internal(format!(
                    "this is another key than the one called `{id}` before; take it away: {told}"
                )));
            }
        }
        Ok(())
    }

    /// Whether the key that is here under this id is another one than what secrets were sealed with: it opens none of them.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_another_key(&self, id: &str) -> Result<bool> {
        let mut some = sealed_rows();
        some.and_where(Expr::col(credential::Column::KeyId).eq(id))
            .limit(TRIED);
        let rows = self.system().rows(&some).await?;
        for row in &rows {
            let row = SealedRow::read(row)?;
            // One that was altered keeps nobody from the others.
            if self
                .vault()
                .keys()
                .open(&row.sealed, row.whereabouts())
                .is_ok()
            {
                return Ok(false);
            }
        }
        Ok(!rows.is_empty())
    }

    /// Seals some secrets under the first key that are under another one, those behind this id. What others change meanwhile
    /// stays as they leave it.
    ///
    /// # Errors
    /// If there is no key, or the database fails.
    pub async fn reseal_some(&self, after: Option<&Id>) -> Result<Resealed> {
        use credential::Column::{Ciphertext, Id as RowId, KeyId, Nonce};
        let keys = self.vault().keys();
        let first = keys.ids().next().unwrap_or_default().to_owned();
        let transaction = self.system_transaction().await?;
        let mut some = sealed_rows();
        some.and_where(Expr::col(KeyId).ne(first))
            .and_where_option(after.map(|after| Expr::col(RowId).gt(after.as_str())))
            .limit(AT_ONCE);
        let mut resealed = Resealed::default();
        for row in transaction.query_all(&some).await? {
            let row = SealedRow::read(&row)?;
            resealed.last = Some(row.id.clone());
            let plain = match keys.open(&row.sealed, row.whereabouts()) {
                Ok(plain) => plain,
                Err(error) => {
                    resealed.unopened.push(error.cause());
                    continue;
                }
            };
            let sealed = keys.seal(&plain, row.whereabouts())?;
            // Whoever stored another value meanwhile did so with another nonce.
            let update = Query::update()
                .table(credential::Entity)
                .value(Ciphertext, sealed.ciphertext)
                .value(Nonce, sealed.nonce)
                .value(KeyId, sealed.key_id)
                .and_where(Expr::col(RowId).eq(row.id.as_str()))
                .and_where(Expr::col(Nonce).eq(row.sealed.nonce))
                .take();
            match transaction.execute(&update).await?.rows_affected() {
                0 => resealed.passed += 1,
                _ => resealed.done += 1,
            }
        }
        transaction.commit().await?;
        Ok(resealed)
    }

    /// The ids of secrets that are sealed with a key, so many at most, each with its workspace's.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn sealed_with(&self, key: &str, most: u64) -> Result<Vec<(Id, Id)>> {
        let is_it = Expr::col(credential::Column::KeyId).eq(key);
        let system = self.system();
        system
            .due::<credential::Entity>(is_it.into(), None, most)
            .await
    }
}

/// What it takes to open a secret.
struct SealedRow {
    id: Id,
    tenant: Id,
    kind: String,
    sealed: Sealed,
}

impl SealedRow {
    fn read(row: &QueryResult) -> Result<Self> {
        Ok(Self {
            id: row.try_get("", "id")?,
            tenant: row.try_get("", "tenantId")?,
            kind: row.try_get("", "kind")?,
            sealed: Sealed {
                ciphertext: row.try_get("", "ciphertext")?,
                nonce: row.try_get("", "nonce")?,
                key_id: row.try_get("", "keyId")?,
                algorithm: "",
            },
        })
    }

    fn whereabouts(&self) -> Whereabouts<'_> {
        Whereabouts {
            tenant: self.tenant.as_str(),
            kind: &self.kind,
            id: self.id.as_str(),
        }
    }
}

/// Those of workspaces that were not deleted, as they are counted.
fn sealed_rows() -> SelectStatement {
    use credential::Column::{Ciphertext, Id, KeyId, Kind, Nonce, TenantId};
    Query::select()
        .columns([Id, TenantId, Kind, Ciphertext, Nonce, KeyId])
        .from(credential::Entity)
        .and_where(goes_on::<credential::Entity>())
        .order_by(Id, Order::Asc)
        .take()
}
