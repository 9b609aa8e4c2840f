//! `audit_logs`: the ledger. One append-only list per tenant is the audit trail, the activity feed, each ticket's
//! timeline and what live subscriptions follow.
//!
//! It points to nothing by foreign key, so that it keeps speaking of what was deleted.

use crate::prelude::*;

text_enum! {
    /// What kind of actor did something.
    ActorType {
        /// A person.
        User,
        /// An agent, known by its token.
        Agent,
        /// A part of the server, such as the scheduler.
        System,
        /// A program of the company, known by its service token.
        Service,
    }
}

/// What a change did to a row: the changed fields only, with secrets redacted and long texts as length and hash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditDiff {
    /// The fields as they were; null when the row was created.
    pub before: Option<serde_json::Value>,
    /// The fields as they became; null when the row was deleted.
    pub after: Option<serde_json::Value>,
}

impl AuditDiff {
    /// A field as it was, if it changed.
    pub fn was(&self, field: &str) -> Option<&serde_json::Value> {
        self.before.as_ref()?.get(field)
    }

    /// A field as it became, if it changed.
    pub fn became(&self, field: &str) -> Option<&serde_json::Value> {
        self.after.as_ref()?.get(field)
    }
}

/// Something that happened in a tenant: who did what to what. Never changed, and chained to the entry before it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "audit_logs", rename_all = "camelCase")]
#[graphql(name = "AuditLogRow")]
pub struct Model {
    /// The entry's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is; `system` for changes to what all tenants share.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The entry's position in the tenant's ledger: one more than the entry before it, with no gaps.
    pub seq: BigInt,
    /// Who did it: `user:<e-mail>`, `agent:<token name>#<hint>`,
    /// `service:<token name>#<hint>` or `system:<component>`.
    pub actor: String,
    /// What kind of actor that is.
    pub actor_type: ActorType,
    /// The user who did it, who may be gone by now; null for all that are no people.
    pub user_id: Option<Id>,
    /// The token of the agent that did it, which may be gone by now; null for all others.
    pub agent_token_id: Option<Id>,
    /// The token of the service that did it, which may be gone by now; null for all others.
    pub service_token_id: Option<Id>,
    /// What was done, such as `brief.approved`.
    pub action: String,
    /// The kind of thing it was done to, such as `Ticket`.
    pub target_type: String,
    /// The thing it was done to, which may be gone by now; null when it is no single row.
    pub target_id: Option<Id>,
    /// Whose it was, where people see only their own rows of its kind; null elsewhere, and when it was for everyone.
    /// It says who sees the entry.
    #[graphql(skip)]
    pub target_user_id: Option<Id>,
    /// What that thing was called at the time; null when it has no title.
    pub target_title: Option<String>,
    /// The project it happened in; null when it concerns the whole tenant.
    pub project_id: Option<Id>,
    /// The brief whose life it is part of; null when it is part of none.
    pub prd_id: Option<Id>,
    /// What changed, for admins only; null when nothing about the row did.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub diff: Large<Json<AuditDiff>>,
    /// A comment's text or a failure's reason, in at most 5,000 characters; null for other actions.
    pub message: Option<String>,
    /// Where it came from: address, browser, request id, channel and token hint, for admins only.
    #[graphql(skip)]
    pub metadata: Json<serde_json::Value>,
    /// The hash of the entry before it in the tenant's ledger.
    pub prev_hash: String,
    /// SHA-256 over `prevHash` and this entry, in hex: it shows when an entry was altered or left out.
    pub hash: String,
    /// When it happened.
    pub created_at: Timestamp,
}

owned!(AuditLog, large[Diff]);
