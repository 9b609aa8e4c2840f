//! The roles that a workspace makes or changes for itself, with what they were like after each change.

use super::{
    cost::tell_all,
    library::over,
    own::{Named, must_have_room, own},
    references::{active, all_of, in_force, roles},
};
use crate::{
    domain::plan::check_role,
    error::{Error, Result, counted},
    store::Tx,
};
use entity::{
    Id, Json, Large,
    agent_role::{ActiveModel, Column, Entity, Model},
    agent_role_version::{self, AgentRoleSnapshot},
    ticket::{self, TicketStatus},
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};

/// So many roles of its own a workspace has at most: whoever claims reads all of them.
const MOST: u64 = 200;

/// Where a ticket's work is still to be done.
const OPEN: [TicketStatus; 4] = [
    TicketStatus::Blocked,
    TicketStatus::Ready,
    TicketStatus::Claimed,
    TicketStatus::Waiting,
];

/// Makes a role that there was none of.
///
/// # Errors
/// [`Error::Conflict`] when there is one of that slug; [`Error::LimitExceeded`]; [`Error::BadUserInput`] when the role above it
/// cannot be.
pub(crate) async fn create_role(
    tx: &mut Tx<'_>,
    slug: String,
    changes: ActiveModel,
    note: Option<String>,
) -> Result<Model> {
    tx.lock_workspace().await?;
    let Named { own, shared } = Named::<Entity>::find(tx, Column::Slug, &slug).await?;
    if own.is_some() || shared.is_some() {
        return Err(Error::Conflict(format!(
            "There is a role `{slug}` already. overrideAgentRole changes it for your workspace; choose another slug for a new one."
        )));
    }
    check_parent(tx, &slug, &changes).await?;
    let row = ActiveModel {
        slug: Set(slug),
        ..over(row_of(AgentRoleSnapshot::default()), &changes)
    };
    insert(tx, row, "agent_role.created", note).await
}

/// Changes a role for the workspace: its own one, which is made of the one that all share if there is none.
///
/// # Errors
/// [`Error::BadUserInput`] when there is no such role, or the role above it cannot be.
pub(crate) async fn override_role(
    tx: &mut Tx<'_>,
    slug: &str,
    changes: ActiveModel,
    note: Option<String>,
) -> Result<Model> {
    tx.lock_workspace().await?;
    check_parent(tx, slug, &changes).await?;
    match Named::<Entity>::find(tx, Column::Slug, slug).await? {
        Named { own: Some(own), .. } => change(tx, &own, changes, "agent_role.edited", note).await,
        Named {
            shared: Some(shared),
            ..
        } => {
            let shared = tx.whole::<Entity>(&shared).await?;
            let own = ActiveModel {
                slug: Set(shared.slug.clone()),
                ..over(row_of(snapshot(&shared)), &changes)
            };
            insert(tx, own, "agent_role.overridden", note).await
        }
        Named { .. } => {
            let all = roles(tx).await?;
            let known = in_force::<Entity>(&all, Column::Slug, |_| true);
            let known: Vec<_> = known.iter().map(|role| role.slug.clone()).collect();
            check_role("slug", slug, &known)?;
            Err(Error::internal("a role that is there and is not"))
        }
    }
}

/// Makes a workspace's role what it was like after one of its changes.
///
/// # Errors
/// [`Error::NotFound`] when there is no such role or version; [`Error::BadUserInput`] when the role is shared by all.
pub(crate) async fn restore_role(
    tx: &mut Tx<'_>,
    id: &Id,
    version: i32,
    note: Option<String>,
) -> Result<Model> {
    use agent_role_version::Column::{RoleId, Snapshot, Version};
    tx.lock_workspace().await?;
    let role = own::<Entity>(tx, id, "role", "overrideAgentRole").await?;
    let kept = tx.unlocked_rows::<agent_role_version::Entity>(|place| {
        all_of(place.column(RoleId).eq(id.as_str())).add(place.column(Version).eq(version))
    });
    let kept = kept.await?.pop().ok_or(Error::NotFound {
        kind: "AgentRoleVersion",
    })?;
    let kept = tx.with_columns::<agent_role_version::Entity>(&kept, &[Snapshot]);
    let kept = kept.await?.snapshot.0;
    let kept = kept.ok_or_else(|| Error::internal("a version without a snapshot"))?;
    let note = note.unwrap_or_else(|| format!("As in version {version}"));
    let all = row_of(kept.0);
    check_parent(tx, &role.slug, &all).await?;
    change(tx, &role, all, "agent_role.restored", Some(note)).await
}

/// Takes a workspace's own role away, with its versions. Where it stood in place of one that all share, that one counts again.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::BadUserInput`] when the role is shared by all; [`Error::Conflict`] while work waits for a role
/// that nothing takes the place of.
pub(crate) async fn reset_role(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    tx.lock_workspace().await?;
    let role = own::<Entity>(tx, id, "role", "overrideAgentRole").await?;
    let entry = match Named::<Entity>::find(tx, Column::Slug, &role.slug)
        .await?
        .shared
    {
        Some(_) => "agent_role.reset",
        None => {
            must_be_idle(tx, &role.slug).await?;
            "agent_role.deleted"
        }
    };
    tx.delete::<Entity>(&role, entry).await?;
    tell_all(tx).await
}

/// Refuses while tickets are open that only this role does.
async fn must_be_idle(tx: &Tx<'_>, slug: &str) -> Result<()> {
    use ticket::Column::{RoleSlug, Status};
    let open = OPEN.map(|status| status.to_value());
    let waiting = tx.count::<ticket::Entity>(|place| {
        all_of(place.column(RoleSlug).eq(slug)).add(place.column(Status).is_in(open))
    });
    match waiting.await? {
        0 => Ok(()),
        waiting => Err(Error::Conflict(format!(
            "{} of the role `{slug}` would wait for ever. Cancel that work, or set the role's isActive to false.",
            counted(waiting, "open ticket")
        ))),
    }
}

