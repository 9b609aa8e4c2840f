//! Drafts that revise an approved brief.

use super::lock;
use crate::{domain::machine::PRDStep, error::Result, store::Tx};
use entity::{
    Id,
    prd::{self, PrdStatus},
};
use sea_orm::ActiveValue::Set;

/// A draft that says what an approved brief says, and takes its place once it is approved.
///
/// # Errors
/// As a step.
pub(crate) async fn revise(
    tx: &mut Tx<'_>,
    id: &Id,
    changes: prd::ActiveModel,
) -> Result<prd::Model> {
    let approved = lock(tx, id).await?;
    let approved = tx
        .take(&approved, PRDStep::Revise, prd::ActiveModel::default())
        .await?;
    let whole = tx.whole::<prd::Entity>(&approved).await?;
    let copied = prd::ActiveModel {
        project_id: Set(whole.project_id),
        goal_id: Set(whole.goal_id),
        meeting_id: Set(whole.meeting_id),
        transcript_id: Set(whole.transcript_id),
        supersedes_id: Set(Some(whole.id)),
        title: Set(whole.title),
        summary: Set(whole.summary),
        goal_text: Set(whole.goal_text),
        target_users: Set(whole.target_users),
        success_metrics: Set(whole.success_metrics),
        scope: Set(whole.scope),
        non_scope: Set(whole.non_scope),
        objectives: Set(whole.objectives),
        requirements: Set(whole.requirements),
        requirement_count: Set(whole.requirement_count),
        acceptance_criteria: Set(whole.acceptance_criteria),
        out_of_scope: Set(whole.out_of_scope),
        assumptions: Set(whole.assumptions),
        risks: Set(whole.risks),
        architecture_options: Set(whole.architecture_options),
        architecture_design: Set(whole.architecture_design),
        selected_architecture: Set(whole.selected_architecture),
        timeline: Set(whole.timeline),
        target_repo: Set(whole.target_repo),
        version: Set(1),
        status: Set(PrdStatus::Draft),
        created_by_id: Set(tx.writer().user_id().cloned()),
        ..Default::default()
    };
    tx.insert(laid_over(copied, changes), "brief.created").await
}

/// The columns of one with those of another over them.
fn laid_over(mut below: prd::ActiveModel, above: prd::ActiveModel) -> prd::ActiveModel {
    use sea_orm::{ActiveModelTrait, ActiveValue, Iterable};
    for column in prd::Column::iter() {
        if let ActiveValue::Set(value) = above.get(column) {
            below.set(column, value);
        }
    }
    below
}
