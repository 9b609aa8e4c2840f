//! How long it takes to be given the next ticket: many agents, very many tickets, and as many in front that nobody can claim.

use super::{
    agents::{self, Agent, Claims},
    stage::{Meter, Stage, Target},
    table::Table,
};
use crate::{
    Result,
    figures::{milliseconds, percentile},
};
use std::time::{Duration, Instant};

const TENANTS: usize = 10;
/// How many agents a workspace has as long as nobody raises its limit.
const USUAL: usize = 20;
/// How many ask for a role of which nothing can be claimed.
const UNLUCKY: usize = 8;

const DATA: &str = include_str!("../../claims/data.sql");
const OBSTACLES: &str = include_str!("../../claims/obstacles.sql");

/// How claims are measured.
#[derive(Clone, Debug)]
pub struct ClaimPlan {
    /// How many tickets are ready in the first workspace.
    pub tickets: usize,
    /// How many agents that has.
    pub agents: usize,
    /// How long each case is measured.
    pub time: Duration,
    /// Only cases with this in their name.
    pub only: String,
}

/// Measures it.
///
/// # Errors
/// When it cannot be measured.
pub async fn claims(target: &Target, plan: &ClaimPlan) -> Result<String> {
    let settings = [
        // Ten agents are one token, which would be told to come back later.
        ("WORKGRAPH_WAIT_SECONDS", "60"),
        ("WORKGRAPH_WORKSPACE_AGENTS", "2000"),
        ("WORKGRAPH_AGENTS", "10000"),
    ];
    let stage = Stage::with(target, TENANTS, &settings).await?;
    let postgres = stage
        .postgres()
        .ok_or("the tickets are made on PostgreSQL only: give a --database-url")?;
    let fill = async |sql: &str| {
        let tickets = plan.tickets.to_string();
        postgres.run(&sql.replace("{tickets}", &tickets)).await?;
        postgres.run("VACUUM ANALYZE").await
    };
    fill(DATA).await?;
    let address = stage.server.address;
    let many = agents::connect(address, &stage.tenants[0], plan.agents).await?;
    let mut spread = many[..USUAL.min(many.len())].to_vec();
    for tenant in &stage.tenants[1..] {
        spread.extend(agents::connect(address, tenant, USUAL).await?);
    }
    let heading = [
        "agents",
        "claims/s",
        "p50",
        "p95",
        "p99",
        "longest",
        "nothing",
        "statements",
        "CPU server / database / load",
    ];
    let title = format!("The next ticket of {}", plan.tickets);
    let mut table = stage.table(&title, &heading).await?;
    let mut cases = Cases {
        stage: &stage,
        plan,
        table: &mut table,
    };
    for rate in [25, 50] {
        let of = many.len();
        cases
            .at_leisure(&format!("{of} of a workspace, {rate}/s"), &many, rate)
            .await?;
    }
    let of = spread.len();
    cases
        .at_leisure(&format!("{of} of {TENANTS} workspaces, 50/s"), &spread, 50)
        .await?;
    for count in [1, 8, 32] {
        cases
            .as_fast_as_possible(&format!("{count} as fast as they can"), &many, count)
            .await?;
    }
    fill(OBSTACLES).await?;
    let of = many.len();
    cases
        .at_leisure(&format!("obstacles: {of} of a workspace, 50/s"), &many, 50)
        .await?;
    cases
        .as_fast_as_possible("obstacles: 8 as fast as they can", &many, 8)
        .await?;
    let unlucky = agents::connect_for(address, &stage.tenants[0], "unlucky", UNLUCKY).await?;
    cases
        .as_fast_as_possible("nothing but obstacles: 1", &unlucky, 1)
        .await?;
    cases
        .as_fast_as_possible("nothing but obstacles: 8", &unlucky, UNLUCKY)
        .await?;
    Ok(table.to_string())
}

struct Cases<'c> {
    stage: &'c Stage,
    plan: &'c ClaimPlan,
    table: &'c mut Table,
}

impl Cases<'_> {
    /// All agents together claim so many times a second.
    async fn at_leisure(&mut self, name: &str, agents: &[Agent], rate: u32) -> Result<()> {
        if !name.contains(&self.plan.only) {
            return Ok(());
        }
        let every = Duration::from_secs_f64(agents.len() as f64 / f64::from(rate));
        // The first answers make what later ones find made.
        agents::at_leisure(agents, every, every).await?;
        let (meter, begun) = (self.stage.meter()?, Instant::now());
        let claims = agents::at_leisure(agents, every, self.plan.time).await?;
        self.row(name, claims, begun, meter)
    }

    async fn as_fast_as_possible(
        &mut self,
        name: &str,
        agents: &[Agent],
        count: usize,
    ) -> Result<()> {
        if !name.contains(&self.plan.only) {
            return Ok(());
        }
        let agents = &agents[..count.min(agents.len())];
        agents::as_fast_as_possible(agents, self.plan.time / 10).await?;
        let (meter, begun) = (self.stage.meter()?, Instant::now());
        let claims = agents::as_fast_as_possible(agents, self.plan.time).await?;
        self.row(name, claims, begun, meter)
    }

    fn row(&mut self, name: &str, mut claims: Claims, begun: Instant, meter: Meter) -> Result<()> {
        let shares = meter.read(self.stage)?;
        let rate = claims.times.len() as f64 / begun.elapsed().as_secs_f64();
        let none: Vec<_> = { claims.none.iter() }
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        let mut at = |share| milliseconds(percentile(&mut claims.times, share));
        self.table.row([
            name.to_owned(),
            format!("{rate:.0}"),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0),
            none.join(", "),
            claims.statements.to_string(),
            shares,
        ]);
        Ok(())
    }
}
