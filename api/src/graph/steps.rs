//! What whoever asks may do with a row now.

use super::{prelude::*, progress::would_count};
use crate::{
    auth::{Action, Role, authorize, decides},
    domain::machine::{Machine, Step},
    store::{Scope, project_of, standing},
    workflow::{Decision, delegation},
};
use entity::{Id, approval::ApprovalDecision, project, tenant, user};
use sea_orm::EntityTrait;
use std::future::{Future, ready};

/// What one must be allowed to do to take a step that somebody takes.
pub(super) const fn needs(who: Option<Action>) -> Action {
    match who {
        Some(action) => action,
        None => panic!("nobody takes this step"),
    }
}

/// Steps of rows that `allowedSteps` shows.
pub(super) trait Shown: Step + Send + Sync {
    /// What is left of steps when more is looked at than the row's status and pause.
    ///
    /// # Errors
    /// If the database fails.
    fn possible(
        _: &Context<'_>,
        _: &<Self::Entity as EntityTrait>::Model,
        steps: Vec<Self>,
    ) -> impl Future<Output = crate::Result<Vec<Self>>> + Send {
        ready(Ok(steps))
    }
}

/// The steps that whoever asks may take with a row, in the order of its machine.
///
/// # Errors
/// If the database fails.
pub(super) async fn allowed<T: Shown>(
    ctx: &Context<'_>,
    row: &<T::Entity as EntityTrait>::Model,
) -> crate::Result<Vec<T>> {
    let scope = ctx.scope();
    let now = standing::<T::Entity>(row)?;
    let mut steps: Vec<T> = { T::all() }
        .filter(|step| step.rule().is_open(&now))
        .filter(|step| may(scope, step.rule().who))
        .collect();
    let is_decision = |step: &T| step.rule().who == Some(Action::Decide);
    let decides = async { Ok(deciders(scope).await?.is_some()) };
    only_if(&mut steps, is_decision, decides).await?;
    let begins = |step: &T| step.rule().needs_open_project;
    only_if(
        &mut steps,
        begins,
        is_in_open_project::<T::Entity>(scope, row),
    )
    .await?;
    T::possible(ctx, row, steps).await
}

/// Leaves some of the steps out unless they can be taken, which is looked at only where there is one of them.
///
/// # Errors
/// If the database fails.
pub(super) async fn only_if<T>(
    steps: &mut Vec<T>,
    some: impl Fn(&T) -> bool,
    can_be: impl Future<Output = crate::Result<bool>>,
) -> crate::Result<()> {
    if steps.iter().any(&some) && !can_be.await? {
        steps.retain(|step| !some(step));
    }
    Ok(())
}

async fn is_in_open_project<E: Machine>(scope: &Scope, row: &E::Model) -> crate::Result<bool> {
    let Some(id) = project_of::<E>(row) else {
        return Ok(true);
    };
    let project = scope.find::<project::Entity>(&id).await?;
    Ok(project.is_none_or(|project| !project.is_archived))
}

fn may(scope: &Scope, who: Option<Action>) -> bool {
    who.is_some_and(|action| authorize(scope.actor(), action).is_ok())
}

/// Takes an approval away that would not count: somebody's for whom, or in whose place, one was given.
///
/// # Errors
/// If the database fails.
pub(super) async fn without_idle_approval<T: Decision>(
    ctx: &Context<'_>,
    row: &<T::Entity as EntityTrait>::Model,
    mut steps: Vec<T>,
) -> crate::Result<Vec<T>> {
    let approves = |step: &T| step.decision() == Some(ApprovalDecision::Approved);
    let counts = async {
        let people = deciders(ctx.scope()).await?.unwrap_or_default();
        would_count::<T>(ctx, row, &people).await
    };
    only_if(&mut steps, approves, counts).await?;
    Ok(steps)
}

/// For whom whoever asks decides: for itself, and perhaps in place of somebody. Nothing if it decides nothing.
async fn deciders(scope: &Scope) -> crate::Result<Option<Vec<Id>>> {
    let actor = scope.actor();
    let own = actor.user_id().cloned().into_iter();
    if actor.role() != Role::Member {
        let decides = decides(actor, None, scope.now()).is_ok();
        return Ok(decides.then(|| own.collect()));
    }
    let tenant = scope.get::<tenant::Entity>(actor.tenant()).await?;
    let settings = &tenant.settings.0;
    let named = settings.delegation.as_ref();
    let stood_in_for = match named.filter(|named| Some(&named.user_id) == actor.user_id()) {
        Some(named) => scope.find::<user::Entity>(&named.for_user_id).await?,
        None => None,
    };
    let standing = delegation(settings, stood_in_for.as_deref());
    let instead_of = decides(actor, standing, scope.now());
    Ok(instead_of.ok().map(|id| own.chain(id.cloned()).collect()))
}
