//! People asked to join a tenant, and what became of it.

use super::{
    prelude::*,
    steps::{Shown, allowed, needs},
    write::{Once, Write, mutations},
};
use crate::{
    auth::Action,
    domain::{check, machine::InvitationStep},
    store::Tx,
    workflow,
};
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
            delivery_status: EnumFilter<invitation::InvitationDelivery>,
            delivery_attempts: IntFilter,
            next_delivery_at: DateTimeFilter,
            delivery_error: StringFilter,
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

/// Who is invited, and as what.
#[derive(InputObject, Clone)]
pub struct InviteUserInput {
    /// Their e-mail address, 3 to 254 characters.
    email: String,
    /// What they will be allowed to do.
    #[graphql(default)]
    role: invitation::InvitationRole,
    #[graphql(flatten)]
    once: Once,
}

impl Write for InviteUserInput {
    type Entity = invitation::Entity;
    const ACTION: Action = Action::ManagePeople;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<invitation::Model> {
        let email = check::email("email", &self.email)?;
        workflow::invite_user(tx, email, self.role).await
    }
}

/// Which invitation is sent again.
#[derive(InputObject, Clone)]
pub struct ResendInvitationInput {
    /// The invitation.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for ResendInvitationInput {
    type Entity = invitation::Entity;
    const ACTION: Action = needs(InvitationStep::Resend.who());

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<invitation::Model> {
        workflow::resend(tx, &self.id).await
    }
}

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
        workflow::revoke_invitation(tx, &self.id).await
    }
}

mutations! { InvitationMutation {
    /// Invites somebody to the workspace, by a link that is good for seven days. It is mailed; where no mail is set up you are
    /// shown it, to pass it on. Refused with the reason `ALREADY_MEMBER` or `INVITE_PENDING` when there is nobody to invite.
    invite_user(InviteUserInput) -> InviteUserPayload {
        invitation: Invitation,
        /// The link, shown this once where no mail is set up: null where it is mailed, and when the answer is repeated. It is
        /// relative to your dashboard where the server does not know its address.
        once link
    };
    /// Sends an invitation again that nobody has accepted, also one whose time was up, with a new link and another seven days.
    /// The old link is good for nothing then.
    resend_invitation(ResendInvitationInput) -> ResendInvitationPayload {
        invitation: Invitation,
        /// The new link, as in `inviteUser`.
        once link
    };
    /// Takes an invitation back that nobody has accepted; its link is good for nothing then.
    revoke_invitation(RevokeInvitationInput) -> RevokeInvitationPayload { invitation: Invitation };
} }
