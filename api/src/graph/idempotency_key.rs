//! Answers already given, so that a retried mutation gets the first one again.

use super::prelude::*;
use entity::Json;

node! {
    /// A mutation that was answered; the same actor sending the same key gets the same answer.
    IdempotencyKey in idempotency_key (idempotency_key, idempotency_keys) {
        columns {
            id: IdFilter,
            actor: StringFilter,
            key: StringFilter,
            request_hash: StringFilter,
            expires_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        large {
            /// The answer that was given.
            response: Json<serde_json::Value>,
        }
    }
}
