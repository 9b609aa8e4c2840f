//! An invitation's states.

use entity::invitation::InvitationStatus;

super::machine! {
    invitation: InvitationStatus {
        /// What a person can do with an invitation. Each is a mutation.
        InvitationStep as "InvitationStep" {
            /// Take it back: `revokeInvitation`.
            Revoke: [Pending] => Revoked, by ManagePeople, "invitation.revoked";
            /// Send it again, with another link and another seven days: `resendInvitation`.
            Resend: [Pending, Expired] => Pending, by ManagePeople, "invitation.resent";
        }
        /// What becomes of an invitation by itself.
        InvitationConsequence as "InvitationConsequence" {
            /// Whom it was for has come.
            Accept: [Pending] => Accepted, by itself, "invitation.accepted";
            /// Its time has passed.
            Expire: [Pending] => Expired, by itself, "invitation.expired";
        }
    }
}