async fn insert(
    tx: &mut Tx<'_>,
    row: ActiveModel,
    action: &'static str,
    note: Option<String>,
) -> Result<Model> {
    must_have_room::<Entity>(tx, "The number of a workspace's own roles", MOST).await?;
    let role = tx.insert(row, action).await?;
    keep_first_version(tx, &role, note).await?;
    tell_all(tx).await?;
    Ok(role)
}

/// Keeps what a role is like that was just made.
///
/// # Errors
/// If the database fails.
pub(crate) async fn keep_first_version(
    tx: &mut Tx<'_>,
    role: &Model,
    note: Option<String>,
) -> Result<()> {
    if let Some(note) = &note {
        tx.explain(note.clone());
    }
    let whole = tx.whole::<Entity>(role).await?;
    let by = tx.writer().user_id().cloned();
    keep(tx, &whole, 1, note, by).await
}

async fn change(
    tx: &mut Tx<'_>,
    before: &Model,
    changes: ActiveModel,
    action: &'static str,
    note: Option<String>,
) -> Result<Model> {
    let before = tx.whole::<Entity>(before).await?;
    let role = tx.update(&before, changes, action).await?;
    let whole = tx.whole::<Entity>(&role).await?;
    if snapshot(&whole) == snapshot(&before) {
        return Ok(role);
    }
    if let Some(note) = &note {
        tx.explain(note.clone());
    }
    let last = match last_version(tx, &role.id).await? {
        Some(last) => last,
        None => {
            // It is older than versions are.
            keep(tx, &before, 1, None, None).await?;
            1
        }
    };
    let by = tx.writer().user_id().cloned();
    keep(tx, &whole, last + 1, note, by).await?;
    if whole.monthly_budget_tokens != before.monthly_budget_tokens {
        tell_all(tx).await?;
    }
    Ok(role)
}

async fn last_version(tx: &Tx<'_>, role: &Id) -> Result<Option<i32>> {
    use agent_role_version::Column::{RoleId, Version};
    let last = tx.last_row::<agent_role_version::Entity>(Version, |place| {
        all_of(place.column(RoleId).eq(role.as_str()))
    });
    Ok(last.await?.map(|last| last.version))
}

async fn keep(
    tx: &mut Tx<'_>,
    role: &Model,
    version: i32,
    note: Option<String>,
    by: Option<Id>,
) -> Result<()> {
    let row = agent_role_version::ActiveModel {
        role_id: Set(role.id.clone()),
        version: Set(version),
        snapshot: Set(Large::new(Json(snapshot(role)))),
        note: Set(note),
        created_by_id: Set(by),
        ..Default::default()
    };
    // The entry of the role's change tells of it.
    tx.insert_untold(row).await.map(drop)
}

/// The role that is put above another one, if one is, is active and not below it.
async fn check_parent(tx: &Tx<'_>, slug: &str, changes: &ActiveModel) -> Result<()> {
    let Set(Some(parent)) = &changes.parent_role_slug else {
        return Ok(());
    };
    let all = roles(tx).await?;
    let usable: Vec<_> = active(&all).iter().map(|role| role.slug.clone()).collect();
    check_role("parentRoleSlug", parent, &usable)?;
    let counting = in_force::<Entity>(&all, Column::Slug, |_| true);
    let mut above = Some(parent);
    // Of so many roles, so many can stand above one another.
    for _ in 0..=counting.len() {
        if above.is_some_and(|above| above == slug) {
            return Err(Error::bad_input(
                "parentRoleSlug",
                "a role cannot stand above itself",
            ));
        }
        let role = counting.iter().find(|role| Some(&role.slug) == above);
        above = role.and_then(|role| role.parent_role_slug.as_ref());
    }
    Ok(())
}

/// What a role that was read whole is like.
fn snapshot(role: &Model) -> AgentRoleSnapshot {
    AgentRoleSnapshot {
        display_name: role.display_name.clone(),
        description: role.description.clone(),
        category: role.category,
        parent_role_slug: role.parent_role_slug.clone(),
        system_prompt_template: role.system_prompt_template.0.clone().unwrap_or_default(),
        allowed_tools: role.allowed_tools.0.clone(),
        default_model: role.default_model.clone(),
        monthly_budget_tokens: role.monthly_budget_tokens,
        default_concurrency: role.default_concurrency,
        timeout_seconds: role.timeout_seconds,
        auto_approve: role.auto_approve,
        is_active: role.is_active,
    }
}

/// A workspace's role that is like this.
fn row_of(snapshot: AgentRoleSnapshot) -> ActiveModel {
    ActiveModel {
        display_name: Set(snapshot.display_name),
        description: Set(snapshot.description),
        category: Set(snapshot.category),
        parent_role_slug: Set(snapshot.parent_role_slug),
        system_prompt_template: Set(Large::new(snapshot.system_prompt_template)),
        allowed_tools: Set(Json(snapshot.allowed_tools)),
        default_model: Set(snapshot.default_model),
        monthly_budget_tokens: Set(snapshot.monthly_budget_tokens),
        default_concurrency: Set(snapshot.default_concurrency),
        timeout_seconds: Set(snapshot.timeout_seconds),
        auto_approve: Set(snapshot.auto_approve),
        is_active: Set(snapshot.is_active),
        is_builtin: Set(false),
        ..Default::default()
    }
}
