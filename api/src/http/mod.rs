//! HTTP: the router, who is asking, and GraphQL over it.

pub mod graphiql;
mod graphql;
mod guard;
mod request_id;
mod who;

use crate::{auth::Sessions, graph::Schema, store::Store};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, StatusCode},
    middleware,
    response::IntoResponse,
    routing::get,
};
use std::sync::Arc;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

/// The most a request's body may hold, in bytes.
const BODY_LIMIT: usize = 256 << 10;

/// Names the request in answers and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the handlers work with.
#[derive(Clone)]
pub struct App {
    /// The schema.
    pub schema: Schema,
    /// The database.
    pub store: Store,
    /// Opens sessions and checks tokens.
    pub sessions: Sessions,
    /// Other origins than its own whose pages may use the dashboard's cookies.
    pub allowed_origins: Arc<[String]>,
    /// Whether a proxy in front says, in `X-Forwarded-For`, where a request comes from.
    pub trust_forwarded_for: bool,
    /// What GraphiQL is told: in development, whom it can sign in as.
    pub graphiql: Arc<graphiql::Config>,
}

/// The whole HTTP interface.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/graphql", get(graphql::page).post(graphql::execute))
        .route("/graphql/assets/{*path}", get(graphiql::asset))
        .route("/health", get(health))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(request_id::name))
        .with_state(app)
}

async fn health() -> &'static str {
    "ok\n"
}

async fn not_found() -> impl IntoResponse {
    graphql::plain_error(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "There is nothing here. The API is at /graphql.",
    )
}

async fn not_allowed() -> impl IntoResponse {
    let message = "Send the operation as JSON with POST.";
    graphql::plain_error(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        message,
    )
}
