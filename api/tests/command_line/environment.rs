//! Settings as compose files, shells and secret files hand them over.

use crate::{serving::Running, text, workgraph};
use std::{fs, net::TcpListener, path::Path};
use tempfile::TempDir;

/// Every variable that the program knows, by its own help.
fn variables() -> Vec<String> {
    let directory = TempDir::new().expect("a directory");
    let help = text(&workgraph(directory.path(), &["--help"], &[]).stdout);
    let named = help.split("[env: ").skip(1);
    let names = named.filter_map(|rest| rest.split(['=', ']']).next());
    names.map(str::to_owned).collect()
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let directory = TempDir::new().expect("a directory");
    let variables = variables();
    assert!(variables.len() > 30, "{variables:?}");
    for name in &variables {
        for value in ["", " ", "\r\n"] {
            let ran = workgraph(directory.path(), &["schema"], &[(name, value)]);
            let said = text(&ran.stderr);
            if name == "WORKGRAPH_SECRET" {
                assert!(!ran.status.success() && said.contains("--secret"), "{said}");
                assert!(said.contains("is empty"), "{said}");
            } else {
                assert!(ran.status.success(), "{name}={value:?}: {said}");
            }
        }
    }
    let others: Vec<_> = variables
        .iter()
        .filter(|name| *name != "WORKGRAPH_SECRET")
        .map(|name| (name.as_str(), ""))
        .collect();
    let migrated = workgraph(directory.path(), &["migrate"], &others);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    assert!(directory.path().join("workgraph.db").exists());
}

/// What a provider of identities calls things, which is its own to say; together with the others it is judged when serving.
const ITS_OWN: [&str; 5] = [
    "WORKGRAPH_OIDC_CLIENT_ID",
    "WORKGRAPH_OIDC_CLIENT_SECRET",
    "WORKGRAPH_OIDC_WORKSPACES",
    "WORKGRAPH_OIDC_ROLE_CLAIM",
    "WORKGRAPH_OIDC_SCOPES",
];

#[test]
fn a_wrong_value_is_refused_by_its_name_and_with_a_right_one() {
    let directory = TempDir::new().expect("a directory");
    for (file, text) in [("workgraph.toml", ""), ("documents.json", "{}")] {
        fs::write(directory.path().join(file), text).expect("writes");
    }
    let run = |name: &str, value: &str| {
        let ran = workgraph(directory.path(), &["schema"], &[(name, value)]);
        (ran.status.success(), text(&ran.stderr))
    };
    for name in variables() {
        let (accepted, said) = run(&name, "no such thing");
        if ITS_OWN.contains(&name.as_str()) {
            continue;
        }
        assert!(!accepted, "{name} may be anything");
        let right = format!("for example {name}=");
        let (_, right) = said.split_once(&right).expect(&said);
        let right = right.trim_end();
        // The shell is to make it.
        if right.starts_with("$(") {
            continue;
        }
        let (accepted, said) = run(&name, right);
        assert!(accepted, "{name}={right}: {said}");
    }
}

