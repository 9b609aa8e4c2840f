//! What calls of providers took and cost: those that the demo's work caused, and some on every one of thirty days.

use super::workspace::{Workspace, raw};
use crate::{
    auth::Actor,
    domain::price::{Rates, Taken},
    error::{Error, Result},
};
use entity::{
    BigInt, Id, Timestamp,
    api_usage::{self, ApiOperation, ApiProvider},
    budget_reservation,
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use std::collections::HashMap;

/// The days before today on which agents were at work, whatever else happened.
const DAYS: u32 = 30;

/// A call of a provider that is still to be written.
pub(super) struct Call {
    pub(super) role: String,
    pub(super) operation: ApiOperation,
    pub(super) at: Timestamp,
    pub(super) project: Option<Id>,
    pub(super) brief: Option<Id>,
    pub(super) plan: Option<Id>,
    pub(super) ticket: Option<Id>,
    /// Of speech.
    pub(super) seconds: i32,
}

impl Call {
    /// A call that belongs to nothing yet.
    pub(super) fn new(role: &str, operation: ApiOperation, at: Timestamp) -> Self {
        let role = role.to_owned();
        Self {
            role,
            operation,
            at,
            project: None,
            brief: None,
            plan: None,
            ticket: None,
            seconds: 0,
        }
    }
}

/// A model.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Model {
    provider: ApiProvider,
    name: &'static str,
    /// Whether it answers with text.
    writes: bool,
}

const fn model(provider: ApiProvider, name: &'static str, writes: bool) -> Model {
    Model {
        provider,
        name,
        writes,
    }
}

const WRITER: Model = model(ApiProvider::Anthropic, "claude-sonnet", true);
const PLANNER: Model = model(ApiProvider::Anthropic, "claude-opus", true);
const JUDGE: Model = model(ApiProvider::Openai, "gpt-large", true);
const KEEPER: Model = model(ApiProvider::Google, "gemini-flash-lite", true);
const EMBEDDER: Model = model(ApiProvider::Custom, "house-embedder", false);
const LISTENER: Model = model(ApiProvider::Whisper, "whisper-1", false);
const VOICE: Model = model(ApiProvider::Twilio, "voice", false);

const MODELS: [Model; 7] = [WRITER, PLANNER, JUDGE, KEEPER, EMBEDDER, LISTENER, VOICE];

/// What each model costs, and at which price.
type Prices = HashMap<Model, (Option<Id>, Rates)>;

pub(super) async fn write(ws: &mut Workspace<'_>) -> Result<()> {
    let project = Some(ws.id("project:default")?);
    for day in 1..=DAYS {
        let at = raw(ws.now, -24.0 * (f64::from(day) - 0.2));
        ws.calls.push(Call {
            project: project.clone(),
            ..Call::new("memory_optimizer", ApiOperation::Embed, at)
        });
        // Somebody asks something on most days.
        if day % 7 > 1 {
            ws.calls.push(Call {
                project: project.clone(),
                ..Call::new("supervisor", ApiOperation::Specialist, at)
            });
        }
        if day % 11 == 4 {
            ws.calls.push(Call {
                seconds: 340,
                ..Call::new("supervisor", ApiOperation::Voice, at)
            });
        }
    }
    let mut prices = Prices::new();
    for model in MODELS {
        let price = ws.tx.price(model.provider, model.name).await?;
        let rates = price.as_ref().map_or(Rates::NOTHING, Rates::from);
        prices.insert(model, (price.map(|price| price.id), rates));
    }
    let calls = std::mem::take(&mut ws.calls);
    let worked = { calls.iter().rev() }.find(|call| call.ticket.is_some());
    let reserved = worked.map(|call| reservations(ws, call)).transpose()?;
    let rows: Result<Vec<_>> = (0..)
        .zip(calls)
        .map(|(place, call)| row(ws, &prices, call, place))
        .collect();
    ws.tx.insert_all_untold(rows?).await?;
    for reserved in reserved.into_iter().flatten() {
        ws.tx.insert_untold(reserved).await?;
    }
    ws.tx
        .as_of(ws.now, Actor::system(ws.tenant.clone(), "seed"));
    let today = ws.hours.day(ws.now);
    let first = ws.tx.first_day_of_usage().await?;
    ws.tx.recount_usage(first.unwrap_or(today), None).await
}

