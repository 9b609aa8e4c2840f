//! What a run of chaos came to.

use super::{arithmetic::Difference, tally::Tally};
use std::{fmt, sync::Arc, time::Duration};

/// What a run came to.
pub struct Report {
    pub(super) name: &'static str,
    pub(super) time: Duration,
    pub(super) tenants: usize,
    pub(super) writers: usize,
    pub(super) subscribers: usize,
    pub(super) filtered: usize,
    pub(super) by_events: usize,
    /// Entries of all ledgers, and how often one was seen.
    pub(super) events: u64,
    pub(super) seen: u64,
    pub(super) difference: Difference,
    pub(super) tally: Arc<Tally>,
}

impl Report {
    /// Whether nothing was lost, doubled, out of order or otherwise wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.difference == Difference::default() && self.tally.faults().0 == 0
    }

    /// How many entries the ledgers have.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many entries subscribers saw, all together.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How often a server was killed.
    #[must_use]
    pub fn kills(&self) -> u64 {
        self.tally.kills.get()
    }

    /// How often what carries hints was cut or killed.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.tally.cuts.get() + self.tally.nats_kills.get()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        let seconds = self.time.as_secs_f64();
        writeln!(f, "chaos on {}, {seconds:.0} s", self.name)?;
        let (tenants, writers, subscribers) = (self.tenants, self.writers, self.subscribers);
        writeln!(
            f,
            "  {writers} writers and {subscribers} subscribers of {tenants} tenants; {} filtered, {} over events",
            self.filtered, self.by_events
        )?;
        let rate = self.events as f64 / seconds;
        writeln!(
            f,
            "  {} events ({rate:.0}/s), seen {} times in {} frames",
            self.events,
            self.seen,
            tally.frames.get()
        )?;
        writeln!(
            f,
            "  {} acknowledged, {} refused, {} repeated, {} dropped by the client, {} broken, {} told to try again",
            tally.written.get(),
            tally.refused.get(),
            tally.repeated.get(),
            tally.dropped.get(),
            tally.broken.get(),
            tally.busy.get()
        )?;
        writeln!(
            f,
            "  {} servers killed, {} listeners cut, NATS killed {} times",
            tally.kills.get(),
            tally.cuts.get(),
            tally.nats_kills.get()
        )?;
        writeln!(
            f,
            "  {} subscribers left and came back, {} connections broke, {} RESYNC_REQUIRED",
            tally.left.get(),
            tally.breaks.get(),
            tally.resyncs.get()
        )?;
        let Difference {
            lost,
            doubled,
            disordered,
            foreign,
        } = self.difference;
        writeln!(
            f,
            "  {lost} lost, {doubled} doubled, {disordered} out of order, {foreign} foreign"
        )?;
        let (count, faults) = tally.faults();
        writeln!(f, "  {count} faults")?;
        for fault in faults {
            writeln!(f, "    {fault}")?;
        }
        Ok(())
    }
}
