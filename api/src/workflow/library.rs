//! What a workspace puts into the library for itself: packaged skills and specialists that it imports, decides over, and puts
//! in place of those that all workspaces share.

mod shelf;

use self::shelf::Shelf;
use super::{
    own::{Named, must_have_room, own},
    references::all_of,
};
use crate::{
    domain::{
        canonical::canonical,
        digest::sha256,
        machine::{Step, refusal},
    },
    error::{Error, Result, named},
    store::{Tx, standing, to_json},
};
use entity::{
    Id, Json,
    approval::ApprovalDecision,
    audit_log,
    skill_package::{LibrarySource, LibraryStatus},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, EntityTrait, IdenStatic, Iterable, ModelTrait,
    Value, sea_query::ExprTrait,
};
use serde_json::{Map, json};

/// So many entries of its own a workspace has at most on each shelf.
const MOST: u64 = 500;

/// The text that a column holds.
fn word<E: Shelf>(row: &E::Model, column: E::Column) -> String {
    match row.get(column) {
        Value::String(Some(text)) => text,
        _ => String::new(),
    }
}

/// Puts into the library what somebody imports. It waits for a decision, also where it is another text of what was decided
/// before; the same text again changes nothing.
///
/// # Errors
/// [`Error::Conflict`] where all workspaces share one of that name; [`Error::LimitExceeded`].
pub(crate) async fn import_entry<E: Shelf>(
    tx: &mut Tx<'_>,
    slug: String,
    content_hash: &str,
    content: E::ActiveModel,
) -> Result<E::Model> {
    tx.lock_workspace().await?;
    let Named { own, shared } = Named::<E>::find(tx, E::SLUG, &slug).await?;
    if shared.is_some() {
        return Err(Error::Conflict(format!(
            "All workspaces share a {} `{slug}`, which goes on counting until you put your own in its place with {}. Choose \
             another name for a new one.",
            E::NOUN,
            E::OVERRIDE
        )));
    }
    match own {
        Some(own) if word::<E>(&own, E::CONTENT_HASH) == content_hash => Ok(own),
        Some(own) => tx.take(&own, E::RENEW, content).await,
        None => {
            insert::<E>(
                tx,
                slug,
                content,
                LibraryStatus::PendingApproval,
                E::RENEW.rule().entry,
            )
            .await
        }
    }
}

/// Puts a workspace's own in place of what all share, or changes that. It counts at once.
///
/// # Errors
/// [`Error::BadUserInput`] where nothing of that name is shared; [`Error::LimitExceeded`].
pub(crate) async fn override_entry<E: Shelf>(
    tx: &mut Tx<'_>,
    slug: String,
    changes: E::ActiveModel,
) -> Result<E::Model> {
    tx.lock_workspace().await?;
    let Named { own, shared } = Named::<E>::find(tx, E::SLUG, &slug).await?;
    let Some(shared) = shared else {
        return Err(Error::bad_input(
            "slug",
            format!("is no {} that all workspaces share", E::NOUN),
        ));
    };
    let before = own.as_ref().unwrap_or(&shared);
    let before = content_of::<E>(&tx.whole::<E>(before).await?);
    let mut content = over(before.clone(), &changes);
    let hash = hash_of(&content);
    match own {
        Some(own) if hash == hash_of(&before) => Ok(own),
        Some(own) => {
            content.set(E::CONTENT_HASH, hash.into());
            tx.update(&own, content, E::EDITED).await
        }
        None => {
            content.set(E::CONTENT_HASH, hash.into());
            content.set(E::SOURCE, LibrarySource::User.to_value().into());
            let replaced = json!({ "overrides": word::<E>(&shared, E::CONTENT_HASH) });
            content.set(E::METADATA, Json(replaced).into());
            insert::<E>(tx, slug, content, LibraryStatus::Active, E::OVERRIDDEN).await
        }
    }
}

async fn insert<E: Shelf>(
    tx: &mut Tx<'_>,
    slug: String,
    mut row: E::ActiveModel,
    status: LibraryStatus,
    action: &'static str,
) -> Result<E::Model> {
    must_have_room::<E>(tx, "The number of a workspace's own entries", MOST).await?;
    row.set(E::SLUG, slug.into());
    row.set(E::STATUS_COLUMN, status.to_value().into());
    tx.insert(row, action).await
}

