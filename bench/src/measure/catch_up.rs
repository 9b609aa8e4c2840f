//! How long it takes to be told what was missed.

use super::{
    listen::{open, selection, target},
    load::{Written, head, write},
    stage::{Stage, Target},
};
use crate::{
    Result,
    figures::{milliseconds, percentile},
};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const MISSED: usize = 10_000;
const BATCH: usize = 50;
/// How many come back at once.
const AT_ONCE: [usize; 3] = [1, 10, 50];

/// Measures it.
///
/// # Errors
/// When it cannot be measured.
pub async fn catch_up(target: &Target) -> Result<String> {
    let stage = Stage::new(target, 1).await?;
    let start = head(&stage.tenants[0]).await?;
    for _ in 0..MISSED / BATCH {
        write(&stage.tenants[0], BATCH, &mut Written::new()).await?;
    }
    let heading = [
        "at once",
        "median",
        "last",
        "events/s",
        "CPU server / database / load",
    ];
    let title = format!("Until {MISSED} missed events are replayed");
    let mut table = stage.table(&title, &heading).await?;
    // Once, so that nothing is read for the first time.
    replay(&stage, &start, 1).await?;
    for count in AT_ONCE {
        let meter = stage.meter()?;
        let mut times = replay(&stage, &start, count).await?;
        let median = percentile(&mut times, 0.5);
        let last = times.last().copied().unwrap_or_default();
        let rate = (MISSED * count) as f64 / last.as_secs_f64();
        table.row([
            count.to_string(),
            milliseconds(median),
            milliseconds(last),
            format!("{rate:.0}"),
            meter.read(&stage)?,
        ]);
    }
    Ok(table.to_string())
}

async fn replay(stage: &Stage, start: &Value, count: usize) -> Result<Vec<Duration>> {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (address, tenant, start) = (
            stage.server.address,
            stage.tenants[0].clone(),
            start.clone(),
        );
        tasks.spawn(async move {
            let begun = Instant::now();
            let mut socket = open(address, &tenant, selection(0), start).await?;
            let mut seen = 0;
            while seen < MISSED {
                let text = socket.receive().await.ok_or("the connection broke")?;
                seen += usize::from(target(&text).is_some());
            }
            Ok::<_, crate::Failure>(begun.elapsed())
        });
    }
    let mut times = Vec::new();
    while let Some(time) = tasks.join_next().await {
        times.push(time??);
    }
    Ok(times)
}
