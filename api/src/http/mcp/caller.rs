//! One call of a tool: the documents that it runs, and the agent's session that it keeps alive.

use super::{
    Asker, CAPABILITY, PATIENCE,
    tools::{self, Argument, Tool},
};
use crate::http::{App, operation::Operation, parameters::Parameters, who};
use axum::http::request::Parts;
use serde_json::{Map, Value, json};

/// One call of a tool.
pub(super) struct Caller<'c> {
    pub(super) app: &'c App,
    pub(super) parts: &'c Parts,
    pub(super) asker: Asker,
}

/// The agent's session, and the jobs that it has.
struct Session {
    id: Value,
    jobs: Vec<Value>,
}

fn named<const N: usize>(variables: [(&str, &Value); N]) -> Map<String, Value> {
    let variables = variables.map(|(name, value)| (name.to_owned(), value.clone()));
    variables.into_iter().collect()
}

fn contains(list: &Value, one: &Value) -> bool {
    list.as_array().is_some_and(|list| list.contains(one))
}

/// What whoever called is told went wrong.
type Told<T> = Result<T, String>;

impl Caller<'_> {
    /// Runs a tool.
    ///
    /// # Errors
    /// What whoever called is told.
    pub(super) async fn call(&self, tool: &Tool, said: Map<String, Value>) -> Told<Value> {
        let variables = variables(tool, said)?;
        let done = match tool.name {
            tools::CLAIM => self.claim(tool, variables).await,
            _ => {
                self.session(None, false).await?;
                self.ask(tool.document, variables).await
            }
        };
        let done = done.map_err(|told| in_words_of(tool, told))?;
        match done.get("agentJob") {
            Some(Value::Null) => Err("You have no job with this id.".to_owned()),
            _ => Ok(done),
        }
    }

    /// Claims, and begins at once: who asked has nothing else to do. Who has a job already, and perhaps has lost sight of it,
    /// gets that one.
    async fn claim(&self, tool: &Tool, mut variables: Map<String, Value>) -> Told<Value> {
        let Some(session) = self.session(variables.get("repos"), true).await? else {
            return Ok(claimed("DRAINING".into(), &Value::Null));
        };
        if let Some(job) = session.jobs.first() {
            return self.held(job).await;
        }
        variables.insert("session".to_owned(), session.id.clone());
        let answer = self.ask(tool.document, variables).await?;
        let (job, reason) = (
            &answer["claimNextTicket"]["job"],
            &answer["claimNextTicket"]["reason"],
        );
        if job.is_object() {
            let variables = named([("job", &job["id"]), ("attempt", &job["attempt"])]);
            if let Err(told) = self.ask(tools::START, variables).await {
                // It is begun by the first word about it.
                tracing::debug!(told, "a job that was claimed is not begun yet");
            }
        } else if reason == "DRAINING" {
            self.ask(tools::LEAVE, named([("session", &session.id)]))
                .await?;
        } else if reason == "SESSION_FULL" {
            // Another call of the same agent was faster.
            let now = self.session(None, true).await?;
            if let Some(job) = now.iter().find_map(|session| session.jobs.first()) {
                return self.held(job).await;
            }
        }
        Ok(answer)
    }

    /// A job that it has, as if it were claimed now.
    async fn held(&self, job: &Value) -> Told<Value> {
        let held = self.ask(tools::HELD, named([("job", job)])).await?;
        Ok(claimed(Value::Null, &held["agentJob"]))
    }

    /// The token's session, which shows a sign of life by this, with the jobs that it has. One that was lost is taken up again,
    /// and one begun if there was none, if that is wanted; none if it was asked to leave and did.
    async fn session(&self, repos: Option<&Value>, begins: bool) -> Told<Option<Session>> {
        let found = self.ask(tools::SESSIONS, Map::new()).await?;
        let is_ours = |session: &&Value| contains(&session["capabilities"], &json!(CAPABILITY));
        let mut sessions = found["agentSessions"]["nodes"]
            .as_array()
            .into_iter()
            .flatten();
        let known = sessions.find(is_ours);
        let is_connected = known.is_some_and(|known| known["disconnectedAt"].is_null());
        let was_drained = known.is_some_and(|known| !known["drainingAt"].is_null());
        if !is_connected && (!begins || was_drained) {
            return Ok(None);
        }
        let mut wanted: Vec<Value> = { repos.and_then(Value::as_array) }
            .cloned()
            .unwrap_or_default();
        let knows = |repo: &Value| known.is_some_and(|known| contains(&known["repos"], repo));
        let id = match known {
            Some(session) if is_connected && wanted.iter().all(knows) => session["id"].clone(),
            _ => {
                let before = known.and_then(|known| known["repos"].as_array());
                wanted.extend(before.into_iter().flatten().cloned());
                let mut variables = named([
                    ("repos", &Value::Array(wanted)),
                    ("capabilities", &json!([CAPABILITY])),
                    ("patience", &json!(PATIENCE)),
                ]);
                match known {
                    Some(session) => variables.insert("session".to_owned(), session["id"].clone()),
                    // Two that begin at once begin one.
                    None => variables.insert("key".to_owned(), json!(CAPABILITY)),
                };
                let registered = self.ask(tools::REGISTER, variables).await?;
                registered["registerAgent"]["agentSession"]["id"].clone()
            }
        };
        let jobs = known.and_then(|known| known["jobs"]["nodes"].as_array());
        let jobs: Vec<Value> = { jobs.into_iter().flatten() }
            .map(|job| job["id"].clone())
            .collect();
        let variables = named([("session", &id), ("jobs", &Value::Array(jobs.clone()))]);
        let heard = self.ask(tools::HEARTBEAT, variables).await?;
        let lost = &heard["agentHeartbeat"]["lostJobIds"];
        let jobs = { jobs.into_iter() }
            .filter(|job| !contains(lost, job))
            .collect();
        Ok(Some(Session { id, jobs }))
    }

    /// Runs a document.
    async fn ask(&self, document: &'static str, variables: Map<String, Value>) -> Told<Value> {
        let parameters = Parameters::own(document, variables).map_err(|error| error.message())?;
        let told = |errors: &[async_graphql::ServerError]| {
            let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            messages.join("\n")
        };
        let operation = Operation::counted(self.app, parameters).await;
        let operation = operation.map_err(|errors| told(&errors))?;
        let Asker {
            credentials,
            peer,
            request_id,
            ..
        } = &self.asker;
        let visitor = who::visitor(self.app, &self.parts.method, self.parts, *peer, request_id);
        let answered = operation.run(self.app, Ok(credentials.clone()), visitor, false);
        let answer = answered.await.map_err(|error| error.message())?.answer;
        match answer.errors.is_empty() {
            true => answer.data.into_json().map_err(|error| error.to_string()),
            false => Err(told(&answer.errors)),
        }
    }
}

