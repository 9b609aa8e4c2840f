//! What a run came to.

use super::{operation::Step, tally::Tally, verdict::Found, wire::Moment};
use std::{fmt, sync::Arc, time::Duration};

/// What a run came to.
pub struct Report {
    pub(super) name: &'static str,
    pub(super) time: Duration,
    /// How long it was until servers had been killed at every step in turn.
    pub(super) volleys: Duration,
    pub(super) agents: usize,
    pub(super) found: Found,
    pub(super) tally: Arc<Tally>,
}

impl Report {
    /// Whether everything was done once or has visibly failed, and is counted right.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.tally.faults.get().0 == 0
    }

    /// How often a server was killed.
    #[must_use]
    pub fn kills(&self) -> u64 {
        self.tally.kills.get()
    }

    /// How often, at least, one was killed at each step, at each moment of it.
    #[must_use]
    pub fn kills_a_step(&self) -> u64 {
        let steps = self.tally.steps();
        let all =
            { Step::ALL.into_iter() }.flat_map(|step| Moment::ALL.map(|moment| (step, moment)));
        let counts = all.map(|at| steps.get(&at).copied().unwrap_or_default());
        counts.min().unwrap_or_default()
    }

    /// How often an agent died.
    #[must_use]
    pub fn deaths(&self) -> u64 {
        self.tally.returned.get() + self.tally.vanished.get()
    }

    /// How many tickets were done.
    #[must_use]
    pub fn done(&self) -> u64 {
        let done = self.found.tickets.get("done");
        done.and_then(|count| count.parse().ok())
            .unwrap_or_default()
    }

    /// How often something was refused that came after a lease was over.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.tally.late.get()
    }

    /// How often an answer that was lost was the same when it was asked for again.
    #[must_use]
    pub fn same(&self) -> u64 {
        self.tally.same.get()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tally, found) = (&self.tally, &self.found);
        let (seconds, volleys) = (self.time.as_secs_f64(), self.volleys.as_secs_f64());
        writeln!(
            f,
            "agents on {}, {seconds:.0} s, of which {volleys:.0} s every step in turn",
            self.name
        )?;
        let tickets: Vec<_> = { found.tickets.iter() }
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        writeln!(
            f,
            "  tickets: {}; {} plans, {} jobs, {} entries of journals, {} calls, {} sessions",
            tickets.join(", "),
            found.plans,
            found.jobs,
            found.entries,
            found.calls,
            found.sessions
        )?;
        writeln!(
            f,
            "  {} agents: {} died and came back, {} vanished, {} left; {} claims",
            self.agents,
            tally.returned.get(),
            tally.vanished.get(),
            tally.left.get(),
            tally.claimed.get()
        )?;
        writeln!(
            f,
            "  {} requests answered, {} broken, {} told to try again, {} sent again",
            tally.answered.get(),
            tally.broken.get(),
            tally.busy.get(),
            tally.resent.get()
        )?;
        writeln!(
            f,
            "  {} lost answers were the same again, {} late words were refused",
            tally.same.get(),
            tally.late.get()
        )?;
        writeln!(
            f,
            "  {} servers killed; at each step, when it was sent, when its answer was lost, when it had come:",
            tally.kills.get()
        )?;
        let steps = tally.steps();
        for step in Step::ALL {
            let counts = Moment::ALL.map(|moment| {
                let count = steps.get(&(step, moment)).copied().unwrap_or_default();
                format!("{count:>5}")
            });
            writeln!(f, "    {step:<20}{}", counts.concat())?;
        }
        let (count, faults) = tally.faults.get();
        writeln!(f, "  {count} faults")?;
        for fault in faults {
            writeln!(f, "    {fault}")?;
        }
        Ok(())
    }
}
