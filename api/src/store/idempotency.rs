//! A repeated mutation changes nothing twice: it is answered with the row of the first one, as that row is now.

use super::{Tx, seal::Seal, transaction::Transaction};
use crate::{
    auth::Actor,
    domain::{canonical::canonical, digest::sha256},
    error::{Error, Result},
};
use chrono::TimeDelta;
use entity::{Id, Json, Large, Timestamp, audit_log, idempotency_key};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

/// How long an answer is remembered.
const MEMORY: TimeDelta = TimeDelta::hours(24);

/// A request that can be told from others.
#[derive(Clone)]
pub struct Request {
    key: String,
    hash: String,
}

/// What a mutation did the first time.
pub struct Answer {
    /// The row it changed.
    pub id: Id,
    /// The ledger's head after it.
    pub seq: i64,
}

impl Request {
    /// A request under the key its client chose: a mutation and what was sent to it. A field that was left out, and one
    /// that is null, are two requests; the order of fields is of no account.
    pub fn new(key: &str, mutation: &str, sent: &Value) -> Self {
        Self {
            key: key.to_owned(),
            hash: sha256(format!("{mutation} {}", canonical(sent))),
        }
    }
}

impl Request {
    pub(super) async fn remember(
        self,
        seal: &Seal,
        transaction: &Transaction,
        actor: &Actor,
        now: Timestamp,
        answer: Answer,
    ) -> Result<()> {
        let row = idempotency_key::ActiveModel {
            id: Set(Id(cuid2::create_id())),
            tenant_id: Set(actor.tenant().clone()),
            actor: Set(actor.name()),
            key: Set(self.key),
            // What was sent may have a secret in it that is short enough to guess.
            request_hash: Set(seal.mark(&self.hash)),
            response: Set(Large::new(Json(
                json!({ "id": answer.id, "seq": answer.seq }),
            ))),
            expires_at: Set(Timestamp::new(now.inner() + MEMORY)),
            created_at: Set(now),
            updated_at: Set(now),
        };
        idempotency_key::Entity::insert(row)
            .exec_without_returning(transaction)
            .await?;
        Ok(())
    }
}

impl Tx<'_> {
    /// What this request did, if it was sent before. Holds off equal requests until the transaction ends.
    ///
    /// # Errors
    /// [`Error::IdempotencyMismatch`] when the key was used for another request.
    pub async fn answered(&self, request: &Request) -> Result<Option<Answer>> {
        let actor = self.scope().actor();
        let transaction = self.transaction();
        // Two equal requests at once: the second waits here and then finds the first one's answer.
        self.queue_up(&format!("{}\n{}", actor.name(), request.key))
            .await?;
        // Whatever the actor sees of the table, its own answers are its own.
        let known = idempotency_key::Entity::find()
            .filter(idempotency_key::Column::TenantId.eq(actor.tenant().as_str()))
            .filter(idempotency_key::Column::Actor.eq(actor.name()))
            .filter(idempotency_key::Column::Key.eq(request.key.as_str()))
            .one(transaction)
            .await?;
        let Some(known) = known else {
            return Ok(None);
        };
        if known.expires_at <= self.now() {
            idempotency_key::Entity::delete_many()
                .filter(idempotency_key::Column::Id.eq(known.id))
                .exec(transaction)
                .await?;
            return Ok(None);
        }
        let hash = self.scope().store().seal().mark(&request.hash);
        if known.request_hash != hash {
            return Err(Error::IdempotencyMismatch);
        }
        let response = known.response.0.unwrap_or_default();
        let (id, seq) = (response["id"].as_str(), response["seq"].as_i64());
        let (Some(id), Some(seq)) = (id, seq) else {
            return Err(Error::internal("an idempotency record without an answer"));
        };
        Ok(Some(Answer { id: id.into(), seq }))
    }

    /// When the entry of the ledger at a position was made; nothing if it is not kept any more.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn moment_of(&self, seq: i64) -> Result<Option<Timestamp>> {
        let entry = audit_log::Entity::find()
            .filter(audit_log::Column::TenantId.eq(self.scope().actor().tenant().as_str()))
            .filter(audit_log::Column::Seq.eq(seq))
            .one(self.transaction())
            .await?;
        Ok(entry.map(|entry| entry.created_at))
    }

    /// The last entry of the ledger that tells of this up to a position, with all that it says.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn entry_up_to(
        &self,
        seq: i64,
        action: &str,
    ) -> Result<Option<audit_log::Model>> {
        let entry = audit_log::Entity::find()
            .filter(audit_log::Column::TenantId.eq(self.scope().actor().tenant().as_str()))
            .filter(audit_log::Column::Seq.lte(seq))
            .filter(audit_log::Column::Action.eq(action))
            .order_by_desc(audit_log::Column::Seq)
            .one(self.transaction());
        Ok(entry.await?)
    }

    /// Commits, and remembers the row as the answer to requests that repeat this one.
    ///
    /// # Errors
    /// If the database fails; then nothing was written.
    pub async fn commit_answering(self, request: Option<Request>, id: &Id) -> Result<i64> {
        self.finish(request.map(|request| (request, id.clone())))
            .await
    }
}
