//! How many people have approved something, of those who must.

use super::{found::rows_where, prelude::*, shared::count};
use crate::workflow::{Decision, subject_column};
use async_graphql::{SimpleObject, value};
use entity::{Id, approval, tenant};
use sea_orm::EntityTrait;

/// So many approvals of one version are looked at: more than anything needs.
const MOST: i32 = 50;

/// How many people have approved a version of something, and how many must.
#[derive(SimpleObject)]
pub struct ApprovalProgress {
    /// How many different people approved it as it is, or a rule did. Who stands in for somebody counts as that one.
    given: i32,
    /// How many must.
    required: i32,
    /// Whether you are one of those who did, or somebody did in your place.
    by_viewer: bool,
}

/// How far a row is on its way to be approved.
///
/// # Errors
/// If the database fails.
pub(super) async fn progress<T: Decision>(
    ctx: &Context<'_>,
    row: &<T::Entity as EntityTrait>::Model,
) -> crate::Result<ApprovalProgress> {
    let made = approvals::<T>(ctx, row).await?;
    let viewer = ctx.scope().actor().user_id();
    Ok(ApprovalProgress {
        // Nobody's word is kept twice about a version.
        given: count(made.len()),
        required: required::<T>(ctx).await?,
        by_viewer: viewer.is_some_and(|viewer| made.iter().any(|made| made.is_of(viewer))),
    })
}

/// Whether an approval of these people would count: it is the last that is needed, or none of them has approved.
///
/// # Errors
/// If the database fails.
pub(super) async fn would_count<T: Decision>(
    ctx: &Context<'_>,
    row: &<T::Entity as EntityTrait>::Model,
    people: &[Id],
) -> crate::Result<bool> {
    let required = required::<T>(ctx).await?;
    if required <= 1 {
        return Ok(true);
    }
    let made = approvals::<T>(ctx, row).await?;
    let is_theirs = people
        .iter()
        .any(|one| made.iter().any(|made| made.is_of(one)));
    Ok(!is_theirs || count(made.len()) >= required)
}

/// How many people must approve such rows.
///
/// # Errors
/// If the database fails.
pub(super) async fn required<T: Decision>(ctx: &Context<'_>) -> crate::Result<i32> {
    let scope = ctx.scope();
    let tenant = scope.get::<tenant::Entity>(scope.actor().tenant()).await?;
    Ok(T::required(&tenant.settings.0.required_approvals))
}

/// The approvals of a row as it is.
async fn approvals<T: Decision>(
    ctx: &Context<'_>,
    row: &<T::Entity as EntityTrait>::Model,
) -> crate::Result<Vec<approval::Model>> {
    let subject = T::subject(row);
    let column = subject_column(T::SUBJECT);
    let of_version = value!({
        "decision": { "eq": "APPROVED" },
        "subjectVersion": { "eq": (subject.version) },
    });
    let id = subject.id.as_str();
    let made = rows_where::<Approval>(ctx, column, id, Some(of_version), MOST).await?;
    { made.iter() }
        .map(|made| made.model::<approval::Entity>())
        .collect()
}
