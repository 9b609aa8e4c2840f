//! Those who write, at a given rate or as fast as they can.

use super::{listen::name, stage::Tenant};
use crate::Result;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fmt::Write as _,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// When each was asked for, and when it was answered: the commit lies between.
pub(super) type Written = HashMap<u64, (Instant, Instant)>;

/// Writes so many goals with one request, each in a transaction of its own.
pub(super) async fn write(tenant: &Tenant, count: usize, written: &mut Written) -> Result<()> {
    let project = &tenant.project;
    let mut document = "mutation {".to_owned();
    for number in 0..count {
        let _ = write!(
            document,
            " m{number}: createGoal(input: {{projectId: \"{project}\", title: \"Load\"}}) {{ goal {{ id }} }}"
        );
    }
    document.push_str(" }");
    let asked = Instant::now();
    let data = tenant.client.data(&document, json!({})).await?;
    let answered = Instant::now();
    let made = data.as_object().into_iter().flat_map(|data| data.values());
    for id in made.filter_map(|made| made["goal"]["id"].as_str()) {
        written.insert(name(id), (asked, answered));
    }
    Ok(())
}

/// So many writers, as fast as they can; each goes round the tenants.
pub(super) async fn as_fast_as_possible(
    tenants: &[Tenant],
    writers: usize,
    roots: usize,
    time: Duration,
) -> Result<Written> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let tenants = tenants.to_vec();
        tasks.spawn(async move {
            let mut written = Written::new();
            let mut turn = writer;
            while Instant::now() < end {
                write(&tenants[turn % tenants.len()], roots, &mut written).await?;
                turn += writers;
            }
            Ok(written)
        });
    }
    gather(tasks).await
}

/// Writes so many events a second, one each request, over the tenants in turn. Who is late does not wait.
pub(super) async fn at_a_rate(tenants: &[Tenant], rate: u32, time: Duration) -> Result<Written> {
    let writers = (rate as usize / 10).clamp(8, 64);
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let tenants = tenants.to_vec();
        tasks.spawn(async move {
            let mut written = Written::new();
            for turn in (writer..).step_by(writers) {
                let due = Duration::from_secs_f64(turn as f64 / f64::from(rate));
                if begun.elapsed() >= time || due >= time {
                    break;
                }
                tokio::time::sleep_until((begun + due).into()).await;
                write(&tenants[turn % tenants.len()], 1, &mut written).await?;
            }
            Ok(written)
        });
    }
    gather(tasks).await
}

async fn gather(mut tasks: JoinSet<Result<Written>>) -> Result<Written> {
    let mut all = Written::new();
    while let Some(written) = tasks.join_next().await {
        all.extend(written??);
    }
    Ok(all)
}

/// The cursor of a tenant's head.
pub(super) async fn head(tenant: &Tenant) -> Result<Value> {
    let mut data = tenant.client.data("{ feedCursor }", json!({})).await?;
    Ok(data["feedCursor"].take())
}
