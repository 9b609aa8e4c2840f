//! One seeded world, served over HTTP on either database.

mod client;
mod database;
mod schema;

pub use client::Client;
pub use database::Database;
pub use schema::{Field, Schema, Type};

use std::sync::Arc;
use tokio::net::TcpListener;
use workgraph::{
    auth::{Secret, Tokens},
    clock::Clock,
    graph,
    http::{App, graphiql},
    server,
    store::Store,
};

/// The workspaces of the seeded world.
pub const DEMO: &str = "demo";
/// The other one.
pub const ACME: &str = "acme";

/// A server on a port of its own, over a database of its own that holds the demo.
pub struct TestApp {
    pub database: Database,
    pub store: Store,
    pub url: String,
    /// How to reach the database without the server.
    pub connection: database::Connection,
}

impl TestApp {
    /// Clones the seeded database and serves it.
    pub async fn start(database: Database) -> Self {
        Self::serve(database, database.fresh().await, Clock::system()).await
    }

    /// Seeds a database of its own by this clock, and serves it by the same.
    pub async fn start_at(database: Database, clock: Clock) -> Self {
        let connection = database.empty().await;
        database::seed(&connection, clock.clone()).await;
        Self::serve(database, connection, clock).await
    }

    async fn serve(database: Database, connection: database::Connection, clock: Clock) -> Self {
        let store = Store::open(&connection.url, 10, clock)
            .await
            .expect("the clone opens");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!(
            "http://{}/graphql",
            listener.local_addr().expect("an address")
        );
        let graphiql = graphiql::Config {
            endpoint: "/graphql".into(),
            roles: vec![],
            examples: graphiql::examples(""),
        };
        let (schema, tokens) = (graph::schema(), tokens());
        let app = App {
            schema,
            store: store.clone(),
            tokens,
            graphiql: Arc::new(graphiql),
        };
        tokio::spawn(server::run(listener, app, std::future::pending()));
        Self {
            database,
            store,
            url,
            connection,
        }
    }

    /// A client with the token of a workspace's user.
    pub async fn client(&self, workspace: &str, role: &str) -> Client {
        Client::new(&self.url, &self.token(workspace, role).await)
    }

    /// The demo's owner.
    pub async fn owner(&self) -> Client {
        self.client(DEMO, "owner").await
    }

    pub async fn token(&self, workspace: &str, role: &str) -> String {
        let role = serde_json::from_value(role.into()).expect("a role");
        let system = self.store.system();
        let tenant = system
            .workspace(workspace)
            .await
            .expect("reads")
            .expect("is seeded");
        let user = system
            .user_with_role(&tenant.id, role)
            .await
            .expect("reads")
            .expect("is seeded");
        tokens()
            .issue(&user, std::time::Duration::from_secs(3600))
            .expect("signs")
    }
}

fn tokens() -> Tokens {
    Tokens::new(
        Secret::new("a secret that only tests know, of 32+").expect("is long enough"),
        Clock::system(),
    )
}

/// Runs a test as the server runs.
pub fn run(test: impl Future<Output = ()> + Send + 'static) {
    let runtime = server::runtime().expect("a runtime");
    if let Err(panicked) = runtime.block_on(runtime.spawn(test)) {
        std::panic::resume_unwind(panicked.into_panic());
    }
}

/// Declares tests that run on both databases: `on_both_databases! { async fn a_sentence(app) { … } }`.
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident) $body:block)*) => { $(
        async fn $name($app: crate::support::TestApp) $body

        mod $name {
            $(#[$attribute])*
            #[test]
            fn sqlite() {
                crate::support::run(async {
                    super::$name(crate::support::TestApp::start(crate::support::Database::Sqlite).await).await;
                });
            }

            $(#[$attribute])*
            #[test]
            fn postgres() {
                crate::support::run(async {
                    super::$name(crate::support::TestApp::start(crate::support::Database::Postgres).await).await;
                });
            }
        }
    )* };
}
