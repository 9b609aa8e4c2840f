//! The Model Context Protocol, at `/mcp`: what an agent does, as tools of a coding agent.
//!
//! A tool is a document of the API ([`tools`]) and runs through the same door as one that was sent to `/graphql`: judged,
//! attributed and limited alike. Nothing is remembered between requests, so any server answers any of them: the agent's
//! session is the one that its token has in the database.

mod tools;

use self::tools::{Argument, TOOLS, Tool};
use super::{
    App,
    answer::{Refusal, counted_until_read},
    credentials::Credentials,
    negotiate::Media,
    operation::Operation,
    parameters::{self, Parameters},
    request_id::{RequestId, note_actor},
    unread::Reader,
    who,
};
use crate::{
    auth::Role,
    error::{Error, Whose},
};
use axum::{
    Extension,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, request::Parts},
    response::Response,
};
use futures_util::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

/// What a session of the tools says that it can do.
const CAPABILITY: &str = "mcp";

/// How long whoever uses the tools may be silent, in seconds: it thinks and builds between two of them.
const PATIENCE: i32 = 1800;

/// How long a request may take, whatever it does.
const AT_MOST: Duration = Duration::from_secs(60);

/// So many characters of a name that there is not are said again.
const ECHOED: usize = 100;

/// What the tools are told to whoever uses them.
const ABOUT: &str = "Tickets of a company that plans its software work here. Call claim_next_ticket to get one, with the brief \
    it belongs to and the words to work under; do the work; then call complete, or fail. The job's deadlineAt says when it has \
    failed if it is not handed in by then. While you work call report_progress at least every 20 minutes, or the ticket goes to \
    another agent. If you cannot go on without an answer, call ask_question: the ticket then waits, and you claim the next one. \
    Pass job_id and attempt as claim_next_ticket gave them to you; call it again if you have lost them.";

/// Who calls a tool, as the request said.
#[derive(Clone)]
struct Asker {
    credentials: Credentials,
    peer: SocketAddr,
    request_id: String,
    /// In which the request is logged.
    span: Span,
}

/// `/mcp`.
pub(super) async fn handle(
    State(app): State<App>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    match answer(app, request_id.clone(), peer, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.respond(Media::Json, &request_id),
    }
}

async fn answer(
    app: App,
    request_id: String,
    peer: SocketAddr,
    request: Request,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let visitor = who::visitor(&app, &parts.method, &parts, peer, &request_id);
    let credentials = Credentials::from_headers(&parts.headers, &visitor)?;
    let actor = credentials.authenticate_once(&app, &visitor).await?;
    if actor.role() != Role::Agent {
        let error =
            "These tools are for agents: send an agent token, which createAgentToken makes.";
        return Err(Error::Forbidden(error.to_owned()).into());
    }
    note_actor(&actor.key());
    let reader = Reader::actor(&actor);
    if !app.unread.has_room(&reader) {
        return Err(Error::Busy(Whose::Unread).into());
    }
    // A tool is one request, however many documents it runs.
    app.requests.check(&actor.key())?;
    let held = app.incoming.none(&visitor.origin.key());
    let body = parameters::read(body, &app.limits, held).await;
    let body = body.map_err(Refusal::of_body)?;
    if parts.method == Method::POST && serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        return Err(Error::bad_input("body", "is not JSON: send a JSON-RPC request").into());
    }
    parts.extensions.insert(Asker {
        credentials,
        peer,
        request_id,
        span: Span::current(),
    });
    // Who has no token was refused, so pages of other origins find nothing here.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(body.len());
    let unread = app.clone();
    let tools = move || Ok(Tools(app.clone()));
    let service = StreamableHttpService::new(tools, Arc::<NeverSessionManager>::default(), config);
    let serving = service.handle(Request::from_parts(parts, Body::from(body)));
    let response = timeout(AT_MOST, serving)
        .await
        .map_err(|_| Error::TOO_SLOW)?;
    Ok(counted_until_read(response.map(Body::new), &unread.unread, &reader).await)
}

