//! The two doors of signing in through a provider: where a browser begins, and where the provider sends it back. Both answer with
//! a redirect: on, to the dashboard with a session in cookies, or to the dashboard's page for signing in, with a word for why not.

use super::{App, not_found, refusals::DidNotRun, request_id::RequestId, who};
use crate::{
    auth::{Answered, Failure, GOOD_FOR, OidcSettings},
    error::Error,
    graph::Visitor,
};
use axum::{
    Extension,
    extract::{ConnectInfo, Query, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, LOCATION, SET_COOKIE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use cookie::{Cookie, SameSite, time::Duration};
use serde::Deserialize;
use std::net::SocketAddr;

/// What a browser begins with.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    /// The workspace's slug; need not be said where there is one only.
    workspace: Option<String>,
    /// The path of the dashboard's page to come to.
    return_to: Option<String>,
}

/// What the provider sends it back with.
#[derive(Default, Deserialize)]
struct SentBack {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// `/auth/oidc/start`: sends a browser to the provider.
pub(super) async fn start(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: Parts,
) -> Response {
    let Some(provider) = app.sessions.provider() else {
        return not_found(Extension(request_id)).await;
    };
    let visitor = who::visitor(&app, &parts.method, &parts, peer, &request_id.0);
    // What cannot be read says nothing.
    let asked = Query::<Asked>::try_from_uri(&parts.uri)
        .unwrap_or_default()
        .0;
    let begun = app.sessions.begin_through_provider(
        asked.workspace.as_deref(),
        asked.return_to.as_deref(),
        &visitor.origin,
    );
    match begun.await {
        Ok(begun) => {
            let cookie = attempt(&visitor, begun.cookie, GOOD_FOR.num_seconds());
            redirect(begun.door.as_str(), &[cookie])
        }
        Err(failure) => refusal(provider, &visitor, &failure),
    }
}

/// `/auth/oidc/callback`: begins a session of whom the provider sends back.
pub(super) async fn callback(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: Parts,
) -> Response {
    let Some(provider) = app.sessions.provider() else {
        return not_found(Extension(request_id)).await;
    };
    let visitor = who::visitor(&app, &parts.method, &parts, peer, &request_id.0);
    let sent = Query::<SentBack>::try_from_uri(&parts.uri)
        .unwrap_or_default()
        .0;
    let answered = Answered {
        state: sent.state,
        code: sent.code,
        error: sent.error,
        issuer: sent.iss,
    };
    let cookie = who::cookie(&parts.headers, cookie_name(&visitor));
    let ended = app
        .sessions
        .end_through_provider(cookie.as_deref(), answered, &visitor.origin);
    match ended.await {
        Ok((session, page)) => {
            let mut cookies = visitor.session_cookies(Some(&session)).to_vec();
            cookies.push(attempt(&visitor, String::new(), 0));
            redirect(page.as_str(), &cookies)
        }
        Err(failure) => refusal(provider, &visitor, &failure),
    }
}

/// Sends a browser to the page for signing in, which tells why by a word.
fn refusal(provider: &OidcSettings, visitor: &Visitor, failure: &Failure) -> Response {
    match failure {
        Failure::Failed(Error::Internal(cause)) => cause.log("signing in through the provider"),
        Failure::Failed(_) | Failure::Refused(_) => {}
    }
    tracing::info!(
        code = failure.code(),
        "nobody is let in through the identity provider"
    );
    let page = provider.refusal(failure.code());
    let mut response = redirect(page.as_str(), &[attempt(visitor, String::new(), 0)]);
    response.extensions_mut().insert(DidNotRun);
    response
}

/// What the cookie of an attempt is called. A browser that speaks HTTPS takes one by the longer name from this host alone, so that
/// no neighbour of it has somebody come in as somebody else.
fn cookie_name(visitor: &Visitor) -> &'static str {
    match visitor.secure_cookies {
        true => "__Host-workgraph_oidc",
        false => "workgraph_oidc",
    }
}

/// The cookie of an attempt. It goes along when the provider's page sends the browser back, so it cannot be a strict one.
fn attempt(visitor: &Visitor, value: String, seconds: i64) -> String {
    Cookie::build((cookie_name(visitor), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(visitor.secure_cookies)
        .max_age(Duration::seconds(seconds))
        .build()
        .to_string()
}

fn redirect(to: &str, cookies: &[String]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let named = |name: HeaderName, value: &str| Some((name, HeaderValue::from_str(value).ok()?));
    let cookies = cookies
        .iter()
        .filter_map(|cookie| named(SET_COOKIE, cookie));
    for (name, value) in cookies.chain(named(LOCATION, to)) {
        headers.append(name, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
