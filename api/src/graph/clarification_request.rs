//! Questions that hold up a brief or a ticket until a person answers.

use super::prelude::*;
use super::{
    constraints::size,
    steps::{Shown, allowed},
    write::{Once, Write, mutations},
};
use crate::{
    Error,
    auth::{Action, Role},
    domain::machine::ClarificationStep,
    store::Tx,
    workflow,
};
use async_graphql::InputObject;
use entity::{
    Id, agent_job,
    clarification_request::{self, ClarificationRoute, ClarificationUrgency},
};

node! {
    /// A question that an agent asked. It holds up a brief, a ticket, or both when the ticket belongs to the brief.
    ClarificationRequest in clarification_request (clarification_request, clarification_requests) {
        columns {
            id: IdFilter,
            ticket_id: IdFilter,
            prd_id: IdFilter,
            question: StringFilter,
            context: StringFilter,
            route_to: EnumFilter<clarification_request::ClarificationRoute>,
            urgency: EnumFilter<clarification_request::ClarificationUrgency>,
            status: EnumFilter<clarification_request::ClarificationStatus>,
            round: IntFilter,
            response: StringFilter,
            responded_by_id: IdFilter,
            responded_at: DateTimeFilter,
            expires_at: DateTimeFilter,
            reminders_sent: IntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The ticket that waits for the answer; null when a brief does.
            ticket: Ticket by ticket_id,
            /// The brief that waits for the answer; null when a ticket does.
            prd: PRD by prd_id,
            /// Who answered; null until somebody did.
            responded_by: User by responded_by_id,
        }
    }
    fields {

        /// What you may do with it now; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<ClarificationStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for ClarificationStep {}

/// A question about a brief, or about an agent's job.
#[derive(InputObject, Clone)]
pub struct AskClarificationInput {
    /// The brief, which waits for the answer.
    prd_id: Option<Id>,
    /// An agent's job, whose ticket waits for the answer. Answered, the ticket can be claimed again, and the job goes on with
    /// the answer in its `payload`.
    job_id: Option<Id>,
    /// The job's `attempt` as it was given to you: another one is not yours any more.
    attempt: Option<i32>,
    /// The question, 1 to 2,000 characters.
    question: String,
    /// What one must know to answer it, at most 5,000 characters.
    context: Option<String>,
    /// The answers to choose from, at most 10; none if any answer will do.
    #[graphql(default, directive = size::apply(0, 10))]
    options: Vec<String>,
    /// Whom it is put to.
    route_to: ClarificationRoute,
    /// How soon it needs an answer.
    #[graphql(default)]
    urgency: ClarificationUrgency,
    #[graphql(flatten)]
    once: Once,
}

impl Write for AskClarificationInput {
    type Entity = clarification_request::Entity;
    const ACTION: Action = Action::Ask;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<clarification_request::Model> {
        let asked = workflow::Asked {
            question: self.question,
            context: self.context,
            options: self.options,
            route_to: self.route_to,
            urgency: self.urgency,
        };
        let is_agent = tx.writer().role() == Role::Agent;
        if let Some(job) = self.job_id.as_ref().filter(|_| !is_agent) {
            let found = tx.find::<agent_job::Entity>(job).await?;
            found.ok_or(Error::NotFound { kind: "AgentJob" })?;
        }
        match (self.prd_id, self.job_id) {
            (Some(brief), None) if !is_agent => workflow::ask(tx, &brief, asked).await,
            (None, Some(job)) if is_agent => {
                let attempt = self.attempt;
                let attempt = attempt.ok_or_else(|| Error::bad_input("attempt", "is needed"))?;
                workflow::ask_about_job(tx, &job, attempt, asked).await
            }
            (Some(_), None) => Err(Error::Forbidden(
                "An agent asks about a job that it has: name that in `jobId`.".to_owned(),
            )),
            (None, Some(_)) => Err(Error::Forbidden(
                "Only the agent that has a job asks about it. Say something about its ticket with commentOnTicket.".to_owned(),
            )),
            _ => Err(Error::bad_input(
                "prdId",
                "name either this or a `jobId`",
            )),
        }
    }
}

/// An answer to a question.
#[derive(InputObject, Clone)]
pub struct AnswerClarificationInput {
    /// The question.
    id: Id,
    /// The answer, 1 to 5,000 characters; one of the question's options where it has any.
    response: String,
    #[graphql(flatten)]
    once: Once,
}

impl Write for AnswerClarificationInput {
    type Entity = clarification_request::Entity;
    const ACTION: Action = Action::Answer;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<clarification_request::Model> {
        workflow::answer(tx, &self.id, &self.response).await
    }
}

mutations! { ClarificationMutation {
    /// Asks something about a brief that is not handed in yet or, as an agent, about the ticket that it works on, which
    /// gives its job back: at most two questions at a time about a brief, in at most three rounds.
    ask_clarification(AskClarificationInput) -> AskClarificationPayload { clarification_request: ClarificationRequest };
    /// Answers a question. With the last open one its brief is drafted anew, and a ticket that it held up goes on.
    answer_clarification(AnswerClarificationInput) -> AnswerClarificationPayload { clarification_request: ClarificationRequest };
} }
