//! Questions that hold up a brief or a ticket until a person answers.

use super::prelude::*;
use entity::clarification_request;

node! {
    /// A question that an agent asked. It holds up a brief, a ticket, or both when the ticket belongs to the brief.
    ClarificationRequest in clarification_request (clarification_request, clarification_requests) {
        columns {
            id: IdFilter,
            ticket_id: IdFilter,
            prd_id: IdFilter,
            question: StringFilter,
            context: StringFilter,
            route_to: EnumFilter<clarification_request::ClarificationRoute>,
            urgency: EnumFilter<clarification_request::ClarificationUrgency>,
            status: EnumFilter<clarification_request::ClarificationStatus>,
            response: StringFilter,
            responded_by_id: IdFilter,
            responded_at: DateTimeFilter,
            expires_at: DateTimeFilter,
            reminders_sent: IntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The ticket that waits for the answer; null when a brief does.
            ticket: Ticket by ticket_id,
            /// The brief that waits for the answer; null when a ticket does.
            prd: PRD by prd_id,
            /// Who answered; null until somebody did.
            responded_by: User by responded_by_id,
        }
    }
}
