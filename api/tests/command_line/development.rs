//! Development mode: who is handed tokens, and who is not.

use crate::{command, serving::Running};
use std::{io::Write, path::Path, process::Stdio};
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

/// What the demo's owner is answered who signs in with this password in a request with these headers.
fn sign_in(server: &Running, password: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let input =
        format!(r#"workspace: \"demo\", email: \"owner@demo.example\", password: \"{password}\""#);
    let body =
        format!(r#"{{"query": "mutation {{ signIn(input: {{ {input} }}) {{ accessToken }} }}"}}"#);
    server.send(&format!(
        "POST /graphql HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    ))
}

fn set_password(directory: &Path, password: &str) {
    let arguments = ["set-password", "--email", "owner@demo.example"];
    let mut child = command(directory, &arguments, &[]);
    let mut child = child
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("is piped");
    stdin.write_all(password.as_bytes()).expect("sends");
    drop(stdin);
    assert!(child.wait().expect("ends").success());
}

#[test]
fn the_demos_password_opens_nothing_through_a_proxy() {
    let directory = TempDir::new().expect("a directory");
    let server = Running::start(directory.path(), &[("WORKGRAPH_LISTEN", "127.0.0.1:0")]);
    let proxied: [&[&str]; 3] = [
        &["host: workgraph.company.example"],
        &["host: localhost", "x-forwarded-for: 192.0.2.1"],
        &["host: localhost", "via: 1.1 proxy"],
    ];
    for headers in proxied {
        let answer = sign_in(&server, "workgraph-demo", headers);
        assert!(
            answer.contains("UNAUTHENTICATED") && tokens(&answer) == 0,
            "{headers:?}: {answer}"
        );
    }
    assert_eq!(
        tokens(&sign_in(&server, "workgraph-demo", &["host: localhost"])),
        1
    );
    set_password(directory.path(), "nobody else knows this");
    assert_eq!(
        tokens(&sign_in(&server, "nobody else knows this", proxied[0])),
        1
    );
}
