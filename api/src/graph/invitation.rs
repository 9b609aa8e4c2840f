//! People asked to join a tenant, and what became of it.

use super::prelude::*;
use entity::invitation;

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
}
