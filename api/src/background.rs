//! What the server does by itself, at intervals: whatever is overdue, in every workspace.
//!
//! A task is a name, an interval and a function. When it is due stands in the database, and who does it holds a lease on it
//! there: any number of servers may run, and one that dies leaves its task to the next when the lease is over.

use crate::{
    error::{Error, Result},
    store::{Scope, Store, Tx, is_gone, retried},
    workflow,
};
use chrono::TimeDelta;
use entity::{
    Id, Owned, Timestamp, agent_job, agent_session, budget_reservation, clarification_request,
    credential, execution_plan, invitation, prd, ticket,
};
use futures_util::future::{BoxFuture, join_all};
use sea_orm::Condition;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often a server looks whether something is due.
const LOOK: Duration = Duration::from_secs(5);

/// How long a server may hold a task. It ends what it does before.
const LEASE: Duration = Duration::from_secs(300);

/// Something that the server does by itself.
pub(crate) struct Task {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What it does, for people to read.
    pub(crate) about: &'static str,
    /// How long after its end it is due again.
    pub(crate) every: Duration,
    /// Does it, and says how many things it did.
    run: for<'s> fn(&'s Store) -> BoxFuture<'s, Result<u64>>,
}

/// All that the server does by itself.
pub(crate) const TASKS: [Task; 13] = [
    Task {
        name: "clarifications",
        about: "Reminds people of questions that nobody answered, after 24 and 48 hours, and closes those whose time is up.",
        every: MINUTE,
        run: |store| {
            Box::pin(tend_each::<clarification_request::Entity>(
                store,
                "clarifications",
                workflow::overdue_questions,
                |tx, id| Box::pin(workflow::tend_question(tx, id)),
            ))
        },
    },
    Task {
        name: "brief_approvals",
        about: "Tells those who decide of briefs that have waited for them too long.",
        every: MINUTE,
        run: |store| {
            Box::pin(tend_each::<prd::Entity>(
                store,
                "approvals",
                workflow::overdue_briefs,
                |tx, id| Box::pin(workflow::escalate_brief(tx, id)),
            ))
        },
    },
    Task {
        name: "plan_approvals",
        about: "Tells those who decide of plans that have waited for them too long.",
        every: MINUTE,
        run: |store| {
            Box::pin(tend_each::<execution_plan::Entity>(
                store,
                "approvals",
                workflow::overdue_plans,
                |tx, id| Box::pin(workflow::escalate_plan(tx, id)),
            ))
        },
    },
    Task {
        name: "agent_sessions",
        about: "Ends the sessions of agents that were silent for longer than they may be: what they had can be claimed again.",
        every: Duration::from_secs(15),
        run: |store| {
            Box::pin(tend_each::<agent_session::Entity>(
                store,
                AGENTS,
                workflow::silent_sessions,
                |tx, id| Box::pin(workflow::end_silent_session(tx, id)),
            ))
        },
    },
    Task {
        name: "tickets",
        about: "Hands tickets out again whose agent let their lease run out, and those that failed in passing a while ago.",
        every: Duration::from_secs(5),
        run: |store| {
            Box::pin(tend_each::<ticket::Entity>(
                store,
                AGENTS,
                workflow::overdue_tickets,
                |tx, id| Box::pin(workflow::tend_ticket(tx, id)),
            ))
        },
    },
    Task {
        name: "agent_jobs",
        about: "Sees to jobs that were not begun in time, take too long, are not reported of, or that no agent takes.",
        every: MINUTE,
        run: |store| {
            Box::pin(tend_each::<agent_job::Entity>(
                store,
                AGENTS,
                workflow::overdue_jobs,
                |tx, id| Box::pin(workflow::tend_job(tx, id)),
            ))
        },
    },
    Task {
        name: "budget_reservations",
        about: "Gives back what agents set aside for calls of models that they did not record in time.",
        every: MINUTE,
        run: |store| {
            Box::pin(tend_each::<budget_reservation::Entity>(
                store,
                "budgets",
                workflow::overdue_reservations,
                |tx, id| Box::pin(workflow::tend_reservation(tx, id)),
            ))
        },
    },
    Task {
        name: "invitations",
        about: "Closes invitations that nobody accepted within seven days.",
        every: MINUTE,
        run: |store| {
            Box::pin(tend_each::<invitation::Entity>(
                store,
                "invitations",
                workflow::overdue_invitations,
                |tx, id| workflow::tend_invitation(tx, id),
            ))
        },
    },
    Task {
        name: "mail",
        about: "Mails the links of invitations and for new passwords, again while the mail server does not take them.",
        every: Duration::from_secs(5),
        run: |store| Box::pin(workflow::mail_links(store)),
    },
    Task {
        name: "ai_providers",
        about: "Tries providers of models again that failed, ever more seldom: those that answer are counted on again.",
        every: MINUTE,
        run: |store| Box::pin(probe_each(store)),
    },
    Task {
        name: "journals",
        about: "Forgets what agents wrote into the journals of their runs, and set aside for calls, more than 30 days ago.",
        every: Duration::from_secs(3600),
        run: |store| {
            Box::pin(async move {
                Ok(store.forget_journals().await? + store.forget_reservations().await?)
            })
        },
    },
    Task {
        name: "idempotency_keys",
        about: "Forgets the answers of requests that can no longer be repeated.",
        every: Duration::from_secs(3600),
        run: |store| Box::pin(store.forget_answers()),
    },
    Task {
        name: "deleted_workspaces",
        about: "Removes what deleted workspaces had, a little at a time; their ledgers stay.",
        every: Duration::from_secs(15),
        run: |store| Box::pin(store.remove_workspaces()),
    },
];

