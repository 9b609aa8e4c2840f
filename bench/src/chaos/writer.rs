//! One who writes: much that succeeds, and every way not to.

use super::tally::Tally;
use crate::client::Client;
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// Between tries while no server lives.
const RETRY: Duration = Duration::from_millis(100);

/// One who writes to one tenant.
pub(super) struct Writer {
    pub(super) number: usize,
    pub(super) tenant: usize,
    pub(super) project: String,
    pub(super) client: Client,
    pub(super) tally: Arc<Tally>,
    /// How many mutations a request has at most.
    pub(super) roots: usize,
    pub(super) written: Written,
}

/// What a writer knows of its work.
#[derive(Default)]
pub(super) struct Written {
    /// What the server said that it created.
    pub(super) acknowledged: HashSet<String>,
    /// What it refused.
    pub(super) refused: HashSet<String>,
    last: usize,
    /// A request that was acknowledged and can be sent again.
    repeatable: Option<Batch>,
}

/// The mutations of one request. The server runs them one by one, each in a transaction of its own, and none after the
/// first that is refused.
#[derive(Clone)]
struct Batch {
    document: String,
    names: Vec<String>,
    /// The name and the code of the last one, if it is to be refused.
    refused: Option<(String, &'static str)>,
    /// Whether it may be sent again after the connection broke.
    keyed: bool,
}

impl Writer {
    /// Writes until it is told to stop.
    pub(super) async fn write(mut self, stopping: watch::Receiver<bool>) -> Self {
        while !*stopping.borrow() {
            match rand::random_range(0..100) {
                0..6 => self.race().await,
                6..12 => self.repeat().await,
                12..18 => self.drop_request().await,
                18..28 => self.send(|writer| writer.with_unknown_project()).await,
                28..34 => self.send(|writer| writer.with_taken_slug()).await,
                34..40 => self.send(|writer| writer.with_other_input()).await,
                _ => {
                    self.send(|writer| writer.goals(rand::random_bool(0.5)))
                        .await;
                }
            }
        }
        self
    }

