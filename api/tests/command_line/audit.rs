//! The lines about the ledger in the log.

use crate::{serving::Running, text, workgraph};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Sends an operation and returns the answer.
fn send(server: &Running, token: &str, query: &str) -> Value {
    let (address, body) = (&server.address, json!({ "query": query }).to_string());
    let answer = server.send(&format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    let json = answer.find('{').zip(answer.rfind('}'));
    let json = json
        .map(|(from, to)| &answer[from..=to])
        .unwrap_or_default();
    serde_json::from_str(json).expect(&answer)
}

/// Makes writing down an answer fail, and returns the demo's id.
fn plant(directory: &Path) -> String {
    let url = format!("sqlite:{}", directory.join("workgraph.db").display());
    let runtime = workgraph::server::runtime().expect("a runtime");
    runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await.expect("connects");
        let trigger = "CREATE TRIGGER planted BEFORE INSERT ON idempotency_keys BEGIN SELECT RAISE(ABORT, 'planted'); END";
        connection.execute_unprepared(trigger).await.expect("is planted");
        let tenant = Statement::from_string(DbBackend::Sqlite, "SELECT id FROM tenants WHERE slug = 'demo'");
        let row = connection.query_one_raw(tenant).await.expect("reads").expect("is seeded");
        connection.close().await.expect("closes");
        row.try_get("", "id").expect("an id")
    })
}

#[test]
fn what_is_committed_is_a_line_with_its_workspace_and_what_is_not_is_none() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    workgraph(path, &["seed"], &[]);
    let tenant = plant(path);
    let token = text(&workgraph(path, &["token"], &[]).stdout);
    let settings = [
        ("WORKGRAPH_LISTEN", "127.0.0.1:0"),
        ("WORKGRAPH_LOG_JSON", "true"),
    ];
    let server = Running::start(path, &settings);
    let create = |name: &str, key: &str| {
        format!(
            "mutation {{ createProject(input: {{ name: \"{name}\"{key} }}) {{ project {{ id }} }} }}"
        )
    };
    let rolled_back = send(
        &server,
        token.trim(),
        &create("Rolled back", ", idempotencyKey: \"k\""),
    );
    assert_eq!(
        rolled_back["errors"][0]["extensions"]["code"], "INTERNAL",
        "{rolled_back}"
    );
    let refused = send(&server, token.trim(), &create("", ""));
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{refused}"
    );
    let made = send(&server, token.trim(), &create("Committed", ""));
    let id = &made["data"]["createProject"]["project"]["id"];
    assert!(id.is_string(), "{made}");
    assert!(server.stop(), "it ends well");
    let told = std::fs::read_to_string(path.join("errors.log")).expect("is there");
    let lines: Vec<Value> = told
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| line["fields"].clone())
        .filter(|fields| fields["audit"] == true)
        .collect();
    let [line] = &lines[..] else {
        panic!("one line, not {lines:#?}")
    };
    let seq = line["seq"].as_i64().expect("a number");
    assert_eq!(
        *line,
        json!({
            "message": "ledger", "audit": true, "tenant": tenant, "seq": seq, "actor": "user:owner@demo.example",
            "action": "project.created", "target_type": "Project", "target": id,
        })
    );
}
