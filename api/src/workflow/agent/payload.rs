//! What a daemon is given with a job: all that it must know, since it reads nothing else.

use crate::{
    domain::plan::CHIEF_OF_STAFF,
    error::Result,
    store::{Tx, to_json},
    workflow::{
        brief::{ANALYST, SHOWN},
        references::all_of,
    },
};
use entity::{
    Id, Owned as _, Reading, clarification_request, goal, prd, project, ticket, transcript,
};
use sea_orm::{ActiveEnum, IdenStatic, ModelTrait, sea_query::ExprTrait};
use serde_json::{Map, Value, json};

/// The most characters of a transcript that are handed over.
const LONGEST_TRANSCRIPT: usize = 500_000;

/// What of a brief an agent works with, besides what is shown to who decides on it.
const MORE_OF_BRIEF: [prd::Column; 4] = {
    use prd::Column::*;
    [Id, Version, Status, CreatedAt]
};

/// What a daemon is asked to do for a ticket.
pub(super) fn action(ticket: &ticket::Model) -> &'static str {
    match (ticket.role_slug.as_str(), &ticket.prd_id, &ticket.plan_id) {
        (CHIEF_OF_STAFF, Some(_), None) => "plan_brief",
        (ANALYST, Some(_), None) => "draft_brief",
        ("dev_agent", ..) => "implement_prd",
        ("qa_agent", ..) => "run_tests",
        _ => "work_on_ticket",
    }
}

/// What a daemon is given for a ticket, which was read with its description and its payload. Read as a part of the server,
/// which sees all of it.
pub(super) async fn payload(tx: &Tx<'_>, ticket: &ticket::Model) -> Result<Value> {
    let own = ticket.payload.0.as_ref().map(|payload| &payload.0);
    let mut payload = match own {
        Some(Value::Object(own)) => own.clone(),
        _ => Map::new(),
    };
    let mut set = |name: &str, value: Value| payload.insert(name.to_owned(), value);
    set("action", json!(action(ticket)));
    set("branch", json!(format!("agent/{}", ticket.id)));
    set("title", json!(ticket.title));
    set("targetRepo", json!(ticket.target_repo));
    set("description", json!(ticket.description.0));
    set("project", of_project(tx, &ticket.project_id).await?);
    if let Some(goal) = &ticket.goal_id
        && let Some(goal) = tx.find::<goal::Entity>(goal).await?
    {
        set(
            "goal",
            json!({ "title": goal.title, "outcome": goal.outcome }),
        );
    }
    if let Some(brief) = &ticket.prd_id
        && let Some(brief) = tx
            .find_with::<prd::Entity>(brief, &large_of_brief())
            .await?
    {
        if action(ticket) == "draft_brief" {
            set(
                "transcript",
                transcript(tx, brief.transcript_id.as_ref()).await?,
            );
        }
        set("brief", of_brief(&brief));
    }
    set("answers", answers(tx, &ticket.id).await?);
    Ok(Value::Object(payload))
}

async fn of_project(tx: &Tx<'_>, id: &Id) -> Result<Value> {
    let project = tx.find::<project::Entity>(id).await?;
    Ok(project.map_or(Value::Null, |project| {
        json!({
            "name": project.name, "slug": project.slug, "description": project.description,
            "briefGuidance": project.brief_guidance, "briefTemplate": project.brief_template,
        })
    }))
}

/// The columns of a brief that are shown and large.
fn large_of_brief() -> Vec<prd::Column> {
    let is_large = |column: &prd::Column| prd::Entity::column(*column).reading == Reading::Large;
    SHOWN.into_iter().filter(is_large).collect()
}

/// A brief with all that it says.
fn of_brief(brief: &prd::Model) -> Value {
    let columns = MORE_OF_BRIEF.into_iter().chain(SHOWN).map(|column| {
        let value = to_json(&brief.get(column));
        (column.as_str().to_owned(), value)
    });
    Value::Object(columns.collect())
}

/// What was said, as one text.
async fn transcript(tx: &Tx<'_>, id: Option<&Id>) -> Result<Value> {
    let Some(id) = id else {
        return Ok(Value::Null);
    };
    let Some(found) = tx.find::<transcript::Entity>(id).await? else {
        return Ok(Value::Null);
    };
    let text = [transcript::Column::FullText];
    let read = tx.with_columns::<transcript::Entity>(&found, &text).await?;
    let text = read.full_text.0.unwrap_or_default();
    let text: String = text.chars().take(LONGEST_TRANSCRIPT).collect();
    Ok(Value::String(text))
}

/// What was asked while working on a ticket, and answered.
async fn answers(tx: &Tx<'_>, ticket: &Id) -> Result<Value> {
    use clarification_request::{
        ClarificationStatus,
        Column::{Status, TicketId},
    };
    let mut asked = tx
        .unlocked_rows::<clarification_request::Entity>(|place| {
            all_of(place.column(TicketId).eq(ticket.as_str())).add(
                place
                    .column(Status)
                    .ne(ClarificationStatus::Pending.to_value()),
            )
        })
        .await?;
    asked.sort_by_key(|asked| asked.created_at);
    let answer = |asked: clarification_request::Model| json!({ "question": asked.question, "answer": asked.response });
    Ok(asked.into_iter().map(answer).collect())
}
