//! The comparison in the end: what agents know, and what must hold whatever they know, against the rows themselves.

use super::{
    known::{Knowledge, Known, Sent},
    tally::Tally,
};
use crate::{Result, installation::Installation, sql::Sql};
use std::collections::{BTreeMap, HashMap};

/// Tickets that somebody may still do.
pub(super) const OPEN: &str = "SELECT t.id, t.title, t.status FROM tickets t LEFT JOIN execution_plans p ON p.id = t.\"planId\" \
    WHERE t.status IN ('ready', 'claimed', 'waiting', 'blocked') AND (p.status IS NULL OR p.status <> 'failed') ORDER BY 1";

/// Tickets that are not done as often as this counts: once, and the one under which a brief's plans hang once for each of them,
/// because a plan that fails is made anew.
macro_rules! not_done_as_often_as {
    ($counted:literal) => {
        concat!(
            "SELECT t.id || ' (' || t.status || ')' FROM tickets t WHERE (CASE WHEN EXISTS (SELECT 1 FROM execution_plans p \
             WHERE p.\"parentTicketId\" = t.id) THEN (SELECT count(*) FROM execution_plans p WHERE p.\"parentTicketId\" = t.id) \
             WHEN status = 'done' THEN 1 ELSE 0 END) <> ",
            $counted
        )
    };
}

/// What must not be, whatever was sent: one row of text for each that is.
const WRONG: [(&str, &str); 12] = [
    (
        "a ticket is held, and nobody is left to do it",
        "SELECT id FROM tickets WHERE status = 'claimed' OR \"leaseExpiresAt\" IS NOT NULL",
    ),
    (
        "a job is under way, and nobody is left to do it",
        "SELECT id FROM agent_jobs WHERE status IN ('dispatched', 'in_progress') OR \"leaseExpiresAt\" IS NOT NULL",
    ),
    (
        "a session's jobs are counted wrong",
        "SELECT id || ': ' || \"activeJobs\" FROM agent_sessions s WHERE \"activeJobs\" <> (SELECT count(*) FROM agent_jobs j \
         WHERE j.\"sessionId\" = s.id AND j.status IN ('dispatched', 'in_progress'))",
    ),
    (
        "a ticket's open dependencies are counted wrong",
        "SELECT id || ': ' || \"openDependencyCount\" FROM tickets t WHERE status IN ('blocked', 'ready', 'claimed', 'waiting', 'done') \
         AND \"openDependencyCount\" <> (SELECT count(*) FROM ticket_dependencies d JOIN tickets o ON o.id = d.\"dependsOnTicketId\" \
         WHERE d.\"ticketId\" = t.id AND o.status <> 'done')",
    ),
    (
        "a ticket was done otherwise than once",
        not_done_as_often_as!(
            "(SELECT count(*) FROM audit_logs a WHERE a.\"targetId\" = t.id AND a.action = 'ticket.done')"
        ),
    ),
    (
        "a ticket that is done has not one job that is done",
        not_done_as_often_as!(
            "(SELECT count(*) FROM agent_jobs j WHERE j.\"ticketId\" = t.id AND j.status = 'done')"
        ),
    ),
    (
        "a job was done otherwise than once",
        "SELECT j.id || ' (' || j.status || ')' FROM agent_jobs j WHERE (CASE status WHEN 'done' THEN 1 ELSE 0 END) <> \
         (SELECT count(*) FROM audit_logs a WHERE a.\"targetId\" = j.id AND a.action = 'job.done')",
    ),
    (
        "a ticket was claimed more or less often than it was tried",
        "SELECT t.id || ': ' || t.\"attemptCount\" FROM tickets t WHERE \"attemptCount\" <> \
         (SELECT count(*) FROM audit_logs a WHERE a.\"targetId\" = t.id AND a.action = 'ticket.claimed')",
    ),
    (
        "a ticket failed and does not say why",
        "SELECT id FROM tickets WHERE status = 'failed' AND error IS NULL",
    ),
    (
        "a ticket was begun before what it waits for was done",
        "SELECT d.\"ticketId\" FROM ticket_dependencies d \
         JOIN audit_logs c ON c.\"targetId\" = d.\"ticketId\" AND c.action = 'ticket.claimed' \
         LEFT JOIN audit_logs o ON o.\"targetId\" = d.\"dependsOnTicketId\" AND o.action = 'ticket.done' \
         WHERE o.seq IS NULL OR c.seq < o.seq",
    ),
    (
        "a journal has a gap",
        "SELECT \"jobId\" || '/' || attempt FROM agent_job_events GROUP BY \"jobId\", attempt HAVING count(*) <> max(seq) OR min(seq) <> 1",
    ),
    (
        "something was taken that was late",
        "SELECT 'entry ' || id FROM agent_job_events WHERE text = 'late' UNION ALL \
         SELECT 'question ' || id FROM clarification_requests WHERE question = 'late' UNION ALL \
         SELECT 'job ' || id FROM agent_jobs WHERE \"progressMessage\" = 'late' OR error = 'late' \
         OR CAST(result AS TEXT) LIKE '%\"late\"%' OR CAST(checkpoint AS TEXT) LIKE '%\"late\"%' UNION ALL \
         SELECT 'entry ' || seq FROM audit_logs WHERE message = 'late'",
    ),
];

