//! Starting and stopping the server, and what the command line asks of it.

use crate::{
    auth::{Secret, Sessions, Tokens},
    background::Background,
    clock::Clock,
    config::Settings,
    error::{Error, Result},
    http::{self, App, Front, TrustedDocuments, graphiql},
    seed,
    store::{Head, Hints, Store},
    workflow, workspace,
};
use entity::{Id, project, user::UserRole};
use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{self, Runtime},
    signal,
};
use tracing_subscriber::EnvFilter;

/// How long running requests may take to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(20);
/// How long what SQL by hand has changed may wait until it is found.
const TEND_SEARCH: Duration = Duration::from_secs(60);
/// How long the tokens printed at the start are valid.
const DEMO_TOKEN: Duration = Duration::from_secs(12 * 60 * 60);
/// Whom the demo can be seen as.
const DEMO_ROLES: [(&str, UserRole); 4] = [
    ("owner", UserRole::Owner),
    ("admin", UserRole::Admin),
    ("member", UserRole::Member),
    ("viewer", UserRole::Viewer),
];

/// The stack of each worker. An operation's fields are resolved within each other, and the deepest one allowed takes
/// several megabytes in a debug build; what is not used costs only addresses.
pub const STACK: usize = 64 << 20;

/// The runtime that operations need.
///
/// # Errors
/// If the operating system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
}

/// Logs to standard error, so that standard output stays free for what a command prints.
pub fn start_logging(directives: &str, json: bool) {
    // One tells of every try to connect, where the store tells once; the other says again, line breaks and all, what clients
    // send.
    let quiet: String = { ["async_nats", "rmcp"].into_iter() }
        .filter(|library| !directives.contains(library))
        .map(|library| format!(",{library}=off"))
        .collect();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{directives}{quiet}")))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    if json { log.json().init() } else { log.init() }
}

/// How many bytes of answers the system takes of a connection before the client reads them: what it holds is not counted
/// by `WORKGRAPH_UNREAD_BYTES`, and would be up to four megabytes.
const SEND_BUFFER: u32 = 128 << 10;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Takes the address to listen on, before anything else is touched. Until the server listens, connections are refused.
///
/// # Errors
/// When it is taken, or is none of this machine's.
pub fn take_address(address: SocketAddr) -> Result<TcpSocket, String> {
    let take = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // Or what an earlier server left in TIME_WAIT would keep it out; on Windows it means something else.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        // Each connection has it from here.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        Ok(socket)
    };
    take().map_err(|error: io::Error| cannot_listen(address, &error))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    format!(
        "cannot listen on {address}: {error}. Choose another address, for example WORKGRAPH_LISTEN=127.0.0.1:8090"
    )
}

/// Migrates, seeds if wanted, and serves on the address that was [taken](take_address) until the process is told to stop.
///
/// # Errors
/// When the schema cannot be brought up to date, or another server was faster to listen.
pub async fn serve(
    settings: &Settings,
    socket: TcpSocket,
    store: Store,
    secret: Secret,
    clock: Clock,
) -> Result<(), String> {
    let told = |error: Error| error.cause();
    let oidc = settings.oidc()?;
    let store = store.reaching(settings.public_url.clone(), settings.mail()?);
    let development = settings.is_development();
    let trusted_documents = trusted_documents(settings)?;
    check_role(&store, settings).await?;
    seed::set_up(&store).await.map_err(told)?;
    store.check_keys().await.map_err(told)?;
    // Everybody knows the demo's passwords.
    if development && !settings.no_demo {
        seed::seed_if_empty(&store).await.map_err(told)?;
    }
    let tokens = Tokens::new(secret, clock);
    let graphiql = graphiql_config(&store, &tokens, settings)
        .await
        .map_err(told)?;
    let listener = socket
        .listen(BACKLOG)
        .map_err(|error| cannot_listen(settings.listen, &error))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    welcome(address, settings, &graphiql).map_err(|error| error.to_string())?;
    let hints = Hints::start(&store, settings.nats_url.clone());
    let tending = tokio::spawn(store.clone().tend_search(TEND_SEARCH));
    let background = (!settings.no_background).then(|| Background::start(store.clone()));
    let sessions = Sessions::new(store.clone(), tokens, settings.sign_ins_per_minute)
        .open_to_all(settings.sign_up())
        .through(oidc);
    let front = Front {
        allowed_origins: settings.allowed_origins.clone(),
        trust_forwarded_for: settings.trust_forwarded_for,
        introspection: !settings.no_introspection,
        trusted_documents,
        dev: settings.dev,
        graphiql: Some(graphiql).filter(|_| !settings.no_graphiql),
    };
    let app = App::new(store, sessions.clone(), settings.limits, front).map_err(told)?;
    run(listener, app, stop_signal()).await;
    sessions.finish().await;
    hints.stop().await;
    if let Some(background) = background {
        background.stop().await;
    }
    tending.abort();
    // It was told to end, and says so.
    let _ = tending.await;
    Ok(())
}

