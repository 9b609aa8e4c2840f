//! What calls of providers took and cost together.

use super::shared::count;
use crate::{
    domain::money,
    store::{Figures, Group},
};
use async_graphql::{ComplexObject, SimpleObject};
use entity::{
    BigInt,
    api_usage::{Column, Entity},
};
use sea_orm::sea_query::ExprTrait;

/// What a number of calls of providers took and cost together.
#[derive(SimpleObject, Clone, Copy, Debug, Default)]
#[graphql(complex)]
pub struct UsageFigures {
    /// How many calls there were, successful or not.
    calls: i32,
    /// How many of them failed.
    failed_calls: i32,
    /// How many tokens were sent.
    input_tokens: BigInt,
    /// How many tokens came back.
    output_tokens: BigInt,
    /// What they cost, in millionths of a US dollar.
    cost_micros: BigInt,
}

#[ComplexObject]
impl UsageFigures {
    /// The cost in US dollars, such as `0.001500`.
    async fn cost_usd(&self) -> String {
        money::usd(self.cost_micros)
    }
}

impl UsageFigures {
    pub(super) fn ask(ask: &mut Figures<'_, Entity>) {
        ask.count("calls");
        ask.count_if("failedCalls", ask.column(Column::Success).eq(false));
        ask.sum("inputTokens", ask.column(Column::InputTokens));
        ask.sum("outputTokens", ask.column(Column::OutputTokens));
        ask.sum("costMicros", ask.column(Column::CostMicros));
    }

    pub(super) fn read(group: &Group) -> crate::Result<Self> {
        Ok(Self {
            calls: count(group.number("calls")?),
            failed_calls: count(group.number("failedCalls")?),
            input_tokens: BigInt(group.number("inputTokens")?),
            output_tokens: BigInt(group.number("outputTokens")?),
            cost_micros: BigInt(group.number("costMicros")?),
        })
    }
}
