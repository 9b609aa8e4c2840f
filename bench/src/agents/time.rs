//! Time, for those who are dead: it is let pass in the database, so that nobody waits for leases of minutes.

use crate::{Result, sql::Sql};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How often it is let pass.
const EVERY: Duration = Duration::from_millis(250);

/// The sessions of agents that are dead.
pub(super) struct Dead {
    sessions: Mutex<Vec<String>>,
    /// How often their time has run out so far.
    turns: watch::Sender<u64>,
}

impl Default for Dead {
    fn default() -> Self {
        Self {
            sessions: Mutex::default(),
            turns: watch::Sender::new(0),
        }
    }
}

impl Dead {
    /// From now on nothing is heard of a session.
    pub(super) fn bury(&self, session: &str) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.push(session.to_owned());
    }

    /// Waits until the time of those that are buried by now has run out.
    pub(super) async fn wait(&self) {
        let mut turns = self.turns.subscribe();
        // What was on its way may have renewed a lease in between.
        let then = *turns.borrow() + 3;
        let _ = turns.wait_for(|turns| *turns >= then).await;
    }

    /// Lets it pass until told to stop.
    pub(super) async fn pass(&self, sql: &Sql, mut stopping: watch::Receiver<bool>) -> Result<()> {
        loop {
            let over = tokio::time::timeout(EVERY, stopping.wait_for(|stopping| *stopping));
            if over.await.is_ok() {
                return Ok(());
            }
            let sessions = {
                let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
                sessions.clone()
            };
            hasten(sql, &sessions).await?;
            self.turns.send_modify(|turns| *turns += 1);
        }
    }
}

/// Lets leases of these sessions run out, and what the server does by itself be due. Each row alone and tickets before jobs, as
/// the servers lock them, and only what is not over yet: whoever writes to a SQLite file keeps the server waiting.
async fn hasten(sql: &Sql, dead: &[String]) -> Result<()> {
    let (past, long_ago) = (sql.ago(60), sql.ago(30));
    let mut aged = Vec::new();
    if !dead.is_empty() {
        let dead: Vec<_> = dead.iter().map(|id| format!("'{id}'")).collect();
        let dead = dead.join(", ");
        let of = format!("\"sessionId\" IN ({dead})");
        let held = format!(
            "SELECT j.\"ticketId\", j.id FROM agent_jobs j JOIN tickets t ON t.id = j.\"ticketId\" \
             WHERE j.{of} AND j.status IN ('dispatched', 'in_progress') \
             AND (j.\"leaseExpiresAt\" > {long_ago} OR t.\"leaseExpiresAt\" > {long_ago}) ORDER BY 1"
        );
        for [ticket, job] in sql.rows(&held).await? {
            aged.push(format!(
                "UPDATE tickets SET \"leaseExpiresAt\" = {past} WHERE id = '{ticket}' AND \"leaseExpiresAt\" IS NOT NULL \
                 AND EXISTS (SELECT 1 FROM agent_jobs j WHERE j.id = '{job}' AND j.{of})"
            ));
            aged.push(format!(
                "UPDATE agent_jobs SET \"leaseExpiresAt\" = {past} WHERE id = '{job}' AND \"leaseExpiresAt\" IS NOT NULL \
                 AND {of}"
            ));
        }
        let connected = format!(
            "SELECT id FROM agent_sessions WHERE id IN ({dead}) AND \"disconnectedAt\" IS NULL \
             AND \"lastPingAt\" > {long_ago} ORDER BY 1"
        );
        for [id] in sql.rows(&connected).await? {
            aged.push(format!(
                "UPDATE agent_sessions SET \"lastPingAt\" = {past} WHERE id = '{id}'"
            ));
        }
    }
    let backing_off = format!(
        "SELECT id FROM tickets WHERE status = 'ready' AND \"nextAttemptAt\" > {long_ago} ORDER BY 1"
    );
    for [id] in sql.rows(&backing_off).await? {
        aged.push(format!(
            "UPDATE tickets SET \"nextAttemptAt\" = {past} WHERE id = '{id}' AND \"nextAttemptAt\" IS NOT NULL"
        ));
    }
    // A server that died left its tasks under a lease of minutes.
    let waiting = format!(
        "SELECT name FROM background_tasks WHERE \"nextAt\" > {long_ago} OR \"lockedUntil\" > {long_ago} ORDER BY 1"
    );
    for [name] in sql.rows(&waiting).await? {
        aged.push(format!(
            "UPDATE background_tasks SET \"nextAt\" = {past}, \"lockedUntil\" = NULL, \"lockedBy\" = NULL WHERE name = '{name}'"
        ));
    }
    for change in aged {
        sql.run(&change).await?;
    }
    Ok(())
}