/// The documents that clients can name, out of the operator's manifest.
fn trusted_documents(settings: &Settings) -> Result<TrustedDocuments, String> {
    match &settings.trusted_documents {
        Some(trusted) => Ok(trusted.clone().only(settings.trusted_only)),
        None if settings.trusted_only => Err(
            "WORKGRAPH_TRUSTED_ONLY needs a manifest of the documents that are run: name its file in \
             WORKGRAPH_TRUSTED_DOCUMENTS"
                .to_owned(),
        ),
        None => Ok(TrustedDocuments::default()),
    }
}

/// Holds the server back from a role for whom the wall between workspaces does not stand.
async fn check_role(store: &Store, settings: &Settings) -> Result<(), String> {
    let Some(role) = store.unwalled_role().await.map_err(|error| error.cause())? else {
        return Ok(());
    };
    if settings.is_development() || settings.allow_superuser {
        tracing::warn!(
            role,
            "PostgreSQL applies no row-level security to this role; connect as an ordinary one"
        );
        return Ok(());
    }
    Err(format!(
        "the role {role} is a superuser or has BYPASSRLS, so PostgreSQL's row-level security does not hold it back. \
         Connect as an ordinary role that owns the database, or set WORKGRAPH_ALLOW_SUPERUSER=true."
    ))
}

/// Serves until `stop` is done, then lets running requests finish.
pub async fn run(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    http::serve(listener, &app, stop).await;
    tracing::info!("stopping; running requests may finish");
    app.stop();
    if tokio::time::timeout(GRACE, app.stopped()).await.is_err() {
        tracing::warn!("some requests did not finish and are broken off");
    }
}

