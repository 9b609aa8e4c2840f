//! The server as it runs: what it prints, what it answers, and how it ends.

use crate::{command, text, workgraph};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

/// A server that is ended with its test.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    errors: PathBuf,
    /// Where it listens, as `host:port`.
    pub address: String,
}

impl Running {
    /// Starts the program in a directory, and waits until it listens.
    pub fn start(directory: &Path, environment: &[(&str, &str)]) -> Self {
        let errors = directory.join("errors.log");
        let log = File::create(&errors).expect("makes");
        let mut child = command(directory, &[], environment)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("is piped"));
        let address = loop {
            let mut line = String::new();
            let length = lines.read_line(&mut line).expect("text");
            let log = || fs::read_to_string(&errors).unwrap_or_default();
            assert!(length > 0, "it ends before it listens: {}", log());
            if let Some((_, address)) = line.split_once("http://") {
                break address.trim_end().trim_end_matches("/graphql").to_owned();
            }
        };
        Self {
            child,
            lines,
            errors,
            address,
        }
    }

    /// Sends a request as it is written, and returns the whole answer.
    pub fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("listens");
        stream.write_all(request.as_bytes()).expect("sends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        answer
    }

    /// Sends an operation as it is written, and returns the whole answer.
    pub fn post(&self, token: &str, query: &str) -> String {
        let body = serde_json::json!({ "query": query }).to_string();
        self.send(&format!(
            "POST /graphql HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            token.trim(),
            body.len()
        ))
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.errors).expect("is there")
    }

    /// Tells it to stop; whether it ended well.
    pub fn stop(mut self) -> bool {
        let told = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        told.expect("is told").success() && self.child.wait().expect("ends").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serving_prints_where_and_for_whom_and_stops_when_told() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("workgraph.toml");
    fs::write(file, "listen = \"127.0.0.1:0\"").expect("writes");
    let mut server = Running::start(directory.path(), &[("WORKGRAPH_CONFIG", "workgraph.toml")]);
    for role in ["owner", "admin", "member", "viewer"]
        .iter()
        .cycle()
        .take(8)
    {
        let mut line = String::new();
        server.lines.read_line(&mut line).expect("text");
        assert!(
            line.contains(role) && line.matches('.').count() == 2,
            "{line}"
        );
    }
    let answer = server.send(&format!(
        "GET /health HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        server.address
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.stop(), "it ends well");
}

#[test]
fn without_the_demo_an_empty_database_stays_empty() {
    let directory = TempDir::new().expect("a directory");
    let environment = [
        ("WORKGRAPH_LISTEN", "127.0.0.1:0"),
        ("WORKGRAPH_NO_DEMO", "true"),
    ];
    drop(Running::start(directory.path(), &environment));
    assert!(text(&workgraph(directory.path(), &["seed"], &[]).stdout).contains("in place"));
}

#[test]
fn the_log_says_what_was_asked_by_whom_and_what_it_was_refused_for() {
    let directory = TempDir::new().expect("a directory");
    let directory = directory.path();
    let server = Running::start(directory, &[("WORKGRAPH_LISTEN", "127.0.0.1:0")]);
    let token = text(&workgraph(directory, &["token"], &[]).stdout);
    server.post(&token, "query Mine { viewer { user { id } } }");
    server.post(
        &token,
        "query Theirs { project(id: \"nobody\") { unknown } }",
    );
    server.send(&format!(
        "GET /graphql?query=query%20Sent%20%7BfeedCursor%7D&operationName=Sent HTTP/1.1\r\nhost: {}\r\n\
         connection: close\r\nauthorization: Bearer {}\r\n\r\n",
        server.address,
        token.trim(),
    ));
    // Whichever way it is answered.
    let types = "__schema { types { name description fields { name description args { name description } } } }";
    server.post(
        &token,
        &format!("query Large {{ {types} projects(first: 201) {{ totalCount }} }}"),
    );
    server.send(&format!(
        "GET /graphql?query=query%20Stream%20%7B%20projects(first:%20201)%20%7B%20totalCount%20%7D%20%7D HTTP/1.1\r\n\
         host: {}\r\nconnection: close\r\nauthorization: Bearer {}\r\naccept: text/event-stream\r\n\r\n",
        server.address,
        token.trim(),
    ));
    let log = server.log();
    let line = |of: &str| {
        log.lines()
            .find(|line| line.contains(of))
            .unwrap_or_default()
    };
    assert!(line("operation=\"Mine\"").contains("actor=\""), "{log}");
    assert!(!line("operation=\"Mine\"").contains("code="), "{log}");
    assert!(
        line("code=\"GRAPHQL_VALIDATION_FAILED\"").contains("200"),
        "{log}"
    );
    assert_eq!(line("\"Sent\"").matches("operation=").count(), 1, "{log}");
    for name in ["Large", "Stream"] {
        assert!(
            line(&format!("operation=\"{name}\"")).contains("code=\"LIMIT_EXCEEDED\""),
            "{log}"
        );
    }
}

#[test]
fn a_workspace_of_ones_own_has_roles_to_give_work_to() {
    let directory = TempDir::new().expect("a directory");
    let directory = directory.path();
    let found = [
        "create-workspace",
        "--name",
        "Ours",
        "--owner-email",
        "owner@ours.example",
    ];
    assert!(workgraph(directory, &found, &[]).status.success());
    let token = workgraph(directory, &["token", "--workspace", "ours"], &[]);
    let token = text(&token.stdout);
    let server = Running::start(
        directory,
        &[
            ("WORKGRAPH_LISTEN", "127.0.0.1:0"),
            ("WORKGRAPH_NO_DEMO", "true"),
        ],
    );
    let ask = |query: &str| server.post(&token, query);
    let projects = ask("{ projects { nodes { id } } }");
    let (_, id) = projects.split_once("\"id\":\"").expect("a project");
    let id = id.split('"').next().expect("an id");
    let made = ask(&format!(
        "mutation {{ createTicket(input: {{ projectId: \"{id}\", title: \"First\", roleSlug: \"dev_agent\" }}) \
         {{ ticket {{ status }} }} }}"
    ));
    assert!(made.contains(r#"{"ticket":{"status":"READY"}}"#), "{made}");
    let again = workgraph(directory, &["migrate"], &[]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    let roles = ask("{ agentRoles { totalCount } skillPackages { totalCount } }");
    assert!(
        roles.contains(r#""agentRoles":{"totalCount":7}"#),
        "{roles}"
    );
}

#[test]
fn nats_out_of_reach_is_told_once_with_address_and_setting() {
    let directory = TempDir::new().expect("a directory");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let url = format!("nats://u:hush@{address}");
    let server = Running::start(
        directory.path(),
        &[("WORKGRAPH_LISTEN", "127.0.0.1:0"), ("NATS_URL", &url)],
    );
    // Whoever comes is sent away, time and again.
    for _ in 0..8 {
        drop(listener.accept().expect("a try"));
    }
    let log = server.log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("NATS")).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(
        told[0].contains(&address) && told[0].contains("NATS_URL"),
        "{log}"
    );
    assert!(
        !log.contains("async_nats") && !log.contains("hush"),
        "{log}"
    );
}
