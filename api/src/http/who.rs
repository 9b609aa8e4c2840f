//! Who sends a request, and from where.

use super::{App, host::is_loopback};
use crate::{
    auth::Origin,
    graph::{REFRESH_COOKIE, Visitor},
};
use axum::http::{
    HeaderMap, HeaderName, Method,
    header::{COOKIE, HOST, ORIGIN, USER_AGENT},
    request::Parts,
};
use cookie::Cookie;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Where a proxy says that a request comes from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a browser calls itself is kept to so many characters.
const USER_AGENT_LENGTH: usize = 200;

/// What a request says of its sender, apart from its credentials. What it may do is judged as that of this method.
pub(super) fn visitor(
    app: &App,
    method: &Method,
    parts: &Parts,
    peer: SocketAddr,
    request_id: &str,
) -> Visitor {
    let headers = &parts.headers;
    let user_agent = text(headers, &USER_AGENT);
    let origin = Origin {
        request_id: request_id.to_owned(),
        address: Some(address(app, headers, peer)),
        user_agent: user_agent.map(|name| name.chars().take(USER_AGENT_LENGTH).collect()),
    };
    Visitor {
        sessions: app.sessions.clone(),
        origin: Arc::new(origin),
        refresh_cookie: cookie(headers, REFRESH_COOKIE),
        own_page: is_own_page(app, method, headers),
        in_development: app.is_development(parts, peer),
        secure_cookies: !is_loopback(text(headers, &HOST).unwrap_or_default()),
    }
}

/// Where a request comes from.
pub(super) fn address(app: &App, headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
    let client = || forwarded_for(headers).filter(|_| app.trust_forwarded_for);
    client().unwrap_or(peer.ip())
}

/// The address that the proxy in front put behind all that the client itself may have sent: the last entry of the last
/// line. Nothing when that is no address, so that it was not a proxy's.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(&FORWARDED_FOR).iter().next_back()?;
    let entry = last.as_bytes().rsplit(|byte| *byte == b',').next()?;
    let entry = str::from_utf8(entry).ok()?.trim().trim_matches('"');
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let with_port = || Some(entry.parse::<SocketAddr>().ok()?.ip());
    bare.parse().ok().or_else(with_port)
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_last_entry_of_the_last_line_is_the_proxys() {
        let of = |lines: &[&[u8]]| {
            let lines = lines
                .iter()
                .map(|line| HeaderValue::from_bytes(line).unwrap());
            let headers = lines.map(|line| (FORWARDED_FOR, line)).collect();
            forwarded_for(&headers).map(|address| address.to_string())
        };
        for (lines, address) in [
            (&[&b"203.0.113.7"[..]][..], Some("203.0.113.7")),
            (&[b"198.51.100.1, 203.0.113.7"], Some("203.0.113.7")),
            (&[b"198.51.100.1,203.0.113.7 "], Some("203.0.113.7")),
            (&[b"198.51.100.1", b"203.0.113.7"], Some("203.0.113.7")),
            (
                &[b"198.51.100.1, 198.51.100.2", b"junk", b"203.0.113.7"],
                Some("203.0.113.7"),
            ),
            (&[b"\xff\xfe, 203.0.113.7"], Some("203.0.113.7")),
            (&[b"203.0.113.7:51234"], Some("203.0.113.7")),
            (&[b"2001:db8::7"], Some("2001:db8::7")),
            (&[b"[2001:db8::7]"], Some("2001:db8::7")),
            (&[b"\"[2001:db8::7]:51234\""], Some("2001:db8::7")),
            (&[b"203.0.113.7, unknown"], None),
            (&[b"203.0.113.7", b"\xff"], None),
            (&[b"203.0.113.7,"], None),
            (&[b"999.0.0.1"], None),
            (&[b""], None),
            (&[], None),
        ] {
            assert_eq!(of(lines).as_deref(), address, "{lines:?}");
        }
    }
}
