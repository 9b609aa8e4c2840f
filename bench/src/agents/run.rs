//! A run, from an empty database to the comparison.

use super::{
    company::Company,
    daemon::{Daemon, Shared},
    known::Known,
    report::Report,
    storm::{Storm, live},
    tally::Tally,
    time::Dead,
    verdict::{self, OPEN},
    volley::{Fate, Volley},
    wire::{Moment, Wire},
};
use crate::{
    Database, Program, Result,
    installation::Installation,
    servers::{Servers, most},
    sql::Sql,
};
use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};

/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(100);
/// After the storm all must be done in this time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Each step has an agent that stands before it.
const STEPS: usize = super::operation::Step::ALL.len();

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program under test.
    pub program: Program,
    /// Where it keeps its data. On SQLite there is one server, else two.
    pub database: Database,
    /// How often servers are killed at each step, at each moment, with each fate of the agents.
    pub volleys: usize,
    /// How many agents there are in the storm.
    pub agents: usize,
    /// How many tickets of no plan there are in the storm, and how many briefs.
    pub tickets: usize,
    /// A brief has a plan of six tickets.
    pub briefs: usize,
    /// How long the storm goes on at least; more work comes for as long.
    pub storm: Duration,
    /// How many requests are answered between kills in the storm.
    pub kill_every: Range<u64>,
}

/// Runs it.
///
/// # Errors
/// When it could not be run. What it found is in the report.
pub async fn run(plan: &Plan) -> Result<Report> {
    let mut installation = Installation::new(&plan.program, &plan.database).await?;
    installation.set("WORKGRAPH_WORKSPACE_AGENTS", "100000");
    installation.set("WORKGRAPH_AGENTS", "100000");
    let workspace = installation.found(1).await?.remove(0);
    let installation = Arc::new(installation);
    let sql = installation.sql().await?;
    sql.run("UPDATE agent_roles SET \"defaultConcurrency\" = 32")
        .await?;
    let count = most(&plan.database);
    let servers = Arc::new(Servers::start(&installation, count).await?);
    let tally = Arc::new(Tally::default());
    let person = Arc::new(Wire::new(&servers, &tally, &workspace.token));
    let company = Arc::new(Company::new(workspace, person.clone()).await?);
    let shared = Shared {
        tally: tally.clone(),
        known: Arc::new(Known::default()),
        person,
    };
    let mut daemons = Vec::new();
    for number in 0..plan.agents.max(STEPS) {
        let name = format!("agent-{number}");
        let wire = Wire::new(&servers, &tally, &company.token(&name).await?);
        daemons.push(Daemon::new(name, Arc::new(wire), shared.clone()));
    }
    let dead = Arc::new(Dead::default());
    let (stop, stopped) = watch::channel(false);
    let passing = {
        let (dead, stopped, sql) = (dead.clone(), stopped.clone(), installation.sql().await?);
        tokio::spawn(async move { dead.pass(&sql, stopped).await })
    };
    let begun = Instant::now();

    let mut haunting = JoinSet::new();
    let volley = Volley {
        servers: &servers,
        company: &company,
        tally: &tally,
        dead: &dead,
    };
    for round in 0..plan.volleys {
        for moment in Moment::ALL {
            for fate in Fate::ALL {
                let name = format!("Volley {round} {moment:?} {fate:?}");
                let how = (moment, fate);
                volley
                    .fire(&name, &mut daemons[..STEPS], how, &mut haunting)
                    .await?;
            }
        }
    }
    let volleys = begun.elapsed();

    let storm = Arc::new(Storm::new(&dead));
    let mut living = JoinSet::new();
    daemons.truncate(plan.agents);
    for daemon in daemons {
        living.spawn(live(daemon, storm.clone(), JoinSet::new()));
    }
    let deciding = {
        let (company, stopped) = (company.clone(), stopped.clone());
        tokio::spawn(async move { company.decide(stopped).await })
    };
    let (calm, calmed) = watch::channel(false);
    let raging = {
        let (storm, every, tally) = (storm.clone(), plan.kill_every.clone(), tally.clone());
        tokio::spawn(async move { storm.rage(every, &tally, calmed).await })
    };
    let work = Work {
        plan,
        company: &company,
        sql: &sql,
    };
    work.while_it_rages(Instant::now()).await?;
    calm.send_replace(true);
    raging.await?;
    let left = work.until_it_is_done().await?;
    storm.is_done.store(true, Ordering::Relaxed);
    while let Some(lived) = living.join_next().await {
        let mut theirs = lived??;
        while let Some(haunted) = theirs.join_next().await {
            haunted??;
        }
    }
    while let Some(haunted) = haunting.join_next().await {
        haunted??;
    }
    let time = begun.elapsed();
    stop.send_replace(true);
    passing.await??;
    deciding.await??;
    // What agents dropped may still be running.
    servers.replace_all().await?;

    for ticket in left {
        tally.faults.add(format!("after all, {ticket}"));
    }
    let found = verdict::compare(&sql, &shared.known, &tally).await?;
    let slug = &company.workspace.slug;
    verdict::recount(&installation, &sql, slug, &tally).await?;
    for complaint in installation.complaints(count) {
        tally.faults.add(format!("a server's log: {complaint}"));
    }
    Ok(Report {
        name: plan.name(),
        time,
        volleys,
        agents: plan.agents,
        found,
        tally,
    })
}

/// The work that there is in the storm.
struct Work<'w> {
    plan: &'w Plan,
    company: &'w Company,
    sql: &'w Sql,
}

impl Work<'_> {
    /// Makes work, and more of it whenever there is little left.
    async fn while_it_rages(&self, begun: Instant) -> Result<()> {
        let (mut rounds, mut briefs) = (0, 0);
        let (most, each) = (self.plan.tickets, self.plan.briefs);
        while rounds == 0 || begun.elapsed() < self.plan.storm {
            if self.open().await?.len() * 2 <= most {
                self.company.loose(&format!("Storm {rounds}"), most).await?;
                for _ in 0..each {
                    self.company.brief(briefs).await?;
                    briefs += 1;
                }
                rounds += 1;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until all is done; returns what is not.
    async fn until_it_is_done(&self) -> Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let open = self.open().await?;
            if open.is_empty() || PATIENCE < begun.elapsed() {
                return Ok(open);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tickets that somebody may still do.
    async fn open(&self) -> Result<Vec<String>> {
        let open = self.sql.rows(OPEN).await?;
        let open = open
            .into_iter()
            .map(|[id, title, status]| format!("ticket {id} ({title}) is {status}"));
        Ok(open.collect())
    }
}

impl Plan {
    fn name(&self) -> &'static str {
        match &self.database {
            Database::Sqlite => "SQLite, one server",
            Database::Postgres(_) => "PostgreSQL, two servers",
        }
    }
}