async fn stop_signal() {
    #[cfg(unix)]
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// A token for the longest-standing user with a role.
///
/// # Errors
/// [`Error::BadUserInput`] when there is no such workspace or user.
pub async fn token(
    store: &Store,
    secret: Secret,
    clock: Clock,
    workspace: &str,
    role: UserRole,
    lifetime: Duration,
) -> Result<String> {
    let tenant = workspace::named(store, workspace).await?;
    let user = store.system().user_with_role(&tenant.id, role).await?;
    let user = user.ok_or_else(|| {
        let reason = format!("there is nobody with this role in the workspace `{workspace}`");
        Error::bad_input("role", reason)
    })?;
    Tokens::new(secret, clock).issue(&user, lifetime)
}

/// Sets a user's password and ends their sessions.
///
/// # Errors
/// [`Error::BadUserInput`] when there is no such workspace or user, or the password is too short.
pub async fn set_password(
    store: &Store,
    secret: Secret,
    clock: Clock,
    workspace: &str,
    email: &str,
    password: &str,
) -> Result<()> {
    let tenant = workspace::named(store, workspace).await?;
    Sessions::new(store.clone(), Tokens::new(secret, clock), u64::MAX)
        .reset_password(tenant.id, email, password)
        .await
}

/// Walks a workspace's ledger, by its slug, or by its id if it was deleted, and returns how far it has come, which must be on from a head that was noted.
///
/// # Errors
/// When an entry is missing or was altered.
pub async fn verify_ledger(store: &Store, workspace: &str, noted: Option<&Head>) -> Result<Head> {
    let tenant = match workspace {
        "system" => Id::from(workspace),
        slug => match workspace::named(store, slug).await {
            Ok(workspace) => workspace.id,
            // Its ledger outlives a workspace, and its slug may be another one's by now.
            Err(error) => match store.system().ledger_of(&Id::from(slug)).await? {
                Some(id) => id,
                None => return Err(error),
            },
        },
    };
    store.verify_ledger(&tenant, noted).await
}

/// Counts anew what a workspace has used of its budgets.
///
/// # Errors
/// When there is no such workspace, or the database fails.
pub async fn recount_budgets(store: &Store, workspace: &str) -> Result<()> {
    let tenant = workspace::named(store, workspace).await?.id;
    workflow::recount(store, &tenant, "command_line").await
}

/// In development, GraphiQL can sign in as every demo role.
async fn graphiql_config(
    store: &Store,
    tokens: &Tokens,
    settings: &Settings,
) -> Result<graphiql::Config> {
    let mut config = graphiql::Config {
        endpoint: "/graphql".to_owned(),
        roles: Vec::new(),
        examples: graphiql::examples(""),
    };
    for workspace in seed::DEMO_WORKSPACES {
        let Some(tenant) = store
            .system()
            .workspace(workspace)
            .await?
            .filter(|_| settings.is_development())
        else {
            continue;
        };
        if config.roles.is_empty() {
            let scope = store.system().tenant(tenant.id.clone(), "graphiql");
            let id = scope
                .first::<project::Entity>()
                .await?
                .map(|project| project.id.0.clone());
            config.examples = graphiql::examples(&id.unwrap_or_default());
        }
        for (name, role) in DEMO_ROLES {
            if let Some(user) = store.system().user_with_role(&tenant.id, role).await? {
                let token = tokens.issue(&user, DEMO_TOKEN)?;
                config.roles.push(graphiql::Role {
                    name: name.to_owned(),
                    workspace: workspace.to_owned(),
                    token,
                });
            }
        }
    }
    Ok(config)
}

/// Tells on standard output where the server is and how to ask it something.
fn welcome(
    address: SocketAddr,
    settings: &Settings,
    graphiql: &graphiql::Config,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Workgraph {} on {}",
        env!("CARGO_PKG_VERSION"),
        settings.database_url
    )?;
    writeln!(out, "GraphiQL and API: http://{address}/graphql")?;
    for role in &graphiql.roles {
        writeln!(out, "{:>6} {:<7} {}", role.workspace, role.name, role.token)?;
    }
    if !graphiql.roles.is_empty() {
        writeln!(
            out,
            "Send a token as `Authorization: Bearer …`; they are valid for {} hours.",
            DEMO_TOKEN.as_secs() / 3600
        )?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_holds_little_of_an_answer_that_nobody_reads() {
        let socket = take_address(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(BACKLOG).unwrap();
        let address = listener.local_addr().unwrap();
        let connecting = tokio::net::TcpStream::connect(address);
        let (connected, accepted) = tokio::join!(connecting, listener.accept());
        let (_client, (connection, _)) = (connected.unwrap(), accepted.unwrap());
        let connection = TcpSocket::from_std_stream(connection.into_std().unwrap());
        // Linux reserves twice as much, for its own needs.
        let held = connection.send_buffer_size().unwrap();
        assert!((SEND_BUFFER..=2 * SEND_BUFFER).contains(&held), "{held}");
    }
}
