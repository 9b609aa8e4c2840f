//! One seeded world, served over HTTP on either database.

mod client;
mod database;
mod door;
mod events;
mod footprint;
mod outside;
mod proxy;
mod reply;
mod schema;
mod socket;
mod upgraded;
mod wait;
mod wire;

pub use client::{Answer, Client};
pub use database::{Database, as_superuser};
pub use door::Door;
pub use events::Events;
pub use footprint::Footprint;
pub use outside::Outside;
pub use proxy::Proxy;
pub use reply::{PATIENCE, Reply, must_tell_nothing};
pub use schema::{Field, Schema, Type};
pub use socket::{PROTOCOL, Socket, connect};
pub use upgraded::{Upgraded, text_frame};
pub use wait::Waiting;
pub use wire::Wire;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, OnceCell},
};
use workgraph::{
    auth::{OidcSettings, Secret, Sessions, Tokens},
    clock::Clock,
    http::{App, Front, Limits, TrustedDocuments, graphiql},
    integrations::{Addresses, Services},
    mail::Mail,
    server,
    store::Store,
    vault::Vault,
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
    /// What stands in place of all other services.
    pub outside: Outside,
    ahead: Arc<AtomicI64>,
    stop: Arc<Notify>,
    worker: OnceCell<Client>,
}

