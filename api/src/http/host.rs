//! Whether a request was made on this machine, to an address that only this machine has.

use axum::http::{HeaderMap, HeaderName, Version, header, request::Parts};
use std::net::{IpAddr, SocketAddr};

/// What proxies add to the requests that they pass on.
const PROXIED: [HeaderName; 3] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
];

/// How the other headers of proxies begin.
const FORWARDED: &str = "x-forwarded-";

/// Whether somebody at this machine asks, without a proxy between: the peer and every name of the host in the request
/// are loopback ones.
///
/// A page elsewhere whose name was pointed at this machine (DNS rebinding) still sends its own name. A proxy beside the
/// server sends the name its visitors use, or says that it forwards; a few send neither and speak HTTP/1.0.
pub(super) fn is_own_machine(request: &Parts, peer: SocketAddr) -> bool {
    let mut hosts = request.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let named = host.to_str().is_ok_and(is_loopback);
    let addressed = request.uri.authority();
    peer.ip().to_canonical().is_loopback()
        && named
        && addressed.is_none_or(|authority| is_loopback(authority.as_str()))
        && request.version >= Version::HTTP_11
        && !is_proxied(&request.headers)
}

fn is_proxied(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| PROXIED.contains(name) || name.as_str().starts_with(FORWARDED))
}

/// Whether a host, with or without a port, is this machine for whoever says so: `localhost`, `127.0.0.0/8`, `[::1]`.
pub(super) fn is_loopback(host: &str) -> bool {
    let parts = match host.strip_prefix('[') {
        Some(address) => address.split_once(']'),
        None => Some(host.split_at(host.find(':').unwrap_or(host.len()))),
    };
    let Some((name, port)) = parts else {
        return false;
    };
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        && (name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn asked(peer: &str, uri: &str, version: Version, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::get(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        is_own_machine(&parts, peer.parse().expect("an address"))
    }

    #[test]
    fn hosts_of_this_machine_are_told_from_others() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.1.2.3:1",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":8080",
            "workgraph.company.example",
            "localhost.company.example:8080",
            "127.0.0.1.nip.example",
            "localhost@company.example",
            "company.example@localhost",
            "10.0.0.1",
            "0.0.0.0:8080",
            "[::]:8080",
            "[::1].company.example",
            "localhost, company.example",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn only_this_machine_itself_is_trusted() {
        let (here, page) = ("127.0.0.1:5000", "/graphql");
        let host = ("host", "localhost:8080");
        assert!(asked(here, page, Version::HTTP_11, &[host]));
        assert!(asked(
            "[::1]:5",
            page,
            Version::HTTP_11,
            &[("host", "[::1]")]
        ));
        let absolute = "http://localhost:8080/graphql";
        assert!(asked(here, absolute, Version::HTTP_11, &[host]));

        assert!(!asked("192.0.2.1:5", page, Version::HTTP_11, &[host]));
        assert!(!asked(here, page, Version::HTTP_10, &[host]));
        assert!(!asked(here, page, Version::HTTP_11, &[]));
        assert!(!asked(here, page, Version::HTTP_11, &[host, host]));
        let elsewhere = "http://company.example/graphql";
        assert!(!asked(here, elsewhere, Version::HTTP_11, &[host]));
        for header in [
            "forwarded",
            "via",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
        ] {
            let proxied = [host, (header, "anything")];
            assert!(!asked(here, page, Version::HTTP_11, &proxied), "{header}");
        }
    }
}
