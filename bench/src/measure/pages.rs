//! The dashboard's pages, beside a server that was written by hand for nothing else: see `bench/limit`.

use super::{stage::Target, table::Table, wire::Wire};
use crate::{
    Program, Result,
    client::Client,
    figures::{self, computed, milliseconds, percentile},
    installation::{Installation, Server, Workspace},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const TENANTS: usize = 20;
const CLIENTS: usize = 32;
/// How often each is measured, in turn, because a machine changes its mind.
const ROUNDS: usize = 2;
/// How many pages of the ledger lie before the one that is measured.
const DEEP: usize = 500;

const DATA: &str = include_str!("../../pages/data.sql");

/// The operations, by name, as a client sends them.
const PAGES: [(&str, &str); 9] = [
    (
        "ViewerAndProjects",
        include_str!("../../pages/ViewerAndProjects.graphql"),
    ),
    (
        "ProjectsAndGoals",
        include_str!("../../pages/ProjectsAndGoals.graphql"),
    ),
    (
        "BriefsPlansTickets",
        include_str!("../../pages/BriefsPlansTickets.graphql"),
    ),
    (
        "NewestTickets",
        include_str!("../../pages/NewestTickets.graphql"),
    ),
    ("LedgerPage", include_str!("../../pages/LedgerPage.graphql")),
    ("OneTicket", include_str!("../../pages/OneTicket.graphql")),
    (
        "LargeBriefs",
        include_str!("../../pages/LargeBriefs.graphql"),
    ),
    (
        "WideTickets",
        include_str!("../../pages/WideTickets.graphql"),
    ),
    (
        "CreateTicket",
        include_str!("../../pages/CreateTicket.graphql"),
    ),
];

/// How the pages are measured.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The server that is written by hand.
    pub limit: Program,
    /// How many rows there are, as a factor.
    pub scale: f64,
    /// How long each page is asked for in each round.
    pub time: Duration,
    /// Only pages with this in their name.
    pub only: String,
}

/// One of the two servers, and what it is asked.
struct Side {
    server: Server,
    token: String,
}

/// What one page took on one side.
#[derive(Default)]
struct Took {
    answers: usize,
    elapsed: Duration,
    times: Vec<Duration>,
    server: Duration,
    database: Duration,
    peak: u64,
    bytes: usize,
}

/// Measures it.
///
/// # Errors
/// When it cannot be measured, or the two do not answer the same.
pub async fn pages(target: &Target, plan: &Pages) -> Result<String> {
    let mut installation = Installation::new(&target.program, &target.database).await?;
    // All clients are one person, who would be told to come back later.
    installation.set("WORKGRAPH_WAIT_SECONDS", "60");
    let installation = installation;
    let postgres = installation
        .postgres()
        .ok_or("the limit speaks to PostgreSQL only: give a --database-url")?;
    let workspaces = installation.found(TENANTS).await?;
    postgres
        .run(&DATA.replace("{scale}", &plan.scale.to_string()))
        .await?;
    let (ours, limit) = sides(&installation, &workspaces, plan).await?;
    let client = Client::new(ours.server.address, &ours.token)?;
    let heading = [
        "page",
        "req/s",
        "limit",
        "ratio",
        "p50",
        "p99",
        "limit p50",
        "limit p99",
        "CPU ms",
        "PG ms",
        "limit CPU ms",
        "limit PG ms",
        "peak MB",
        "answer KB",
    ];
    let title = format!("{CLIENTS} clients, on {}", postgres.describe().await?);
    let mut table = Table::new(&title, &heading);
    table.note(figures::machine());
    for (name, query) in PAGES {
        if !name.contains(&plan.only) {
            continue;
        }
        let variables = variables(&client, name).await?;
        let bodies = [&variables.0, &variables.1].map(|variables| {
            json!({ "operationName": name, "query": query, "variables": variables }).to_string()
        });
        if name != "CreateTicket" {
            same(&ours, &limit, name, &bodies).await?;
        }
        let mut took = [Took::default(), Took::default()];
        for _ in 0..ROUNDS {
            for ((side, body), took) in [&ours, &limit].into_iter().zip(&bodies).zip(&mut took) {
                load(side, body, plan.time, took).await?;
            }
        }
        let [ours, limit] = took;
        table.row(row(name, ours, limit));
    }
    Ok(table.to_string())
}

async fn sides(
    installation: &Installation,
    workspaces: &[Workspace],
    plan: &Pages,
) -> Result<(Side, Side)> {
    let server = installation.serve(0).await?;
    let token = workspaces[0].token.clone();
    let client = Client::new(server.address, &token)?;
    let viewer = client
        .data("{ viewer { user { id } tenant { id } } }", json!({}))
        .await?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tenant = text(&viewer["viewer"]["tenant"]["id"]).ok_or("no tenant")?;
    let user = text(&viewer["viewer"]["user"]["id"]).ok_or("no user")?;
    let caller = format!("{token}={tenant}={user}");
    let beside = installation
        .serve_other(&plan.limit, 1, &["--caller", &caller])
        .await?;
    let ours = Side {
        server,
        token: token.clone(),
    };
    let limit = Side {
        server: beside,
        token,
    };
    Ok((ours, limit))
}