impl TestApp {
    /// Clones the seeded database and serves it.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, limits()).await
    }

    /// The same, with limits of the test's own.
    pub async fn start_with(database: Database, limits: Limits) -> Self {
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = clock(&ahead);
        Self::serve(database, database.fresh().await, clock, ahead, limits).await
    }

    /// Seeds a database of its own by this clock, and serves it by the same.
    pub async fn start_at(database: Database, clock: Clock) -> Self {
        let connection = database.empty().await;
        database::seed(&connection, clock.clone()).await;
        Self::serve(database, connection, clock, Arc::default(), limits()).await
    }

    /// A server on PostgreSQL, with a wire in between that can be cut. What the test does beside it goes there directly.
    pub async fn start_behind_proxy(limits: Limits) -> (Self, Proxy) {
        let connection = Database::Postgres.fresh().await;
        let proxy = Proxy::to(connection.server()).await;
        let ahead = Arc::new(AtomicI64::new(0));
        let behind = connection.behind(proxy.address);
        let clock = clock(&ahead);
        let mut app = Self::serve(Database::Postgres, behind, clock, ahead, limits).await;
        app.connection = connection;
        (app, proxy)
    }

    async fn serve(
        database: Database,
        connection: database::Connection,
        clock: Clock,
        ahead: Arc<AtomicI64>,
        limits: Limits,
    ) -> Self {
        let store = Store::open(&connection.url, 10, &secret(), clock.clone())
            .await
            .expect("the clone opens");
        Self::serve_store(database, connection, store, clock, ahead, limits).await
    }

    async fn serve_store(
        database: Database,
        connection: database::Connection,
        store: Store,
        clock: Clock,
        ahead: Arc<AtomicI64>,
        limits: Limits,
    ) -> Self {
        let outside = Outside::start().await;
        let store = store.with_vault(vault_at(&outside.url, true));
        let stop = Arc::new(Notify::new());
        let url = serve(&store, clock, limits, stop.clone(), Kind::Usual).await;
        Self {
            database,
            store,
            url,
            connection,
            outside,
            ahead,
            stop,
            worker: OnceCell::new(),
        }
    }

    /// A server whose links are mailed by the mail server at this address, and lead to the dashboard at [`ALLOWED_ORIGIN`].
    pub async fn start_mailing(database: Database, server: std::net::SocketAddr) -> Self {
        let (connection, ahead) = (database.fresh().await, Arc::default());
        let clock = clock(&ahead);
        let store = Store::open(&connection.url, 10, &secret(), clock.clone())
            .await
            .expect("the clone opens");
        let url = format!("smtp://workgraph:{SMTP_PASSWORD}@{server}");
        let mail = Mail::new(
            url.parse().expect("a mail server"),
            "Workgraph <workgraph@dashboard.example>"
                .parse()
                .expect("a sender"),
        );
        let store = store.reaching(Some(ALLOWED_ORIGIN.to_owned()), Some(mail));
        Self::serve_store(database, connection, store, clock, ahead, limits()).await
    }

    /// Tells the server to stop.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// A token of a workspace's user that is valid for so long.
    pub async fn token_for(&self, workspace: &str, role: &str, lifetime: Duration) -> String {
        let user = self.user(workspace, role).await;
        tokens(clock(&self.ahead))
            .issue(&user, lifetime)
            .expect("signs")
    }

    /// A token of this user.
    pub fn token_of(&self, user: &entity::user::Model) -> String {
        let tokens = tokens(clock(&self.ahead));
        tokens.issue(user, HOUR).expect("signs")
    }

    /// Turns the server's clock forward.
    pub fn wait(&self, time: Duration) {
        let milliseconds = i64::try_from(time.as_millis()).expect("not that long");
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// What time it is for the server.
    pub fn now(&self) -> DateTime<Utc> {
        clock(&self.ahead).now().inner()
    }

    /// Runs SQL beside the server, on all tenants' rows.
    pub async fn execute(&self, sql: &str) {
        let connection = self.connection.across_tenants().await;
        connection.execute_unprepared(sql).await.expect("runs");
    }

    /// A client with the token of a workspace's user.
    pub async fn client(&self, workspace: &str, role: &str) -> Client {
        Client::new(&self.url, &self.token(workspace, role).await)
    }

    /// The demo's owner.
    pub async fn owner(&self) -> Client {
        self.client(DEMO, "owner").await
    }

    /// Where the demo's owner knocks.
    pub async fn door(&self) -> Door {
        Door::new(&self.url, &self.token(DEMO, "owner").await)
    }

    /// A client of another server over the same database, on which it is always this moment.
    pub async fn client_at(&self, workspace: &str, role: &str, now: &str) -> Client {
        let now: DateTime<Utc> = now.parse().expect("a moment");
        let clock = Clock::new(move || now);
        let url = self.another(clock, limits(), Kind::Usual).await;
        Client::new(&url, &self.token(workspace, role).await)
    }

    /// Another server over the same database.
    pub async fn elsewhere(&self) -> String {
        self.another(clock(&self.ahead), limits(), Kind::Usual)
            .await
    }

    /// The demo's owner as a client of another server over the same database, which asks within no private network.
    pub async fn owner_elsewhere_asking_the_public(&self) -> Client {
        let store = Store::open(&self.connection.url, 2, &secret(), clock(&self.ahead)).await;
        let store = store
            .expect("opens")
            .with_vault(vault_at(&self.outside.url, false));
        let (clock, stop) = (Clock::system(), Arc::default());
        let url = serve(&store, clock, limits(), stop, Kind::Usual).await;
        Client::new(&url, &self.token(DEMO, "owner").await)
    }

    /// The demo's owner as a client of another server over the same database, which has no key.
    pub async fn elsewhere_without_keys(&self) -> Client {
        let store = Store::open(&self.connection.url, 2, &secret(), clock(&self.ahead)).await;
        let (clock, stop) = (Clock::system(), Arc::default());
        let url = serve(&store.expect("opens"), clock, limits(), stop, Kind::Usual).await;
        Client::new(&url, &self.token(DEMO, "owner").await)
    }

    /// Another server over the same database, on which nobody signs up.
    pub async fn closed(&self) -> String {
        self.another(Clock::system(), limits(), Kind::Closed).await
    }

    /// The address of another server over the same database, whose people sign in through this provider.
    pub async fn through(&self, provider: OidcSettings) -> String {
        let store = Store::open(&self.connection.url, 2, &secret(), clock(&self.ahead))
            .await
            .expect("opens")
            .with_vault(vault_at(&self.outside.url, true));
        let (clock, stop) = (clock(&self.ahead), Arc::default());
        serve_through(&store, clock, limits(), stop, Kind::Usual, Some(provider)).await
    }

    async fn another(&self, clock: Clock, limits: Limits, kind: Kind) -> String {
        let store = Store::open(&self.connection.url, 2, &secret(), clock)
            .await
            .expect("opens")
            .with_vault(vault_at(&self.outside.url, true));
        let (clock, stop) = (Clock::system(), Arc::default());
        serve(&store, clock, limits, stop, kind).await
    }

    /// The address of another server over the same database, which runs only documents of its manifest.
    pub async fn trusting_only(&self) -> String {
        self.another(Clock::system(), limits(), Kind::TrustingOnly)
            .await
    }

    /// The demo's owner as a client of another server over the same database, with limits of the test's own.
    pub async fn owner_within(&self, limits: Limits) -> Client {
        let url = self.another(Clock::system(), limits, Kind::Usual).await;
        Client::new(&url, &self.token(DEMO, "owner").await)
    }

    /// Another server over the same database, with limits of the test's own.
    pub async fn elsewhere_within(&self, limits: Limits) -> String {
        self.another(clock(&self.ahead), limits, Kind::Usual).await
    }

    /// A workspace's id.
    pub async fn tenant(&self, workspace: &str) -> String {
        self.workspace(workspace).await.id.to_string()
    }

    /// The e-mail address of a workspace's user.
    pub async fn email(&self, workspace: &str, role: &str) -> String {
        self.user(workspace, role).await.email
    }

    /// An agent token of the demo that holds a ticket, a job and a session.
    pub async fn agent(&self, owner: &Client) -> String {
        let create = "mutation { createAgentToken(input: { name: \"Agent\", roleSlugs: [\"dev_agent\"] }) { token agentToken { id } } }";
        let made = owner.data(create, serde_json::json!({})).await["createAgentToken"].clone();
        let id = made["agentToken"]["id"].as_str().expect("an id");
        for (table, column) in [
            ("tickets", "claimedByTokenId"),
            ("agent_jobs", "agentTokenId"),
            ("agent_sessions", "agentTokenId"),
        ] {
            self.execute(&format!(
                "UPDATE {table} SET \"{column}\" = '{id}' WHERE id = (SELECT t.id FROM {table} t \
                 JOIN tenants o ON o.id = t.\"tenantId\" WHERE o.slug = '{DEMO}' ORDER BY t.\"createdAt\" DESC, t.id DESC LIMIT 1)"
            ))
            .await;
        }
        made["token"].as_str().expect("a token").to_owned()
    }

    /// An agent of the demo whose token is for all projects and for these roles.
    pub async fn agent_for(&self, owner: &Client, roles: &[&str]) -> Client {
        let create = "mutation($roles: [String!]!) { createAgentToken(input: { name: \"Worker\", roleSlugs: $roles }) { token } }";
        let made = owner
            .data(create, serde_json::json!({ "roles": roles }))
            .await;
        let token = made["createAgentToken"]["token"].as_str();
        Client::new(&self.url, token.expect("a token"))
    }

    /// The token of a service of the demo with this role.
    pub async fn service_token(&self, owner: &Client, role: &str) -> String {
        let create = "mutation($role: ServiceRole!) { createServiceToken(input: { name: \"Service\", role: $role }) { token } }";
        let input = serde_json::json!({ "role": role.to_uppercase() });
        let made = owner.data(create, input).await;
        let token = made["createServiceToken"]["token"].as_str();
        token.expect("a token").to_owned()
    }

    /// The agent of the demo that tests send agents' mutations as: always the same one.
    pub async fn worker(&self, owner: &Client) -> Client {
        let made = self.agent_for(owner, &["dev_agent"]);
        self.worker.get_or_init(|| made).await.clone()
    }

    /// Fails when a workspace's ledger does not hold.
    pub async fn verify_ledger(&self, workspace: &str) {
        let tenant = self.workspace(workspace).await;
        self.store
            .verify_ledger(&tenant.id, None)
            .await
            .expect("the chain holds");
    }

    async fn workspace(&self, slug: &str) -> entity::tenant::Model {
        let tenant = self.store.system().workspace(slug).await;
        tenant.expect("reads").expect("is seeded")
    }

    /// A workspace's longest-standing user with this role.
    pub async fn user(&self, workspace: &str, role: &str) -> entity::user::Model {
        let role = serde_json::from_value(role.into()).expect("a role");
        let tenant = self.workspace(workspace).await;
        let user = self.store.system().user_with_role(&tenant.id, role).await;
        user.expect("reads").expect("is seeded")
    }

    pub async fn token(&self, workspace: &str, role: &str) -> String {
        self.token_for(workspace, role, HOUR).await
    }
}

