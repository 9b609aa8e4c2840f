//! `idempotency_keys`: answers already given, so that a retried mutation gets the first one again.

use crate::prelude::*;

/// A mutation that was answered; the same actor sending the same key gets the same answer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "idempotency_keys", rename_all = "camelCase")]
#[graphql(name = "IdempotencyKeyRow")]
pub struct Model {
    /// The row's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// Who sent the mutation, as the ledger writes it, such as `user:ada@example.com`.
    pub actor: String,
    /// The key the client chose, unique for the actor.
    pub key: String,
    /// SHA-256 of the mutation and its input, in hex: the key with another request is refused.
    pub request_hash: String,
    /// The answer that was given.
    #[graphql(skip)]
    pub response: Large<Json<serde_json::Value>>,
    /// When the answer is forgotten and the key may be used anew.
    pub expires_at: Timestamp,
    /// When the mutation was answered.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

owned!(IdempotencyKey, large[Response]);
