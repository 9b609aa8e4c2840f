//! The ledger: one dense, hash-chained sequence of entries per tenant.
//!
//! It is audit trail, activity feed and outbox in one. Entries are written only by [`Tx`](super::Tx), as the last
//! statements of its transaction, under the lock of the tenant's `tenant_feeds` row.

use super::{Scope, order::to_json, transaction::Transaction};
use crate::{
    auth::{Actor, Origin},
    domain::canonical::canonical,
    error::{Error, Result},
};
use entity::{BigInt, Id, Json, Large, Timestamp, audit_log, tenant_feed};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    ModelTrait, QueryFilter, QuerySelect, QueryTrait, TryIntoModel,
    sea_query::{CommonTableExpression, Expr, InsertStatement},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Rows in one INSERT; keeps the number of binds under both databases' limits.
const CHUNK: usize = 500;

/// A change that happened, before it has its place in the ledger.
pub(super) struct Entry {
    pub(super) action: &'static str,
    pub(super) target_type: &'static str,
    pub(super) target_id: Option<Id>,
    pub(super) target_user_id: Option<Id>,
    pub(super) target_title: Option<String>,
    pub(super) project_id: Option<Id>,
    pub(super) prd_id: Option<Id>,
    pub(super) diff: Value,
    pub(super) message: Option<String>,
    /// When it was made.
    pub(super) at: Timestamp,
    /// Who made it in the actor's transaction, such as a part of the server by itself; none if the actor did.
    pub(super) instead: Option<Actor>,
}

/// Whether a ledger goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Course {
    /// It does: one that has ended takes nothing more.
    #[default]
    GoesOn,
    /// It ends with these entries, because its workspace is deleted.
    Ends,
    /// It has ended, and this is what the server has still to say of that.
    HasEnded,
}

/// What was entered into a ledger, and its head since then.
pub(super) struct Appended {
    pub(super) head: i64,
    /// As they are read again: without their large columns.
    pub(super) entries: Vec<audit_log::Model>,
}

/// Appends entries to the actor's ledger, whose head was locked.
pub(super) async fn append(
    transaction: &Transaction,
    actor: &Actor,
    head: tenant_feed::Model,
    entries: Vec<Entry>,
    course: Course,
) -> Result<Appended> {
    // Whatever was let in before: after the end nothing is committed.
    if head.closed_at.is_some() && course != Course::HasEnded {
        return Err(Error::WORKSPACE_DELETED);
    }
    let (mut seq, mut hash) = (head.head_seq.0, head.head_hash);
    let mut appended = Vec::with_capacity(entries.len());
    if entries.is_empty() {
        return Ok(Appended {
            head: seq,
            entries: appended,
        });
    }
    let metadata = metadata(actor.origin());
    let ended = match course {
        Course::Ends => entries.last().map(|entry| entry.at),
        _ => head.closed_at,
    };
    for entry in entries {
        seq += 1;
        let by = entry.instead.as_ref().unwrap_or(actor);
        let row = audit_log::ActiveModel {
            id: Set(Id(cuid2::create_id())),
            tenant_id: Set(actor.tenant().clone()),
            seq: Set(BigInt(seq)),
            actor: Set(by.name()),
            actor_type: Set(by.kind()),
            user_id: Set(by.user_id().cloned()),
            agent_token_id: Set(by.agent_token_id().cloned()),
            service_token_id: Set(by.service_token_id().cloned()),
            action: Set(entry.action.to_owned()),
            target_type: Set(entry.target_type.to_owned()),
            target_id: Set(entry.target_id),
            target_user_id: Set(entry.target_user_id),
            target_title: Set(entry.target_title),
            project_id: Set(entry.project_id),
            prd_id: Set(entry.prd_id),
            diff: Set(Large(
                serde_json::from_value::<Option<_>>(entry.diff)
                    .map_err(Error::internal)?
                    .map(Json),
            )),
            message: Set(entry.message),
            metadata: Set(Json(metadata.clone())),
            prev_hash: Set(hash),
            hash: Set(String::new()),
            created_at: Set(entry.at),
        };
        let mut model = row.try_into_model()?;
        hash = newest_hash(told(&model));
        model.hash.clone_from(&hash);
        appended.push(model);
    }
    let head = tenant_feed::Entity::update_many()
        .col_expr(tenant_feed::Column::HeadSeq, seq.into())
        .col_expr(tenant_feed::Column::HeadHash, hash.into())
        .col_expr(tenant_feed::Column::ClosedAt, Expr::val(ended))
        .filter(tenant_feed::Column::TenantId.eq(actor.tenant().as_str()))
        .into_query();
    let mut chunks = appended.chunks(CHUNK).map(insert).peekable();
    while let Some(mut insert) = chunks.next() {
        let is_last = chunks.peek().is_none();
        // PostgreSQL moves the head in the same statement: others wait for it, so each turn counts.
        if is_last && transaction.get_database_backend() == DbBackend::Postgres {
            let moved = CommonTableExpression::new()
                .query(head.clone())
                .table_name("moved")
                .to_owned();
            insert.with_cte(moved);
        }
        transaction.execute(&insert).await?;
    }
    if transaction.get_database_backend() != DbBackend::Postgres {
        transaction.execute(&head).await?;
    }
    for entry in &mut appended {
        entry.diff = Large(None);
    }
    Ok(Appended {
        head: seq,
        entries: appended,
    })
}