/// Decides over what waits, or answers with it if the same was decided already.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it is not what was seen, or was decided otherwise, with who did and when;
/// [`Error::IllegalTransition`].
pub(crate) async fn decide_entry<E: Shelf>(
    tx: &mut Tx<'_>,
    id: &Id,
    seen: &str,
    decision: ApprovalDecision,
    reason: Option<String>,
) -> Result<E::Model> {
    tx.lock_workspace().await?;
    let entry = own::<E>(tx, id, E::NOUN, E::OVERRIDE).await?;
    if word::<E>(&entry, E::CONTENT_HASH) != seen {
        return Err(Error::Conflict(format!(
            "This {} says something else by now. Read it again.",
            E::NOUN
        )));
    }
    let step = match decision {
        ApprovalDecision::Approved => E::APPROVE,
        _ => E::REJECT,
    };
    let now = standing::<E>(&entry)?;
    if !step.rule().is_open(&now) {
        return match last_decision::<E>(tx, id).await? {
            Some(made) if made.action == step.rule().entry => Ok(entry),
            Some(made) => Err(decided::<E>(made)),
            None => Err(refusal(step, &now)),
        };
    }
    E::keep(tx, &entry, decision, reason.clone()).await?;
    let entry = tx.take(&entry, step, E::ActiveModel::default()).await?;
    if let Some(reason) = reason {
        tx.explain(reason);
    }
    Ok(entry)
}

/// Offers an entry to agents, or offers it no longer.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it was turned down; [`Error::IllegalTransition`] while it waits for a decision.
pub(crate) async fn set_entry_status<E: Shelf>(
    tx: &mut Tx<'_>,
    id: &Id,
    status: LibraryStatus,
) -> Result<E::Model> {
    tx.lock_workspace().await?;
    let entry = own::<E>(tx, id, E::NOUN, E::OVERRIDE).await?;
    let now = standing::<E>(&entry)?;
    let step = match status {
        _ if now.state == status => return Ok(entry),
        LibraryStatus::Active => E::ENABLE,
        LibraryStatus::Disabled => E::DISABLE,
        LibraryStatus::PendingApproval => {
            return Err(Error::bad_input("status", "must be ACTIVE or DISABLED"));
        }
    };
    if step == E::ENABLE
        && now.state == LibraryStatus::Disabled
        && let Some(made) = last_decision::<E>(tx, id).await?
        && made.action == E::REJECT.rule().entry
    {
        return Err(decided::<E>(made));
    }
    tx.take(&entry, step, E::ActiveModel::default()).await
}

/// Takes a workspace's own entry away. Where it stood in place of one that all share, that one counts again.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::BadUserInput`] when it is shared by all.
pub(crate) async fn reset_entry<E: Shelf>(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    tx.lock_workspace().await?;
    let entry = own::<E>(tx, id, E::NOUN, E::OVERRIDE).await?;
    let shared = Named::<E>::find(tx, E::SLUG, &word::<E>(&entry, E::SLUG))
        .await?
        .shared;
    let action = match shared {
        Some(_) => E::RESET,
        None => E::DELETED,
    };
    tx.delete::<E>(&entry, action).await.map(drop)
}

/// How what the entry says now was decided, as the ledger tells it.
async fn last_decision<E: Shelf>(tx: &Tx<'_>, id: &Id) -> Result<Option<audit_log::Model>> {
    use audit_log::Column::{Action, Seq, TargetId};
    let renewed = E::RENEW.rule().entry;
    let actions = [E::APPROVE.rule().entry, E::REJECT.rule().entry, renewed];
    let last = tx.last_row::<audit_log::Entity>(Seq, |place| {
        all_of(place.column(TargetId).eq(id.as_str())).add(place.column(Action).is_in(actions))
    });
    Ok(last.await?.filter(|made| made.action != renewed))
}

fn decided<E: Shelf>(made: audit_log::Model) -> Error {
    let decision = match made.action == E::APPROVE.rule().entry {
        true => ApprovalDecision::Approved,
        false => ApprovalDecision::Rejected,
    };
    let by = made.actor.strip_prefix("user:").unwrap_or(&made.actor);
    Error::Decided {
        what: format!("This {} was {}", E::NOUN, named(decision).to_lowercase()),
        decision: named(decision),
        by: by.to_owned(),
        at: made.created_at,
    }
}

/// What an entry that was read whole says.
fn content_of<E: Shelf>(entry: &E::Model) -> E::ActiveModel {
    let mut content = E::ActiveModel::default();
    for column in E::CONTENT {
        content.set(*column, entry.get(*column));
    }
    content
}

/// SHA-256, in hex, of what is set in a row.
fn hash_of<A: ActiveModelTrait>(row: &A) -> String {
    let columns = <A::Entity as EntityTrait>::Column::iter();
    let set = columns.filter_map(|column| match row.get(column) {
        Set(value) => Some((column.as_str().to_owned(), to_json(&value))),
        _ => None,
    });
    let set: Map<_, _> = set.collect();
    sha256(canonical(&set.into()))
}

/// A row with what is set in another one put over it.
pub(super) fn over<A: ActiveModelTrait>(mut row: A, changes: &A) -> A {
    for column in <A::Entity as EntityTrait>::Column::iter() {
        if let Set(value) = changes.get(column) {
            row.set(column, value);
        }
    }
    row
}
