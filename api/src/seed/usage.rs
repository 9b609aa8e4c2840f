//! What calls of providers took and cost: those that the demo's work caused, and some on every one of thirty days.

use super::workspace::{Workspace, raw};
use crate::error::Result;
use entity::{
    BigInt, Id, Timestamp,
    api_usage::{self, ApiOperation, ApiProvider},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;

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

/// A model and what it costs, in micro-USD per thousand tokens.
struct Model {
    provider: ApiProvider,
    name: &'static str,
    input: i64,
    output: i64,
}

const WRITER: Model = Model {
    provider: ApiProvider::Anthropic,
    name: "claude-sonnet",
    input: 3000,
    output: 15_000,
};
const PLANNER: Model = Model {
    provider: ApiProvider::Anthropic,
    name: "claude-opus",
    input: 5000,
    output: 25_000,
};
const JUDGE: Model = Model {
    provider: ApiProvider::Openai,
    name: "gpt-large",
    input: 2000,
    output: 8000,
};
const KEEPER: Model = Model {
    provider: ApiProvider::Google,
    name: "gemini-flash-lite",
    input: 100,
    output: 400,
};
const EMBEDDER: Model = Model {
    provider: ApiProvider::Custom,
    name: "house-embedder",
    input: 0,
    output: 0,
};
const LISTENER: Model = Model {
    provider: ApiProvider::Whisper,
    name: "whisper-1",
    input: 0,
    output: 0,
};
const VOICE: Model = Model {
    provider: ApiProvider::Twilio,
    name: "voice",
    input: 0,
    output: 0,
};

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
    let calls = std::mem::take(&mut ws.calls);
    let rows: Result<Vec<_>> = (0..)
        .zip(calls)
        .map(|(place, call)| row(ws, call, place))
        .collect();
    ws.tx.insert_untold(rows?).await
}

/// A call's row; its place decides the amounts, so that they differ and yet are the same in every demo.
fn row(ws: &Workspace<'_>, call: Call, place: i64) -> Result<api_usage::ActiveModel> {
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
    let input = if size == 0 {
        0
    } else {
        size + place * 7919 % 5000 + 400 * ws.slug.len() as i64
    };
    let output = if failed || model.output == 0 {
        0
    } else {
        input / 9 + place * 31 % 700
    };
    let speech = i64::from(call.seconds)
        * if model.provider == ApiProvider::Twilio {
            140
        } else {
            100
        };
    let cost = (input * model.input + output * model.output) / 1000 + speech;
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
        cached_tokens: Set(BigInt(if place % 3 == 0 { input / 2 } else { 0 })),
        audio_seconds: Set(call.seconds),
        cost_micros: Set(BigInt(if failed { 0 } else { cost })),
        latency_ms: Set(Some(700 + (place * 613 % 9000) as i32)),
        success: Set(!failed),
        error_code: Set(failed.then(|| "overloaded".to_owned())),
        request_id: Set(Some(cuid2::create_id())),
        created_at: Set(call.at),
        ..Default::default()
    })
}
