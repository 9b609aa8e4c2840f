//! Tokens that work once, kept here so that any server process can check them.

use super::prelude::*;
use entity::auth_token;

node! {
    /// A token that works once: a session's refresh token, or what a reply to a message proves itself with.
    AuthToken in auth_token (auth_token, auth_tokens) {
        columns {
            id: IdFilter,
            kind: EnumFilter<auth_token::AuthTokenKind>,
            user_id: IdFilter,
            subject_type: StringFilter,
            subject_id: IdFilter,
            subject_version: IntFilter,
            channel: EnumFilter<entity::approval::ApprovalChannel>,
            channel_identity: StringFilter,
            family_id: IdFilter,
            expires_at: DateTimeFilter,
            consumed_at: DateTimeFilter,
            answer: EnumFilter<auth_token::ReplyDecision>,
            delivery_attempts: IntFilter,
            next_delivery_at: DateTimeFilter,
            delivery_error: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Whom it speaks for; null for tokens bound to no account.
            user: User by user_id,
        }
    }
}
