//! Servers killed at each step in turn: so many agents as there are steps each stand before another one, all take it at once,
//! and the servers die.

use super::{
    company::Company,
    daemon::{Came, Daemon},
    ghost::Ghost,
    operation::{Operation, Step},
    tally::Tally,
    time::Dead,
    wire::{Answer, Moment, Said},
};
use crate::{Result, servers::Servers};
use futures_util::future::{join_all, try_join_all};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// What becomes of the agents themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// They live, and send again what was not answered.
    Lives,
    /// They die too, and come back under the same session without a memory.
    Returns,
    /// They die too, and others take their places.
    Vanishes,
}

impl Fate {
    pub(super) const ALL: [Self; 3] = [Self::Lives, Self::Returns, Self::Vanishes];
}

/// One volley, until all who take part have nothing to do any more.
pub(super) struct Volley<'v> {
    pub(super) servers: &'v Servers,
    pub(super) company: &'v Company,
    pub(super) tally: &'v Tally,
    pub(super) dead: &'v Arc<Dead>,
}

impl Volley<'_> {
    /// Fires it. There is a daemon for each step.
    pub(super) async fn fire(
        &self,
        name: &str,
        daemons: &mut [Daemon],
        (moment, fate): (Moment, Fate),
        haunting: &mut JoinSet<Result<()>>,
    ) -> Result<()> {
        self.company.loose(name, daemons.len()).await?;
        let steps = Step::ALL.into_iter().cycle();
        let stand = daemons
            .iter_mut()
            .zip(steps)
            .map(|(daemon, step)| stand_before(daemon, step));
        let next: Vec<Operation> = try_join_all(stand).await?;
        let firsts = self.strike(daemons, &next, moment).await?;
        for operation in &next {
            self.tally.struck(operation.step, moment);
        }
        match fate {
            Fate::Lives => {
                let go_on = { daemons.iter_mut().zip(&next).zip(firsts) }
                    .map(|((daemon, operation), first)| go_on(daemon, operation, first, moment));
                try_join_all(go_on).await?;
            }
            Fate::Returns => {
                self.tally.returned.add(daemons.len() as u64);
                try_join_all(daemons.iter_mut().map(Daemon::come_back)).await?;
            }
            Fate::Vanishes => {
                for (daemon, operation) in daemons.iter_mut().zip(&next) {
                    let ghost = Ghost::of(daemon, Some(operation.step));
                    let dead = self.dead.clone();
                    haunting.spawn(async move { ghost.haunt(&dead).await });
                }
            }
        }
        Ok(())
    }

    /// All send at once, and the servers are killed. Returns what was answered.
    async fn strike(
        &self,
        daemons: &[Daemon],
        next: &[Operation],
        moment: Moment,
    ) -> Result<Vec<Option<Said>>> {
        let sent = join_all({ daemons.iter().zip(next) }.map(|(daemon, operation)| {
            let wire = daemon.wire_for(operation);
            async move { wire.send_once(operation).await }
        }));
        self.tally.kills.add(self.servers.count() as u64);
        let answers = match (moment, daemons.first()) {
            (Moment::Sent, Some(daemon)) => {
                let delay = daemon.wire.while_it_is_answered();
                let killed = async {
                    tokio::time::sleep(delay).await;
                    self.servers.replace_all().await
                };
                let (answers, killed) = tokio::join!(sent, killed);
                killed?;
                answers
            }
            _ => {
                let answers = sent.await;
                self.servers.replace_all().await?;
                answers
            }
        };
        answers.into_iter().collect()
    }
}

/// A ticket's life up to this step, with what comes after it.
fn script(step: Step) -> Vec<Step> {
    use Step::{
        Answer, Ask, Beat, Claim, Complete, Fail, Record, Register, Release, Report, Reserve, Save,
        Spend, Start,
    };
    let mut script = vec![
        Register, Beat, Claim, Start, Report, Record, Save, Record, Reserve, Spend,
    ];
    script.extend(match step {
        Ask | Answer => &[Ask, Answer, Claim, Start, Record, Complete][..],
        Fail => &[Fail],
        Release => &[Release],
        _ => &[Complete],
    });
    script
}

/// Lives until it stands before a step, and returns what it sends then.
async fn stand_before(daemon: &mut Daemon, step: Step) -> Result<Operation> {
    loop {
        if daemon.script.is_empty() {
            daemon.script = script(step).into();
        }
        let Some(operation) = daemon.next() else {
            continue;
        };
        if operation.step == step {
            return Ok(operation);
        }
        take_step(daemon, &operation).await?;
    }
}

/// Sends what was not answered, and what must be answered again as it was, and goes on to the script's end.
async fn go_on(
    daemon: &mut Daemon,
    operation: &Operation,
    first: Option<Said>,
    moment: Moment,
) -> Result<()> {
    let wire = daemon.wire_for(operation);
    let answer = match first {
        Some(said) if moment == Moment::Came => Answer {
            said,
            is_resent: false,
        },
        first => {
            let mut answer = wire.send(operation).await?;
            answer.is_resent = true;
            if let Some(first) = first {
                wire.compare(operation, &first, &answer.said);
            }
            answer
        }
    };
    daemon.take(operation, answer);
    while let Some(operation) = daemon.next() {
        take_step(daemon, &operation).await?;
    }
    Ok(())
}

async fn take_step(daemon: &mut Daemon, operation: &Operation) -> Result<()> {
    let answer = daemon.wire_for(operation).send(operation).await?;
    if daemon.take(operation, answer) == Came::Idle {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
