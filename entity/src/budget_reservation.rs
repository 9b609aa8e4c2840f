//! `budget_reservations`: what is set aside for calls that are about to be made.

use crate::prelude::*;

/// Something that is set aside for a call that is about to be made, until the call is recorded or the time is over.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "budget_reservations", rename_all = "camelCase")]
#[graphql(name = "BudgetReservationRow")]
pub struct Model {
    /// The reservation's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The agent token it was made with; null when that is gone, or it was a service.
    pub agent_token_id: Option<Id>,
    /// The service token it was made with; null when that is gone, or it was an agent.
    pub service_token_id: Option<Id>,
    /// The role on whose budget it counts.
    pub role_slug: String,
    /// The project on whose budget it counts; null when on none, or when the project is gone.
    pub project_id: Option<Id>,
    /// The ticket that the call is for; null when for none, or when the ticket is gone.
    pub ticket_id: Option<Id>,
    /// How many tokens may be sent and received.
    pub tokens: BigInt,
    /// What they would cost, in millionths of a US dollar.
    pub cost_micros: BigInt,
    /// The day in whose budget, and in whose month's, it counts.
    pub day: String,
    /// When it is given back, if the call was not recorded before.
    pub expires_at: Timestamp,
    /// When the call was recorded, or the time was over; null until then.
    pub settled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(BudgetReservation, agent AgentTokenId);
