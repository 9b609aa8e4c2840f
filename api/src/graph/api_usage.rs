//! What each call of a provider took and cost. Rows are added, never changed.

use super::prelude::*;
use crate::domain::money;
use entity::api_usage;

node! {
    /// A call of a provider, successful or not, with what it took and cost. The texts sent and received are not kept.
    ApiUsage in api_usage (api_usage, api_usages) {
        columns {
            id: IdFilter,
            user_id: IdFilter,
            project_id: IdFilter,
            prd_id: IdFilter,
            plan_id: IdFilter,
            ticket_id: IdFilter,
            role_slug: StringFilter,
            provider: EnumFilter<api_usage::ApiProvider>,
            model: StringFilter,
            operation: EnumFilter<api_usage::ApiOperation>,
            input_tokens: BigIntFilter,
            output_tokens: BigIntFilter,
            cached_tokens: BigIntFilter,
            audio_seconds: IntFilter,
            cost_micros: BigIntFilter,
            price_id: IdFilter,
            latency_ms: IntFilter,
            success: BooleanFilter,
            error_code: StringFilter,
            request_id: StringFilter,
            created_at: DateTimeFilter,
        }
        one {
            /// On whose behalf the model was called; null when the system called it.
            user: User by user_id,
            /// The project it was spent on; null when on none.
            project: Project by project_id,
            /// The brief it was spent on; null when on none.
            prd: PRD by prd_id,
            /// The plan it was spent on; null when on none.
            plan: ExecutionPlan by plan_id,
            /// The ticket it was spent on; null when on none.
            ticket: Ticket by ticket_id,
            /// The price it was counted at; null when there was none for the model, or it is gone.
            price: ModelPrice by price_id,
        }
    }
    fields {

        /// The cost in US dollars, such as `0.001500`.
        async fn cost_usd(&self) -> Result<String> {
            Ok(money::usd(self.row()?.cost_micros))
        }
    }
}