/// What is special about a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    Usual,
    /// It runs only documents of its manifest.
    TrustingOnly,
    /// Nobody signs up.
    Closed,
}

/// Serves a store on a port of its own; tokens are checked by this clock.
async fn serve(
    store: &Store,
    clock: Clock,
    limits: Limits,
    stop: Arc<Notify>,
    kind: Kind,
) -> String {
    serve_through(store, clock, limits, stop, kind, None).await
}

/// The same, whose people also come from a provider.
async fn serve_through(
    store: &Store,
    clock: Clock,
    limits: Limits,
    stop: Arc<Notify>,
    kind: Kind,
    provider: Option<OidcSettings>,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let graphiql = graphiql::Config {
        endpoint: "/graphql".into(),
        roles: vec![],
        examples: graphiql::examples(""),
    };
    let sessions = Sessions::new(store.clone(), tokens(clock), SIGN_INS)
        .open_to_all((kind == Kind::Closed).then_some(false))
        .through(provider);
    let front = Front {
        allowed_origins: vec![ALLOWED_ORIGIN.into()],
        trust_forwarded_for: true,
        introspection: true,
        trusted_documents: TrustedDocuments::read(TRUSTED)
            .expect("a manifest")
            .only(kind == Kind::TrustingOnly),
        // Tests sign in with the demo's password, and as from behind proxies.
        dev: true,
        graphiql: Some(graphiql),
    };
    let app = App::new(store.clone(), sessions, limits, front).expect("the schema can be read");
    tokio::spawn(server::run(listener, app, async move {
        stop.notified().await;
    }));
    format!("http://{address}/graphql")
}