/// What counters say and what they count, of the same kind and key.
const COUNTED: [(&str, &str, &str); 5] = [
    (
        "tenant_month_cost",
        "''",
        "SELECT '' AS k, sum(\"costMicros\") AS n FROM api_usage",
    ),
    (
        "tenant_day_tokens",
        "''",
        "SELECT '' AS k, sum(\"inputTokens\" + \"outputTokens\") AS n FROM api_usage",
    ),
    (
        "role_month_tokens",
        "key",
        "SELECT \"roleSlug\" AS k, sum(\"inputTokens\" + \"outputTokens\") AS n FROM api_usage GROUP BY 1",
    ),
    (
        "project_month_cost",
        "key",
        "SELECT \"projectId\" AS k, sum(\"costMicros\") AS n FROM api_usage GROUP BY 1",
    ),
    ("reserved", "", ""),
];

/// How many of what there were in the end.
#[derive(Default)]
pub(super) struct Found {
    pub(super) tickets: BTreeMap<String, String>,
    pub(super) plans: String,
    pub(super) jobs: String,
    pub(super) entries: String,
    pub(super) calls: String,
    pub(super) sessions: String,
}

/// Compares everything.
pub(super) async fn compare(sql: &Sql, known: &Known, tally: &Tally) -> Result<Found> {
    for (what, query) in WRONG {
        for [which] in sql.rows(query).await? {
            tally.faults.add(format!("{what}: {which}"));
        }
    }
    counters(sql, tally).await?;
    let rows = Rows::read(sql).await?;
    for fault in rows.against(&known.lock()) {
        tally.faults.add(fault);
    }
    let one = async |query: &str| -> Result<String> {
        let rows = sql.rows(query).await?;
        Ok(rows.into_iter().map(|[count]| count).collect())
    };
    let by_status = "SELECT status, CAST(count(*) AS TEXT) FROM tickets GROUP BY 1 ORDER BY 1";
    let by_status = sql.rows(by_status).await?;
    Ok(Found {
        tickets: { by_status.into_iter() }
            .map(|[status, count]| (status, count))
            .collect(),
        plans: one("SELECT CAST(count(*) AS TEXT) FROM execution_plans").await?,
        jobs: one("SELECT CAST(count(*) AS TEXT) FROM agent_jobs").await?,
        entries: one("SELECT CAST(count(*) AS TEXT) FROM agent_job_events").await?,
        calls: one("SELECT CAST(count(*) AS TEXT) FROM api_usage").await?,
        sessions: one("SELECT CAST(count(*) AS TEXT) FROM agent_sessions").await?,
    })
}

