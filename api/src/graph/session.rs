//! Signing in and out. These mutations are for those who have no token yet, or a dying one.

use super::{
    prelude::*,
    write::{Once, Write, mutations},
};
use crate::{
    auth::{self, Action, DEMO_PASSWORD, Origin, Session, Sessions, authorize},
    error::Error,
    store::Tx,
};
use async_graphql::{InputObject, Object, SimpleObject};
use axum::http::header::SET_COOKIE;
use cookie::{Cookie, SameSite};
use entity::{Id, Timestamp, user};

/// The root fields that need no token.
pub(crate) const PUBLIC: [&str; 11] = [
    "acceptInvitation",
    "decideByReply",
    "requestPasswordReset",
    "resetPassword",
    "signUp",
    "signIn",
    "refreshSession",
    "signOut",
    "__typename",
    "__schema",
    "__type",
];

/// Holds the access token of a dashboard's session.
pub(crate) const ACCESS_COOKIE: &str = "workgraph_access";
/// Holds the refresh token of a dashboard's session.
pub(crate) const REFRESH_COOKIE: &str = "workgraph_refresh";

/// Where a request comes from, and what it takes to begin a session there.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) sessions: Sessions,
    pub(crate) origin: Arc<Origin>,
    pub(crate) refresh_cookie: Option<String>,
    /// Whether the page that asks is this server's or one that the operator allowed.
    pub(crate) own_page: bool,
    /// Whether who asks is in development mode, and may be handed the demo.
    pub(crate) in_development: bool,
    pub(crate) secure_cookies: bool,
}

impl Visitor {
    /// Refuses what another site's page makes a browser send.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(crate) fn check_own_page(&self) -> crate::Result<()> {
        if self.own_page {
            return Ok(());
        }
        Err(Error::Forbidden(
            "Cookies are taken from this server's own pages and from allowed origins only. Send a bearer token instead."
                .to_owned(),
        ))
    }

    /// Refuses the demo's password, which everybody knows, to who is not in development mode.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    fn check_demo(&self, password: &str) -> crate::Result<()> {
        if self.in_development || password != DEMO_PASSWORD {
            return Ok(());
        }
        Err(Error::Unauthenticated(
            "Everybody knows the demo's password, so it is good on the server's own machine only. Set another one with \
             `workgraph set-password`.",
        ))
    }

    /// The refresh token that was sent, or the cookie's.
    fn refresh_token(&self, sent: Option<String>) -> crate::Result<(String, bool)> {
        if let Some(token) = sent {
            return Ok((token, false));
        }
        let token = self.refresh_cookie.clone().ok_or_else(|| {
            Error::bad_input(
                "refreshToken",
                "is needed, unless the session is in a cookie",
            )
        })?;
        self.check_own_page()?;
        Ok((token, true))
    }

    /// Hands a session over: as cookies, which then hide its tokens, or as it is.
    pub(super) fn hand_over(
        &self,
        ctx: &Context<'_>,
        session: Session,
        as_cookies: bool,
    ) -> SessionPayload {
        if as_cookies {
            self.set_cookies(ctx, Some(&session));
        }
        let shown = |token: String| (!as_cookies).then_some(token);
        SessionPayload {
            access_token: shown(session.access_token),
            access_token_expires_at: session.access_token_expires_at,
            refresh_token: shown(session.refresh_token),
            refresh_token_expires_at: session.refresh_token_expires_at,
        }
    }

    /// Sets both cookies, or clears them.
    fn set_cookies(&self, ctx: &Context<'_>, session: Option<&Session>) {
        for cookie in self.session_cookies(session) {
            ctx.append_http_header(SET_COOKIE, cookie);
        }
    }

    /// Both cookies of a session, or what clears them.
    pub(crate) fn session_cookies(&self, session: Option<&Session>) -> [String; 2] {
        let cookies = [
            (
                ACCESS_COOKIE,
                session.map(|s| (&s.access_token, s.access_token_expires_at)),
            ),
            (
                REFRESH_COOKIE,
                session.map(|s| (&s.refresh_token, s.refresh_token_expires_at)),
            ),
        ];
        cookies.map(|(name, value)| {
            let (token, expires) = value.map_or(
                ("", "Thu, 01 Jan 1970 00:00:00 GMT".to_owned()),
                |(token, at)| {
                    (
                        token,
                        at.inner().format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
                    )
                },
            );
            let cookie = Cookie::build((name, token))
                .path("/graphql")
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(self.secure_cookies)
                .build();
            format!("{cookie}; Expires={expires}")
        })
    }
}

/// Who signs in, and how the session is handed over.
#[derive(InputObject, Clone)]
pub struct SignInInput {
    /// The workspace's slug.
    workspace: String,
    /// The e-mail address, in any case.
    email: String,
    /// The password.
    password: String,
    /// For a dashboard in a browser: hand the session over as HttpOnly cookies, which no script can read. The tokens in
    /// the answer are null then.
    #[graphql(default)]
    cookies: bool,
}

