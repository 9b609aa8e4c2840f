//! The Model Context Protocol, at `/mcp`: what an agent does, as tools of a coding agent.
//!
//! A tool is a document of the API ([`tools`]) and runs through the same door as one that was sent to `/graphql`: judged,
//! attributed and limited alike. Nothing is remembered between requests, so any server answers any of them: the agent's
//! session is the one that its token has in the database.

mod caller;
mod tools;

use self::{
    caller::Caller,
    tools::{TOOLS, Tool},
};
use super::{
    App,
    answer::{Refusal, counted_until_read},
    credentials::Credentials,
    negotiate::Media,
    parameters::{self, Kind},
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
use serde_json::Value;
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
    Pass job_id and attempt as claim_next_ticket gave them to you; call it again if you have lost them. The job's action says \
    what is asked for: draft_brief is completed with brief, plan_brief with plan, all else with result. When there is no ticket, \
    the reason says what to do: NONE_READY, CONCURRENCY, BACKING_OFF and BUDGET: ask again in some minutes. REPOSITORY: name \
    the repositories that you have checked out. HELD, NO_SUCH_ROLE and DRAINING: stop, and tell whoever runs you.";

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
        let error = match actor.is_service() {
            true => {
                "These tools are for agents: send an agent token, which createAgentToken makes. A service token is for \
                 /graphql."
            }
            false => {
                "These tools are for agents: send an agent token, which createAgentToken makes."
            }
        };
        return Err(Error::Forbidden(error.to_owned()).into());
    }
    note_actor(&actor.key());
    let reader = Reader::actor(&actor);
    if !app.unread.has_room(&reader) {
        return Err(Error::Busy(Whose::Unread).into());
    }
    // A tool is one request, however many documents it runs.
    app.requests.check(&actor.key())?;
    let mut held = app.incoming.none(&visitor.origin.key());
    let body = parameters::read(body, Kind::Request, &app.limits, &mut held).await;
    drop(held);
    let body = body.map_err(Refusal::of_body)?;
    if parts.method == Method::POST {
        must_be_a_message(&body)?;
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

/// Refuses what is no message of the protocol, which its library says nothing about.
fn must_be_a_message(body: &[u8]) -> Result<(), Error> {
    let reason = match serde_json::from_slice::<Value>(body) {
        Err(_) => "is not JSON: send a JSON-RPC message",
        Ok(Value::Array(_)) => "holds several messages: send each in a request of its own",
        Ok(message) if message["jsonrpc"] != "2.0" => {
            "is no JSON-RPC message: `jsonrpc` must be \"2.0\""
        }
        Ok(_) => return Ok(()),
    };
    Err(Error::bad_input("body", reason))
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
