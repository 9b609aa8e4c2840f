//! The tenants of a run, and who writes to them and follows them.

use super::{
    arithmetic::Arithmetic,
    run::Plan,
    subscriber::{Filter, Subscriber},
    tally::Tally,
    writer::{Writer, Written},
};
use crate::{Result, client::Client, installation::Workspace};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc};
use tokio::{sync::watch, task::JoinSet};

/// One in so many subscribers comes by events.
const BY_EVENTS: usize = 5;
/// Of so many subscribers in a row the first ones see everything.
const ROUND: usize = 8;

/// Where subscribers are told, in the end, how far a tenant's ledger goes.
type Head = watch::Sender<Option<i64>>;

/// One tenant of a run.
pub(super) struct Tenant {
    pub(super) workspace: Workspace,
    pub(super) client: Client,
    pub(super) filters: Vec<Filter>,
    project: String,
    /// Where its ledger stood before anything was written.
    start: (i64, String),
}

impl Tenant {
    pub(super) async fn read(address: SocketAddr, workspace: Workspace) -> Result<Self> {
        let client = Client::new(address, &workspace.token)?;
        let query = "{ projects(filter: {slug: {eq: \"default\"}}) { nodes { id } } }";
        let projects = client.data(query, json!({})).await?;
        let project = projects["projects"]["nodes"][0]["id"].as_str();
        let project = project.ok_or("a workspace has no project")?.to_owned();
        Ok(Self {
            start: head(&client).await?,
            filters: Filter::all(&project),
            workspace,
            client,
            project,
        })
    }

    /// Where its ledger stands.
    pub(super) async fn head(&self) -> Result<i64> {
        Ok(head(&self.client).await?.0)
    }
}

async fn head(client: &Client) -> Result<(i64, String)> {
    let query = "{ feedCursor activity(last: 1, orderBy: [{field: SEQ}]) { nodes { seq } } }";
    let data = client.data(query, json!({})).await?;
    let seq = data["activity"]["nodes"][0]["seq"].as_str();
    let cursor = data["feedCursor"].as_str();
    let (seq, cursor) = seq.zip(cursor).ok_or("a ledger has no head")?;
    Ok((seq.parse()?, cursor.to_owned()))
}

/// Everyone who follows, and where each tenant's head is to be told.
pub(super) fn follow(
    plan: &Plan,
    tenants: &[Tenant],
    address: SocketAddr,
    tally: &Arc<Tally>,
) -> Result<(Vec<Head>, JoinSet<Subscriber>)> {
    let heads: Vec<_> = tenants.iter().map(|_| watch::Sender::new(None)).collect();
    let mut following = JoinSet::new();
    for number in 0..plan.subscribers {
        let turn = number / tenants.len();
        let (tenant, filter) = (
            number % tenants.len(),
            (turn % ROUND).saturating_sub(ROUND - 4),
        );
        let of = &tenants[tenant];
        // Some begin where they are when they come, some before anything was written.
        let start = turn.is_multiple_of(2).then(|| of.start.clone());
        let subscriber = Subscriber {
            number,
            tenant,
            filter,
            arithmetic: Arithmetic::new(filter > 0, start),
            client: Client::new(address, &of.workspace.token)?,
            token: of.workspace.token.clone(),
            address,
            live_filter: of.filters[filter].live.clone(),
            tally: tally.clone(),
            by_events: turn.is_multiple_of(BY_EVENTS),
            deadline: None,
            stay: plan.stay,
        };
        following.spawn(subscriber.follow(heads[tenant].subscribe()));
    }
    Ok((heads, following))
}

/// Everyone who writes.
pub(super) fn write(
    plan: &Plan,
    tenants: &[Tenant],
    address: SocketAddr,
    tally: &Arc<Tally>,
    stopping: &watch::Receiver<bool>,
) -> Result<JoinSet<Writer>> {
    let mut writing = JoinSet::new();
    for number in 0..plan.writers {
        let tenant = number % tenants.len();
        let writer = Writer {
            number,
            tenant,
            project: tenants[tenant].project.clone(),
            client: Client::new(address, &tenants[tenant].workspace.token)?,
            tally: tally.clone(),
            roots: plan.roots,
            written: Written::default(),
        };
        writing.spawn(writer.write(stopping.clone()));
    }
    Ok(writing)
}
