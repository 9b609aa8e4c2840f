//! What an agent does with a job that it has: begins, hands in what came of it, or gives up.

use super::{
    constraints::length,
    execution_plan::PlanContent,
    prd_content::BriefContent,
    prelude::*,
    shared::said,
    write::{Once, Write, change, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::check,
    store::Tx,
    workflow::{self, Completed, Drafted, Failure},
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{Id, agent_job, prd};

/// Which job begins.
#[derive(InputObject, Clone)]
pub struct StartJobInput {
    /// The job.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    #[graphql(flatten)]
    once: Once,
}

impl Write for StartJobInput {
    type Entity = agent_job::Entity;
    const ACTION: Action = Action::Work;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        workflow::start(tx, &self.job_id, self.attempt).await
    }
}

/// A brief as the analyst drafted it. What is left out stays.
#[derive(InputObject, Clone)]
pub struct BriefDraft {
    /// What it is about, 1 to 300 characters.
    title: MaybeUndefined<String>,
    /// What lists show of it, at most 5,000 characters.
    summary: MaybeUndefined<String>,
    /// What it says.
    content: Option<BriefContent>,
}

impl BriefDraft {
    fn columns(self) -> crate::Result<prd::ActiveModel> {
        let named = |error: Error| match error {
            Error::BadUserInput { field, reason } => {
                Error::bad_input(format!("brief.{field}"), reason)
            }
            other => other,
        };
        let words = || {
            Ok(prd::ActiveModel {
                title: change("title", self.title, |title| {
                    check::line("title", &title, 1, 300)
                })?,
                summary: change("summary", self.summary, |text| {
                    check::text("summary", &text, 0, 5000)
                })?,
                ..self.content.unwrap_or_default().columns()?
            })
        };
        words().map_err(named)
    }
}

/// What came of a job.
#[derive(InputObject, Clone)]
pub struct CompleteJobInput {
    /// The job.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    /// What came of it, in a shape of its role's own, such as the changed files and the counts of tests. At most 200,000
    /// characters as JSON.
    result: Option<serde_json::Value>,
    /// The address of the pull request that it opened, at most 500 characters.
    #[graphql(directive = length::apply(1, 500))]
    pr_url: Option<String>,
    /// How sure you are of it, from 0 to 1.
    #[graphql(default)]
    confidence: f64,
    /// The brief, where the job's `action` is `draft_brief`. It is handed in for approval.
    brief: Option<BriefDraft>,
    /// The plan, where the job's `action` is `plan_brief`. It waits for approval like any other.
    plan: Option<PlanContent>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CompleteJobInput {
    type Entity = agent_job::Entity;
    const ACTION: Action = Action::Work;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        let drafted = match (self.brief, self.plan) {
            (Some(_), Some(_)) => {
                return Err(Error::bad_input(
                    "plan",
                    "and `brief` are never asked for at once; leave one out",
                ));
            }
            (Some(brief), None) => Some(Drafted::Brief(Box::new(brief.columns()?))),
            (None, Some(plan)) => Some(Drafted::Plan(Box::new(plan.new_plan()?))),
            (None, None) => None,
        };
        let done = Completed {
            job: self.job_id,
            attempt: self.attempt,
            result: self.result,
            pr_url: self.pr_url,
            confidence: self.confidence,
            drafted,
        };
        workflow::complete(tx, done).await
    }
}

/// Why a job could not be done.
#[derive(InputObject, Clone)]
pub struct FailJobInput {
    /// The job.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    /// What went wrong, 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    error: String,
    /// Whether it failed in passing, such as for a network or a provider: then it is tried again a little later, up to three
    /// times in all. Else the ticket has failed, and its plan is made anew or a person is told.
    #[graphql(default)]
    transient: bool,
    #[graphql(flatten)]
    once: Once,
}

impl Write for FailJobInput {
    type Entity = agent_job::Entity;
    const ACTION: Action = Action::Work;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        let failure = Failure {
            job: self.job_id,
            attempt: self.attempt,
            error: self.error,
            is_transient: self.transient,
        };
        workflow::fail(tx, failure).await
    }
}

/// Which job is given back.
#[derive(InputObject, Clone)]
pub struct ReleaseTicketInput {
    /// The job that was given with the ticket.
    job_id: Id,
    /// Its `attempt` as it was given to you: another one is not yours any more.
    attempt: i32,
    /// Why: 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    reason: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for ReleaseTicketInput {
    type Entity = agent_job::Entity;
    const ACTION: Action = Action::Work;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_job::Model> {
        workflow::release(tx, &self.job_id, self.attempt, said(self.reason)?).await
    }
}

mutations! { AgentWorkMutation {
    /// Begins with a job that you claimed; within 5 minutes, or it goes to another agent. For agents.
    start_job(StartJobInput) -> StartJobPayload { agent_job: AgentJob };
    /// Hands in what came of a job. Its ticket is done, and what waited for it goes on; or the result waits for somebody who
    /// approves it. Sent again with the same result, it is answered again. For agents.
    complete_job(CompleteJobInput) -> CompleteJobPayload { agent_job: AgentJob };
    /// Says that a job could not be done. For agents.
    fail_job(FailJobInput) -> FailJobPayload { agent_job: AgentJob };
    /// Gives a ticket back that you cannot work on now, without a failed try: it can be claimed again after 5 seconds. For
    /// agents.
    release_ticket(ReleaseTicketInput) -> ReleaseTicketPayload { agent_job: AgentJob };
} }
