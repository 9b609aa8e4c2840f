//! Whether a ledger is whole: every entry in its place and unaltered, and none cut from its end.

use super::{Store, ledger::chain, row_security::EVERY_TENANT, snapshot::Snapshot};
use crate::error::{Error, Result};
use entity::{Id, audit_log, tenant, tenant_feed};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

/// Entries read at once.
const PAGE: u64 = 500;

impl Store {
    /// Walks a tenant's ledger, holds its end against its head, and returns how many entries it has.
    ///
    /// All is read as of one moment, so writers need not stop. What a ledger cannot tell by itself is that its end was cut
    /// off and its head set back to match.
    ///
    /// # Errors
    /// [`Error::Conflict`] naming the first entry that is missing, out of place or altered, or what is wrong with the head.
    pub async fn verify_ledger(&self, tenant: &Id) -> Result<i64> {
        let snapshot = Snapshot::new(self.readers().clone(), EVERY_TENANT.into(), None);
        let (mut seq, mut hash) = (0, String::new());
        let mut last: Option<Id> = None;
        loop {
            let rows = page(&snapshot, tenant, seq, last.as_ref()).await?;
            for row in &rows {
                seq += 1;
                if row.seq.0 != seq || row.prev_hash != hash || row.hash != chain(row) {
                    return broken(format!("Ledger entry {seq} is missing or was altered."));
                }
                hash.clone_from(&row.hash);
            }
            match rows.last() {
                Some(row) => last = Some(row.id.clone()),
                None => break,
            }
        }
        let head = tenant_feed::Entity::find_by_id(tenant.clone()).into_query();
        let head = match snapshot.all(&head).await?.first() {
            Some(row) => Some(tenant_feed::Model::from_query_result(row, "")?),
            None => None,
        };
        let workspace = tenant::Entity::find_by_id(tenant.clone()).into_query();
        let is_founded = seq > 0 || !snapshot.all(&workspace).await?.is_empty();
        match head {
            // Whose workspace nobody founded has written nothing.
            None if !is_founded => Ok(0),
            None => broken("The ledger's head is missing.".to_owned()),
            Some(head) if head.head_seq.0 > seq => broken(format!(
                "Ledger entry {} is missing: the ledger's head counts {}.",
                seq + 1,
                head.head_seq.0
            )),
            Some(head) if head.head_seq.0 < seq => broken(format!(
                "Ledger entry {} is not counted by the ledger's head, which was altered, or somebody else wrote it.",
                head.head_seq.0 + 1
            )),
            // Founding a workspace is its first entry.
            Some(_) if seq == 0 && is_founded => broken("Ledger entry 1 is missing.".to_owned()),
            Some(head) if head.head_hash != hash => broken(format!(
                "The ledger's head was altered: it has not the hash of entry {seq}."
            )),
            Some(_) => Ok(seq),
        }
    }
}

/// The entries from a place on, in their order. A number that was given twice comes twice.
async fn page(
    snapshot: &Snapshot,
    tenant: &Id,
    seq: i64,
    last: Option<&Id>,
) -> Result<Vec<audit_log::Model>> {
    use audit_log::Column;
    let mut select = audit_log::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_str()))
        .order_by_asc(Column::Seq)
        .order_by_asc(Column::Id)
        .limit(PAGE);
    if let Some(last) = last {
        let beyond = Condition::any()
            .add(Column::Seq.gt(seq))
            .add(Column::Id.gt(last.as_str()));
        select = select.filter(Column::Seq.gte(seq)).filter(beyond);
    }
    let rows = snapshot.all(&select.into_query()).await?;
    rows.iter()
        .map(|row| Ok(audit_log::Model::from_query_result(row, "")?))
        .collect()
}

fn broken(what: String) -> Result<i64> {
    Err(Error::Conflict(what))
}
