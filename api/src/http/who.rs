//! Who sends a request, and from where.

use super::{App, host::is_loopback};
use crate::{
    auth::Origin,
    graph::{REFRESH_COOKIE, Visitor},
};
use axum::http::{
    HeaderMap, HeaderName, Method,
    header::{COOKIE, HOST, ORIGIN, USER_AGENT},
};
use cookie::Cookie;
use std::{net::SocketAddr, sync::Arc};

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

/// A cookie's value.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
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
