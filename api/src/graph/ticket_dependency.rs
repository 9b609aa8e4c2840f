//! Which ticket waits for which.

use super::prelude::*;

node! {
    /// That one ticket cannot start before another is done.
    TicketDependency in ticket_dependency (ticket_dependency, ticket_dependencies) {
        columns {
            id: IdFilter,
            ticket_id: IdFilter,
            depends_on_ticket_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The ticket that waits.
            ticket: Ticket by ticket_id,
            /// The ticket that must be done first.
            depends_on: Ticket by depends_on_ticket_id,
        }
    }
}
