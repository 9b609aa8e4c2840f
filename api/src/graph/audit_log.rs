//! The ledger. One append-only list per tenant is the audit trail, the activity feed, each ticket's
//! timeline and what live subscriptions follow.
//!
//! It points to nothing by foreign key, so that it keeps speaking of what was deleted.

use super::prelude::*;
use crate::{
    auth::Action,
    live::{self, Occurrence},
};
use entity::{Json, audit_log};

node! {
    /// Something that happened in a tenant: who did what to what. Never changed, and chained to the entry before it.
    AuditLog in audit_log (audit_log, activity) newest by seq {
        columns {
            id: IdFilter,
            seq: BigIntFilter,
            actor: StringFilter,
            actor_type: EnumFilter<audit_log::ActorType>,
            user_id: IdFilter,
            agent_token_id: IdFilter,
            service_token_id: IdFilter,
            action: StringFilter,
            target_type: StringFilter,
            target_id: IdFilter,
            target_title: StringFilter,
            project_id: IdFilter,
            prd_id: IdFilter,
            message: StringFilter,
            prev_hash: StringFilter,
            hash: StringFilter,
            created_at: DateTimeFilter,
        }
        one {
            /// The person who did it; null for all that are no people, and when the person is gone.
            user: User by user_id,
            /// The token of the agent that did it; null for all others.
            agent_token: AgentToken by agent_token_id,
            /// The token of the service that did it; null for all others.
            service_token: ServiceToken by service_token_id,
            /// The project it happened in; null when it concerns the whole workspace.
            project: Project by project_id,
            /// The brief whose life it is part of; null when it is part of none.
            prd: PRD by prd_id,
            /// The ticket it was done to; null when it was done to something else, or the ticket is gone.
            ticket: Ticket by target_id,
        }
    }
    fields {

        /// What changed, for admins; null for others, and when nothing about the row did.
        async fn diff(&self, ctx: &Context<'_>) -> Nullable<Json<audit_log::AuditDiff>> {
            if !ctx.may(Action::ReadAudit) {
                return Ok(None);
            }
            Ok(self.change(ctx).await?)
        }

        /// The target's status before, as its type's enum writes it, such as `PENDING_APPROVAL`; null when the status did
        /// not change.
        async fn status_from(&self, ctx: &Context<'_>) -> Nullable<String> {
            Ok(self.change(ctx).await?.and_then(|change| status(change.was("status")?)))
        }

        /// The target's status after, written like `statusFrom`; null when the status did not change.
        async fn status_to(&self, ctx: &Context<'_>) -> Nullable<String> {
            Ok(self.change(ctx).await?.and_then(|change| status(change.became("status")?)))
        }

        /// Where it came from: address, browser, request id, channel and token hint, for admins; null for others.
        async fn metadata(&self, ctx: &Context<'_>) -> Nullable<Json<serde_json::Value>> {
            if !ctx.may(Action::ReadAudit) {
                return Ok(None);
            }
            Ok(Some(self.row()?.metadata))
        }

        /// The thing it was done to, as it is now; null when that is gone, or not for your role to see.
        async fn target(&self, ctx: &Context<'_>) -> Nullable<AnyNode> {
            let row = self.row()?;
            match &row.target_id {
                Some(id) => Ok(AnyNode::load(ctx, &row.target_type, id).await?),
                None => Ok(None),
            }
        }
    }
}

impl AuditLogFields {
    /// What changed, read in a batch for all entries that asked.
    async fn change(&self, ctx: &Context<'_>) -> crate::Result<Option<Json<audit_log::AuditDiff>>> {
        let (id, frame) = (self.id()?, ctx.data_opt::<Occurrence>());
        if let Some((event, feed)) = frame.and_then(|frame| frame.entry(&id)) {
            // All who are shown this frame see the entry; asking who is asking would make it for each of them.
            let change = live::change(event, feed).await?;
            return Ok(change.map(|change| Json(change.as_ref().clone())));
        }
        let diff = audit_log::Column::Diff;
        ctx.scope().large::<audit_log::Entity, _>(diff, &id).await
    }
}

/// The status among the columns of one side of a change.
fn status(kept: &serde_json::Value) -> Option<String> {
    Some(kept.as_str()?.to_uppercase())
}
