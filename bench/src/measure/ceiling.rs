//! How much one tenant can write, and how much of it arrives while it does.

use super::{
    listen::Listeners,
    load::as_fast_as_possible,
    stage::{Stage, Target},
};
use crate::{Result, figures::milliseconds};
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(10);
/// Writers, mutations in a request, and subscribers.
const CASES: [(usize, usize, usize); 6] = [
    (1, 1, 1),
    (8, 1, 1),
    (32, 1, 1),
    (8, 50, 1),
    (8, 50, 10),
    (8, 50, 100),
];

/// Measures it.
///
/// # Errors
/// When it cannot be measured.
pub async fn ceiling(target: &Target) -> Result<String> {
    let stage = Stage::new(target, 1).await?;
    let heading = [
        "writers",
        "events a request",
        "subscribers",
        "written/s",
        "delivered/s",
        "last arrives after",
        "CPU server / database / load",
    ];
    let mut table = stage.table("The ceiling of one tenant", &heading).await?;
    for (writers, roots, subscribers) in CASES {
        let mut listeners = Listeners::open(&stage, &stage.tenants, subscribers, 1).await?;
        let (meter, begun) = (stage.meter()?, Instant::now());
        let written = as_fast_as_possible(&stage.tenants, writers, roots, TIME).await?;
        let end = Instant::now();
        let writing = (end - begun).as_secs_f64();
        let mut last = end;
        for _ in 0..written.len() * subscribers {
            last = last.max(listeners.hear().await?.1);
        }
        let shares = meter.read(&stage)?;
        let delivering = (last - begun).as_secs_f64();
        table.row([
            writers.to_string(),
            roots.to_string(),
            subscribers.to_string(),
            format!("{:.0}", written.len() as f64 / writing),
            format!("{:.0}", (written.len() * subscribers) as f64 / delivering),
            milliseconds(last - end),
            shares,
        ]);
    }
    Ok(table.to_string())
}