/// The part of the server that sees to agents.
const AGENTS: &str = "agents";

const MINUTE: Duration = Duration::from_secs(60);

/// Tends to the rows that are due in any workspace, one after the other, each in a transaction of its own.
async fn tend_each<E: Owned>(
    store: &Store,
    component: &'static str,
    due: fn(Timestamp) -> Condition,
    tend: Tend,
) -> Result<u64> {
    let tend = |tenant, id| tend_one::<E>(store, component, tend, tenant, id);
    store.system().each_due::<E, _>(due, 1, tend).await
}

/// Tends to a row, and says whether there was need.
type Tend = for<'t> fn(&'t mut Tx<'_>, &'t Id) -> BoxFuture<'t, Result<bool>>;

async fn tend_one<E: Owned>(
    store: &Store,
    component: &'static str,
    tend: Tend,
    tenant: Id,
    id: Id,
) -> Result<bool> {
    let id = &id;
    let scope = store.system().tenant(tenant.clone(), component);
    let tended = retried(|| async {
        let mut tx = scope.begin().await?;
        let tended = tend(&mut tx, id).await?;
        tx.commit().await?;
        Ok(tended)
    });
    let tended = tended.await;
    if let Err(error) = &tended
        && !is_gone(error)
    {
        let cause = error.cause();
        if is_passing(error) {
            tracing::warn!(%tenant, kind = E::KIND, %id, %cause, "a row could not be tended to yet");
        } else {
            tracing::error!(%tenant, kind = E::KIND, %id, %cause, "a row could not be tended to");
        }
    }
    tended
}

/// So many providers are asked at once.
const ASKED_AT_ONCE: usize = 8;

/// Asks the providers of models that failed, in any workspace, outside any transaction. Returns how many there were.
async fn probe_each(store: &Store) -> Result<u64> {
    let due = workflow::failing_providers;
    let probe = |tenant, id| probe(store, tenant, id);
    let system = store.system();
    system
        .each_due::<credential::Entity, _>(due, ASKED_AT_ONCE, probe)
        .await
}