/// What our server is given with a page, and what the limit is given.
async fn variables(client: &Client, name: &str) -> Result<(Value, Value)> {
    let one = |query: &'static str| client.data(query, json!({}));
    let both = match name {
        "OneTicket" => {
            let tickets = one("{ tickets(first: 1) { nodes { id } } }").await?;
            json!({ "id": tickets["tickets"]["nodes"][0]["id"] })
        }
        "CreateTicket" => {
            let projects = one("{ projects(first: 1) { nodes { id } } }").await?;
            let project = &projects["projects"]["nodes"][0]["id"];
            json!({ "input": { "projectId": project, "title": "Load", "roleSlug": "dev_agent" } })
        }
        "LedgerPage" => {
            let (mut after, mut seq) = (Value::Null, Value::Null);
            let query = "query($after: Cursor) { activity(first: 200, after: $after, orderBy: [{field: SEQ}]) \
                         { nodes { seq } pageInfo { endCursor hasNextPage } } }";
            for _ in 0..DEEP * 50 / 200 {
                let mut page = client.data(query, json!({ "after": after })).await?;
                let page = &mut page["activity"];
                if page["pageInfo"]["hasNextPage"] != true {
                    break;
                }
                seq = page["nodes"][199]["seq"].take();
                after = page["pageInfo"]["endCursor"].take();
            }
            return Ok((json!({ "after": after }), json!({ "after": seq })));
        }
        _ => json!({}),
    };
    Ok((both.clone(), both))
}

/// Whoever answers something else is not compared.
async fn same(ours: &Side, limit: &Side, name: &str, bodies: &[String; 2]) -> Result<()> {
    let mut answers = Vec::new();
    for (side, body) in [ours, limit].into_iter().zip(bodies) {
        let answer = Wire::open(side.server.address, &side.token, body)
            .await?
            .ask()
            .await?;
        let mut answer: Value = serde_json::from_slice(&answer)?;
        answers.push(answer["data"].take());
    }
    if answers[0] != answers[1] || answers[0].is_null() {
        return Err(format!("{name}: ours\n{}\nthe limit\n{}", answers[0], answers[1]).into());
    }
    Ok(())
}

/// Asks as fast as they answer.
async fn load(side: &Side, body: &str, time: Duration, took: &mut Took) -> Result<()> {
    let process = side.server.process()?;
    // The first answers make what later ones find made.
    ask(side.server.address, &side.token, body, time / 10).await?;
    figures::forget_peak(process)?;
    let (server, database) = (computed(process)?, figures::computed_by("postgres"));
    let begun = Instant::now();
    let (times, bytes) = ask(side.server.address, &side.token, body, time).await?;
    took.elapsed += begun.elapsed();
    took.server += computed(process)?.saturating_sub(server);
    took.database += figures::computed_by("postgres").saturating_sub(database);
    took.peak = took.peak.max(figures::peak(process)?);
    took.answers += times.len();
    took.times.extend(times);
    took.bytes = bytes;
    Ok(())
}

/// How long each answer took, and how long the last one was in bytes.
async fn ask(
    address: SocketAddr,
    token: &str,
    body: &str,
    time: Duration,
) -> Result<(Vec<Duration>, usize)> {
    let mut tasks = JoinSet::new();
    let end = Instant::now() + time;
    for _ in 0..CLIENTS {
        let mut wire = Wire::open(address, token, body).await?;
        tasks.spawn(async move {
            let (mut times, mut bytes) = (Vec::new(), 0);
            while Instant::now() < end {
                let asked = Instant::now();
                bytes = wire.ask().await?.len();
                times.push(asked.elapsed());
            }
            Ok::<_, crate::Failure>((times, bytes))
        });
    }
    let (mut all, mut last) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        let (times, bytes) = done??;
        all.extend(times);
        last = bytes;
    }
    Ok((all, last))
}

fn row(name: &str, mut ours: Took, mut limit: Took) -> Vec<String> {
    let rate = |took: &Took| took.answers as f64 / took.elapsed.as_secs_f64();
    let each = |time: Duration, took: &Took| {
        format!(
            "{:.2}",
            time.as_secs_f64() * 1000.0 / took.answers.max(1) as f64
        )
    };
    vec![
        name.to_owned(),
        format!("{:.0}", rate(&ours)),
        format!("{:.0}", rate(&limit)),
        format!("{:.2}", rate(&ours) / rate(&limit)),
        milliseconds(percentile(&mut ours.times, 0.5)),
        milliseconds(percentile(&mut ours.times, 0.99)),
        milliseconds(percentile(&mut limit.times, 0.5)),
        milliseconds(percentile(&mut limit.times, 0.99)),
        each(ours.server, &ours),
        each(ours.database, &ours),
        each(limit.server, &limit),
        each(limit.database, &limit),
        format!("{:.0}", ours.peak as f64 / 1e6),
        format!("{:.1}", ours.bytes as f64 / 1e3),
    ]
}
