//! How many people have approved something, of those who must.

use super::{connection::rows_by, prelude::*};
use crate::workflow::{Decision, subject_column};
use async_graphql::SimpleObject;
use entity::{
    approval::{self, ApprovalDecision},
    tenant,
};
use sea_orm::EntityTrait;

/// So many of the latest decisions on something are looked through.
const MOST: i32 = 200;

/// How many people have approved a version of something, and how many must.
#[derive(SimpleObject)]
pub struct ApprovalProgress {
    /// How many different people approved it as it is, or a rule did. Who stands in for somebody counts as that one.
    given: i32,
    /// How many must.
    required: i32,
    /// Whether you are one of those who did.
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
    let scope = ctx.scope();
    let subject = T::subject(row);
    let column = subject_column(T::SUBJECT);
    let made = rows_by::<Approval>(ctx, column, subject.id.as_str(), MOST).await?;
    let (mut given, mut by_viewer) = (0, false);
    for made in made {
        let made = made.model::<approval::Entity>()?;
        // Nobody's word is kept twice about a version.
        if made.decision == ApprovalDecision::Approved && made.subject_version == subject.version {
            given += 1;
            by_viewer |= made.user_id.is_some() && made.user_id.as_ref() == scope.actor().user_id();
        }
    }
    let tenant = scope.get::<tenant::Entity>(scope.actor().tenant()).await?;
    Ok(ApprovalProgress {
        given,
        required: T::required(&tenant.settings.0.required_approvals),
        by_viewer,
    })
}