/// Asks one. What fails here fails no task.
async fn probe(store: &Store, tenant: Id, id: Id) -> Result<bool> {
    let scope = store.system().tenant(tenant.clone(), "integrations");
    if let Err(error) = probe_once(&scope, &id).await {
        // It may be gone, or its key another one by now; if not, it is tried again in a minute.
        tracing::debug!(%tenant, %id, cause = %error.cause(), "a provider was not tried");
    }
    Ok(true)
}

async fn probe_once(scope: &Scope, id: &Id) -> Result<()> {
    let tested = workflow::probe(scope, id).await?;
    retried(|| async {
        let mut tx = scope.begin().await?;
        workflow::note_probe(&mut tx, tested.clone(), false).await?;
        tx.commit().await.map(drop)
    })
    .await
}

/// A server's part in the tasks.
pub struct Background {
    store: Store,
    by: String,
    loops: JoinHandle<()>,
}

impl Background {
    /// From now on this server does what is due.
    pub fn start(store: Store) -> Self {
        let by = cuid2::create_id();
        let loops = tokio::spawn(run(store.clone(), by.clone()));
        Self { store, by, loops }
    }

    /// Stops at once, and leaves what is under way to other servers.
    pub async fn stop(self) {
        self.loops.abort();
        // It was told to end, and says so.
        let _ = self.loops.await;
        if let Err(error) = self.store.give_tasks_back(&self.by).await {
            tracing::warn!(cause = %error.cause(), "others wait for this server's tasks until its lease is over");
        }
    }
}

/// Does what is due, again and again. A task that takes long does not keep the others waiting.
async fn run(store: Store, by: String) {
    join_all(TASKS.iter().map(|task| attend(&store, task, &by))).await;
}

async fn attend(store: &Store, task: &Task, by: &str) {
    let mut is_entered = false;
    loop {
        let done = async {
            if !is_entered {
                store.enter_task(task.name).await?;
            }
            do_if_due(store, task, by).await
        };
        match done.await {
            Ok(_) => is_entered = true,
            Err(error) => {
                tracing::warn!(task = task.name, cause = %error.cause(), "nobody knows whether it is due");
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Does what is due now, once. Returns how many tasks that were.
///
/// # Errors
/// If the database fails; a task that fails is noted and tried again when it is due.
pub async fn run_due(store: &Store) -> Result<usize> {
    let by = &cuid2::create_id();
    let done = TASKS.iter().map(|task| async move {
        store.enter_task(task.name).await?;
        do_if_due(store, task, by).await
    });
    let done = join_all(done).await.into_iter();
    let done: Vec<bool> = done.collect::<Result<_>>()?;
    Ok(done.into_iter().filter(|done| *done).count())
}

/// Does a task if it is due and no other server does it. Says whether it did.
async fn do_if_due(store: &Store, task: &Task, by: &str) -> Result<bool> {
    let is_ours =
        store.is_due(task.name).await? && store.claim_task(task.name, by, delta(LEASE)).await?;
    if is_ours {
        perform(store, task, by).await?;
    }
    Ok(is_ours)
}

/// Whether others were in the way: the next turn sees to it, and nobody need act.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Busy(_) | Error::Contended)
}

async fn perform(store: &Store, task: &Task, by: &str) -> Result<()> {
    // It is over before another server may take it for dead.
    let in_time = tokio::time::timeout(LEASE * 4 / 5, (task.run)(store)).await;
    let outcome = in_time.unwrap_or(Err(Error::TOO_SLOW));
    match &outcome {
        Ok(0) => tracing::debug!(task = task.name, "nothing was due"),
        Ok(done) => tracing::info!(task = task.name, done, "done in the background"),
        Err(error) if is_passing(error) => {
            tracing::warn!(task = task.name, cause = %error.cause(), "a background task was not done yet");
        }
        Err(error) => {
            tracing::error!(task = task.name, cause = %error.cause(), "a background task failed");
        }
    }
    store
        .end_task(task.name, by, delta(task.every), &outcome)
        .await
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