fn insert(entries: &[audit_log::Model]) -> InsertStatement {
    let rows = entries.iter().cloned();
    let rows = rows.map(|row| row.into_active_model().reset_all());
    audit_log::Entity::insert_many(rows).into_query()
}

/// Where a change came from.
fn metadata(origin: Option<&Origin>) -> Value {
    let Some(origin) = origin else {
        return json!({});
    };
    let mut fields = Map::new();
    fields.insert("requestId".to_owned(), origin.request_id.clone().into());
    if let Some(address) = origin.address {
        fields.insert("ip".to_owned(), address.to_string().into());
    }
    if let Some(user_agent) = &origin.user_agent {
        fields.insert("userAgent".to_owned(), user_agent.clone().into());
    }
    Value::Object(fields)
}

/// One line an entry, once it is committed. What the server does by itself, such as seeding, comes by the hundred and is
/// for debugging.
pub(super) fn log(actor: &Actor, entries: &[audit_log::Model]) {
    macro_rules! line {
        ($level:ident, $entry:ident) => {
            tracing::$level!(
                audit = true,
                tenant = $entry.tenant_id.as_str(),
                seq = $entry.seq.0,
                actor = $entry.actor,
                action = $entry.action,
                target_type = $entry.target_type,
                target = $entry.target_id.as_ref().map(Id::as_str),
                "ledger"
            )
        };
    }
    let by_itself = actor.name().starts_with("system:");
    for entry in entries {
        if by_itself {
            line!(debug, entry);
        } else {
            line!(info, entry);
        }
    }
}

/// The head of a tenant's ledger, which nobody else moves until the transaction ends.
pub(super) async fn lock_head(
    transaction: &Transaction,
    tenant: &Id,
) -> Result<tenant_feed::Model> {
    let head = || {
        let find =
            tenant_feed::Entity::find().filter(tenant_feed::Column::TenantId.eq(tenant.as_str()));
        match transaction.get_database_backend() {
            DbBackend::Postgres => find.lock_exclusive(),
            _ => find,
        }
    };
    if let Some(head) = head().one(transaction).await? {
        return Ok(head);
    }
    let first = tenant_feed::ActiveModel {
        tenant_id: Set(tenant.clone()),
        head_seq: Set(BigInt(0)),
        head_hash: Set(String::new()),
        closed_at: Set(None),
    };
    tenant_feed::Entity::insert(first)
        .on_conflict(
            sea_orm::sea_query::OnConflict::new()
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(transaction)
        .await?;
    head()
        .one(transaction)
        .await?
        .ok_or_else(|| Error::internal("a ledger head vanished"))
}

/// Columns that the ledger got later than others, the oldest first: one that comes is added at the end. Entries that
/// are older than a column were hashed without it, and hold as they did then.
const LATER: [audit_log::Column; 3] = [
    audit_log::Column::TargetUserId,
    audit_log::Column::PrdId,
    audit_log::Column::ServiceTokenId,
];

/// What an entry tells, by column: all of it but its own hash.
pub(super) type Told = Map<String, Value>;

fn told(row: &audit_log::Model) -> Told {
    audit_log::Column::iter()
        .filter(|column| !matches!(column, audit_log::Column::Hash))
        .map(|column| (column.as_str().to_owned(), to_json(&row.get(column))))
        .collect()
}

/// The hash of an entry that is written now.
fn newest_hash(told: Told) -> String {
    hash(&Value::Object(told))
}

/// `sha256(prevHash ‖ what an entry tells, as JSON with sorted keys)`.
fn hash(entry: &Value) -> String {
    let hash = Sha256::new()
        .chain_update(entry["prevHash"].as_str().unwrap_or_default())
        .chain_update(canonical(entry))
        .finalize();
    hex::encode(hash)
}

/// The hashes that an entry of any age may have, as of now first, then without the columns that came last. Which of them
/// it is says which columns it vouches for: none is the hash of other columns' values.
pub(super) fn hashes(told: Told) -> impl Iterator<Item = String> {
    let mut later = LATER.iter().rev();
    let mut next = Some(Value::Object(told));
    std::iter::from_fn(move || {
        let entry = next.take()?;
        let hash = hash(&entry);
        next = later.next().and_then(|column| without(entry, column));
        Some(hash)
    })
}

fn without(mut entry: Value, column: &audit_log::Column) -> Option<Value> {
    entry.as_object_mut()?.remove(column.as_str());
    Some(entry)
}

impl Scope {
    /// The head of the tenant's ledger as this operation sees it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn head(&self) -> Result<i64> {
        let head = self
            .find::<tenant_feed::Entity>(self.actor().tenant())
            .await?;
        Ok(head.map_or(0, |head| head.head_seq.0))
    }
}
