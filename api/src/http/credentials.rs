//! What a client says to prove who it is, out of headers or out of a WebSocket's first message.

use super::{App, who};
use crate::{
    auth::Actor,
    error::{Error, Result},
    graph::{ACCESS_COOKIE, Visitor},
    store::System,
};
use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use entity::{Id, Timestamp};
use serde_json::{Map, Value};

/// Narrows lists to one project.
const PROJECT: HeaderName = HeaderName::from_static("x-project-id");
const NO_BEARER: Error = Error::Unauthenticated(
    "The Authorization header holds no bearer token. Send it as `Authorization: Bearer …`.",
);

const TWO_BEARERS: Error = Error::Unauthenticated("There are two Authorization headers. Send one.");

/// A token that is not checked yet, and the project that its holder is at work in.
#[derive(Clone)]
pub(super) struct Credentials {
    token: String,
    project: Option<Id>,
}

impl Credentials {
    /// Takes a bearer token, or the cookie of a dashboard's session.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when there is neither, [`Error::Forbidden`] when another site sends the cookie.
    pub(super) fn from_headers(headers: &HeaderMap, visitor: &Visitor) -> Result<Self> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let token = match (given.next(), given.next()) {
            // Who stands in front might read the other one.
            (Some(_), Some(_)) => return Err(TWO_BEARERS),
            (Some(header), None) => header.to_str().ok().and_then(bearer).ok_or(NO_BEARER)?,
            (None, _) => from_cookie(headers, visitor)?,
        };
        let project = headers.get(&PROJECT);
        let project = project.map(|id| id.to_str().unwrap_or_default().into());
        Ok(Self { token, project })
    }

    /// Takes them from the payload of `connection_init`, `{authorization, projectId}`; what is not in it, from those of
    /// the upgrade's headers.
    ///
    /// # Errors
    /// As [`Credentials::from_headers`].
    pub(super) fn from_payload(
        payload: &Map<String, Value>,
        upgrade: Result<Self>,
    ) -> Result<Self> {
        let mut credentials = match in_payload(payload) {
            Some(token) => Self {
                token: token?,
                project: None,
            },
            None => upgrade?,
        };
        let project = field(payload, "projectId").or_else(|| field(payload, PROJECT.as_str()));
        if let Some(project) = project.filter(|project| !project.is_null()) {
            credentials.project = Some(project.as_str().unwrap_or_default().into());
        }
        Ok(credentials)
    }

    /// The same at work, with the token of a payload; none if it has none.
    pub(super) fn renewed(&self, payload: &Map<String, Value>) -> Option<Result<Self>> {
        let token = in_payload(payload)?;
        Some(token.map(|token| Self {
            token,
            project: self.project.clone(),
        }))
    }

    /// The actor who holds the token, for one operation: what is known of them may be two seconds old.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the token does not hold, [`Error::BadUserInput`] when there is no such project in
    /// the workspace, or the token is for others only.
    pub(super) async fn authenticate_once(&self, app: &App, visitor: &Visitor) -> Result<Actor> {
        let entrance = app.store.entrance(visitor.origin.address).remembering();
        Ok(self.actor(app, visitor, &entrance).await?.0)
    }

    /// The actor who holds the token, as the database knows them now, and when the token ends, if it does.
    ///
    /// # Errors
    /// As [`Credentials::authenticate_once`].
    pub(super) async fn authenticate(
        &self,
        app: &App,
        visitor: &Visitor,
    ) -> Result<(Actor, Option<Timestamp>)> {
        let entrance = app.store.entrance(visitor.origin.address);
        self.actor(app, visitor, &entrance).await
    }

    async fn actor(
        &self,
        app: &App,
        visitor: &Visitor,
        entrance: &System,
    ) -> Result<(Actor, Option<Timestamp>)> {
        let tokens = app.sessions.tokens();
        let (actor, until) = tokens.authenticate_until(entrance, &self.token).await?;
        let actor = actor.from(visitor.origin.clone());
        let Some(project) = &self.project else {
            return Ok((actor, until));
        };
        let known = actor.knows_project(project);
        if !known || !entrance.has_project(actor.tenant(), project).await? {
            return Err(Error::bad_input(
                "X-Project-Id",
                "the header must be the id, not the slug, of a project of your workspace",
            ));
        }
        Ok((actor.in_project(project.clone()), until))
    }
}

/// The token of a payload, if it speaks of one.
fn in_payload(payload: &Map<String, Value>) -> Option<Result<String>> {
    let header = field(payload, AUTHORIZATION.as_str())?;
    Some(header.as_str().and_then(bearer).ok_or(NO_BEARER))
}

/// A field of a payload; clients write the names of headers in any case.
fn field<'p>(payload: &'p Map<String, Value>, name: &str) -> Option<&'p Value> {
    let mut fields = payload.iter();
    let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn bearer(header: &str) -> Option<String> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

fn from_cookie(headers: &HeaderMap, visitor: &Visitor) -> Result<String> {
    let token = who::cookie(headers, ACCESS_COOKIE).ok_or(Error::Unauthenticated(
        "This needs a token. Send it as `Authorization: Bearer …`, or sign in with the mutation signIn.",
    ))?;
    visitor.check_own_page()?;
    Ok(token)
}