/// Counters are the sums of what they count.
async fn counters(sql: &Sql, tally: &Tally) -> Result<()> {
    let read = async |query: String| -> Result<BTreeMap<String, String>> {
        let rows = sql.rows(&query).await?;
        Ok(rows.into_iter().map(|[key, count]| (key, count)).collect())
    };
    for (kind, key, of_calls) in COUNTED {
        let (counted, summed) = match kind {
            "reserved" => {
                let open = "SELECT '' AS k, coalesce(sum(CASE WHEN \"settledAt\" IS NULL THEN \"costMicros\" ELSE 0 END), 0) AS n FROM budget_reservations";
                let counted = "SELECT '' AS k, sum(reserved) AS n FROM budget_counters WHERE kind = 'tenant_month_cost'";
                (counted.to_owned(), open)
            }
            kind => (
                format!(
                    "SELECT {key} AS k, sum(used) AS n FROM budget_counters WHERE kind = '{kind}' GROUP BY 1 HAVING sum(used) <> 0"
                ),
                of_calls,
            ),
        };
        let text = |query: &str| format!("SELECT k, CAST(n AS TEXT) FROM ({query}) AS counted");
        let (counted, summed) = (read(text(&counted)).await?, read(text(summed)).await?);
        if counted != summed {
            tally.faults.add(format!(
                "budget counters of {kind} say {counted:?}, and the rows {summed:?}"
            ));
        }
    }
    Ok(())
}

/// Has the program itself count anew and verify the ledger; nothing may come of the former.
pub(super) async fn recount(
    installation: &Installation,
    sql: &Sql,
    slug: &str,
    tally: &Tally,
) -> Result<()> {
    let counters = "SELECT kind || ' ' || key || ' ' || period || ': ' || used || ' used, ' || reserved || ' reserved' \
        FROM budget_counters WHERE used <> 0 OR reserved <> 0 ORDER BY 1";
    let before = sql.rows::<1>(counters).await?;
    for command in ["recount-budgets", "verify-ledger"] {
        if let Err(error) = installation.run(&[command, "--workspace", slug]).await {
            tally.faults.add(error);
        }
    }
    let after = sql.rows::<1>(counters).await?;
    if before != after {
        tally
            .faults
            .add(format!("counted anew, {before:?} became {after:?}"));
    }
    Ok(())
}

/// What agents can know of.
struct Rows {
    /// By the try: the entries in order.
    journals: HashMap<(String, i64), Vec<String>>,
    /// By the id: the ticket, its status, the job's status, try, result and error.
    jobs: HashMap<String, Job>,
    calls: HashMap<String, u64>,
    questions: HashMap<String, u64>,
    reservations: HashMap<String, u64>,
    /// By the ticket: the checkpoint of its last job.
    checkpoints: HashMap<String, String>,
}

struct Job {
    ticket_status: String,
    status: String,
    attempt: i64,
    result: String,
    error: String,
}

impl Rows {
    async fn read(sql: &Sql) -> Result<Self> {
        let mut journals: HashMap<(String, i64), Vec<String>> = HashMap::new();
        let entries = "SELECT \"jobId\", CAST(attempt AS TEXT), text FROM agent_job_events ORDER BY \"jobId\", attempt, seq";
        for [job, attempt, text] in sql.rows(entries).await? {
            journals
                .entry((job, attempt.parse()?))
                .or_default()
                .push(text);
        }
        let mut jobs = HashMap::new();
        let all = "SELECT j.id, t.status, j.status, CAST(j.attempt AS TEXT), CAST(j.result AS TEXT), j.error \
            FROM agent_jobs j JOIN tickets t ON t.id = j.\"ticketId\"";
        for [id, ticket_status, status, attempt, result, error] in sql.rows(all).await? {
            let attempt = attempt.parse()?;
            let job = Job {
                ticket_status,
                status,
                attempt,
                result,
                error,
            };
            jobs.insert(id, job);
        }
        let count = async |query: &str| -> Result<HashMap<String, u64>> {
            let mut counts = HashMap::new();
            for [name] in sql.rows(query).await? {
                *counts.entry(name).or_default() += 1;
            }
            Ok(counts)
        };
        let checkpoints = "SELECT \"ticketId\", CAST(checkpoint AS TEXT) FROM agent_jobs WHERE checkpoint IS NOT NULL \
            ORDER BY \"ticketId\", \"createdAt\", id";
        let checkpoints = sql.rows(checkpoints).await?;
        Ok(Self {
            journals,
            jobs,
            calls: count("SELECT \"requestId\" FROM api_usage").await?,
            questions: count("SELECT question FROM clarification_requests").await?,
            reservations: count("SELECT id FROM budget_reservations").await?,
            checkpoints: { checkpoints.into_iter() }
                .map(|[ticket, checkpoint]| (ticket, checkpoint))
                .collect(),
        })
    }

