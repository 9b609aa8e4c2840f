//! Agents that claim tickets, work on them for a moment and hand them in, as daemons do.

use super::stage::Tenant;
use crate::{Result, client::Client};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How many roles the tickets are for, and how many repositories they name, as `bench/claims/data.sql` makes them.
const ROLES: usize = 8;
const REPOSITORIES: usize = 4;
/// How many agents share a token.
const OF_A_TOKEN: usize = 10;
/// How many register at once.
const AT_ONCE: usize = 4;

const CREATE: &str = "mutation($roles: [String!]!) { createAgentToken(input: { name: \"Load\", roleSlugs: $roles }) { token } }";
const REGISTER: &str = "mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { agentSession { id } } }";
const CLAIM: &str = "mutation($session: ID!, $key: String!) {
  claimNextTicket(input: { sessionId: $session, idempotencyKey: $key }) {
    reason ticket { id title } job { id attempt action payload checkpoint }
    instructions { rolePrompt allowedTools model skills { slug body } } } }";
const START: &str = "mutation($job: ID!, $attempt: Int!) { startJob(input: { jobId: $job, attempt: $attempt }) { agentJob { id } } }";
const COMPLETE: &str = "mutation($job: ID!, $attempt: Int!) {
  completeJob(input: { jobId: $job, attempt: $attempt, result: { filesChanged: 3 }, confidence: 0.9 }) { agentJob { status } } }";

/// An agent of a workspace.
#[derive(Clone)]
pub(super) struct Agent {
    client: Client,
    session: Value,
}

/// What came of the claims.
#[derive(Default)]
pub(super) struct Claims {
    /// How long each took.
    pub(super) times: Vec<Duration>,
    /// How many gave nothing, by the reason.
    pub(super) none: BTreeMap<String, usize>,
    /// The statements that the last one took.
    pub(super) statements: u64,
}

impl Claims {
    fn extend(&mut self, other: Self) {
        self.times.extend(other.times);
        self.statements = self.statements.max(other.statements);
        for (reason, count) in other.none {
            *self.none.entry(reason).or_default() += count;
        }
    }
}

/// Connects so many agents to a workspace, each for two of the roles and with half of the repositories.
pub(super) async fn connect(
    address: SocketAddr,
    tenant: &Tenant,
    count: usize,
) -> Result<Vec<Agent>> {
    let roles: Vec<_> = (0..ROLES).map(|role| format!("team-{role}")).collect();
    let of = |number: usize| [number % ROLES, (number + 1) % ROLES].map(|role| roles[role].clone());
    let mut tokens = Vec::new();
    for _ in 0..count.div_ceil(OF_A_TOKEN) {
        tokens.push(token(address, tenant, &roles).await?);
    }
    let connected = (0..count).map(|number| {
        let client = tokens[number / OF_A_TOKEN].clone();
        let repos =
            [number, number + 1].map(|repo| format!("acme/part-{}", 1 + repo % REPOSITORIES));
        register(client, json!({ "roles": of(number), "repos": repos }))
    });
    stream::iter(connected)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// Connects so many agents for one role, which have no repository.
pub(super) async fn connect_for(
    address: SocketAddr,
    tenant: &Tenant,
    role: &str,
    count: usize,
) -> Result<Vec<Agent>> {
    let client = token(address, tenant, &[role.to_owned()]).await?;
    let mut agents = Vec::new();
    for _ in 0..count {
        agents.push(register(client.clone(), json!({ "roles": [role] })).await?);
    }
    Ok(agents)
}

async fn token(address: SocketAddr, tenant: &Tenant, roles: &[String]) -> Result<Client> {
    let made = tenant
        .client
        .data(CREATE, json!({ "roles": roles }))
        .await?;
    let token = made["createAgentToken"]["token"].as_str();
    Client::new(address, token.ok_or("a token is not shown")?)
}

async fn register(client: Client, mut said: Value) -> Result<Agent> {
    // Who waits for its turn here shows no sign of life.
    said["patienceSeconds"] = json!(3600);
    said["maxActiveJobs"] = json!(4);
    let made = client.data(REGISTER, json!({ "input": said })).await?;
    let session = made["registerAgent"]["agentSession"]["id"].clone();
    Ok(Agent { client, session })
}

/// Each claims once in so long, spread evenly, and works for half of that time, until the time is over.
pub(super) async fn at_leisure(
    agents: &[Agent],
    every: Duration,
    time: Duration,
) -> Result<Claims> {
    let (begun, count) = (Instant::now(), agents.len());
    let mut tasks = JoinSet::new();
    for (place, agent) in agents.iter().cloned().enumerate() {
        tasks.spawn(async move {
            let mut claims = Claims::default();
            let mut due = every.mul_f64(place as f64 / count as f64);
            while due < time {
                tokio::time::sleep_until((begun + due).into()).await;
                if let Some(job) = agent.claim(&mut claims).await? {
                    agent.work(&job, every / 2).await?;
                }
                due += every;
            }
            Ok(claims)
        });
    }
    gather(tasks).await
}

/// Each claims and hands in as fast as it is answered.
pub(super) async fn as_fast_as_possible(agents: &[Agent], time: Duration) -> Result<Claims> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for agent in agents {
        let agent = agent.clone();
        tasks.spawn(async move {
            let mut claims = Claims::default();
            while Instant::now() < end {
                if let Some(job) = agent.claim(&mut claims).await? {
                    agent.work(&job, Duration::ZERO).await?;
                }
            }
            Ok(claims)
        });
    }
    gather(tasks).await
}

async fn gather(mut tasks: JoinSet<Result<Claims>>) -> Result<Claims> {
    let mut all = Claims::default();
    while let Some(claims) = tasks.join_next().await {
        all.extend(claims??);
    }
    Ok(all)
}

impl Agent {
    async fn claim(&self, claims: &mut Claims) -> Result<Option<Value>> {
        let key = format!("{:032x}", rand::random::<u128>());
        let asked = Instant::now();
        let variables = json!({ "session": self.session, "key": key });
        let mut answer = self.client.explained(CLAIM, variables).await?;
        claims.times.push(asked.elapsed());
        // A server that is asked for more than it can do says so, and that counts.
        if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
            *claims.none.entry(code.to_owned()).or_default() += 1;
            return Ok(None);
        }
        let statements = answer["extensions"]["cost"]["sqlStatements"].as_u64();
        claims.statements = statements.unwrap_or_default();
        let claimed = &mut answer["data"]["claimNextTicket"];
        if let Some(reason) = claimed["reason"].as_str() {
            *claims.none.entry(reason.to_owned()).or_default() += 1;
            return Ok(None);
        }
        Ok(Some(claimed["job"].take()))
    }

    async fn work(&self, job: &Value, time: Duration) -> Result<()> {
        let it = || json!({ "job": job["id"], "attempt": job["attempt"] });
        self.client.data(START, it()).await?;
        tokio::time::sleep(time).await;
        self.client.data(COMPLETE, it()).await?;
        Ok(())
    }
}
