//! An entry of the ledger as followers share it.

use super::weight::bytes_of_row;
use entity::audit_log;
use std::sync::Arc;

/// An entry of the ledger, read once for all who follow it.
pub(crate) struct Event {
    entry: Arc<audit_log::Model>,
    bytes: usize,
}

impl Event {
    pub(super) fn new(entry: audit_log::Model) -> Arc<Self> {
        Arc::new(Self {
            bytes: bytes_of_row(&entry),
            entry: Arc::new(entry),
        })
    }

    /// The entry, without its large columns.
    pub(crate) fn entry(&self) -> &Arc<audit_log::Model> {
        &self.entry
    }

    /// Its position.
    pub(crate) fn seq(&self) -> i64 {
        self.entry.seq.0
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
pub(in crate::store) mod tests {
    use super::*;
    use entity::{BigInt, Id, Json, Large, audit_log::ActorType};

    /// An entry at this position.
    pub(in crate::store) fn event(seq: i64) -> Arc<Event> {
        Event::new(audit_log::Model {
            id: Id(format!("entry-{seq}")),
            tenant_id: Id::from("tenant"),
            seq: BigInt(seq),
            actor: "system:test".to_owned(),
            actor_type: ActorType::System,
            user_id: None,
            agent_token_id: None,
            service_token_id: None,
            action: "goal.created".to_owned(),
            target_type: "Goal".to_owned(),
            target_id: None,
            target_user_id: None,
            target_title: None,
            project_id: None,
            prd_id: None,
            diff: Large(None),
            message: None,
            metadata: Json(serde_json::Value::Null),
            prev_hash: String::new(),
            hash: String::new(),
            created_at: crate::clock::Clock::system().now(),
        })
    }
}
