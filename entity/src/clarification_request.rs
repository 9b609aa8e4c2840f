//! `clarification_requests`: questions that hold up a brief or a ticket until a person answers.

use crate::prelude::*;

text_enum! {
    /// Whom a question is put to.
    ClarificationRoute {
        /// Whoever decides on the product: people of the persona `PM`.
        ProductLead,
        /// Whoever decides on the technology: people of the persona `CTO`.
        TechLead,
        /// The engineers: people of the persona `DEVELOPER`.
        Engineering,
        /// The designers: people of the persona `DESIGNER`.
        Design,
        /// The testers: people of the persona `QA`.
        Qa,
        /// The management: people of the persona `FOUNDER`.
        Executive,
        /// Whoever asked for the work, a brief's author. Where there is nobody to be asked, those who decide are.
        Stakeholder,
    }
}

text_enum! {
    /// How soon a question needs an answer.
    ClarificationUrgency {
        /// Within the usual time.
        Medium,
        /// Whenever convenient.
        Low,
        /// Soon: other work waits for it.
        High,
        /// Now: all work on the brief waits for it.
        Critical,
    }
}

text_enum! {
    /// Where a question stands.
    ClarificationStatus {
        /// Not answered yet.
        Pending,
        /// Answered.
        Answered,
        /// Closed without an answer, after 72 hours as a rule.
        Expired,
    }
}

/// A question that an agent asked. It holds up a brief, a ticket, or both when the ticket belongs to the brief.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "clarification_requests", rename_all = "camelCase")]
#[graphql(name = "ClarificationRequestRow")]
pub struct Model {
    /// The question's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The ticket it holds up; null when it was asked while drafting a brief.
    pub ticket_id: Option<Id>,
    /// The brief it is about; null when the ticket belongs to none.
    pub prd_id: Option<Id>,
    /// The question itself.
    pub question: String,
    /// What one must know to answer it; null when the question says enough.
    pub context: Option<String>,
    /// The answers to choose from; empty when any answer will do.
    pub options: Json<Vec<String>>,
    /// Whom it is put to.
    pub route_to: ClarificationRoute,
    /// How soon it needs an answer.
    pub urgency: ClarificationUrgency,
    /// Where it stands.
    pub status: ClarificationStatus,
    /// In which round of questions about its brief or ticket it was asked, from 1 to 3.
    pub round: i32,
    /// The answer; null until there is one.
    pub response: Option<String>,
    /// Who answered; null before that or when the person is gone.
    pub responded_by_id: Option<Id>,
    /// When it was answered; null before that.
    pub responded_at: Option<Timestamp>,
    /// When it is closed without an answer.
    pub expires_at: Timestamp,
    /// How many reminders went out: one after 24 hours and one after 48.
    pub reminders_sent: i32,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ClarificationRequest);
