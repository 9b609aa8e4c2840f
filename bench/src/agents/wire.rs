//! How everyone speaks to the servers: to whichever lives, again and again until there is an answer.

use super::{
    operation::{Operation, Step},
    tally::Tally,
};
use crate::{Result, client::Client, servers::Servers};
use serde_json::Value;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Between tries while no server answers.
const RETRY: Duration = Duration::from_millis(20);
/// Nothing stays unanswered for so long.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a server said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// The data.
    Done(Value),
    /// The first error.
    Refused {
        code: String,
        reason: String,
        message: String,
    },
}

impl Said {
    /// Whether the job is somebody else's by now, or nobody's.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == "STALE_LEASE")
    }
}

/// When, in the course of an operation, its server is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// After the request was sent, before its answer can be there.
    Sent,
    /// When it was answered, and the answer is lost.
    Lost,
    /// When its answer has come.
    Came,
}

impl Moment {
    pub(super) const ALL: [Self; 3] = [Self::Sent, Self::Lost, Self::Came];
}

/// An answer, and what it took.
pub(super) struct Answer {
    pub(super) said: Said,
    /// Whether it was sent before, and nobody knows what came of that.
    pub(super) is_resent: bool,
}

/// Somebody's way to the servers.
pub(super) struct Wire {
    servers: Arc<Servers>,
    tally: Arc<Tally>,
    token: String,
    turn: AtomicUsize,
    clients: Mutex<HashMap<SocketAddr, Client>>,
    /// How many microseconds an answer takes of late.
    usual: AtomicU64,
}

impl Wire {
    pub(super) fn new(servers: &Arc<Servers>, tally: &Arc<Tally>, token: &str) -> Self {
        Self {
            servers: servers.clone(),
            tally: tally.clone(),
            token: token.to_owned(),
            turn: AtomicUsize::new(rand::random_range(0..2)),
            clients: Mutex::default(),
            usual: AtomicU64::new(10_000),
        }
    }

    /// Sends until there is an answer.
    pub(super) async fn ask(&self, query: &str, variables: &Value) -> Result<Answer> {
        let begun = Instant::now();
        let mut is_resent = false;
        while begun.elapsed() < PATIENCE {
            if let Some((_, client)) = self.server()? {
                if let Some(said) = self.once(&client, query, variables).await {
                    return Ok(Answer { said, is_resent });
                }
                is_resent = true;
                self.tally.resent.add(1);
            }
            tokio::time::sleep(RETRY).await;
        }
        Err(format!("nobody answered {query}").into())
    }

    /// The data of an operation that succeeds.
    pub(super) async fn data(&self, query: &str, variables: &Value) -> Result<Value> {
        match self.ask(query, variables).await?.said {
            Said::Done(data) => Ok(data),
            refused => Err(format!("{query} {variables}: {refused:?}").into()),
        }
    }

    /// The same for an operation.
    pub(super) async fn send(&self, operation: &Operation) -> Result<Answer> {
        let query = operation.query();
        self.ask(&query, &operation.variables()).await
    }

    /// Sends it once and kills the server at this moment; then sends it until there is an answer.
    pub(super) async fn send_fatally(
        &self,
        operation: &Operation,
        moment: Moment,
    ) -> Result<Answer> {
        let first = self.send_to_the_dying(operation, moment).await?;
        if moment == Moment::Came
            && let Some(said) = first
        {
            return Ok(Answer {
                said,
                is_resent: false,
            });
        }
        let mut answer = self.send(operation).await?;
        answer.is_resent = true;
        if moment == Moment::Lost
            && let Some(first) = first
        {
            self.compare(operation, &first, &answer.said);
        }
        Ok(answer)
    }

