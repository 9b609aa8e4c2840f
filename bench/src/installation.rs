//! A database with workspaces, and the servers over it.

use crate::{Failure, Result, postgres::Postgres, program::Program, sql::Sql};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many commands of the program run at once.
const AT_ONCE: usize = 4;

/// Where an installation keeps its data.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the server of this URL.
    Postgres(String),
}

/// One database with workspaces of its own.
pub(crate) struct Installation {
    program: Program,
    settings: Vec<(String, String)>,
    directory: TempDir,
    postgres: Option<Postgres>,
}

/// A workspace, and its owner's token.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) slug: String,
    pub(crate) token: String,
}

impl Installation {
    /// Makes an empty database with the program's tables.
    pub(crate) async fn new(program: &Program, database: &Database) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres(server) => Some(Postgres::create(server).await?),
        };
        let url = match &postgres {
            Some(postgres) => postgres.url(),
            None => sqlite(&directory),
        };
        let mut made = Self {
            program: program.clone(),
            settings: Vec::new(),
            directory,
            postgres,
        };
        made.set("DATABASE_URL", &url);
        made.set("WORKGRAPH_SECRET", "only for servers that live for minutes");
        made.set("WORKGRAPH_NO_DEMO", "true");
        made.set("WORKGRAPH_LISTEN", "127.0.0.1:0");
        made.set("WORKGRAPH_REQUESTS_PER_MINUTE", "1000000");
        made.set("WORKGRAPH_SOCKETS_PER_ACTOR", "100000");
        made.set("WORKGRAPH_CONNECTIONS", "100000");
        made.set("WORKGRAPH_ADDRESS_CONNECTIONS", "100000");
        made.set("WORKGRAPH_OPENING_SOCKETS", "100000");
        made.run(&["migrate"]).await?;
        Ok(made)
    }

    /// Sets one of the program's settings for everything that is started from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(set, _)| set != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Without LISTEN/NOTIFY, as behind a pooler.
    pub(crate) fn set_pooled(&mut self) {
        if let Some(postgres) = &self.postgres {
            let url = postgres.url();
            let sign = if url.contains('?') { '&' } else { '?' };
            self.set(
                "DATABASE_URL",
                &format!("{url}{sign}statement-cache-capacity=0"),
            );
        }
    }

    /// The database, if it is PostgreSQL.
    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        self.postgres.as_ref()
    }

    /// A connection that sees every tenant's rows.
    pub(crate) async fn sql(&self) -> Result<Sql> {
        let url = match &self.postgres {
            Some(postgres) => postgres.url_across_tenants(),
            None => sqlite(&self.directory),
        };
        Sql::open(&url).await
    }

    /// Founds workspaces.
    pub(crate) async fn found(&self, count: usize) -> Result<Vec<Workspace>> {
        let found = |number: usize| async move {
            let slug = format!("tenant-{number}");
            let (name, email) = (format!("Tenant {number}"), format!("owner@{slug}.example"));
            let create = ["create-workspace", "--name", &name, "--slug", &slug];
            self.run(&[&create[..], &["--owner-email", &email]].concat())
                .await?;
            let token = self.run(&["token", "--workspace", &slug]).await?;
            let token = token.trim().to_owned();
            Ok(Workspace { slug, token })
        };
        stream::iter(0..count)
            .map(found)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Runs a command of the program.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String> {
        self.program
            .run(self.directory.path(), &self.settings, arguments)
            .await
    }

    /// Starts a server. Servers of the same number share a log.
    pub(crate) async fn serve(&self, number: usize) -> Result<Server> {
        let path = self.log(number);
        let log = File::options().create(true).append(true).open(&path)?;
        let mut command = self.program.command(self.directory.path(), &self.settings);
        Server::start(command.stderr(log))
            .await
            .map_err(|error| format!("{error}\n{}", tail(&path)).into())
    }

    /// Starts another program over the same database.
    pub(crate) async fn serve_other(
        &self,
        program: &Program,
        number: usize,
        arguments: &[&str],
    ) -> Result<Server> {
        let path = self.log(number);
        let mut command = program.command(self.directory.path(), &self.settings);
        Server::start(command.args(arguments).stderr(File::create(&path)?))
            .await
            .map_err(|error| format!("{error}\n{}", tail(&path)).into())
    }

    /// The lines in the servers' logs that say that somebody must act.
    pub(crate) fn complaints(&self, servers: usize) -> Vec<String> {
        let mut complaints = Vec::new();
        for number in 0..servers {
            let log = fs::read_to_string(self.log(number)).unwrap_or_default();
            let complaint = |line: &&str| line.contains("ERROR") || line.contains("panicked");
            complaints.extend(log.lines().filter(complaint).map(str::to_owned));
        }
        complaints
    }

    fn log(&self, number: usize) -> std::path::PathBuf {
        self.directory.path().join(format!("server-{number}.log"))
    }
}

/// A server in progress, killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    async fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("the server prints nothing")?;
        let mut lines = BufReader::new(out).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await? {
                let url = line.strip_prefix("GraphiQL and API: http://");
                if let Some(address) = url.and_then(|url| url.strip_suffix("/graphql")) {
                    return Ok::<_, Failure>(address.parse()?);
                }
            }
            Err("the server ended at its start".into())
        };
        let address = timeout(PATIENCE, listening)
            .await
            .unwrap_or_else(|_| Err("the server does not start".into()))?;
        Ok(Self { child, address })
    }

    /// Its process.
    pub(crate) fn process(&self) -> Result<u32> {
        self.child.id().ok_or_else(|| "the server has ended".into())
    }

    /// Kills it without warning, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

fn sqlite(directory: &TempDir) -> String {
    format!("sqlite:{}", directory.path().join("workgraph.db").display())
}

fn tail(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = log.lines().rev().take(10).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
