//! What agents and services say of their calls of models: what they are about to use, and what they used.

use super::{
    budget::BudgetRefusal,
    constraints::length,
    prelude::*,
    shared::within,
    write::{Once, Write, begin, mutations, open},
};
use crate::{
    auth::Action,
    domain::{check, price::Taken},
    error::{Error, Result as OrError},
    store::{Request, Scope, Tx, retried},
    workflow::{self, Made, ModelCall, Purpose},
};
use async_graphql::{InputObject, Object, SimpleObject};
use entity::{
    Id,
    api_usage::{self, ApiOperation, ApiProvider},
};

/// The most tokens of one call.
const MOST_TOKENS: i32 = 1_000_000_000;

/// The most seconds of speech in one call: a week.
const MOST_SECONDS: i32 = 604_800;

/// What a call is made for.
#[derive(InputObject, Clone)]
pub struct CallPurpose {
    /// The job that it is made for, which says the role, the project and the ticket. For the agent that has it, not for services.
    job_id: Option<Id>,
    /// The role on whose budget it counts, one of an agent token's, any for a service; only where there is no job.
    #[graphql(directive = length::apply(1, 64))]
    role_slug: Option<String>,
    /// The project on whose budget it counts, one that your token may work in; only where there is no job, and needed where your
    /// token is for several projects only.
    project_id: Option<Id>,
}

impl From<CallPurpose> for Purpose {
    fn from(said: CallPurpose) -> Self {
        Self {
            job: said.job_id,
            role: said.role_slug,
            project: said.project_id,
        }
    }
}

/// A call that was made.
#[derive(InputObject, Clone)]
pub struct RecordUsageInput {
    #[graphql(flatten)]
    purpose: CallPurpose,
    /// What you reserved for it: it is given back, if it was not already.
    reservation_id: Option<Id>,
    /// Who was called.
    provider: ApiProvider,
    /// The model's full name as the provider gave it, 1 to 200 characters.
    #[graphql(directive = length::apply(1, 200))]
    model: String,
    /// What it was made for.
    operation: ApiOperation,
    /// How many tokens were sent, up to 1,000,000,000, those in the provider's cache included; 0 where a failed call was not
    /// charged.
    input_tokens: i32,
    /// How many tokens came back, up to 1,000,000,000.
    output_tokens: i32,
    /// How many of the tokens sent the provider had in its cache.
    #[graphql(default)]
    cached_tokens: i32,
    /// How many seconds of speech it took, up to 604,800.
    #[graphql(default)]
    audio_seconds: i32,
    /// How many milliseconds the answer took.
    latency_ms: Option<i32>,
    /// What the provider called the failure, at most 100 characters; left out or null when the call succeeded.
    #[graphql(directive = length::apply(1, 100))]
    error_code: Option<String>,
    /// The request it was made in, as your logs name it, at most 100 characters.
    #[graphql(directive = length::apply(1, 100))]
    request_id: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

fn tokens(field: &str, count: i32) -> OrError<i64> {
    within(field, count, 0, MOST_TOKENS).map(i64::from)
}

fn seconds(count: i32) -> OrError<i64> {
    within("audioSeconds", count, 0, MOST_SECONDS).map(i64::from)
}

impl Write for RecordUsageInput {
    type Entity = api_usage::Entity;
    const ACTION: Action = Action::ReportUsage;

