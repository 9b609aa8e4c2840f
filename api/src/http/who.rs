//! Who sends a request, and from where.

use super::App;
use crate::{
    auth::{Actor, Origin},
    error::{Error, Result},
    graph::{ACCESS_COOKIE, PUBLIC, REFRESH_COOKIE, Visitor},
};
use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use axum::http::{
    HeaderMap, HeaderName, Method,
    header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, USER_AGENT},
};
use cookie::Cookie;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Narrows lists to one project.
const PROJECT: HeaderName = HeaderName::from_static("x-project-id");

/// Where a proxy says that a request comes from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a browser calls itself is kept to so many characters.
const USER_AGENT_LENGTH: usize = 200;

/// What a request says of its sender, apart from its credentials.
pub(super) fn visitor(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    peer: SocketAddr,
    request_id: &str,
) -> Visitor {
    let forwarded = text(headers, &FORWARDED_FOR).filter(|_| app.trust_forwarded_for);
    let client = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    let user_agent = text(headers, &USER_AGENT);
    let origin = Origin {
        request_id: request_id.to_owned(),
        address: Some(client.unwrap_or(peer.ip())),
        user_agent: user_agent.map(|name| name.chars().take(USER_AGENT_LENGTH).collect()),
    };
    Visitor {
        sessions: app.sessions.clone(),
        origin: Arc::new(origin),
        refresh_cookie: cookie(headers, REFRESH_COOKIE),
        own_page: is_own_page(app, method, headers),
        secure_cookies: !is_loopback(text(headers, &HOST).unwrap_or_default()),
    }
}

/// The actor behind a request's credentials: a bearer token, or the cookie of a dashboard's session.
///
/// # Errors
/// [`Error::Unauthenticated`] when there are none or they do not hold, [`Error::Forbidden`] when another site sends the
/// cookie, [`Error::BadUserInput`] when `X-Project-Id` names no project of the workspace.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    visitor: &Visitor,
) -> Result<Actor> {
    let token = match headers.get(AUTHORIZATION) {
        Some(header) => header.to_str().ok().and_then(bearer).ok_or({
            Error::Unauthenticated(
                "The Authorization header holds no bearer token. Send it as `Authorization: Bearer …`.",
            )
        })?,
        None => from_cookie(headers, visitor)?,
    };
    let system = app.store.system();
    let actor = app.sessions.tokens().authenticate(&system, &token).await?;
    let actor = actor.from(visitor.origin.clone());
    let Some(project) = headers.get(&PROJECT) else {
        return Ok(actor);
    };
    let project = project.to_str().unwrap_or_default().into();
    if !system.has_project(actor.tenant(), &project).await? {
        return Err(Error::bad_input(
            "X-Project-Id",
            "the header names no project of your workspace",
        ));
    }
    Ok(actor.in_project(project))
}

fn bearer(header: &str) -> Option<String> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

fn from_cookie(headers: &HeaderMap, visitor: &Visitor) -> Result<String> {
    let token = cookie(headers, ACCESS_COOKIE).ok_or(Error::Unauthenticated(
        "This needs a token. Send it as `Authorization: Bearer …`, or sign in with the mutation signIn.",
    ))?;
    visitor.check_own_page()?;
    Ok(token)
}

/// A browser sends cookies whoever made the page, but it also says which page asks. A GET changes nothing, and other
/// pages cannot read its answer.
fn is_own_page(app: &App, method: &Method, headers: &HeaderMap) -> bool {
    let Some(origin) = text(headers, &ORIGIN) else {
        return method == Method::GET;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(headers, &HOST)
        || app.allowed_origins.iter().any(|allowed| allowed == origin)
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether an operation asks only for what needs no token.
pub(super) fn is_public(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    let mut fragments = document.fragments.len();
    asks_only_public(document, &operation.selection_set.node, &mut fragments)
}

/// `budget` bounds the walk: who spreads more fragments at the root than there are wants more than a session.
fn asks_only_public(document: &ExecutableDocument, set: &SelectionSet, budget: &mut usize) -> bool {
    set.items.iter().all(|item| match &item.node {
        Selection::Field(field) => PUBLIC.contains(&field.node.name.node.as_str()),
        Selection::InlineFragment(fragment) => {
            asks_only_public(document, &fragment.node.selection_set.node, budget)
        }
        Selection::FragmentSpread(spread) => {
            let Some(left) = budget.checked_sub(1) else {
                return false;
            };
            *budget = left;
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.is_none_or(|fragment| {
                asks_only_public(document, &fragment.node.selection_set.node, budget)
            })
        }
    })
}
