//! What is measured: one server over a database of its own, with tenants.

use super::table::Table;
use crate::{
    Database, Program, Result,
    client::Client,
    figures::{self, computed},
    installation::{Installation, Server, Workspace},
    postgres::Postgres,
};
use serde_json::json;
use std::time::{Duration, Instant};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Target {
    /// The program under test.
    pub program: Program,
    /// Where it keeps its data.
    pub database: Database,
}

/// One server, with tenants.
pub(super) struct Stage {
    // Before the installation, so that it is dead when its database goes.
    pub(super) server: Server,
    pub(super) tenants: Vec<Tenant>,
    installation: Installation,
    machine: String,
}

/// One tenant, and a client of its owner.
#[derive(Clone)]
pub(super) struct Tenant {
    pub(super) workspace: Workspace,
    pub(super) client: Client,
    pub(super) project: String,
}

/// How long everyone has computed, since when.
pub(super) struct Meter {
    begun: Instant,
    server: Duration,
    database: Duration,
    load: Duration,
}

impl Stage {
    pub(super) async fn new(target: &Target, tenants: usize) -> Result<Self> {
        Self::with(target, tenants, &[]).await
    }

    /// The same with settings of the program.
    pub(super) async fn with(
        target: &Target,
        tenants: usize,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let machine = figures::machine();
        let mut installation = Installation::new(&target.program, &target.database).await?;
        for (name, value) in settings {
            installation.set(name, value);
        }
        let installation = installation;
        let workspaces = installation.found(tenants).await?;
        let server = installation.serve(0).await?;
        let mut tenants = Vec::new();
        for workspace in workspaces {
            let client = Client::new(server.address, &workspace.token)?;
            let query = "{ projects { nodes { id } } }";
            let projects = client.data(query, json!({})).await?;
            let project = projects["projects"]["nodes"][0]["id"].as_str();
            let project = project.ok_or("a workspace has no project")?.to_owned();
            tenants.push(Tenant {
                workspace,
                client,
                project,
            });
        }
        Ok(Self {
            server,
            tenants,
            installation,
            machine,
        })
    }

    /// A table that says in the end on what it was measured.
    pub(super) async fn table(&self, title: &str, heading: &[&str]) -> Result<Table> {
        let database = match self.installation.postgres() {
            Some(postgres) => postgres.describe().await?,
            None => "SQLite".to_owned(),
        };
        let mut table = Table::new(&format!("{title}, on {database}"), heading);
        table.note(self.machine.clone());
        Ok(table)
    }

    /// The database, if it is PostgreSQL.
    pub(super) fn postgres(&self) -> Option<&Postgres> {
        self.installation.postgres()
    }

    pub(super) fn meter(&self) -> Result<Meter> {
        Ok(Meter {
            begun: Instant::now(),
            server: computed(self.server.process()?)?,
            database: figures::computed_by("postgres"),
            load: computed(std::process::id())?,
        })
    }
}

impl Meter {
    /// What share of one processor the server, PostgreSQL and this process took since then.
    pub(super) fn read(&self, stage: &Stage) -> Result<String> {
        let time = self.begun.elapsed().as_secs_f64();
        let now = stage.meter()?;
        let share = |from: Duration, to: Duration| {
            let share = to.saturating_sub(from).as_secs_f64() / time * 100.0;
            format!("{share:.0} %")
        };
        Ok(format!(
            "{} / {} / {}",
            share(self.server, now.server),
            share(self.database, now.database),
            share(self.load, now.load)
        ))
    }
}