    /// How they differ from what is known.
    fn against(&self, known: &Knowledge) -> Vec<String> {
        let mut faults = Vec::new();
        self.check_journals(known, &mut faults);
        self.check_jobs(known, &mut faults);
        self.check_checkpoints(known, &mut faults);
        once("call", &self.calls, &known.calls, &mut faults);
        once("question", &self.questions, &known.questions, &mut faults);
        let reservations = (&self.reservations, &known.reservations);
        for name in reservations.1.names.keys() {
            if !reservations.0.contains_key(name) {
                faults.push(format!(
                    "reservation {name} was acknowledged, and is not there"
                ));
            }
        }
        faults
    }

    fn check_journals(&self, known: &Knowledge, faults: &mut Vec<String>) {
        for (of @ (job, attempt), entries) in &self.journals {
            let right = (1..).map(|seq| format!("{job}/{attempt}/{seq}"));
            if !entries.iter().cloned().eq(right.take(entries.len())) {
                faults.push(format!("the journal of {of:?} says {entries:?}"));
            }
            let (sent, written) = (known.journals.get(of), entries.len() as i64);
            if sent.is_none_or(|sent| sent.sent < written) {
                faults.push(format!("the journal of {of:?} has what nobody sent"));
            }
        }
        for (of, journal) in &known.journals {
            let written = self.journals.get(of).map_or(0, Vec::len) as i64;
            if written < journal.acknowledged {
                let acknowledged = journal.acknowledged;
                faults.push(format!(
                    "the journal of {of:?} has {written} entries, and {acknowledged} were acknowledged"
                ));
            }
        }
    }

    fn check_jobs(&self, known: &Knowledge, faults: &mut Vec<String>) {
        for (id, (attempt, result)) in &known.done {
            let is_so = self.jobs.get(id).is_some_and(|job| {
                let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
                job.status == "done"
                    && job.attempt == *attempt
                    && parsed(result).is_some_and(|result| parsed(&job.result) == Some(result))
            });
            if !is_so {
                faults.push(format!("job {id}/{attempt} was acknowledged as done"));
            }
        }
        for (id, error) in &known.failed {
            let is_so = |job: &Job| job.status == "failed" && job.error == *error;
            if !self.jobs.get(id).is_some_and(is_so) {
                faults.push(format!("job {id} was acknowledged as failed: {error}"));
            }
        }
        // Nobody takes a job from an agent that lives, unless its plan is replaced.
        for (id, why) in &known.taken {
            let is_dropped = |job: &Job| {
                job.status == "cancelled"
                    && ["superseded", "cancelled"].contains(&job.ticket_status.as_str())
            };
            if !self.jobs.get(id).is_some_and(is_dropped) {
                faults.push(why.clone());
            }
        }
    }

    fn check_checkpoints(&self, known: &Knowledge, faults: &mut Vec<String>) {
        for (ticket, saved) in &known.checkpoints {
            let last = saved
                .iter()
                .rposition(|(_, is_acknowledged)| *is_acknowledged);
            let kept = self.checkpoints.get(ticket).map_or("", String::as_str);
            let may_be = &saved[last.unwrap_or_default()..];
            let is_one = may_be
                .iter()
                .any(|(name, _)| kept.contains(&format!("\"{name}\"")));
            if !(is_one || last.is_none() && kept.is_empty()) {
                faults.push(format!(
                    "ticket {ticket} has the checkpoint {kept}, and saved was {may_be:?}"
                ));
            }
        }
    }
}

/// What was acknowledged is there once, and what was sent at most once; nothing else is.
fn once(what: &str, rows: &HashMap<String, u64>, known: &Sent, faults: &mut Vec<String>) {
    for (name, is_acknowledged) in &known.names {
        let count = rows.get(name).copied().unwrap_or_default();
        if count > 1 || (count == 0 && *is_acknowledged) {
            faults.push(format!("{what} {name} is there {count} times"));
        }
    }
    for name in rows.keys().filter(|name| !known.names.contains_key(*name)) {
        faults.push(format!("{what} {name} is there, and nobody sent it"));
    }
}
