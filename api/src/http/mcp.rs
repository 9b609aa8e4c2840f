//! The Model Context Protocol, at `/mcp`: what an agent does, as tools of a coding agent.
//!
//! A tool is a document of the API ([`tools`]) and runs through the same door as one that was sent to `/graphql`: judged,
//! attributed and limited alike. Nothing is remembered between requests, so any server answers any of them: the agent's
//! session is the one that its token has in the database.

mod tools;

use self::tools::{Argument, TOOLS, Tool};
use super::{
    App,
    answer::Refusal,
    credentials::Credentials,
    documents::Sent,
    negotiate::Media,
    operation::Operation,
    parameters::{self, Parameters},
    request_id::RequestId,
    who,
};
use crate::{auth::Role, error::Error};
use axum::{
    Extension,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::request::Parts,
    response::Response,
};
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
use serde_json::{Map, Value, json};
use std::{net::SocketAddr, sync::Arc};

/// What a session of the tools says that it can do.
const CAPABILITY: &str = "mcp";

/// How long whoever uses the tools may be silent, in seconds: it thinks and builds between two of them.
const PATIENCE: i32 = 1800;

/// What the tools are told to whoever uses them.
const ABOUT: &str = "Tickets of a company that plans its software work here. Call claim_next_ticket to get one, with the brief \
    it belongs to and the words to work under; do the work; then call complete, or fail. While you work call report_progress at \
    least every 20 minutes, or the ticket goes to another agent. If you cannot go on without an answer, call ask_question: the \
    ticket then waits, and you claim the next one. Pass job_id and attempt as claim_next_ticket gave them to you.";

/// Who calls a tool, as the request said.
#[derive(Clone)]
struct Asker {
    credentials: Credentials,
    peer: SocketAddr,
    request_id: String,
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
    let held = app.incoming.none(&visitor.origin.key());
    let body = parameters::read(body, &app.limits, held).await;
    let body = body.map_err(Refusal::of_body)?;
    parts.extensions.insert(Asker {
        credentials,
        peer,
        request_id,
    });
    // Who has no token was refused, so pages of other origins find nothing here.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let tools = move || Ok(Tools(app.clone()));
    let service = StreamableHttpService::new(tools, Arc::<NeverSessionManager>::default(), config);
    let response = service
        .handle(Request::from_parts(parts, Body::from(body)))
        .await;
    Ok(response.map(Body::new))
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
            let reason = format!(
                "there is no tool {}; there are: {}",
                called.name,
                known.join(", ")
            );
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
        let caller = Caller {
            app: &self.0,
            parts,
            asker,
        };
        let done = caller
            .call(tool, called.arguments.unwrap_or_default())
            .await;
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

/// What whoever called is told went wrong.
type Told<T> = Result<T, String>;

impl Caller<'_> {
    async fn call(&self, tool: &Tool, said: Map<String, Value>) -> Told<Value> {
        let mut variables = variables(tool, said)?;
        let session = self.session(variables.remove("repos")).await?;
        if tool.name == tools::CLAIM {
            return self.claim(tool, session, variables).await;
        }
        if tool.document.contains("$seq:") {
            let now = self.app.store.clock().now().inner().timestamp();
            // Seconds since the year 2026 began.
            variables.insert("seq".to_owned(), json!(now - 1_767_225_600));
        }
        self.ask(tool.document, variables).await
    }

    /// Claims, and begins at once: who asked has nothing else to do.
    async fn claim(
        &self,
        tool: &Tool,
        session: Value,
        mut variables: Map<String, Value>,
    ) -> Told<Value> {
        variables.insert("session".to_owned(), session);
        let claimed = self.ask(tool.document, variables).await?;
        let job = &claimed["claimNextTicket"]["job"];
        if job.is_object() {
            let variables = [("job", &job["id"]), ("attempt", &job["attempt"])];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.clone()));
            self.ask(tools::START, variables.into_iter().collect())
                .await?;
        }
        Ok(claimed)
    }

    /// The token's session, which shows a sign of life by this; a new one if it has none.
    async fn session(&self, repos: Option<Value>) -> Told<Value> {
        let found = self.ask(tools::SESSIONS, Map::new()).await?;
        let is_ours = |session: &&Value| {
            let capabilities = session["capabilities"].as_array();
            capabilities.is_some_and(|known| known.iter().any(|one| one == CAPABILITY))
        };
        let mut sessions = found["agentSessions"]["nodes"]
            .as_array()
            .into_iter()
            .flatten();
        let known = sessions.find(is_ours);
        let mut variables = Map::new();
        let has_all = |session: &Value| {
            let has = |repo: &Value| {
                let known = session["repos"].as_array();
                known.is_some_and(|known| known.contains(repo))
            };
            repos
                .as_ref()
                .and_then(Value::as_array)
                .is_none_or(|repos| repos.iter().all(has))
        };
        if let Some(session) = known.filter(|session| has_all(session)) {
            let jobs = session["jobs"]["nodes"].as_array().into_iter().flatten();
            let jobs: Value = jobs.map(|job| job["id"].clone()).collect();
            variables.insert("session".to_owned(), session["id"].clone());
            variables.insert("jobs".to_owned(), jobs);
            self.ask(tools::HEARTBEAT, variables).await?;
            return Ok(session["id"].clone());
        }
        if let Some(session) = known {
            variables.insert("session".to_owned(), session["id"].clone());
        }
        variables.insert("repos".to_owned(), repos.unwrap_or_else(|| json!([])));
        variables.insert("capabilities".to_owned(), json!([CAPABILITY]));
        variables.insert("patience".to_owned(), json!(PATIENCE));
        let registered = self.ask(tools::REGISTER, variables).await?;
        Ok(registered["registerAgent"]["agentSession"]["id"].clone())
    }

    /// Runs a document.
    async fn ask(&self, document: &'static str, variables: Map<String, Value>) -> Told<Value> {
        let parameters = Parameters {
            document: Sent::Own(document),
            operation_name: None,
            variables,
        };
        let told = |errors: &[async_graphql::ServerError]| {
            let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            messages.join("\n")
        };
        let operation = Operation::new(self.app, parameters).await;
        let operation = operation.map_err(|errors| told(&errors))?;
        let Asker {
            credentials,
            peer,
            request_id,
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
        ];
        let documents = TOOLS.iter().map(|tool| tool.document).chain(own);
        for document in documents {
            if let Err(errors) = guard.check(document) {
                panic!("{document}: {errors:?}");
            }
        }
        for tool in &TOOLS {
            for argument in tool
                .arguments
                .iter()
                .filter(|argument| argument.variable != "repos")
            {
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
