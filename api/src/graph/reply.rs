//! Decisions by reply to a message.

use super::prelude::*;
use super::{
    constraints::length,
    session::Visitor,
    write::{Once, Write, mutations},
};
use crate::{
    auth::Action,
    store::{Tx, retried},
    workflow::{self, Addressee, Reply},
};
use async_graphql::{Enum, InputObject, Object, SimpleObject};
use entity::{
    Id,
    approval::ApprovalChannel,
    auth_token::{self, ReplyDecision},
};

/// What a reply decides on.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "workflow::ReplySubject")]
pub enum ReplySubject {
    /// A brief.
    Brief,
    /// An execution plan.
    Plan,
}

/// What a message asks to decide, and whom.
#[derive(InputObject, Clone)]
pub struct CreateReplyTokenInput {
    /// What kind of thing is decided on.
    subject_type: ReplySubject,
    /// The brief that waits for approval, or the plan that waits for approval or has failed.
    subject_id: Id,
    /// Through what the message is sent.
    channel: ApprovalChannel,
    /// What you are called there, such as a Slack user id: 1 to 320 characters. The reply must come from there.
    #[graphql(directive = length::apply(1, 320))]
    channel_identity: String,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateReplyTokenInput {
    type Entity = auth_token::Entity;
    const ACTION: Action = Action::Decide;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<auth_token::Model> {
        let to = Addressee {
            channel: self.channel,
            identity: self.channel_identity,
        };
        workflow::invite(tx, self.subject_type.into(), &self.subject_id, to).await
    }
}

mutations! { ReplyTokenMutation {
    /// Makes a token with which you decide one thing by reply to a message: good once, for 7 days, for the version as it is
    /// now, from the channel that you name and in your name.
    create_reply_token(CreateReplyTokenInput) -> CreateReplyTokenPayload {
        auth_token: AuthToken,
        /// The token itself, shown this once: null when the answer is repeated.
        once token
    };
} }

/// A reply to a message.
#[derive(InputObject, Clone)]
pub struct DecideByReplyInput {
    /// The message's token.
    token: String,
    /// What the reply says.
    decision: ReplyDecision,
    /// Why, 1 to 5,000 characters; needed to reject and to redirect.
    #[graphql(directive = length::apply(1, 5000))]
    reason: Option<String>,
    /// Who replied, in the channel's own terms: whom the message was sent to.
    #[graphql(directive = length::apply(1, 320))]
    channel_identity: String,
    /// A link to the reply, at most 2,000 characters.
    #[graphql(directive = length::apply(1, 2000))]
    message_link: Option<String>,
}

/// What came of a reply.
#[derive(SimpleObject)]
pub struct DecideByReplyPayload {
    /// What kind of thing was decided on, such as `PRD`.
    subject_type: String,
    /// What was decided on.
    subject_id: Id,
    /// Its status now, as its type's enum writes it, such as `APPROVED`; still `PENDING_APPROVAL` while others must approve, too.
    status: String,
}

/// The mutation that takes a message's token in place of a session.
#[derive(Default)]
pub struct ReplyMutation;

#[Object]
impl ReplyMutation {
    /// Decides by reply to a message. Needs no access token: the message's own is good once, for its version, and from whom
    /// it was sent to. The same reply again decides nothing and is answered with the status by then.
    async fn decide_by_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reply.")] input: DecideByReplyInput,
    ) -> Nullable<DecideByReplyPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        let (token, scope) = visitor
            .sessions
            .reply(&input.token, &visitor.origin)
            .await?;
        let reply = Reply {
            decision: input.decision,
            reason: input.reason,
            identity: input.channel_identity,
            message_link: input.message_link,
        };
        let outcome = retried(|| async {
            let mut tx = scope.begin().await?;
            tx.check_account().await?;
            let outcome = workflow::decide_by_reply(&mut tx, &token.id, reply.clone()).await?;
            tx.commit().await?;
            Ok(outcome)
        });
        let outcome = outcome.await?;
        Ok(Some(DecideByReplyPayload {
            subject_type: outcome.subject_type.to_owned(),
            subject_id: outcome.subject,
            status: outcome.status,
        }))
    }
}