    async fn send(&mut self, batch: impl FnOnce(&mut Self) -> Batch) {
        let batch = batch(self);
        while !self.send_once(&batch).await && batch.keyed {
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Whether the request was answered. If it was not, nobody knows what came of it.
    async fn send_once(&mut self, batch: &Batch) -> bool {
        let answer = self.client.ask(&batch.document, json!({})).await;
        let Ok(answer) = answer else {
            self.tally.broken.add(1);
            if !batch.keyed {
                tokio::time::sleep(RETRY).await;
            }
            return false;
        };
        let error = &answer["errors"][0];
        let code = error["extensions"]["code"].as_str();
        let failed = error["path"][0]
            .as_str()
            .and_then(|alias| alias[1..].parse::<usize>().ok());
        match (code, failed, &batch.refused) {
            (None, _, None) if answer["data"].is_object() => {
                self.acknowledge(&batch.names);
                if batch.keyed {
                    self.written.repeatable = Some(batch.clone());
                }
            }
            (Some(code), Some(at), Some((name, expected)))
                if code == *expected && at == batch.names.len() =>
            {
                self.acknowledge(&batch.names);
                self.written.refused.insert(name.clone());
                self.tally.refused.add(1);
            }
            (Some("UNAVAILABLE" | "DEADLINE_EXCEEDED"), at, _) => {
                self.acknowledge(&batch.names[..at.unwrap_or_default().min(batch.names.len())]);
                self.tally.busy.add(1);
                return false;
            }
            _ => self.fault(&batch.document, &answer),
        }
        true
    }

    fn acknowledge(&mut self, names: &[String]) {
        let mut new = 0;
        for name in names {
            new += u64::from(self.written.acknowledged.insert(name.clone()));
        }
        self.tally.written.add(new);
    }

    /// A client that does not wait for the answer.
    async fn drop_request(&mut self) {
        let batch = self.goals(false);
        let patience = Duration::from_micros(rand::random_range(0..30_000));
        let asked = tokio::time::timeout(patience, self.client.ask(&batch.document, json!({})));
        match asked.await {
            Err(_) => self.tally.dropped.add(1),
            Ok(Ok(answer)) if answer["errors"].is_null() => self.acknowledge(&batch.names),
            Ok(Ok(answer)) if answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE" => {
                self.tally.busy.add(1);
            }
            Ok(Ok(answer)) => self.fault(&batch.document, &answer),
            Ok(Err(_)) => self.tally.broken.add(1),
        }
    }

    /// What was done already is answered as the first time, and not done again.
    async fn repeat(&mut self) {
        let Some(batch) = self.written.repeatable.take() else {
            return;
        };
        if self.send_once(&batch).await {
            self.tally.repeated.add(1);
        }
    }

    /// Several writers try to create the same: one can.
    async fn race(&mut self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!("race-{}", now.as_millis() / 100);
        let document = format!("mutation {{ m0: {} }}", project(&name, &name));
        let answer = self.client.ask(&document, json!({})).await;
        match answer {
            Err(_) => self.tally.broken.add(1),
            Ok(answer) => match answer["errors"][0]["extensions"]["code"].as_str() {
                None if answer["data"].is_object() => self.acknowledge(&[name]),
                Some("CONFLICT") => self.tally.refused.add(1),
                Some("UNAVAILABLE" | "DEADLINE_EXCEEDED") => self.tally.busy.add(1),
                _ => self.fault(&document, &answer),
            },
        }
    }

    fn with_unknown_project(&mut self) -> Batch {
        let name = self.name("refused");
        let mutation = goal("nowhere", &name, None);
        self.goals(false).refused(&mutation, name, "NOT_FOUND")
    }

    fn with_taken_slug(&mut self) -> Batch {
        let name = self.name("refused");
        let mutation = project(&name, "default");
        self.goals(false).refused(&mutation, name, "CONFLICT")
    }

    /// A key that was used for something else.
    fn with_other_input(&mut self) -> Batch {
        let batch = self.goals(true);
        let (name, key) = (self.name("refused"), &batch.names[0].clone());
        let mutation = goal(&self.project, &name, Some(key));
        batch.refused(&mutation, name, "IDEMPOTENCY_MISMATCH")
    }

    fn goals(&mut self, keyed: bool) -> Batch {
        // One more may follow that is refused.
        let count = rand::random_range(1..self.roots.max(2));
        let names: Vec<_> = (0..count).map(|_| self.name("goal")).collect();
        let mut document = "mutation {".to_owned();
        for (number, name) in names.iter().enumerate() {
            let mutation = goal(&self.project, name, keyed.then_some(name));
            let _ = write!(document, " m{number}: {mutation}");
        }
        document.push_str(" }");
        Batch {
            document,
            names,
            refused: None,
            keyed,
        }
    }

    /// A name that nothing else has.
    fn name(&mut self, kind: &str) -> String {
        self.written.last += 1;
        format!("{kind}-{}-{}", self.number, self.written.last)
    }

    fn fault(&self, document: &str, answer: &Value) {
        let (number, start) = (self.number, &document[..document.len().min(300)]);
        self.tally.fault(format!(
            "writer {number}: {start} … was answered by {answer}"
        ));
    }
}

impl Batch {
    /// The same, with a last mutation that the server refuses.
    fn refused(mut self, mutation: &str, name: String, code: &'static str) -> Self {
        self.document.truncate(self.document.len() - 1);
        let _ = write!(self.document, "m{}: {mutation} }}", self.names.len());
        self.refused = Some((name, code));
        self
    }
}

fn goal(project: &str, name: &str, key: Option<&String>) -> String {
    let key = key.map_or(String::new(), |key| format!(", idempotencyKey: \"{key}\""));
    format!(
        "createGoal(input: {{projectId: \"{project}\", title: \"{name}\"{key}}}) {{ goal {{ id }} }}"
    )
}

fn project(name: &str, slug: &str) -> String {
    format!("createProject(input: {{name: \"{name}\", slug: \"{slug}\"}}) {{ project {{ id }} }}")
}
