//! Becoming somebody, and becoming somebody again: these mutations are for those who have no account yet, or lost their
//! password.

use super::{
    prelude::*,
    session::{SessionPayload, Visitor},
};
use crate::auth::{Founding, Joining};
use async_graphql::{InputObject, Object, SimpleObject};

/// The workspace that is founded, and its owner.
#[derive(InputObject, Clone)]
pub struct SignUpInput {
    /// What the workspace is called, 1 to 200 characters.
    workspace_name: String,
    /// By what people name it when they sign in: small letters, digits and dashes, at most 40. Made from the name if not given.
    workspace_slug: Option<String>,
    /// What you are called, 1 to 100 characters.
    name: String,
    /// Your e-mail address, 3 to 254 characters.
    email: String,
    /// Your password, of at least 12 characters.
    password: String,
    /// Hand the session over as cookies, as in `signIn`.
    #[graphql(default)]
    cookies: bool,
}

/// How an invitation is accepted.
#[derive(InputObject, Clone)]
pub struct AcceptInvitationInput {
    /// What stands behind the `#` in the invitation's link.
    token: String,
    /// What you are called, 1 to 100 characters.
    name: String,
    /// Your password, of at least 12 characters.
    password: String,
    /// Hand the session over as cookies, as in `signIn`.
    #[graphql(default)]
    cookies: bool,
}

/// Who lost their password.
#[derive(InputObject, Clone)]
pub struct RequestPasswordResetInput {
    /// The workspace's slug.
    workspace: String,
    /// The e-mail address, in any case.
    email: String,
}

/// What `requestPasswordReset` answers with.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// Always true, whether there is such an account or not.
    requested: bool,
}

/// The new password.
#[derive(InputObject, Clone)]
pub struct ResetPasswordInput {
    /// What stands behind the `#` in the link that was mailed.
    token: String,
    /// The new password, of at least 12 characters.
    new_password: String,
}

/// What `resetPassword` answers with.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// Always true: the password is the new one, and all sessions have ended.
    password_reset: bool,
}

/// The mutations that make an account and begin its first session.
#[derive(Default)]
pub struct JoiningMutation;

#[Object]
impl JoiningMutation {
    /// Founds a workspace and makes you its owner. Needs no token. Not every server lets everybody do this; an address has three
    /// tries a minute.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace and its owner.")] input: SignUpInput,
    ) -> Nullable<SessionPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        if input.cookies {
            visitor.check_own_page()?;
        }
        let founding = Founding {
            workspace: input.workspace_name,
            slug: input.workspace_slug,
            name: input.name,
            email: input.email,
            password: input.password,
        };
        let session = visitor
            .sessions
            .sign_up(founding, &visitor.origin, visitor.in_development)
            .await?;
        Ok(Some(visitor.hand_over(ctx, session, input.cookies)))
    }

    /// Accepts an invitation: makes your account, with the role that it names. Needs no token but the invitation's, which is
    /// good once.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation, and who you are.")] input: AcceptInvitationInput,
    ) -> Nullable<SessionPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        if input.cookies {
            visitor.check_own_page()?;
        }
        let joining = Joining {
            token: input.token,
            name: input.name,
            password: input.password,
        };
        let session = visitor
            .sessions
            .accept_invitation(joining, &visitor.origin)
            .await?;
        Ok(Some(visitor.hand_over(ctx, session, input.cookies)))
    }

    /// Mails a link with which a new password is chosen, good once and for an hour. Needs no token. An address that nobody has is
    /// answered alike. Where the server sends no mail, who runs it sets passwords.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who lost their password.")] input: RequestPasswordResetInput,
    ) -> Nullable<RequestPasswordResetPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        visitor
            .sessions
            .request_password_reset(&input.workspace, &input.email, &visitor.origin)
            .await?;
        Ok(Some(RequestPasswordResetPayload { requested: true }))
    }

    /// Sets a new password with what was mailed, and ends all sessions; sign in with it then. Needs no token but the link's.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new password.")] input: ResetPasswordInput,
    ) -> Nullable<ResetPasswordPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        visitor
            .sessions
            .use_password_reset(&input.token, &input.new_password, &visitor.origin)
            .await?;
        Ok(Some(ResetPasswordPayload {
            password_reset: true,
        }))
    }
}
