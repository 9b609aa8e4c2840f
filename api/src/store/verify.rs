//! Whether a ledger is whole: every entry in its place and unaltered, and none cut from its end.

use super::{
    Store,
    ledger::{Told, hashes},
    order::to_json,
    row_security::EVERY_TENANT,
    snapshot::Snapshot,
};
use crate::error::{Error, Result};
use entity::{Id, Json, Timestamp, audit_log, tenant, tenant_feed};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait, sea_query::ColumnType,
};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// Entries read at once.
const PAGE: u64 = 500;

/// How far a ledger has come: how many entries it has, and the hash of the last. As text `SEQ:HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub seq: i64,
    /// The hash of the last one; empty where there is none.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let read = parts.and_then(|(seq, hash)| Some((seq.parse::<u32>().ok()?, hash)));
        match read {
            Some((seq, hash)) if seq > 0 && is_hash(hash) => Ok(Self {
                seq: seq.into(),
                hash: hash.to_owned(),
            }),
            _ => {
                Err("must be a number and a hash, as this command prints them: 42:5f1c…".to_owned())
            }
        }
    }
}

/// Whether a text can be an entry's hash: SHA-256 in hexadecimal.
fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Store {
    /// Walks a tenant's ledger, holds its end against its head, and returns how far it has come.
    ///
    /// All is read as of one moment, so writers need not stop. What a ledger cannot tell by itself is that its end was cut
    /// off, or all of it written anew, and its head altered to match. Whoever noted its head before, elsewhere, can: it must
    /// still be in the chain.
    ///
    /// # Errors
    /// [`Error::Conflict`] naming the first entry that is missing, out of place or altered, or what is wrong with the head.
    pub async fn verify_ledger(&self, tenant: &Id, noted: Option<&Head>) -> Result<Head> {
        let snapshot = Snapshot::new(self.readers().clone(), EVERY_TENANT.into(), None);
        let (mut seq, mut hash) = (0, String::new());
        let mut last: Option<Id> = None;
        loop {
            let rows = page(&snapshot, tenant, seq, last.as_ref()).await?;
            for row in &rows {
                seq += 1;
                let Some(entry) = Entry::read(row).filter(|entry| entry.follows(seq, &hash)) else {
                    return broken(format!("Ledger entry {seq} is missing or was altered."));
                };
                (hash, last) = (entry.hash, Some(entry.id));
                if noted.is_some_and(|noted| noted.seq == seq && noted.hash != hash) {
                    return broken(format!("Ledger entry {seq} is another one than was noted."));
                }
            }
            if rows.is_empty() {
                break;
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
            _ if noted.is_some_and(|noted| noted.seq > seq) => broken(format!(
                "Ledger entry {} is missing, which was there when the ledger's head was noted.",
                seq + 1
            )),
            None if !is_founded => Ok(Head { seq, hash }),
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
            Some(_) => Ok(Head { seq, hash }),
        }
    }
}

/// An entry as the database has it.
struct Entry {
    id: Id,
    hash: String,
    told: Told,
}

impl Entry {
    /// Reads an entry; nothing if a column holds what no entry was written with, such as text that is no JSON.
    ///
    /// JSON is read whole: the type of a column would leave out what it does not know.
    fn read(row: &QueryResult) -> Option<Self> {
        let columns = audit_log::Column::iter();
        let read = columns.map(|column| Ok((column.as_str().to_owned(), stored(row, column)?)));
        let mut told: Told = read.collect::<Result<_, DbErr>>().ok()?;
        let Some(Value::String(hash)) = told.remove(audit_log::Column::Hash.as_str()) else {
            return None;
        };
        let id = Id::from(told[audit_log::Column::Id.as_str()].as_str()?);
        Some(Self { id, hash, told })
    }

    /// Whether it is this one of its ledger, unaltered, and comes after the one with this hash.
    fn follows(&self, seq: i64, previous: &str) -> bool {
        self.told[audit_log::Column::Seq.as_str()] == seq
            && self.told[audit_log::Column::PrevHash.as_str()] == previous
            && hashes(self.told.clone()).any(|hash| hash == self.hash)
    }
}

/// A column's value, as the ledger hashes it.
fn stored(row: &QueryResult, column: audit_log::Column) -> Result<Value, DbErr> {
    let name = column.as_str();
    Ok(match column.def().get_column_type() {
        ColumnType::Json | ColumnType::JsonBinary => {
            let json = row.try_get::<Option<Json<Value>>>("", name)?;
            json.map_or(Value::Null, |json| json.0)
        }
        ColumnType::BigInteger => row.try_get::<Option<i64>>("", name)?.into(),
        ColumnType::TimestampWithTimeZone => {
            to_json(&row.try_get::<Option<Timestamp>>("", name)?.into())
        }
        _ => row.try_get::<Option<String>>("", name)?.into(),
    })
}

/// The entries from a place on, in their order. A number that was given twice comes twice.
async fn page(
    snapshot: &Snapshot,
    tenant: &Id,
    seq: i64,
    last: Option<&Id>,
) -> Result<Vec<QueryResult>> {
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
    snapshot.all(&select.into_query()).await
}

fn broken(what: String) -> Result<Head> {
    Err(Error::Conflict(what))
}
