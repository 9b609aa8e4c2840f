//! A run of chaos, from an empty database to the comparison.

use super::{
    disturb::{cut_listeners, kill_in_turn, kill_nats},
    report::Report,
    tally::Tally,
    tenant::{Tenant, follow, write},
    verdict::compare,
};
use crate::{
    Database, Program, Result,
    installation::Installation,
    nats::Nats,
    servers::{Servers, most},
};
use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How often it is looked whether enough was written.
const LOOK: Duration = Duration::from_millis(100);

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program under test.
    pub program: Program,
    /// Where it keeps its data. On SQLite there is one server, else two.
    pub database: Database,
    /// Whether hints go over NATS, and only there.
    pub nats: bool,
    /// How many tenants there are.
    pub tenants: usize,
    /// How many writers.
    pub writers: usize,
    /// How many subscribers.
    pub subscribers: usize,
    /// How many mutations a request has at most.
    pub roots: usize,
    /// Milliseconds between kills.
    pub kill_every: Range<u64>,
    /// Milliseconds that most subscribers stay at most.
    pub stay: u64,
    /// How long it goes on at least.
    pub time: Duration,
    /// How many events are written at least.
    pub events: u64,
}

/// Runs it.
///
/// # Errors
/// When it could not be run. What it found is in the report.
pub async fn run(plan: &Plan) -> Result<Report> {
    let mut installation = Installation::new(&plan.program, &plan.database).await?;
    let nats = if plan.nats {
        let nats = Nats::start().await?;
        installation.set("NATS_URL", &nats.url());
        installation.set_pooled();
        Some(nats)
    } else {
        None
    };
    let workspaces = installation.found(plan.tenants).await?;
    let installation = Arc::new(installation);
    let count = most(&plan.database);
    let servers = Arc::new(Servers::start(&installation, count).await?);
    let address = servers.proxy().address();
    let mut tenants = Vec::new();
    for workspace in workspaces {
        tenants.push(Tenant::read(address, workspace).await?);
    }
    let tally = Arc::new(Tally::default());
    let begun = Instant::now();

    let (heads, mut following) = follow(plan, &tenants, address, &tally)?;
    let (stop_writing, stopped_writing) = watch::channel(false);
    let (calm, disturbed) = watch::channel(false);
    let mut writing = write(plan, &tenants, address, &tally, &stopped_writing)?;
    let killing = tokio::spawn(kill_in_turn(
        servers.clone(),
        disturbed.clone(),
        plan.kill_every.clone(),
        tally.clone(),
    ));
    let cutting = tokio::spawn(cut_listeners(
        installation.clone(),
        disturbed.clone(),
        tally.clone(),
    ));
    let nats = nats.map(|nats| tokio::spawn(kill_nats(nats, disturbed, tally.clone())));

    while begun.elapsed() < plan.time || tally.written.get() < plan.events {
        if killing.is_finished() {
            // Nobody brings the servers back, so nothing else would ever end.
            killing.await??;
            return Err("the servers are not disturbed any more".into());
        }
        tokio::time::sleep(LOOK).await;
    }
    let time = begun.elapsed();
    stop_writing.send_replace(true);
    // Writers repeat what was not answered, so now the servers must stay.
    calm.send_replace(true);
    let mut writers = Vec::new();
    while let Some(writer) = writing.join_next().await {
        writers.push(writer?);
    }
    killing.await??;
    cutting.await??;
    let _nats = match nats {
        Some(nats) => Some(nats.await??),
        None => None,
    };
    // What clients dropped may still be running.
    servers.replace_all().await?;
    for (tenant, head) in tenants.iter().zip(&heads) {
        head.send_replace(Some(tenant.head().await?));
    }
    let mut subscribers = Vec::new();
    while let Some(subscriber) = following.join_next().await {
        subscribers.push(subscriber?);
    }
    let (events, difference) = compare(&tenants, &subscribers, &writers, &tally).await?;
    for tenant in &tenants {
        let verify = ["verify-ledger", "--workspace", &tenant.workspace.slug];
        if let Err(error) = installation.run(&verify).await {
            tally.fault(error);
        }
    }
    for complaint in installation.complaints(count) {
        tally.fault(format!("a server's log: {complaint}"));
    }
    Ok(Report {
        name: plan.name(),
        time,
        tenants: plan.tenants,
        writers: plan.writers,
        subscribers: plan.subscribers,
        filtered: subscribers.iter().filter(|one| one.filter > 0).count(),
        by_events: subscribers.iter().filter(|one| one.by_events).count(),
        events,
        seen: subscribers
            .iter()
            .map(|one| one.arithmetic.seen() as u64)
            .sum(),
        difference,
        tally,
    })
}

impl Plan {
    fn name(&self) -> &'static str {
        match (&self.database, self.nats) {
            (Database::Sqlite, _) => "SQLite, one server",
            (Database::Postgres(_), false) => "PostgreSQL, two servers, LISTEN/NOTIFY",
            (Database::Postgres(_), true) => "PostgreSQL, two servers, NATS",
        }
    }
}