/// The tools.
struct Tools(App);

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let mut config = ServerConfig::new(capabilities).with_instructions(ABOUT);
        config.server_info = Implementation::new("workgraph", env!("CARGO_PKG_VERSION"));
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOLS.iter().map(Tool::described).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        called: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == called.name) else {
            let known: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
            let name: String = called.name.chars().take(ECHOED).collect();
            let reason = format!("there is no tool {name}; there are: {}", known.join(", "));
            return Err(ErrorData::invalid_params(reason, None));
        };
        let parts = context.extensions.get::<Parts>();
        let asker = parts.and_then(|parts| Some((parts, parts.extensions.get::<Asker>()?.clone())));
        let Some((parts, asker)) = asker else {
            return Err(ErrorData::internal_error(
                "a request without its head",
                None,
            ));
        };
        let span = asker.span.clone();
        let caller = Caller {
            app: &self.0,
            parts,
            asker,
        };
        let call = caller.call(tool, called.arguments.unwrap_or_default());
        let call = AssertUnwindSafe(call).catch_unwind().instrument(span);
        let done = tokio::select! {
            done = call => done,
            // Whoever asked has gone.
            () = context.ct.cancelled() => {
                return Err(ErrorData::internal_error("cancelled", None));
            }
        };
        let done =
            done.unwrap_or_else(|_| Err("Something went wrong here. Try it again.".to_owned()));
        Ok(match done {
            Ok(answer) => CallToolResult::structured(answer),
            Err(told) => CallToolResult::error(vec![ContentBlock::text(told)]),
        }
        .into())
    }
}

/// One call of a tool.
struct Caller<'c> {
    app: &'c App,
    parts: &'c Parts,
    asker: Asker,
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
    async fn call(&self, tool: &Tool, said: Map<String, Value>) -> Told<Value> {
        let variables = variables(tool, said)?;
        let session = self.session(variables.get("repos")).await?;
        match tool.name {
            tools::CLAIM => self.claim(tool, session, variables).await,
            _ => self.ask(tool.document, variables).await,
        }
    }

    /// Claims, and begins at once: who asked has nothing else to do. Who has a job already, and perhaps has lost sight of it,
    /// gets that one.
    async fn claim(
        &self,
        tool: &Tool,
        session: Session,
        mut variables: Map<String, Value>,
    ) -> Told<Value> {
        if let Some(job) = session.jobs.first() {
            let held = self.ask(tools::HELD, named([("job", job)])).await?;
            let job = &held["agentJob"];
            return Ok(
                json!({ "claimNextTicket": { "reason": null, "ticket": job["ticket"], "job": job, "instructions": null } }),
            );
        }
        variables.insert("session".to_owned(), session.id.clone());
        let claimed = self.ask(tool.document, variables).await?;
        let answer = &claimed["claimNextTicket"];
        let job = &answer["job"];
        if job.is_object() {
            let variables = named([("job", &job["id"]), ("attempt", &job["attempt"])]);
            if let Err(told) = self.ask(tools::START, variables).await {
                // It is begun by the first word about it.
                tracing::debug!(told, "a job that was claimed is not begun yet");
            }
        } else if answer["reason"] == "DRAINING" {
            self.ask(tools::LEAVE, named([("session", &session.id)]))
                .await?;
        }
        Ok(claimed)
    }

    /// The token's session, which shows a sign of life by this, with the jobs that it has; taken up again if it was lost, and
    /// begun if there was none.
    async fn session(&self, repos: Option<&Value>) -> Told<Session> {
        let found = self.ask(tools::SESSIONS, Map::new()).await?;
        let is_ours = |session: &&Value| contains(&session["capabilities"], &json!(CAPABILITY));
        let mut sessions = found["agentSessions"]["nodes"]
            .as_array()
            .into_iter()
            .flatten();
        let known = sessions.find(is_ours);
        let mut wanted: Vec<Value> = { repos.and_then(Value::as_array) }
            .cloned()
            .unwrap_or_default();
        let knows = |repo: &Value| known.is_some_and(|known| contains(&known["repos"], repo));
        let is_connected = known.is_some_and(|known| known["disconnectedAt"].is_null());
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
        let jobs = jobs
            .into_iter()
            .filter(|job| !contains(lost, job))
            .collect();
        Ok(Session { id, jobs })
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

#[cfg(test)]
mod tests {
    use super::{tools, *};
    use crate::{
        graph,
        http::{Guard, Limits},
    };

    #[test]
    fn every_tool_runs_a_document_that_fits_and_takes_what_it_is_told() {
        let guard = Guard::new(&graph::sdl(), Limits::default(), true).expect("a schema");
        let own = [
            tools::SESSIONS,
            tools::REGISTER,
            tools::HEARTBEAT,
            tools::START,
            tools::HELD,
            tools::LEAVE,
        ];
        let documents = TOOLS.iter().map(|tool| tool.document).chain(own);
        for document in documents {
            if let Err(errors) = guard.check(document) {
                panic!("{document}: {errors:?}");
            }
        }
        for tool in &TOOLS {
            for argument in tool.arguments {
                let declared = format!("${}:", argument.variable);
                assert!(
                    tool.document.contains(&declared),
                    "{}: {declared}",
                    tool.name
                );
            }
        }
    }
}
