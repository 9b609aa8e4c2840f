//! From the commit to the clients.

use super::{
    listen::Listeners,
    load::{Written, at_a_rate},
    stage::{Stage, Target},
};
use crate::{
    Result,
    figures::{milliseconds, percentile},
};
use std::time::{Duration, Instant};

const TENANTS: usize = 100;
const TIME: Duration = Duration::from_secs(15);

/// Subscribers, of how many tenants, and events a second.
const CASES: [(usize, usize, u32); 7] = [
    (1000, TENANTS, 100),
    (1000, TENANTS, 500),
    (1000, TENANTS, 1000),
    (1000, 1, 50),
    (1000, 1, 100),
    (10_000, TENANTS, 100),
    (10_000, TENANTS, 500),
];

/// Measures it.
///
/// # Errors
/// When it cannot be measured.
pub async fn latency(target: &Target) -> Result<String> {
    let stage = Stage::new(target, TENANTS).await?;
    let heading = [
        "subscribers",
        "tenants",
        "events/s",
        "written/s",
        "frames/s",
        "after the answer: p50",
        "p95",
        "p99",
        "after the request: p50",
        "p95",
        "p99",
        "CPU server / database / load",
    ];
    let mut table = stage
        .table("From the commit to the clients", &heading)
        .await?;
    table.note(
        "the commit lies between the request and its answer; a frame that comes before the answer counts as 0 ms"
            .to_owned(),
    );
    for (subscribers, tenants, rate) in CASES {
        table.row(row(&stage, subscribers, tenants, rate).await?);
    }
    Ok(table.to_string())
}

async fn row(stage: &Stage, subscribers: usize, tenants: usize, rate: u32) -> Result<Vec<String>> {
    let each = subscribers / tenants;
    let tenants = &stage.tenants[..tenants];
    let mut listeners = Listeners::open(stage, tenants, each, 1).await?;
    // Whoever was slow because it was the first is not counted.
    at_a_rate(tenants, rate, Duration::from_secs(1)).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    listeners.take();
    let (meter, begun) = (stage.meter()?, Instant::now());
    let written = at_a_rate(tenants, rate, TIME).await?;
    let (time, shares) = (begun.elapsed().as_secs_f64(), meter.read(stage)?);
    let expected = written.len() * each;
    let mut heard = Vec::with_capacity(expected);
    while heard.len() < expected {
        heard.push(listeners.hear().await?);
    }
    let (mut after_answer, mut after_request) = times(&heard, &written)?;
    let mut row = vec![
        subscribers.to_string(),
        tenants.len().to_string(),
        rate.to_string(),
        format!("{:.0}", written.len() as f64 / time),
        format!("{:.0}", expected as f64 / time),
    ];
    for times in [&mut after_answer, &mut after_request] {
        row.extend([0.5, 0.95, 0.99].map(|share| milliseconds(percentile(times, share))));
    }
    row.push(shares);
    Ok(row)
}

fn times(heard: &[(u64, Instant)], written: &Written) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let mut times = (
        Vec::with_capacity(heard.len()),
        Vec::with_capacity(heard.len()),
    );
    for (about, at) in heard {
        let (asked, answered) = written
            .get(about)
            .ok_or("somebody heard of something else")?;
        times.0.push(at.saturating_duration_since(*answered));
        times.1.push(at.saturating_duration_since(*asked));
    }
    Ok(times)
}
