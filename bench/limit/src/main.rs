//! The limit: what a server written by hand for these pages, and for nothing else, gives on the same rows.
//!
//! It knows each operation by its name, reads what the page shows in one statement and writes the answer's text straight
//! from the rows. It keeps the tenant wall that the real server keeps: one transaction an operation, with the tenant's
//! setting for row-level security, sent in one go with the statement. Who asks is a token in memory. There is no parser,
//! no validation, no price, no filter, no cursor but a number: that is what Workgraph is compared with.

mod pages;
mod pool;
mod text;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use clap::Parser;
use pool::Pool;
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What it is told at its start.
#[derive(Parser)]
#[command(about)]
struct CommandLine {
    /// The database, `postgres://role:password@host/name`
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    /// How many connections it has
    #[arg(long, default_value_t = 10)]
    connections: usize,
    /// Who asks and whose rows are theirs, `TOKEN=TENANT=USER`; several are several arguments
    #[arg(long)]
    caller: Vec<String>,
}

/// Why it does not run or answer, for people.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Somebody who asks.
pub(crate) struct Caller {
    pub(crate) tenant: String,
    pub(crate) user: String,
}

struct Server {
    pool: Pool,
    callers: HashMap<String, Caller>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let given = CommandLine::parse();
    let mut callers = HashMap::new();
    for caller in &given.caller {
        let mut parts = caller.split('=').map(str::to_owned);
        let (Some(token), Some(tenant), Some(user)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("{caller} is not TOKEN=TENANT=USER").into());
        };
        callers.insert(token, Caller { tenant, user });
    }
    let pool = Pool::new(&given.database_url, given.connections).await?;
    let router = Router::new()
        .route("/graphql", post(answer))
        .with_state(Arc::new(Server { pool, callers }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "GraphiQL and API: http://{}/graphql",
        listener.local_addr()?
    );
    Ok(axum::serve(listener, router).await?)
}

async fn answer(State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(caller) = token.and_then(|token| server.callers.get(token)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let name = request["operationName"].as_str().unwrap_or_default();
    let answer = pages::answer(&server.pool, caller, name, &request["variables"]);
    match answer.await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(failure) => (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()).into_response(),
    }
}
