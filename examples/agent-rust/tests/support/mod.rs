//! A place of its own on a running server for each test: a project, a token for it, and a directory.

mod wire;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{env, fs, path::PathBuf, process::ExitStatus, thread, time::Duration};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::oneshot,
    time::{sleep, timeout},
};
pub use wire::{Lost, Wire};

/// The most that a test waits for something.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server.
pub fn url() -> String {
    env::var("WORKGRAPH_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned())
}

/// What the demo's owner is answered.
pub async fn ask(query: &str, variables: Value) -> Value {
    let token = env::var("WORKGRAPH_TOKEN").expect("WORKGRAPH_TOKEN, of the demo's owner");
    let request = json!({ "query": query, "variables": variables });
    let client = reqwest::Client::new();
    let request = client.post(format!("{}/graphql", url())).json(&request);
    let answer = request.bearer_auth(token).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["errors"], Value::Null, "{query}");
    answer["data"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Where a test takes place.
pub struct Place {
    project: String,
    /// The id of its agents' token.
    pub token_id: String,
    token: String,
    directory: TempDir,
}

impl Place {
    pub async fn new(name: &str) -> Self {
        // Who asks needs it too, before it asks first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = ask(
            "mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }",
            json!({ "name": format!("Rust agent: {name}") }),
        );
        let project = text(&made.await["createProject"]["project"]["id"]);
        let made = ask(
            "mutation($p: ID!) {
                createAgentToken(input: { name: \"rust\", roleSlugs: [\"qa_agent\"], projectIds: [$p] }) {
                    token agentToken { id }
                }
            }",
            json!({ "p": project }),
        );
        let made = &made.await["createAgentToken"];
        Self {
            project,
            token_id: text(&made["agentToken"]["id"]),
            token: text(&made["token"]),
            directory: TempDir::new().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What a script has written into a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub async fn ticket(&self, title: &str) -> Ticket {
        let made = ask(
            "mutation($p: ID!, $t: String!) {
                createTicket(input: { projectId: $p, title: $t, roleSlug: \"qa_agent\" }) { ticket { id } }
            }",
            json!({ "p": self.project, "t": title }),
        );
        Ticket(text(&made.await["createTicket"]["ticket"]["id"]))
    }

    /// An agent whose command is a script, which runs in the place's directory.
    pub fn agent(&self, script: &str) -> Agent {
        self.agent_with(&url(), "session", &[], script)
    }

    /// The same with a way to the server, a session and options of its own.
    pub fn agent_with(&self, url: &str, session: &str, options: &[&str], script: &str) -> Agent {
        let child = Command::new(env!("CARGO_BIN_EXE_workgraph-agent"))
            .args(options)
            .args(["--", "sh", "-c", script])
            .env("WORKGRAPH_URL", url)
            .env("WORKGRAPH_AGENT_TOKEN", &self.token)
            .env("WORKGRAPH_SESSION_FILE", self.path(session))
            .current_dir(self.directory.path())
            .kill_on_drop(true)
            .spawn();
        Agent(child.unwrap())
    }

    /// Makes a pipe `alive`, and waits until all processes that held it have ended.
    pub fn alive(&self) -> impl Future<Output = ()> + use<> {
        let pipe = self.path("alive");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let (ended, end) = oneshot::channel();
        // Not one of the runtime's threads, for which a test that fails would wait.
        thread::spawn(move || ended.send(fs::read(pipe).unwrap()));
        async move {
            timeout(PATIENCE, end).await.unwrap().unwrap();
        }
    }
}

/// An agent that runs.
pub struct Agent(Child);

impl Agent {
    fn signal(&self, signal: Signal) {
        let id = self.0.id().unwrap().cast_signed();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Kills it where it is.
    pub async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }

    /// How it ends, by itself.
    pub async fn end(mut self) -> ExitStatus {
        timeout(PATIENCE, self.0.wait()).await.unwrap().unwrap()
    }

    /// Asks it to leave, which it does.
    pub async fn leave(self) {
        self.signal(Signal::TERM);
        assert!(self.end().await.success());
    }
}

/// A ticket.
pub struct Ticket(pub String);

impl Ticket {
    /// The ticket as it is.
    pub async fn now(&self) -> Value {
        let seen = ask(
            "query($id: ID!) { ticket(id: $id) {
                status result error
                jobs { nodes {
                    id status attempt sessionId
                    events(first: 200, orderBy: [{ field: ATTEMPT }, { field: SEQ }]) { nodes { attempt seq text } totalCount }
                } }
            } }",
            json!({ "id": self.0 }),
        );
        seen.await["ticket"].clone()
    }

    /// The ticket as soon as it is so.
    pub async fn until(&self, is: impl Fn(&Value) -> bool) -> Value {
        let becomes = async {
            loop {
                let now = self.now().await;
                if is(&now) {
                    return now;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        match timeout(PATIENCE, becomes).await {
            Ok(ticket) => ticket,
            Err(_) => panic!("it is {:#}", self.now().await),
        }
    }

    pub async fn until_status(&self, status: &str) -> Value {
        self.until(|ticket| ticket["status"] == status).await
    }

    /// The ticket as soon as this try of it has written something.
    pub async fn until_told(&self, attempt: i32) -> Value {
        let is_told = |ticket: &Value| {
            let events = ticket["jobs"]["nodes"][0]["events"]["nodes"].as_array();
            events.is_some_and(|events| events.iter().any(|event| event["attempt"] == attempt))
        };
        self.until(is_told).await
    }
}

/// What the only job of a ticket has in its journal, each try by itself.
pub fn journal(ticket: &Value) -> Vec<String> {
    let jobs = ticket["jobs"]["nodes"].as_array().unwrap();
    assert_eq!(jobs.len(), 1, "it is one job");
    let mut tries: Vec<String> = Vec::new();
    for event in jobs[0]["events"]["nodes"].as_array().unwrap() {
        let attempt = usize::try_from(event["attempt"].as_u64().unwrap()).unwrap();
        tries.resize(attempt, String::new());
        tries[attempt - 1] += &format!("{}\n", event["text"].as_str().unwrap());
    }
    tries
}