/// A manifest of documents that clients can name.
const TRUSTED: &str = r#"{ "who-asks": "query WhoAsks { viewer { user { email } } }" }"#;

/// Where a dashboard of another origin is served.
pub const ALLOWED_ORIGIN: &str = "https://dashboard.example";

/// What a server of a test proves itself to its mail server with.
pub const SMTP_PASSWORD: &str = "a-password-for-mail";

/// The password of everyone in the demo.
pub const PASSWORD: &str = "workgraph-demo";

/// How often a minute an address may try to sign in.
pub const SIGN_INS: u64 = 10;

/// Longer than any test takes.
const HOUR: Duration = Duration::from_secs(3600);

/// The limits as they are, but for the number of requests: tests send many, and much that is wrong.
pub fn limits() -> Limits {
    Limits {
        requests_per_minute: 1_000_000,
        refusals_per_minute: 1_000_000,
        workspace_agents: 1_000,
        agents: 10_000,
        ..Limits::default()
    }
}

/// What signs tokens in tests.
pub const SECRET: &str = "a secret that only tests know, of 32+";

/// The same, for who signs and seals.
pub fn secret() -> Secret {
    Secret::new(SECRET).expect("is long enough")
}

/// What seals secrets in tests: `tests`, and another key that is known.
pub const KEYS: &str = "tests:dGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgMzI=,other:b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgMzI=";

/// A vault whose secrets go nowhere.
pub fn vault() -> Vault {
    vault_at("http://127.0.0.1:1", true)
}

/// A vault whose secrets go to this address, in place of all services.
fn vault_at(url: &str, allow_private: bool) -> Vault {
    let services = Services::new(Addresses::all_at(url), allow_private);
    Vault::new(KEYS.parse().expect("keys"), services)
}

fn tokens(clock: Clock) -> Tokens {
    Tokens::new(secret(), clock)
}

/// The machine's clock, so much ahead.
fn clock(ahead: &Arc<AtomicI64>) -> Clock {
    let (ahead, system) = (ahead.clone(), Clock::system());
    Clock::new(move || {
        let ahead = ahead.load(Ordering::Relaxed).unsigned_abs();
        system.now().inner() + Duration::from_millis(ahead)
    })
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
