//! What people are told about questions: those that wait for their answer, and those that nobody answers.

use super::{About, Notice, deciders, people, tell, tell_deciders};
use crate::{error::Result, store::Tx, workflow::references::all_of};
use entity::{
    Id,
    clarification_request::{self, ClarificationRoute},
    notification::NotificationType,
    tenant::TenantSettings,
    user::{self, UserPersona, UserRole},
};
use sea_orm::{ActiveEnum, sea_query::ExprTrait};

/// Tells those who decide that nobody answered a question.
pub(in crate::workflow) async fn escalate_question(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    question: &clarification_request::Model,
    project: Option<&Id>,
) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::Escalation,
        title: "Nobody has answered a question for two days".to_owned(),
        message: question.question.clone(),
        occasion: "escalated".to_owned(),
        about: About::question(question, project),
    };
    tell_deciders(tx, settings, notice).await
}

/// Puts a question to those who can best answer it: people of the persona that it is for, or else those who decide.
pub(in crate::workflow) async fn ask(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    question: &clarification_request::Model,
    project: Option<&Id>,
    author: Option<&Id>,
    occasion: Occasion,
) -> Result<()> {
    let meant = match persona(question.route_to) {
        Some(persona) => (user::Column::Persona, persona.to_value()),
        None => (
            user::Column::Id,
            author.map(|id| id.0.clone()).unwrap_or_default(),
        ),
    };
    let found = people(tx, |place| {
        let viewer = UserRole::Viewer.to_value();
        all_of(place.column(meant.0).eq(meant.1)).add(place.column(user::Column::Role).ne(viewer))
    })
    .await?;
    let actor = tx.writer().user_id();
    let mut asked: Vec<Id> = { found.into_iter() }
        .map(|user| user.id)
        .filter(|user| Some(user) != actor)
        .collect();
    if asked.is_empty() {
        asked = deciders(tx, settings).await?;
    }
    let (title, occasion) = match occasion {
        Occasion::Asked => ("A question needs an answer", "asked".to_owned()),
        Occasion::Reminder(number) => (
            "A question still needs an answer",
            format!("reminder {number}"),
        ),
    };
    let notice = Notice {
        kind: NotificationType::Clarification,
        title: title.to_owned(),
        message: question.question.clone(),
        occasion,
        about: About::question(question, project),
    };
    tell(tx, asked, notice).await
}

/// Why a question is put to people.
pub(in crate::workflow) enum Occasion {
    /// It was asked.
    Asked,
    /// Nobody answered: the first reminder, or the second.
    Reminder(i32),
}

/// Who answers for what a question is about; nobody in particular where it is put to whoever asked for the work.
fn persona(route: ClarificationRoute) -> Option<UserPersona> {
    match route {
        ClarificationRoute::ProductLead => Some(UserPersona::Pm),
        ClarificationRoute::TechLead => Some(UserPersona::Cto),
        ClarificationRoute::Engineering => Some(UserPersona::Developer),
        ClarificationRoute::Design => Some(UserPersona::Designer),
        ClarificationRoute::Qa => Some(UserPersona::Qa),
        ClarificationRoute::Executive => Some(UserPersona::Founder),
        ClarificationRoute::Stakeholder => None,
    }
}
