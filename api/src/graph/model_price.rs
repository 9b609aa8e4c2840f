//! What calls of providers cost, from which moment on.

use super::{
    constraints::length,
    prelude::*,
    shared::{count, within},
    write::{Delete, Once, Write, begin, deletions, mutations, open},
};
use crate::{
    auth::Action,
    domain::{calendar::Period, check},
    error::Error,
    store::{Request, Scope, Tx, retried},
    workflow::{self, all_of},
};
use async_graphql::{InputObject, Object, SimpleObject};
use entity::{
    BigInt, Id, Timestamp,
    api_usage::{self, ApiProvider},
    model_price::{self, Column, Entity},
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};

/// A thousand dollars, in millionths of one.
const MOST: i32 = 1_000_000_000;

node! {
    /// What calls of a provider's models cost from a moment on. A workspace's own price counts before one that all share, the
    /// longest prefix before shorter ones, and of those the newest that is not later than the call.
    ModelPrice in model_price (model_price, model_prices) {
        columns {
            id: IdFilter,
            provider: EnumFilter<api_usage::ApiProvider>,
            model_prefix: StringFilter,
            input_micros_per_million: BigIntFilter,
            output_micros_per_million: BigIntFilter,
            cached_micros_per_million: BigIntFilter,
            audio_micros_per_minute: BigIntFilter,
            valid_from: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
    }
    fields {

        /// Whether it is the workspace's own; a price that all share is nobody's to change.
        async fn is_own(&self) -> Result<bool> {
            Ok(self.row()?.tenant_id.is_some())
        }
    }
}

/// What calls of some models cost.
#[derive(InputObject, Clone)]
pub struct SetModelPriceInput {
    /// Who is called.
    provider: ApiProvider,
    /// How the names of the models begin, such as `claude-sonnet`, in at most 200 characters; empty for all of the provider.
    #[graphql(directive = length::apply(0, 200))]
    model_prefix: String,
    /// What a million tokens sent cost, in millionths of a US dollar: 3 dollars are 3000000. At most 1,000 dollars.
    input_micros_per_million: i32,
    /// What a million tokens received cost, likewise.
    output_micros_per_million: i32,
    /// What a million tokens sent cost that the provider had in its cache, likewise; left out, as other tokens sent.
    cached_micros_per_million: Option<i32>,
    /// What a minute of speech costs, in millionths of a US dollar; left out, nothing.
    audio_micros_per_minute: Option<i32>,
    /// From when on; left out, from now on. Calls that were recorded already keep what they cost.
    valid_from: Option<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SetModelPriceInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetBudgets;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<model_price::Model> {
        let prefix = match self.model_prefix.is_empty() {
            true => String::new(),
            false => check::line("modelPrefix", &self.model_prefix, 1, 200)?,
        };
        let amount =
            |field, micros| within(field, micros, 0, MOST).map(|micros| Set(BigInt(micros.into())));
        let cached = self
            .cached_micros_per_million
            .unwrap_or(self.input_micros_per_million);
        let prices = model_price::ActiveModel {
            input_micros_per_million: amount(
                "inputMicrosPerMillion",
                self.input_micros_per_million,
            )?,
            output_micros_per_million: amount(
                "outputMicrosPerMillion",
                self.output_micros_per_million,
            )?,
            cached_micros_per_million: amount("cachedMicrosPerMillion", cached)?,
            audio_micros_per_minute: amount(
                "audioMicrosPerMinute",
                self.audio_micros_per_minute.unwrap_or_default(),
            )?,
            ..Default::default()
        };
        // Two that set the same price set one.
        tx.lock_workspace().await?;
        let valid_from = self.valid_from.unwrap_or_else(|| tx.now());
        let tenant = tx.scope().actor().tenant().as_str();
        let same = tx
            .unlocked_rows::<Entity>(|place| {
                all_of(place.column(Column::TenantId).eq(tenant))
                    .add(place.column(Column::Provider).eq(self.provider.to_value()))
                    .add(place.column(Column::ModelPrefix).eq(prefix.as_str()))
                    .add(place.column(Column::ValidFrom).eq(valid_from))
            })
            .await?
            .pop();
        match same {
            Some(same) => tx.update(&same, prices, "price.set").await,
            None => {
                let row = model_price::ActiveModel {
                    provider: Set(self.provider),
                    model_prefix: Set(prefix),
                    valid_from: Set(valid_from),
                    ..prices
                };
                tx.insert(row, "price.set").await
            }
        }
    }
}

/// Which price.
#[derive(InputObject, Clone)]
pub struct DeleteModelPriceInput {
    /// The price's id. It must be the workspace's own.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeleteModelPriceInput {
    const ACTION: Action = Action::SetBudgets;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        tx.lock_workspace().await?;
        let price = tx.find::<Entity>(&self.id).await?;
        let price = price.ok_or(Error::NotFound { kind: "ModelPrice" })?;
        if price.tenant_id.is_none() {
            return Err(Error::bad_input(
                "id",
                "is a price that all workspaces share, which nobody deletes; setModelPrice sets your own over it",
            ));
        }
        tx.delete::<Entity>(&price, "price.deleted").await.map(drop)
    }
}