    async fn apply(self, tx: &mut Tx<'_>) -> OrError<api_usage::Model> {
        let taken = Taken {
            input: tokens("inputTokens", self.input_tokens)?,
            output: tokens("outputTokens", self.output_tokens)?,
            cached: tokens("cachedTokens", self.cached_tokens)?,
            seconds: seconds(self.audio_seconds)?,
        };
        if taken.cached > taken.input {
            return Err(Error::bad_input(
                "cachedTokens",
                "are part of `inputTokens`, and cannot be more",
            ));
        }
        let line = |field, text: Option<String>| {
            let checked = text.map(|text| check::line(field, &text, 1, 100));
            checked.transpose()
        };
        let call = ModelCall {
            purpose: self.purpose.into(),
            provider: self.provider,
            model: check::line("model", &self.model, 1, 200)?,
            taken,
        };
        let error_code = line("errorCode", self.error_code)?;
        let latency = self.latency_ms;
        let made = Made {
            operation: self.operation,
            latency_ms: latency
                .map(|ms| within("latencyMs", ms, 0, i32::MAX))
                .transpose()?,
            error_code,
            request_id: line("requestId", self.request_id)?,
            reservation: self.reservation_id,
        };
        workflow::record_usage(tx, call, made).await
    }
}

mutations! { CostMutation {
    /// Records a call of a model: what it costs is decided by the price of the moment, and it counts to the budgets of the
    /// workspace, the role and the project. Send each call, failed ones too, also after you lost the job: it was paid for. For
    /// agents, and for services that work.
    record_usage(RecordUsageInput) -> RecordUsagePayload { api_usage: ApiUsage };
} }

/// A call that is about to be made.
#[derive(InputObject, Clone)]
pub struct ReserveBudgetInput {
    #[graphql(flatten)]
    purpose: CallPurpose,
    /// Who will be called.
    provider: ApiProvider,
    /// The model's name, 1 to 200 characters.
    #[graphql(directive = length::apply(1, 200))]
    model: String,
    /// How many tokens will be sent, up to 1,000,000,000.
    input_tokens: i32,
    /// How many tokens may come back at most, up to 1,000,000,000.
    output_tokens: i32,
    /// How many seconds of speech it may take, up to 604,800.
    #[graphql(default)]
    audio_seconds: i32,
    #[graphql(flatten)]
    once: Once,
}

/// What `reserveBudget` answers with.
#[derive(SimpleObject)]
pub struct ReserveBudgetPayload {
    /// What was set aside for the call, for 15 minutes; null when a budget does not allow the call.
    reservation: Option<BudgetReservation>,
    /// The budget that does not allow the call; null when it was set aside for.
    refused_by: Option<BudgetRefusal>,
    /// The ledger's position after this.
    feed_cursor: Cursor,
}

/// What is set aside.
#[derive(Default)]
pub struct ReservationMutation;

#[Object]
impl ReservationMutation {
    /// Sets aside what a call of a model may cost, before it is made: of calls that are made at once, no more are allowed
    /// than the budgets of the workspace, the role and the project have room for. Name the reservation in `recordUsage`;
    /// what is not recorded within 15 minutes is given back. A refusal is no answer that is kept: sent again under the same
    /// `idempotencyKey` there may be room. For agents, and for services that work.
    async fn reserve_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The call.")] input: ReserveBudgetInput,
    ) -> Nullable<ReserveBudgetPayload> {
        let (scope, request) = begin(ctx, "reserve_budget", Action::ReportUsage)?;
        let reserve = || attempt(scope, request.clone(), input.clone());
        Ok(Some(retried(reserve).await?))
    }
}

async fn attempt(
    scope: &Scope,
    request: Option<Request>,
    input: ReserveBudgetInput,
) -> crate::Result<ReserveBudgetPayload> {
    let (mut tx, answer) = open(scope, request.as_ref()).await?;
    if let Some(answer) = answer {
        let row = workflow::own_reservation(&mut tx, &answer.id).await?;
        return Ok(ReserveBudgetPayload {
            reservation: Some(BudgetReservation::of(&row)),
            refused_by: None,
            feed_cursor: Cursor::position(scope, answer.seq),
        });
    }
    let call = ModelCall {
        purpose: input.purpose.into(),
        provider: input.provider,
        model: check::line("model", &input.model, 1, 200)?,
        taken: Taken {
            input: tokens("inputTokens", input.input_tokens)?,
            output: tokens("outputTokens", input.output_tokens)?,
            seconds: seconds(input.audio_seconds)?,
            ..Taken::default()
        },
    };
    let (reservation, refused_by, head) = match workflow::reserve(&mut tx, call).await? {
        Ok(row) => {
            let head = tx.commit_answering(request, &row.id).await?;
            (Some(BudgetReservation::of(&row)), None, head)
        }
        // It is not kept as the answer: asked again, there may be room.
        Err(refused) => {
            let refused = BudgetRefusal::from(refused);
            (None, Some(refused), tx.commit().await?)
        }
    };
    Ok(ReserveBudgetPayload {
        reservation,
        refused_by,
        feed_cursor: Cursor::position(scope, head),
    })
}