/// What was set aside for a call, before it was recorded: by an agent, and by a program beside any ticket.
fn reservations(ws: &Workspace<'_>, call: &Call) -> Result<[budget_reservation::ActiveModel; 2]> {
    let service = ws.services.get("tracker").map(|token| token.id.clone());
    let of_agent = reservation(ws, call)?;
    let of_service = budget_reservation::ActiveModel {
        agent_token_id: Set(None),
        service_token_id: Set(service),
        ticket_id: Set(None),
        ..of_agent.clone()
    };
    Ok([of_agent, of_service])
}

/// What an agent set aside for a call.
fn reservation(ws: &Workspace<'_>, call: &Call) -> Result<budget_reservation::ActiveModel> {
    let token = { ws.tokens.values() }.min_by_key(|token| token.name.as_str());
    let token = token.ok_or_else(|| Error::internal("the demo has no agent token"))?;
    let before = raw(call.at, -0.02);
    Ok(budget_reservation::ActiveModel {
        agent_token_id: Set(Some(token.id.clone())),
        role_slug: Set(call.role.clone()),
        project_id: Set(call.project.clone()),
        ticket_id: Set(call.ticket.clone()),
        tokens: Set(BigInt(40_000)),
        cost_micros: Set(BigInt(200_000)),
        day: Set(ws.hours.day(before).to_string()),
        expires_at: Set(raw(before, 0.25)),
        settled_at: Set(Some(call.at)),
        created_at: Set(before),
        ..Default::default()
    })
}

/// A call's row; its place decides the amounts, so that they differ and yet are the same in every demo.
fn row(
    ws: &Workspace<'_>,
    prices: &Prices,
    call: Call,
    place: i64,
) -> Result<api_usage::ActiveModel> {
    let (model, size) = match call.operation {
        ApiOperation::Draft | ApiOperation::Revise => (PLANNER, 14_000),
        ApiOperation::Critique | ApiOperation::Council => (JUDGE, 9_000),
        ApiOperation::Brief => (WRITER, 18_000),
        ApiOperation::Specialist if call.role == "supervisor" => (KEEPER, 3_000),
        ApiOperation::Specialist => (WRITER, 31_000),
        ApiOperation::Embed => (EMBEDDER, 6_000),
        ApiOperation::Transcribe => (LISTENER, 0),
        ApiOperation::Voice => (VOICE, 0),
    };
    let failed = place % 37 == 36;
    // Who is overloaded charges nothing.
    let input = if size == 0 || failed {
        0
    } else {
        size + place * 7919 % 5000 + 400 * ws.slug.len() as i64
    };
    let output = if failed || !model.writes {
        0
    } else {
        input / 9 + place * 31 % 700
    };
    let seconds = if failed { 0 } else { call.seconds };
    let cached = if place % 3 == 0 { input / 2 } else { 0 };
    let (price, rates) = prices
        .get(&model)
        .cloned()
        .unwrap_or((None, Rates::NOTHING));
    let cost = rates.cost(Taken {
        input,
        output,
        cached,
        seconds: seconds.into(),
    });
    let user = matches!(call.operation, ApiOperation::Brief)
        .then(|| ws.user(UserRole::Member))
        .transpose()?;
    Ok(api_usage::ActiveModel {
        user_id: Set(user),
        project_id: Set(call.project),
        prd_id: Set(call.brief),
        plan_id: Set(call.plan),
        ticket_id: Set(call.ticket),
        role_slug: Set(call.role),
        provider: Set(model.provider),
        model: Set(model.name.to_owned()),
        operation: Set(call.operation),
        input_tokens: Set(BigInt(input)),
        output_tokens: Set(BigInt(output)),
        cached_tokens: Set(BigInt(cached)),
        audio_seconds: Set(seconds),
        cost_micros: Set(BigInt(cost)),
        price_id: Set(price),
        latency_ms: Set(Some(700 + (place * 613 % 9000) as i32)),
        success: Set(!failed),
        error_code: Set(failed.then(|| "overloaded".to_owned())),
        request_id: Set(Some(cuid2::create_id())),
        created_at: Set(call.at),
        ..Default::default()
    })
}