#[test]
fn spaces_around_a_value_are_no_part_of_it() {
    let directory = TempDir::new().expect("a directory");
    let secret = format!("{}\n", "k".repeat(32));
    let environment = [
        ("WORKGRAPH_SECRET", secret.as_str()),
        ("DATABASE_URL", "sqlite:./other.db\n"),
        ("WORKGRAPH_LISTEN", " 127.0.0.1:0\r\n"),
        ("WORKGRAPH_DATABASE_CONNECTIONS", "5\r"),
        ("WORKGRAPH_NO_DEMO", "true "),
        (
            "WORKGRAPH_ALLOWED_ORIGINS",
            "https://a.example, https://b.example\n",
        ),
    ];
    let server = Running::start(directory.path(), &environment);
    assert!(server.address.starts_with("127.0.0.1:"));
    assert!(directory.path().join("other.db").exists());
    drop(server);
    let told = workgraph(directory.path(), &["--help"], &environment);
    assert!(!text(&told.stdout).contains("kkkk"), "a secret is shown");
    let wrong = [("WORKGRAPH_LISTEN", "nonsense\n")];
    let refused = workgraph(directory.path(), &["serve"], &wrong);
    assert!(
        text(&refused.stderr).contains("--listen"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn an_ipv6_address_can_be_listened_on() {
    if TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6 has nothing to listen on.
        return;
    }
    let directory = TempDir::new().expect("a directory");
    let server = Running::start(directory.path(), &[("WORKGRAPH_LISTEN", "[::1]:0")]);
    assert!(server.address.starts_with("[::1]:"), "{}", server.address);
    let request = format!(
        "GET /health HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        server.address
    );
    assert!(server.send(&request).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_variable_that_is_no_setting_is_named_once_and_its_value_is_not() {
    let directory = TempDir::new().expect("a directory");
    let environment = [
        ("WORKGRAPH_LISEN", "hush"),
        ("WORKGRAPH_PORT", "8080"),
        ("WORKGRAPH_SKIP_GRAPHIQL", "1"),
        ("WORKGRAPH_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("WORKGRAPH_LOG", "info"),
    ];
    let ran = workgraph(directory.path(), &["migrate"], &environment);
    let said = text(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    assert_eq!(said.matches("WORKGRAPH_LISEN").count(), 1, "{said}");
    assert!(
        said.contains("WORKGRAPH_LISEN, WORKGRAPH_PORT") && !said.contains("hush"),
        "{said}"
    );
    for meant in ["SKIP_GRAPHIQL", "8080", "WORKGRAPH_LOG"] {
        assert!(!said.contains(meant), "{said}");
    }
}

/// What the program says with this file of settings.
fn with_file(directory: &Path, settings: &str) -> (bool, String) {
    fs::write(directory.join("workgraph.toml"), settings).expect("writes");
    let ran = workgraph(
        directory,
        &["schema"],
        &[("WORKGRAPH_CONFIG", "workgraph.toml")],
    );
    (ran.status.success(), text(&ran.stderr))
}

#[test]
fn a_wrong_value_in_a_file_is_told_with_file_key_and_a_line_that_would_be_right() {
    let directory = TempDir::new().expect("a directory");
    fs::write(directory.path().join("documents.json"), "{}").expect("writes");
    for settings in [
        "listen = 8080",
        "no-demo = \"perhaps\"",
        "body_bytes = -1",
        "database-url = \"mysql://x:hush@y\"",
        "database-url = \"postgresql:x:hush@y\"",
        "database-url = \"postgres://x:hush@y/z?sslmode=on\"",
        "allowed-origins = [\"https://a.example\", \"https://b.example/\"]",
        "nats-url = \"hush\"",
        "log = \"loud\"",
        "trusted-documents = \"none.json\"",
    ] {
        let key = settings.split(' ').next().expect("a key");
        let (accepted, said) = with_file(directory.path(), settings);
        assert!(!accepted, "{settings}");
        assert!(
            said.contains(&format!("workgraph.toml: `{key}`: ")),
            "{said}"
        );
        assert!(!said.contains("hush") && !said.contains("--"), "{said}");
        let (_, right) = said.split_once("for example ").expect(&said);
        assert!(right.starts_with(key), "{said}");
        let (accepted, said) = with_file(directory.path(), right);
        assert!(accepted, "{right}: {said}");
    }
    let (_, said) = with_file(directory.path(), "secret = \"short\"");
    assert!(
        said.contains("workgraph.toml: `secret`: ") && said.contains("openssl"),
        "{said}"
    );
    let (_, said) = with_file(directory.path(), "dev = true\nsecret = \"hush");
    assert!(
        said.contains("workgraph.toml, line 2") && !said.contains("hush"),
        "{said}"
    );
    let (accepted, said) = with_file(
        directory.path(),
        "allowed-origins = [\"https://a.example\", \"https://b.example\"]",
    );
    assert!(accepted, "{said}");
}

#[test]
fn a_wrong_address_of_postgresql_is_answered_with_a_right_one() {
    let directory = TempDir::new().expect("a directory");
    for (value, word) in [
        ("postgres://u:hush@h:x/y", "postgres://USER"),
        ("postgresql:hush", "postgres://USER"),
        (
            "postgres://u:hush@h/y?sslmode=on",
            "sslmode is one of disable",
        ),
    ] {
        let refused = workgraph(directory.path(), &["schema"], &[("DATABASE_URL", value)]);
        let said = text(&refused.stderr);
        assert!(said.contains(word) && !said.contains("hush"), "{said}");
        assert!(
            said.contains("example DATABASE_URL=postgres://workgraph"),
            "{said}"
        );
    }
}
