//! People asked to join a tenant, and what became of it.

use super::{
    prelude::*,
    steps::{Shown, allowed, needs},
    write::{Once, Write, mutations},
};
use crate::{auth::Action, domain::machine::InvitationStep, store::Tx, workflow};
use async_graphql::InputObject;
use entity::{Id, invitation};

node! {
    /// An offer to join a tenant, sent to an address. An address has at most one that is pending.
    Invitation in invitation (invitation, invitations) {
        columns {
            id: IdFilter,
            email: StringFilter,
            role: EnumFilter<invitation::InvitationRole>,
            status: EnumFilter<invitation::InvitationStatus>,
            invited_by_id: IdFilter,
            accepted_by_id: IdFilter,
            expires_at: DateTimeFilter,
            accepted_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who sent it; null when that person is gone.
            invited_by: User by invited_by_id,
            /// The account made by accepting it; null until then.
            accepted_by: User by accepted_by_id,
        }
    }
    fields {

        /// What you may do with it now; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<InvitationStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for InvitationStep {}

/// Which invitation is taken back.
#[derive(InputObject, Clone)]
pub struct RevokeInvitationInput {
    /// The invitation.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RevokeInvitationInput {
    type Entity = invitation::Entity;
    const ACTION: Action = needs(InvitationStep::Revoke.who());

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<invitation::Model> {
        workflow::step(tx, InvitationStep::Revoke, &self.id, None).await
    }
}

mutations! { InvitationMutation {
    /// Takes an invitation back that nobody has accepted; its link is good for nothing then.
    revoke_invitation(RevokeInvitationInput) -> RevokeInvitationPayload { invitation: Invitation };
} }
