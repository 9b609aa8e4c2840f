//! A secret that is planted wherever secrets are is told nowhere.

use super::{RETEST, connected};
use crate::support::{ACME, Client, DEMO, Database, KEYS, SECRET, Schema, TestApp};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

/// What every planted secret has within it.
const CANARY: &str = "canary-4c1e7b90";

/// What is logged, as text.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What was logged until now.
    pub fn text(&self) -> String {
        let written = self.0.lock().expect("nobody panicked");
        String::from_utf8_lossy(&written).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panicked")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Runs a test as the server runs, and hands it all that is logged meanwhile.
pub fn logged<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Log) -> F) {
    let log = Log::default();
    let subscriber: Arc<dyn tracing::Subscriber + Send + Sync> = Arc::new(
        tracing_subscriber::fmt()
            .with_env_filter("workgraph=trace,async_graphql=debug,hyper=debug")
            .with_writer(log.clone())
            .finish(),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(workgraph::server::STACK)
        .on_thread_start(move || {
            // For as long as the thread lives.
            std::mem::forget(tracing::subscriber::set_default(subscriber.clone()));
        })
        .build()
        .expect("a runtime");
    let running = runtime.spawn(test(log));
    if let Err(panicked) = runtime.block_on(running) {
        std::panic::resume_unwind(panicked.into_panic());
    }
}

#[test]
fn a_planted_secret_is_told_nowhere_on_sqlite() {
    logged(|log| walk(Database::Sqlite, log));
}

#[test]
fn a_planted_secret_is_told_nowhere_on_postgres() {
    logged(|log| walk(Database::Postgres, log));
}

/// What must not be told, besides the canary.
fn forbidden() -> Vec<String> {
    let keys = KEYS
        .split(',')
        .map(|key| key.split_once(':').expect("an id").1.to_owned());
    keys.chain([CANARY.to_owned(), SECRET.to_owned()]).collect()
}

/// Sends an operation, and looks at all that comes back. Returns the code of its error; empty when it has none.
async fn ask(client: &Client, query: &str, variables: Value, forbidden: &[String]) -> String {
    let answer = client.send(query, variables).await;
    let told = answer.body.to_string();
    for word in forbidden {
        assert!(!told.contains(word), "{query} tells: {told}");
    }
    match answer.body.get("errors") {
        Some(_) => answer.code(),
        None => String::new(),
    }
}

async fn walk(database: Database, log: Log) {
    let app = TestApp::start(database).await;
    let owner = app.owner().await;
    let forbidden = forbidden();
    let planted = plant(&app, &owner, &forbidden).await;
    let schema = Schema::of(&owner).await;
    let (mut asked, mut answered) = (planted, 0);
    for (workspace, role) in [
        (DEMO, "owner"),
        (DEMO, "admin"),
        (DEMO, "member"),
        (DEMO, "viewer"),
        (ACME, "owner"),
    ] {
        let client = app.client(workspace, role).await;
        for (list, row) in schema.lists() {
            let shown: Vec<_> = row.leaves().map(|field| field.name.as_str()).collect();
            let name = &list.name;
            for order in ["", ", orderBy: [{ field: CREATED_AT, direction: ASC }]"] {
                let query = format!(
                    "{{ {name}(first: 20{order}) {{ nodes {{ {} }} }} }}",
                    shown.join(" ")
                );
                let code = ask(&client, &query, json!({}), &forbidden).await;
                assert!(
                    ["", "FORBIDDEN"].contains(&code.as_str()),
                    "{query}: {code}"
                );
                answered += usize::from(code.is_empty());
                asked += 1;
            }
        }
        for query in [
            format!(
                "{{ search(query: \"{}\") {{ nodes {{ title }} }} }}",
                &CANARY[..6]
            ),
            "{ activity(first: 100) { nodes { action message metadata diff { before after } } } }"
                .to_owned(),
            "{ viewer { setup { nextStep } } integrationServices { name fields { key } } }"
                .to_owned(),
        ] {
            ask(&client, &query, json!({}), &forbidden).await;
            asked += 1;
        }
    }
    assert!(
        asked > 300 && answered > 200,
        "only {asked}, of which {answered} answered"
    );
    let log = String::from_utf8_lossy(&log.0.lock().expect("nobody panicked")).into_owned();
    assert!(
        log.contains("integration.connected") && log.contains("setCredential")
            || log.contains("credential.created"),
        "nothing was logged"
    );
    for word in &forbidden {
        let line = log.lines().find(|line| line.contains(word.as_str()));
        assert!(line.is_none(), "the log tells: {line:?}");
    }
    let found = app
        .outside
        .heard()
        .iter()
        .filter(|request| request.contains(CANARY))
        .count();
    assert!(found > 5, "the canary never went where it belongs");
    let dump = everything(&app).await;
    let dump = dump.to_lowercase();
    let label = hex::encode("github/Canary");
    assert!(
        dump.contains("github/canary") || dump.contains(&label),
        "nothing was read"
    );
    for word in [CANARY.to_owned(), hex::encode(CANARY)] {
        assert!(!dump.contains(&word), "the database has it as it is");
    }
}

/// Plants secrets, and makes all sorts of mistakes with them. Returns how many operations that took.
async fn plant(app: &TestApp, owner: &Client, forbidden: &[String]) -> usize {
    let secret = |word: &str| format!("{word}-{CANARY}-of-the-tests");
    let connection = connected(owner, "Canary", &secret("good")).await;
    let set = "mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id hint } } }";
    let connect = "mutation($input: ConnectIntegrationInput!) { connectIntegration(input: $input) { integrationConnection { id metadata lastError } } }";
    let test = "mutation($input: TestIntegrationInput!) { testIntegration(input: $input) { outcome message shows } }";
    let add = "mutation($input: AddAiProviderInput!) { addAiProvider(input: $input) { credential { id hint lastError } } }";
    let value = |service: &str, key: &str, word: &str| json!({ "service": service, "values": [{ "key": key, "value": secret(word) }] });
    let long = CANARY.repeat(1_000);
    let mut operations = vec![
        (
            set,
            json!({ "kind": "OTHER", "name": "canary", "value": secret("set"), "idempotencyKey": "canary" }),
        ),
        (
            set,
            json!({ "kind": "OTHER", "name": "canary", "value": secret("other"), "idempotencyKey": "canary" }),
        ),
        (
            set,
            json!({ "kind": "INTEGRATION", "name": "canary", "value": secret("set") }),
        ),
        (
            set,
            json!({ "kind": "OTHER", "name": "", "value": secret("set") }),
        ),
        (
            set,
            json!({ "kind": "OTHER", "name": "canary", "value": long }),
        ),
        (
            set,
            json!({ "kind": "OTHER", "name": "canary", "value": { "of": secret("set") } }),
        ),
        (
            set,
            json!({ "kind": "OTHER", "name": "canary", "value": [secret("set")] }),
        ),
        (
            add,
            json!({ "provider": "GOOGLE", "apiKey": secret("good") }),
        ),
        (
            add,
            json!({ "provider": "GOOGLE", "apiKey": secret("good") }),
        ),
        (
            add,
            json!({ "provider": "CUSTOM", "apiKey": secret("good"), "baseUrl": format!("{}/v1", app.outside.url) }),
        ),
        (
            add,
            json!({ "provider": "CUSTOM", "apiKey": secret("good") }),
        ),
        (
            add,
            json!({ "provider": "ANTHROPIC", "apiKey": secret("wrong") }),
        ),
        (test, value("GITHUB", "nothing", "good")),
        (test, value("JIRA", "apiToken", "good")),
        (test, value("TWILIO", "token", "good")),
        (
            test,
            json!({ "service": "GITHUB", "values": [{ "key": "token", "value": format!("{CANARY}\u{7}") }] }),
        ),
        (
            test,
            json!({ "service": "GITHUB", "values": secret("good") }),
        ),
    ];
    for word in ["wrong", "broken", "redirect", "busy", "garbled", "huge"] {
        operations.push((connect, value("GITHUB", "token", word)));
        operations.push((connect, value("SLACK", "botToken", word)));
        operations.push((test, value("LINEAR", "apiKey", word)));
    }
    let many = operations.len() + 1;
    for (query, input) in operations {
        ask(owner, query, json!({ "input": input }), forbidden).await;
    }
    app.outside.breaks(true);
    ask(owner, RETEST, json!({ "id": connection }), forbidden).await;
    app.outside.breaks(false);
    // What was sealed is altered beside the server: it fails, and says no more.
    app.execute("UPDATE credential_vault SET nonce = ciphertext WHERE name = 'github/Canary'")
        .await;
    ask(owner, RETEST, json!({ "id": connection }), forbidden).await;
    many + 2
}

/// All that the tables hold, as the database has it: texts as they are or in hex.
async fn everything(app: &TestApp) -> String {
    use sea_orm::{ConnectionTrait, EntityName, Statement};
    let connection = app.connection.across_tenants().await;
    let backend = connection.get_database_backend();
    let mut dump = String::new();
    macro_rules! each {
        ($($table:ident),*) => { $({
            let table = entity::$table::Entity.table_name().to_owned();
            let sql = match app.database {
                Database::Postgres => format!("SELECT t::text AS row FROM {table} t"),
                Database::Sqlite => {
                    use sea_orm::{IdenStatic, Iterable};
                    let columns: Vec<_> = entity::$table::Column::iter()
                        .map(|column| format!("coalesce(hex(\"{}\"), '')", column.as_str()))
                        .collect();
                    format!("SELECT {} AS row FROM {table}", columns.join(" || ' ' || "))
                }
            };
            for row in connection.query_all_raw(Statement::from_string(backend, sql)).await.expect("reads") {
                dump += &row.try_get::<String>("", "row").expect("a text");
            }
        })* };
    }
    entity::for_each_table!(each);
    dump
}
