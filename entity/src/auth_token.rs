//! `auth_tokens`: tokens that work once, kept here so that any server process can check them.

use crate::{approval::ApprovalChannel, prelude::*};

text_enum! {
    /// What a token is good for.
    AuthTokenKind {
        /// Exchanging for a new access token and a new refresh token.
        Refresh,
        /// Setting a new password.
        PasswordReset,
        /// Approving or rejecting in reply to a message.
        ApprovalReply,
        /// Answering an escalation in reply to a message: retry, pause or cancel.
        EscalationReply,
    }
}

text_enum! {
    /// What a reply to a message says.
    ReplyDecision {
        /// Go ahead with the brief or the plan.
        Approve,
        /// Do not go ahead; the reason says why.
        Reject,
        /// Do it again, differently; the reason says how.
        Redirect,
        /// Plan again what failed.
        Retry,
        /// Hold what failed for now.
        Pause,
        /// Stop what failed.
        Cancel,
    }
}

/// A token that works once: a session's refresh token, or what a reply to a message proves itself with.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "auth_tokens", rename_all = "camelCase")]
#[graphql(name = "AuthTokenRow")]
pub struct Model {
    /// The token's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it is good for.
    pub kind: AuthTokenKind,
    /// SHA-256 of the token, in hex.
    #[graphql(skip)]
    pub token_hash: Secret<String>,
    /// What a mailed link's token is made of, together with the server's secret; null unless it is mailed.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub link_nonce: Secret<String>,
    /// How often it was tried to mail the link.
    pub delivery_attempts: i32,
    /// When it is tried next to mail the link; null when it is not.
    pub next_delivery_at: Option<Timestamp>,
    /// Why the last try failed; null when it did not, and for what is not mailed.
    pub delivery_error: Option<String>,
    /// The user it was given to.
    pub user_id: Option<Id>,
    /// The kind of thing a reply decides on, such as `PRD`; null for tokens that are no reply.
    pub subject_type: Option<String>,
    /// The thing a reply decides on; null for tokens that are no reply.
    pub subject_id: Option<Id>,
    /// The version of that thing which a reply decides on; null for tokens that are no reply.
    pub subject_version: Option<i32>,
    /// Through what a reply must come; null for tokens that are no reply.
    pub channel: Option<ApprovalChannel>,
    /// From whom a reply must come, in the channel's own terms, such as a Slack user id; null for tokens that are no reply.
    pub channel_identity: Option<String>,
    /// The sign-in that a refresh token descends from: using one twice ends all of them. Null for other kinds.
    pub family_id: Option<Id>,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was used; null while it can be.
    pub consumed_at: Option<Timestamp>,
    /// What the reply said; null before there is one, and for tokens that are no reply.
    pub answer: Option<ReplyDecision>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(AuthToken, secret [TokenHash, LinkNonce], user UserId);