/// Which session goes on. Send `{}` when it is in cookies.
#[derive(InputObject, Clone)]
pub struct RefreshSessionInput {
    /// The session's latest refresh token; left out, the cookie's.
    refresh_token: Option<String>,
}

/// Which session ends.
#[derive(InputObject, Clone)]
pub struct SignOutInput {
    /// The session's latest refresh token; left out, the cookie's.
    refresh_token: Option<String>,
}

/// The passwords.
#[derive(InputObject, Clone)]
pub struct ChangePasswordInput {
    /// The password as it is.
    current_password: String,
    /// The new one, of at least 12 characters.
    new_password: String,
    /// Hand the new session over as cookies, as in `signIn`.
    #[graphql(default)]
    cookies: bool,
}

/// A session, just begun or continued. Its tokens are shown once.
#[derive(SimpleObject)]
pub struct SessionPayload {
    /// To be sent as `Authorization: Bearer …`; null when it went into a cookie.
    access_token: Option<String>,
    /// When it stops working, 15 minutes from now. Refresh the session before.
    access_token_expires_at: Timestamp,
    /// Good for one `refreshSession`; null when it went into a cookie.
    refresh_token: Option<String>,
    /// When the session ends unless it is refreshed, 7 days from now.
    refresh_token_expires_at: Timestamp,
}

/// What `signOut` answers with.
#[derive(SimpleObject)]
pub struct SignOutPayload {
    /// Always true: whatever the token was, it opens nothing any more.
    signed_out: bool,
}

/// The mutations of this file that take no token, and those that hand out a new one.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Begins a session. Needs no token. A wrong password and an unknown address are answered alike; an address has a
    /// few tries a minute.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> Nullable<SessionPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        visitor.check_demo(&input.password)?;
        if input.cookies {
            visitor.check_own_page()?;
        }
        let session = visitor
            .sessions
            .sign_in(
                &input.workspace,
                &input.email,
                &input.password,
                &visitor.origin,
            )
            .await?;
        Ok(Some(visitor.hand_over(ctx, session, input.cookies)))
    }

    /// Goes on with a session whose access token ends soon, or has ended: takes the refresh token that `signIn`, or the
    /// `refreshSession` before, answered with, and answers with new ones of both. Needs no access token. Keep the new
    /// refresh token in place of the old: each works once, and one that comes again ends its session, because somebody
    /// else holds a copy.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: RefreshSessionInput,
    ) -> Nullable<SessionPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        let (token, from_cookie) = visitor.refresh_token(input.refresh_token)?;
        let session = visitor.sessions.refresh(&token, &visitor.origin).await?;
        Ok(Some(visitor.hand_over(ctx, session, from_cookie)))
    }

    /// Ends a session: its refresh token stops at once, its access token within 15 minutes. `signOutEverywhere` stops
    /// both at once.
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: SignOutInput,
    ) -> Nullable<SignOutPayload> {
        let visitor = ctx.data_unchecked::<Visitor>();
        let (token, from_cookie) = visitor.refresh_token(input.refresh_token)?;
        visitor.sessions.sign_out(&token, &visitor.origin).await?;
        if from_cookie {
            visitor.set_cookies(ctx, None);
        }
        Ok(Some(SignOutPayload { signed_out: true }))
    }

    /// Changes your password, ends all your sessions and begins a new one.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passwords.")] input: ChangePasswordInput,
    ) -> Nullable<SessionPayload> {
        let actor = ctx.scope().actor();
        authorize(actor, Action::EditAccount)?;
        let visitor = ctx.data_unchecked::<Visitor>();
        if input.cookies {
            visitor.check_own_page()?;
        }
        let session = visitor
            .sessions
            .change_password(actor, &input.current_password, &input.new_password)
            .await?;
        Ok(Some(visitor.hand_over(ctx, session, input.cookies)))
    }
}

/// Whose sessions end.
#[derive(InputObject, Clone)]
pub struct SignOutEverywhereInput {
    /// Whose; left out, your own. Other people's sessions are for admins to end, an owner's for owners.
    user_id: Option<Id>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SignOutEverywhereInput {
    type Entity = user::Entity;
    const ACTION: Action = Action::EditAccount;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<user::Model> {
        let actor = tx.scope().actor();
        let id = self.user_id.as_ref().or(actor.user_id());
        let user = match id {
            Some(id) => tx.get::<user::Entity>(id).await?,
            None => {
                return Err(Error::bad_input(
                    "userId",
                    "is needed: only people have sessions",
                ));
            }
        };
        if actor.user_id() != Some(&user.id) {
            authorize(actor, Action::ManagePeople)?;
            if user.role == user::UserRole::Owner {
                authorize(actor, Action::ManageOwners)?;
            }
        }
        auth::end_all(tx, &user).await
    }
}

mutations! {
    SessionsMutation {
        /// Ends all sessions of a person at once, on every device. What was sent to them to decide by reply is void, too.
        sign_out_everywhere(SignOutEverywhereInput) -> SignOutEverywherePayload { user: User };
    }
}
