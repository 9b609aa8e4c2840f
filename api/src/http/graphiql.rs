//! GraphiQL: the page at `GET /graphql` and its files, embedded in the binary.
//!
//! The build script puts the files into `OUT_DIR`; without npm they are one plain page. Who may
//! see the page, and which tokens it carries, is for the caller to decide.

use std::fmt;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::Serialize;
use serde_json::json;

const PLACEHOLDER: &str = "__WORKGRAPH_CONFIG__";

/// Everything comes from this origin. The editor places its text with inline styles and its CSS
/// holds small images as `data:` addresses.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const EXAMPLES: [(&str, &str); 11] = [
    (
        "Projects and goals",
        include_str!("examples/projects.graphql"),
    ),
    (
        "Briefs, plans and tickets",
        include_str!("examples/delivery.graphql"),
    ),
    (
        "1. Write a brief",
        include_str!("examples/write_brief.graphql"),
    ),
    (
        "2. Decide on what waits",
        include_str!("examples/waiting.graphql"),
    ),
    (
        "3. Plan what is approved",
        include_str!("examples/plan_brief.graphql"),
    ),
    ("Who am I", include_str!("examples/viewer.graphql")),
    (
        "Work ready to claim",
        include_str!("examples/ready_work.graphql"),
    ),
    ("The ledger", include_str!("examples/ledger.graphql")),
    (
        "What happens, live",
        include_str!("examples/activity.graphql"),
    ),
    ("Search", include_str!("examples/search.graphql")),
    ("Anything by id", include_str!("examples/node.graphql")),
];

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/graphiql-dist"]
struct Files;

/// What the page is told when it loads.
#[derive(Debug)]
pub struct Config {
    /// Path of the GraphQL endpoint, for requests and for the WebSocket.
    pub endpoint: String,
    /// Whom the page can sign in as, the default first; empty outside development, where the page
    /// asks for a token instead.
    pub roles: Vec<Role>,
    /// Queries offered in the menu; the first fills the first tab.
    pub examples: Vec<Example>,
}

/// Someone the page can sign in as.
#[derive(Serialize)]
pub struct Role {
    /// Role within the workspace, such as `owner`.
    pub name: String,
    /// Workspace the role is in; with the name it is unique in a [`Config`].
    pub workspace: String,
    /// Bearer token sent with every request. Readable by everyone who can load the page.
    pub token: String,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("name", &self.name)
            .field("workspace", &self.workspace)
            .field("token", &"[redacted]")
            .finish()
    }
}

/// A query of the page's menu.
#[derive(Debug, Serialize)]
pub struct Example {
    /// Name in the menu; unique in a [`Config`].
    pub title: String,
    /// The document.
    pub query: String,
    /// Its variables as JSON text; empty when it has none.
    pub variables: String,
}

/// The operations that every installation offers; `node_id` fills the one that asks for an id.
pub fn examples(node_id: &str) -> Vec<Example> {
    let variables = |query: &str| {
        let variables = if query.contains("$id") {
            json!({ "id": node_id })
        } else if query.contains("$after") {
            json!({ "after": null })
        } else {
            return String::new();
        };
        format!("{variables:#}")
    };
    EXAMPLES
        .into_iter()
        .map(|(title, query)| Example {
            title: title.to_owned(),
            query: query.to_owned(),
            variables: variables(query),
        })
        .collect()
}

/// The page with `config` in it, and with its roles for a browser in development mode; 500 when this build holds no page.
pub(crate) fn page(config: &Config, in_development: bool) -> Response {
    let roles = match in_development {
        true => config.roles.as_slice(),
        false => &[],
    };
    let told = json!({ "endpoint": config.endpoint, "roles": roles, "examples": config.examples });
    let Some(file) = Files::get("index.html") else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // The JSON stands in a <script>: without `<` no text in it can end the element.
    let json = told.to_string().replace('<', "\\u003c");
    let html = String::from_utf8_lossy(&file.data).replace(PLACEHOLDER, &json);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, html).into_response()
}

/// A file of the page, by its path under `/graphql/assets/`; 404 when there is none.
///
/// Their names carry a hash of their content, so they may be cached for ever. Only the licence
/// texts keep their name, and an old copy of those does no harm.
pub(crate) async fn asset(Path(path): Path<String>) -> Response {
    let Some(file) = Files::get(&format!("assets/{path}")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, content_type(&path)),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, file.data).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
