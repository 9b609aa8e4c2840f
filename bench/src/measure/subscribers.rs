//! Memory of idle subscribers, and one event to all of them.

use super::{
    listen::Listeners,
    load::{Written, write},
    stage::{Stage, Target},
};
use crate::{
    Result,
    figures::{milliseconds, percentile, resident},
};
use std::time::Duration;

/// How many subscribers.
const COUNTS: [usize; 3] = [1000, 5000, 10_000];
/// How many different selections they have.
const SELECTIONS: [usize; 2] = [1, 16];
/// How many come first, and are not counted.
const FIRST: usize = 100;
/// How many events are sent to all, one after the other.
const EVENTS: usize = 20;

/// Measures it.
///
/// # Errors
/// When it cannot be measured.
pub async fn subscribers(target: &Target) -> Result<String> {
    let mut table = None;
    for selections in SELECTIONS {
        for count in COUNTS {
            // A new server each time, because memory that was used once is seldom given back.
            let stage = Stage::new(target, 1).await?;
            let heading = [
                "subscribers",
                "selections",
                "KiB each",
                "last has it, median",
                "worst",
                "median after the answer",
                "CPU server / database / load",
            ];
            let title = "Idle subscribers of one tenant, and one event to all of them";
            let table = match &mut table {
                Some(table) => table,
                None => table.insert(stage.table(title, &heading).await?),
            };
            table.row(row(&stage, count, selections).await?);
        }
    }
    Ok(table.map(|table| table.to_string()).unwrap_or_default())
}

async fn row(stage: &Stage, count: usize, selections: usize) -> Result<Vec<String>> {
    let tenant = &stage.tenants[0];
    // What the first ones cost once is not the others' to bear.
    let mut first = Listeners::open(stage, &stage.tenants, FIRST, selections).await?;
    write(tenant, 10, &mut Written::new()).await?;
    for _ in 0..10 * FIRST {
        first.hear().await?;
    }
    let process = stage.server.process()?;
    let before = resident(process)?;
    let mut listeners = Listeners::open(stage, &stage.tenants, count, selections).await?;
    let each = resident(process)?.saturating_sub(before) as f64 / count as f64 / 1024.0;
    drop(first);
    let (mut after_request, mut after_answer) = (Vec::new(), Vec::new());
    let meter = stage.meter()?;
    for _ in 0..EVENTS {
        let mut written = Written::new();
        write(tenant, 1, &mut written).await?;
        let (asked, answered) = written.values().next().ok_or("nothing was written")?;
        let mut last = *answered;
        for _ in 0..count {
            let (about, at) = listeners.hear().await?;
            if !written.contains_key(&about) {
                return Err("somebody heard of something else".into());
            }
            last = last.max(at);
        }
        after_request.push(last - *asked);
        after_answer.push(last - *answered);
    }
    Ok(vec![
        count.to_string(),
        selections.to_string(),
        format!("{each:.1}"),
        milliseconds(percentile(&mut after_request, 0.5)),
        milliseconds(
            after_request
                .iter()
                .max()
                .copied()
                .unwrap_or(Duration::ZERO),
        ),
        milliseconds(percentile(&mut after_answer, 0.5)),
        meter.read(stage)?,
    ])
}