/// What a claim answers with.
fn claimed(reason: Value, job: &Value) -> Value {
    json!({ "claimNextTicket": { "reason": reason, "ticket": job["ticket"], "job": job, "instructions": null } })
}

/// What the API says went wrong, in the words that the tool has for it.
fn in_words_of(tool: &Tool, mut told: String) -> String {
    for argument in tool.arguments {
        let (theirs, ours) = (argument.variable, argument.name);
        told = told
            .replace(&format!("${theirs}"), ours)
            .replace(&format!("`{theirs}`"), &format!("`{ours}`"));
    }
    told.replace(
        "Ask by agentHeartbeat which jobs you have.",
        "Perhaps its deadline has passed. Call claim_next_ticket to go on.",
    )
}

/// What was said, as the document's variables.
fn variables(tool: &Tool, mut said: Map<String, Value>) -> Told<Map<String, Value>> {
    let mut variables = Map::new();
    for Argument {
        name,
        variable,
        is_required,
        ..
    } in tool.arguments
    {
        match said.remove(*name).filter(|value| !value.is_null()) {
            Some(value) => {
                variables.insert((*variable).to_owned(), value);
            }
            None if *is_required => return Err(format!("{name} is needed")),
            None => {}
        }
    }
    match said.keys().next() {
        Some(unknown) => Err(format!("there is no argument {unknown}")),
        None => Ok(variables),
    }
}