    /// Sends it once to a server that is killed at this moment. Returns what it said, if it did.
    async fn send_to_the_dying(
        &self,
        operation: &Operation,
        moment: Moment,
    ) -> Result<Option<Said>> {
        let (address, client) = loop {
            match self.server()? {
                Some(found) => break found,
                None => tokio::time::sleep(RETRY).await,
            }
        };
        let (query, variables) = (operation.query(), operation.variables());
        let asked = self.once(&client, &query, &variables);
        let kill = || {
            let (servers, tally, step) = (self.servers.clone(), self.tally.clone(), operation.step);
            async move {
                match servers.replace_at(address).await {
                    Ok(true) => tally.killed(step, moment),
                    // Somebody else killed it meanwhile.
                    Ok(false) => {}
                    Err(error) => tally.faults.add(error),
                }
            }
        };
        if moment == Moment::Sent {
            let delay = self.while_it_is_answered();
            let killed = async {
                tokio::time::sleep(delay).await;
                kill().await;
            };
            return Ok(tokio::join!(asked, killed).0);
        }
        let said = asked.await;
        tokio::spawn(kill());
        Ok(said)
    }

    /// Sends it and does not wait for the answer.
    pub(super) async fn send_and_leave(&self, operation: &Operation) -> Result<()> {
        let Some((_, client)) = self.server()? else {
            return Ok(());
        };
        let (query, variables) = (operation.query(), operation.variables());
        let patience = self.while_it_is_answered();
        let asked = self.once(&client, &query, &variables);
        let _ = tokio::time::timeout(patience, asked).await;
        Ok(())
    }

    /// Sends it once, to whichever server; nothing if nobody knows what came of it.
    pub(super) async fn send_once(&self, operation: &Operation) -> Result<Option<Said>> {
        let Some((_, client)) = self.server()? else {
            return Ok(None);
        };
        let (query, variables) = (operation.query(), operation.variables());
        Ok(self.once(&client, &query, &variables).await)
    }

    /// A random moment while an answer is usually awaited.
    pub(super) fn while_it_is_answered(&self) -> Duration {
        let usual = self.usual.load(Ordering::Relaxed);
        Duration::from_micros(rand::random_range(0..usual.max(500) * 3 / 2))
    }

    /// What is answered again must be what was answered.
    pub(super) fn compare(&self, operation: &Operation, first: &Said, second: &Said) {
        let (Said::Done(said), step) = (first, operation.step) else {
            return;
        };
        // Nothing was to be had, or another agent may have it since.
        let may_differ = step == Step::Claim && operation.payload(said)["job"].is_null();
        let may_be_stale = step.ends() && step != Step::Complete && second.is_stale();
        if may_differ || may_be_stale {
            return;
        }
        match first == second {
            true => self.tally.same.add(1),
            false => self.tally.faults.add(format!(
                "{operation:?} was answered {first:?}, and then {second:?}"
            )),
        }
    }

    async fn once(&self, client: &Client, query: &str, variables: &Value) -> Option<Said> {
        let begun = Instant::now();
        let Ok(mut answer) = client.ask(query, variables.clone()).await else {
            self.tally.broken.add(1);
            return None;
        };
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store((usual * 7 + took) / 8, Ordering::Relaxed);
        let error = &answer["errors"][0];
        if error.is_null() {
            self.tally.answered.add(1);
            return Some(Said::Done(answer["data"].take()));
        }
        let text = |name: &str| {
            let text = error["extensions"][name].as_str();
            text.unwrap_or_default().to_owned()
        };
        let code = text("code");
        if ["UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(&code.as_str()) {
            self.tally.busy.add(1);
            return None;
        }
        Some(Said::Refused {
            code,
            reason: text("reason"),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// One of the servers that live, in turn.
    fn server(&self) -> Result<Option<(SocketAddr, Client)>> {
        let living = self.servers.proxy().living();
        if living.is_empty() {
            return Ok(None);
        }
        let address = living[self.turn.fetch_add(1, Ordering::Relaxed) % living.len()];
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|address, _| living.contains(address));
        let client = match clients.get(&address) {
            Some(client) => client.clone(),
            None => {
                let client = Client::new(address, &self.token)?;
                clients.insert(address, client.clone());
                client
            }
        };
        Ok(Some((address, client)))
    }
}
