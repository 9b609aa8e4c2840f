//! The comparison in the end: what everyone saw and was told, against the ledger.

use super::{
    arithmetic::Difference,
    ledger::{self, Entries, Ledger},
    subscriber::Subscriber,
    tally::Tally,
    tenant::Tenant,
    writer::Writer,
};
use crate::Result;

/// Compares everything. Returns how many entries the ledgers have, and how what was seen differs from them.
pub(super) async fn compare(
    tenants: &[Tenant],
    subscribers: &[Subscriber],
    writers: &[Writer],
    tally: &Tally,
) -> Result<(u64, Difference)> {
    let (mut events, mut total) = (0, Difference::default());
    for (number, tenant) in tenants.iter().enumerate() {
        let ledger = Ledger::read(&tenant.client).await?;
        events += ledger.entries.len() as u64;
        check_writes(
            &ledger,
            writers.iter().filter(|writer| writer.tenant == number),
            tally,
        );
        let mut listed = vec![ledger.entries];
        for filter in &tenant.filters[1..] {
            listed.push(ledger::entries(&tenant.client, &filter.listed).await?);
        }
        for subscriber in subscribers.iter().filter(|one| one.tenant == number) {
            add(&mut total, subscriber, &listed[subscriber.filter], tally);
        }
    }
    Ok((events, total))
}

fn add(total: &mut Difference, subscriber: &Subscriber, listed: &Entries, tally: &Tally) {
    let difference = subscriber.arithmetic.compare(listed);
    if difference != Difference::default() {
        let (number, filter) = (subscriber.number, &subscriber.live_filter);
        let (start, end) = (
            subscriber.arithmetic.start(),
            subscriber.arithmetic.position(),
        );
        tally.fault(format!(
            "subscriber {number}, filter {filter}, from {start} to {end:?}: {difference:?}"
        ));
    }
    total.lost += difference.lost;
    total.doubled += difference.doubled;
    total.disordered += difference.disordered;
    total.foreign += difference.foreign;
}

/// What was acknowledged is in the ledger, what was refused is not, and nothing was done twice.
fn check_writes<'w>(ledger: &Ledger, writers: impl Iterator<Item = &'w Writer>, tally: &Tally) {
    for (name, count) in ledger.created.iter().filter(|(_, count)| **count > 1) {
        tally.fault(format!("{name} was created {count} times"));
    }
    for writer in writers {
        for name in &writer.written.acknowledged {
            if !ledger.created.contains_key(name) {
                tally.fault(format!(
                    "{name} was acknowledged, and the ledger does not know it"
                ));
            }
        }
        for name in &writer.written.refused {
            if ledger.created.contains_key(name) {
                tally.fault(format!("{name} was refused, and the ledger has it"));
            }
        }
    }
}
