//! What is set aside for calls that are about to be made.

use super::prelude::*;

node! {
    /// Something that is set aside for a call that is about to be made, until the call is recorded or the time is over.
    BudgetReservation in budget_reservation (budget_reservation, budget_reservations) {
        columns {
            id: IdFilter,
            agent_token_id: IdFilter,
            service_token_id: IdFilter,
            role_slug: StringFilter,
            project_id: IdFilter,
            ticket_id: IdFilter,
            tokens: BigIntFilter,
            cost_micros: BigIntFilter,
            day: StringFilter,
            expires_at: DateTimeFilter,
            settled_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The agent that made it; null when its token is gone, or a service did.
            agent_token: AgentToken by agent_token_id,
            /// The service that made it; null when its token is gone, or an agent did.
            service_token: ServiceToken by service_token_id,
            /// The project on whose budget it counts; null when on none.
            project: Project by project_id,
            /// The ticket that the call is for; null when for none.
            ticket: Ticket by ticket_id,
        }
    }
}
