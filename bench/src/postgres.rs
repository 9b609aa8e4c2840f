//! A database of its own on a PostgreSQL server, by way of psql.

use crate::{Result, child};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::process::Command;

/// The role that the servers have: an ordinary one, so that row-level security holds.
const ROLE: &str = "workgraph_bench";
const PREFIX: &str = "workgraph_bench_";

/// A database, removed when this is dropped.
pub(crate) struct Postgres {
    psql: PathBuf,
    /// The server, as somebody who may create databases and roles.
    server: String,
    name: String,
}

impl Postgres {
    /// Makes an empty database on the server of this URL, and removes what killed runs left behind.
    pub(crate) async fn create(server: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let made = Self {
            psql: child::find("psql", "postgresql-client")?,
            server: server.to_owned(),
            name: format!("{PREFIX}{}_{number}", std::process::id()),
        };
        // Two runs may begin at once, and roles are the whole server's.
        let role = format!(
            "DO $$ BEGIN PERFORM pg_advisory_lock(hashtext('{ROLE}')); \
             IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN \
             CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'; END IF; END $$"
        );
        made.execute(server, &role).await?;
        let left =
            format!("SELECT datname FROM pg_database WHERE starts_with(datname, '{PREFIX}')");
        for name in made.execute(server, &left).await?.lines() {
            if !is_in_use(name) {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                made.execute(server, &drop).await?;
            }
        }
        let create = format!("CREATE DATABASE {} OWNER {ROLE}", made.name);
        made.execute(server, &create).await?;
        Ok(made)
    }

    /// How the servers connect.
    pub(crate) fn url(&self) -> String {
        self.url_as(Some(ROLE))
    }

    /// How who makes databases connects, whom no wall holds back.
    pub(crate) fn url_across_tenants(&self) -> String {
        self.url_as(None)
    }

    /// Cuts the connections on which servers hear hints, and returns how many.
    pub(crate) async fn cut_listeners(&self) -> Result<usize> {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND query LIKE 'LISTEN %'";
        let answer = self.execute(&self.url_as(None), cut).await?;
        Ok(answer.lines().filter(|line| *line == "t").count())
    }

    /// Runs statements as who makes databases, whom no wall holds back.
    pub(crate) async fn run(&self, sql: &str) -> Result<()> {
        self.execute(&self.url_as(None), sql).await.map(drop)
    }

    /// What the server is, and how safely it writes.
    pub(crate) async fn describe(&self) -> Result<String> {
        let describe = "SELECT 'PostgreSQL ' || current_setting('server_version') || \
                        ', fsync ' || current_setting('fsync') || \
                        ', synchronous_commit ' || current_setting('synchronous_commit')";
        let answer = self.execute(&self.server, describe).await?;
        Ok(answer.trim().to_owned())
    }

    async fn execute(&self, url: &str, sql: &str) -> Result<String> {
        let mut command = Command::new(&self.psql);
        child::output(command.args(arguments(url, sql))).await
    }

    /// The database on the server, as this role or as who makes databases.
    fn url_as(&self, role: Option<&str>) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap_or(("postgres", ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.split('/').next().unwrap_or_default();
        let authority = match role {
            None => authority.to_owned(),
            Some(role) => {
                let host = authority.rsplit('@').next().unwrap_or_default();
                format!("{role}:{role}@{host}")
            }
        };
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        format!("{scheme}://{authority}/{}{query}", self.name)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // What stays behind is removed by the next run.
        let _ = std::process::Command::new(&self.psql)
            .args(arguments(&self.server, &drop))
            .output();
    }
}

fn arguments<'a>(url: &'a str, sql: &'a str) -> [&'a str; 9] {
    let stop = "ON_ERROR_STOP=1";
    ["-X", "-q", "-A", "-t", "-v", stop, "-c", sql, url]
}

/// Whether another run on this machine still has it.
fn is_in_use(name: &str) -> bool {
    let process = name.trim_start_matches(PREFIX).split('_').next();
    process.is_some_and(|process| Path::new("/proc").join(process).exists())
}
