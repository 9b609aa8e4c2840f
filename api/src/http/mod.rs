//! HTTP: the router, who is asking, and GraphQL over it: by request, over a WebSocket, and as a stream of events.

mod answer;
mod caller;
mod connections;
mod credentials;
mod documents;
pub mod graphiql;
mod graphql;
mod guard;
mod head;
mod headers;
mod health;
mod host;
mod limits;
mod mcp;
mod negotiate;
mod oidc;
mod operation;
mod pace;
mod parameters;
mod quota;
mod refusals;
mod request_id;
mod sse;
mod unread;
mod webhooks;
mod who;
mod ws;

pub(crate) use connections::serve;
pub use limits::Limits;
use limits::Requests;

use crate::{
    auth::Sessions,
    error::Error,
    graph::{self, Schema},
    store::Store,
};
use answer::Refusal;
use axum::{
    Extension, Router,
    http::{HeaderName, StatusCode, request},
    middleware,
    response::{Redirect, Response},
    routing::{any, get},
};
use documents::Documents;
pub use documents::TrustedDocuments;
#[doc(hidden)]
pub use guard::Guard;
use negotiate::Media;
use quota::Quota;
use refusals::Refusals;
use request_id::RequestId;
use std::{net::SocketAddr, ops::Deref, sync::Arc};
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use unread::Unread;

/// Names the request in answers and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the handlers work with. A handle: every connection and each of its operations holds one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    schema: Schema,
    guard: Guard,
    documents: Documents,
    store: Store,
    sessions: Sessions,
    requests: Requests,
    refusals: Refusals,
    /// TCP connections, by address.
    connections: Arc<Quota>,
    /// WebSockets that have not said yet who they are, by address.
    opening: Arc<Quota>,
    /// WebSockets and event streams, by actor.
    seats: Arc<Quota>,
    /// Bytes of messages, bodies and long heads that have not come to their end, by address.
    incoming: Arc<Quota>,
    /// Bytes of answers that were not read yet, by workspace and by actor.
    unread: Unread,
    found: health::Found,
    stopping: watch::Sender<bool>,
    limits: Limits,
    allowed_origins: Vec<String>,
    trust_forwarded_for: bool,
    dev: bool,
    graphiql: Option<graphiql::Config>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// How the server presents itself.
#[derive(Debug)]
pub struct Front {
    /// Other origins than its own whose pages may use the API and the dashboard's cookies, as `https://host`.
    pub allowed_origins: Vec<String>,
    /// Whether a proxy in front says, in `X-Forwarded-For`, where a request comes from.
    pub trust_forwarded_for: bool,
    /// Whether everyone who can reach the server is in development mode, and not only who asks on its own machine.
    pub dev: bool,
    /// Whether the schema may be asked for.
    pub introspection: bool,
    /// The documents that clients can name instead of sending them.
    pub trusted_documents: TrustedDocuments,
    /// What GraphiQL is told; without it there is no GraphiQL.
    pub graphiql: Option<graphiql::Config>,
}

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`Error::Internal`] if the schema cannot be read, which a test excludes.
    pub fn new(
        store: Store,
        sessions: Sessions,
        limits: Limits,
        front: Front,
    ) -> Result<Self, Error> {
        let schema = graph::schema();
        store.bound(limits.bounds());
        let guard = Guard::new(&graph::sdl_of(&schema), limits, front.introspection)?;
        let documents = Documents::new(front.trusted_documents, limits.kept_document_bytes / 4);
        for (id, text) in documents.all_trusted() {
            if let Err(errors) = guard.check(text) {
                let why = errors.first().map(|error| error.message.as_str());
                tracing::warn!(id, why, "a trusted document does not fit the schema");
            }
        }
        Ok(Self(Arc::new(Parts {
            guard,
            documents,
            schema,
            store,
            sessions,
            requests: limits.requests(),
            refusals: limits.refusals(),
            connections: limits.connections(front.trust_forwarded_for),
            opening: limits.opening(),
            seats: Quota::new(limits.sockets_per_actor, u64::MAX),
            incoming: limits.incoming(),
            unread: limits.unread(),
            found: health::Found::default(),
            stopping: watch::Sender::default(),
            limits,
            allowed_origins: front.allowed_origins,
            trust_forwarded_for: front.trust_forwarded_for,
            dev: front.dev,
            graphiql: front.graphiql,
        })))
    }

    /// Whether who asks is in development mode: everyone under `--dev`, otherwise who asks on the server's own machine.
    fn is_development(&self, request: &request::Parts, peer: SocketAddr) -> bool {
        self.dev || host::is_own_machine(request, peer)
    }

    /// Ends all WebSockets and event streams, and connections when they have answered; those that come later end at once.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until connections are to end, as this receiver of `stopping` hears.
    async fn stop_of(stopping: &mut watch::Receiver<bool>) {
        // Without a sender the server is gone already.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Waits until no connection is left.
    pub async fn stopped(&self) {
        self.stopping.closed().await;
    }
}

/// The whole HTTP interface.
fn router(app: App) -> Router {
    let mut router = Router::new()
        .route("/", get(|| async { Redirect::temporary("/graphql") }))
        .route("/graphql", any(graphql::handle))
        .route("/graphql/assets/{*path}", get(graphiql::asset))
        .route("/mcp", any(mcp::handle))
        .route("/webhooks/{sender}/{connection}", any(webhooks::handle))
        .route("/auth/oidc/start", get(oidc::start))
        .route("/auth/oidc/callback", get(oidc::callback))
        .route("/health", get(health::lives))
        .route("/readyz", get(health::is_ready))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), refusals::hold));
    if let Some(cors) = headers::cross_origin(&app.allowed_origins) {
        router = router.layer(cors);
    }
    router
        .layer(middleware::map_response(headers::secure))
        .layer(middleware::from_fn(request_id::name))
        .with_state(app)
}

async fn not_found(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    let error = Error::bad_input(
        "path",
        "leads nowhere. The API is at /graphql, the tools for coding agents are at /mcp, and webhooks go to a connection's webhookPath",
    );
    Refusal::new(StatusCode::NOT_FOUND, error).respond(Media::Json, &id)
}

async fn not_allowed(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    Refusal::method("GET", "must be GET here").respond(Media::Json, &id)
}
