//! What followers cost those who write.

use super::{
    listen::Listeners,
    load::as_fast_as_possible,
    stage::{Stage, Target},
};
use crate::Result;
use std::time::{Duration, Instant};

const TENANTS: usize = 100;
const WRITERS: usize = 32;
const TIME: Duration = Duration::from_secs(8);
/// How often each is measured, in turn, because a machine changes its mind.
const ROUNDS: usize = 3;
/// Followers of each tenant.
const FOLLOWERS: [usize; 3] = [0, 1, 10];

/// Measures it.
///
/// # Errors
/// When it cannot be measured.
pub async fn writers(target: &Target) -> Result<String> {
    let stage = Stage::new(target, TENANTS).await?;
    let heading = [
        "followers",
        "events/s",
        "of each round",
        "tax",
        "CPU server / database / load",
    ];
    let title = format!("{WRITERS} writers over {TENANTS} tenants, one event a request");
    let mut table = stage.table(&title, &heading).await?;
    as_fast_as_possible(&stage.tenants, WRITERS, 1, Duration::from_secs(2)).await?;
    let mut rates: [Vec<f64>; FOLLOWERS.len()] = Default::default();
    let mut shares: [String; FOLLOWERS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (case, each) in FOLLOWERS.into_iter().enumerate() {
            let listeners = Listeners::open(&stage, &stage.tenants, each, 1).await?;
            let (meter, begun) = (stage.meter()?, Instant::now());
            let written = as_fast_as_possible(&stage.tenants, WRITERS, 1, TIME).await?;
            rates[case].push(written.len() as f64 / begun.elapsed().as_secs_f64());
            shares[case] = meter.read(&stage)?;
            drop(listeners);
        }
    }
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    let alone = mean(&rates[0]);
    for ((each, rates), shares) in FOLLOWERS.into_iter().zip(&rates).zip(shares) {
        let rounds: Vec<_> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
        table.row([
            (each * TENANTS).to_string(),
            format!("{:.0}", mean(rates)),
            rounds.join(" "),
            format!("{:.1} %", (1.0 - mean(rates) / alone) * 100.0),
            shares,
        ]);
    }
    Ok(table.to_string())
}
