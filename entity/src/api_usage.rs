//! `api_usage`: what each call of a provider took and cost. Rows are added, never changed.

use crate::prelude::*;

text_enum! {
    /// Who was called.
    ApiProvider {
        /// Anthropic.
        Anthropic,
        /// OpenAI.
        Openai,
        /// Google.
        Google,
        /// A model the tenant runs or rents itself.
        Custom,
        /// Whisper, for transcription.
        Whisper,
        /// Twilio, for telephone calls.
        Twilio,
    }
}

text_enum! {
    /// What a provider was called for.
    ApiOperation {
        /// To draft a plan.
        Draft,
        /// To judge a draft.
        Critique,
        /// To rewrite a draft after it was judged.
        Revise,
        /// To vote on drafts among several models.
        Council,
        /// To write a brief.
        Brief,
        /// To work on a ticket.
        Specialist,
        /// To turn speech into text.
        Transcribe,
        /// To speak in a call.
        Voice,
        /// To turn text into a vector.
        Embed,
    }
}

/// A call of a provider, successful or not, with what it took and cost. The texts sent and received are not kept.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "api_usage", rename_all = "camelCase")]
#[graphql(name = "ApiUsageRow")]
pub struct Model {
    /// The call's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// Who caused it; null when the system did or the person is gone.
    pub user_id: Option<Id>,
    /// The project it was made for; null when none or deleted.
    pub project_id: Option<Id>,
    /// The brief it was made for; null when none or deleted.
    pub prd_id: Option<Id>,
    /// The plan it was made for; null when none or deleted.
    pub plan_id: Option<Id>,
    /// The ticket it was made for; null when none or deleted.
    pub ticket_id: Option<Id>,
    /// The role on whose budget it counts.
    pub role_slug: String,
    /// Who was called.
    pub provider: ApiProvider,
    /// The model's full name as the provider gave it.
    pub model: String,
    /// What it was made for.
    pub operation: ApiOperation,
    /// How many tokens were sent.
    pub input_tokens: BigInt,
    /// How many tokens came back.
    pub output_tokens: BigInt,
    /// How many of the tokens sent the provider had in its cache.
    pub cached_tokens: BigInt,
    /// How many seconds of speech it took; 0 for calls about text.
    pub audio_seconds: i32,
    /// What it cost, in millionths of a US dollar, at the price of that moment.
    pub cost_micros: BigInt,
    /// The price it was counted at. Null when there was none for the model: then a million tokens sent count 1 US dollar, a
    /// million received 3 and a minute of speech a cent, and a model of one's own, `CUSTOM`, nothing. Null as well of calls
    /// that were recorded before prices were kept.
    pub price_id: Option<Id>,
    /// How many milliseconds the answer took; null when not measured.
    pub latency_ms: Option<i32>,
    /// Whether it succeeded.
    pub success: bool,
    /// What the provider called the failure; null when it succeeded.
    pub error_code: Option<String>,
    /// The request it was made in, as logs and traces name it; null when it was made in none.
    pub request_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

owned!(ApiUsage);