mutations! { ModelPriceMutation {
    /// Says what calls of some models cost from a moment on. Of the same models and the same moment there is one price, which
    /// is changed when it is set again. Calls that were recorded keep what they cost; see `repriceUsage`.
    set_model_price(SetModelPriceInput) -> SetModelPricePayload { model_price: ModelPrice };
} }

deletions! { ModelPriceDeletionMutation {
    /// Takes a price back. Calls that were counted at it keep what they cost.
    delete_model_price(DeleteModelPriceInput) -> DeleteModelPricePayload;
} }

/// Calls of which period.
#[derive(InputObject, Clone)]
pub struct RepriceUsageInput {
    /// From this moment on.
    from: Timestamp,
    /// Before this moment; left out, now. At most 400 days after `from`.
    to: Option<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

/// What `repriceUsage` answers with.
#[derive(SimpleObject)]
pub struct RepriceUsagePayload {
    /// How many calls there were in the period.
    calls: i32,
    /// What they cost before, in millionths of a US dollar.
    cost_micros_before: BigInt,
    /// What they cost by the prices that there are now, in millionths of a US dollar.
    cost_micros: BigInt,
    /// The ledger's position after this change.
    feed_cursor: Cursor,
}

/// What calls cost, said anew.
#[derive(Default)]
pub struct RepricingMutation;

#[Object]
impl RepricingMutation {
    /// Says anew what the calls of a period cost, by the prices that there are now, each by that of its moment: after a price was
    /// missing, or wrong. At most 100,000 calls at once. The ledger tells of it in one entry, with the sums before and after.
    async fn reprice_usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The period.")] input: RepriceUsageInput,
    ) -> Nullable<RepriceUsagePayload> {
        let (scope, request) = begin(ctx, "reprice_usage", Action::SetBudgets)?;
        let period = Period::asked(Some(input.from), input.to, scope.now())?;
        let reprice = || attempt(scope, request.clone(), period);
        Ok(Some(retried(reprice).await?))
    }
}

async fn attempt(
    scope: &Scope,
    request: Option<Request>,
    period: Period,
) -> crate::Result<RepriceUsagePayload> {
    let (mut tx, answer) = open(scope, request.as_ref()).await?;
    let (done, head) = match answer {
        Some(answer) => {
            let done = workflow::repriced_then(&tx, answer.seq).await?;
            (done, answer.seq)
        }
        None => {
            let done = workflow::reprice(&mut tx, period).await?;
            let tenant = scope.actor().tenant();
            (done, tx.commit_answering(request, tenant).await?)
        }
    };
    Ok(RepriceUsagePayload {
        calls: count(done.calls),
        cost_micros_before: BigInt(done.before),
        cost_micros: BigInt(done.after),
        feed_cursor: Cursor::position(scope, head),
    })
}
