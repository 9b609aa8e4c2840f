//! `invitations`: people asked to join a tenant, and what became of it.

use crate::{prelude::*, user::UserRole};

text_enum! {
    /// What an invited person will be allowed to do. Nobody is invited as an owner.
    InvitationRole {
        /// Works on meetings, briefs, goals and tickets.
        Member,
        /// Decides, and manages people, integrations, budgets and agents.
        Admin,
        /// Reads, and changes nothing but their own notifications.
        Viewer,
    }
}

impl From<InvitationRole> for UserRole {
    fn from(role: InvitationRole) -> Self {
        match role {
            InvitationRole::Member => Self::Member,
            InvitationRole::Admin => Self::Admin,
            InvitationRole::Viewer => Self::Viewer,
        }
    }
}

text_enum! {
    /// Where an invitation stands.
    InvitationStatus {
        /// Sent and waiting for the person.
        Pending,
        /// The person joined.
        Accepted,
        /// Not accepted in time.
        Expired,
        /// Taken back by an admin.
        Revoked,
    }
}

text_enum! {
    /// How the link of an invitation reaches whom it is for.
    InvitationDelivery {
        /// It was shown to whoever sent the invitation, to pass it on: no mail is set up.
        Shown,
        /// It is about to be mailed, or to be tried again.
        Waiting,
        /// It was mailed.
        Sent,
        /// It cannot be mailed. Send the invitation again once what stands in the way is gone.
        Failed,
    }
}

/// An offer to join a tenant, sent to an address. An address has at most one that is pending.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "invitations", rename_all = "camelCase")]
#[graphql(name = "InvitationRow")]
pub struct Model {
    /// The invitation's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The address it was sent to, in lower case.
    pub email: String,
    /// What the person will be allowed to do.
    pub role: InvitationRole,
    /// SHA-256 of the token in the link.
    #[graphql(skip)]
    pub token_hash: Secret<String>,
    /// What a mailed link's token is made of, together with the server's secret; null unless it is mailed.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub link_nonce: Secret<String>,
    /// How its link reaches the person.
    pub delivery_status: InvitationDelivery,
    /// How often it was tried to mail the link.
    pub delivery_attempts: i32,
    /// When it is tried next to mail the link; null when it is not.
    pub next_delivery_at: Option<Timestamp>,
    /// Why the last try failed; null when it did not.
    pub delivery_error: Option<String>,
    /// Where it stands.
    pub status: InvitationStatus,
    /// Who sent it; null when that person is gone.
    pub invited_by_id: Option<Id>,
    /// The user it became; null until accepted, or when that person is gone.
    pub accepted_by_id: Option<Id>,
    /// When it stops being acceptable: seven days after it was sent.
    pub expires_at: Timestamp,
    /// When it was accepted; null unless it was.
    pub accepted_at: Option<Timestamp>,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Invitation, secret [TokenHash, LinkNonce]);
