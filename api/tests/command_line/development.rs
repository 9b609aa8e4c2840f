//! Development mode: who is handed tokens, and who is not.

use crate::serving::Running;
use tempfile::TempDir;

/// GraphiQL's page, asked for with these headers.
fn page(server: &Running, target: &str, version: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let page = server.send(&format!(
        "GET {target} HTTP/{version}\r\naccept: text/html\r\nconnection: close\r\n{headers}\r\n"
    ));
    assert!(page.starts_with("HTTP/1."), "{page}");
    page
}

/// How many tokens an answer holds.
fn tokens(page: &str) -> usize {
    page.matches("eyJ").count() / 2
}

#[test]
fn only_a_browser_on_the_servers_own_machine_is_handed_tokens() {
    let directory = TempDir::new().expect("a directory");
    let server = Running::start(directory.path(), &[("WORKGRAPH_LISTEN", "127.0.0.1:0")]);
    let (_, port) = server.address.rsplit_once(':').expect("a port");
    for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST"] {
        for host in [format!("host: {host}"), format!("host: {host}:{port}")] {
            assert_eq!(
                tokens(&page(&server, "/graphql", "1.1", &[&host])),
                8,
                "{host}"
            );
        }
    }
    let own = format!("host: localhost:{port}");
    for headers in [
        &["host: workgraph.company.example"][..],
        &["host: localhost.company.example"],
        &["host: 192.0.2.1"],
        &["host: 0.0.0.0"],
        &["host: localhost@company.example"],
        &[&own, "x-forwarded-for: 192.0.2.1"],
        &[&own, "X-Forwarded-Host: company.example"],
        &[&own, "x-forwarded-proto: https"],
        &[&own, "forwarded: for=192.0.2.1"],
        &[&own, "via: 1.1 proxy"],
        &[&own, "x-real-ip: 192.0.2.1"],
        &[&own, "host: company.example"],
    ] {
        assert_eq!(
            tokens(&page(&server, "/graphql", "1.1", headers)),
            0,
            "{headers:?}"
        );
    }
    let rebound = "http://company.example/graphql";
    assert_eq!(
        tokens(&page(&server, rebound, "1.1", &[&own])),
        0,
        "an absolute address"
    );
    assert_eq!(
        tokens(&page(&server, "/graphql", "1.0", &[&own])),
        0,
        "as some proxies ask"
    );
}

#[test]
fn whoever_asks_for_development_mode_has_it_everywhere() {
    let directory = TempDir::new().expect("a directory");
    let environment = [("WORKGRAPH_LISTEN", "0.0.0.0:0"), ("WORKGRAPH_DEV", "true")];
    let server = Running::start(directory.path(), &environment);
    let page = page(
        &server,
        "/graphql",
        "1.1",
        &["host: devbox.company.example"],
    );
    assert_eq!(tokens(&page), 8);
}
