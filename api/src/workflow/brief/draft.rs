//! Drafts of a brief by the analyst: asked for, handed in, and needed no longer.

use super::{ANALYST, differs, submit_unless};
use crate::{
    domain::machine::{PRDConsequence, PRDStep},
    error::{Error, Result},
    store::Tx,
    workflow::{references::all_of, ticket},
};
use entity::{
    Id, Json, Large,
    approval::{self, ApprovalDecision},
    prd::{self, PrdStatus},
    project,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};
use serde_json::{Value, json};

/// Takes a draft over from the analyst who was given the brief with a job, and hands it in.
///
/// # Errors
/// [`Error::BadUserInput`] when it says nothing; [`Error::Conflict`] when somebody changed the brief since it was given; as
/// [`submit`](super::submit).
pub(in crate::workflow) async fn drafted(
    tx: &mut Tx<'_>,
    ticket: &entity::ticket::Model,
    given: &Value,
    words: prd::ActiveModel,
    confidence: f64,
) -> Result<()> {
    let id = ticket.prd_id.as_ref();
    let id = id.ok_or_else(|| Error::internal("a draft of no brief"))?;
    let before = tx.get::<prd::Entity>(id).await?;
    if given["brief"]["version"].as_i64() != Some(before.version.into()) {
        return Err(Error::Conflict(format!(
            "Somebody changed this brief while it was drafted: it is at version {} by now. Release the ticket, and claim it \
             again with what it says now.",
            before.version
        )));
    }
    let whole = tx.whole::<prd::Entity>(&before).await?;
    if !differs(&whole, &words) {
        return Err(Error::bad_input(
            "brief",
            "says nothing that the brief does not say",
        ));
    }
    let changes = prd::ActiveModel {
        version: Set(before.version + 1),
        confidence: Set(confidence),
        ..words
    };
    let row = tx.edit(&before, PRDStep::Update, changes).await?;
    if row.status != PrdStatus::Draft {
        return Ok(());
    }
    // What a person sent back, a person reads again.
    let was_sent_back = given["regenerate"] != Value::Null || was_redirected(tx, id).await?;
    submit_unless(tx, id, row.version, was_sent_back)
        .await
        .map(drop)
}

/// Whether somebody ever sent a brief back.
async fn was_redirected(tx: &Tx<'_>, id: &Id) -> Result<bool> {
    use approval::{
        Column::{Decision, PrdId},
        Entity,
    };
    let redirected = ApprovalDecision::Redirected.to_value();
    let made = tx.unlocked_rows_up_to::<Entity>(1, |place| {
        all_of(place.column(PrdId).eq(id.as_str())).add(place.column(Decision).eq(redirected))
    });
    Ok(!made.await?.is_empty())
}

/// Counts a brief up that has no open question any more, and has it drafted with the answers.
pub(in crate::workflow) async fn redraft(
    tx: &mut Tx<'_>,
    brief: &prd::Model,
    answers: Value,
) -> Result<()> {
    let changes = prd::ActiveModel {
        version: Set(brief.version + 1),
        ..Default::default()
    };
    let row = tx.take(brief, PRDConsequence::Redraft, changes).await?;
    draft_anew(tx, &row, json!({ "answers": answers })).await
}

/// Asks the analyst for another draft.
pub(super) async fn draft_anew(tx: &mut Tx<'_>, brief: &prd::Model, why: Value) -> Result<()> {
    drafting_ends(tx, brief).await?;
    // A question can run out in a project that was archived meanwhile.
    let project = tx.find::<project::Entity>(&brief.project_id).await?;
    if project.is_some_and(|project| project.is_archived) {
        return Ok(());
    }
    let mut payload =
        json!({ "action": "draft_brief", "prdId": brief.id, "version": brief.version });
    if let (Some(payload), Value::Object(why)) = (payload.as_object_mut(), why) {
        payload.extend(why);
    }
    let row = entity::ticket::ActiveModel {
        role_slug: Set(ANALYST.to_owned()),
        title: Set(ticket::title("Draft", &brief.title)),
        description: Set(Large::new(brief.summary.clone())),
        payload: Set(Large::new(Json(payload))),
        status: Set(ticket::free(brief)),
        ..ticket::of_brief(tx, brief)
    };
    tx.insert(row, "ticket.created").await.map(drop)
}

/// Nobody need draft a brief any more that was handed in or decided, or that is drafted for another reason.
pub(super) async fn drafting_ends(tx: &mut Tx<'_>, brief: &prd::Model) -> Result<()> {
    ticket::supersede(tx, ticket::loose_for(&brief.id, ANALYST)).await
}
