//! Who belongs to a workspace, and as what. It always has an owner: whoever changes who belongs to it holds off the others who
//! do, before looking.

use super::{invitation::revoke_invitations, references::all_of};
use crate::{
    auth::{Action, authorize},
    error::{Error, Result},
    store::Tx,
};
use entity::{
    Id, Json,
    tenant::{self, TenantSettings},
    user::{self, UserRole},
};
use sea_orm::{ActiveEnum as _, ActiveValue::Set, sea_query::ExprTrait};

/// The ledger's action.
const ROLE_CHANGED: &str = "user.role_changed";

/// Holds off all others who change who belongs to the workspace, and looks again whether the actor still may: it may just
/// have been removed.
pub(super) async fn hold_people(tx: &Tx<'_>) -> Result<()> {
    tx.lock_workspace().await?;
    tx.check_account().await
}

/// Gives a person another role, and ends their sessions. One who has it already stays as they are.
///
/// # Errors
/// [`Error::Forbidden`] when it takes an owner, [`Error::Conflict`] for the last one.
pub(crate) async fn change_role(tx: &mut Tx<'_>, id: &Id, role: UserRole) -> Result<user::Model> {
    hold_people(tx).await?;
    let user = tx.get_gently::<user::Entity>(id).await?;
    if user.role == UserRole::Owner || role == UserRole::Owner {
        authorize(tx.scope().actor(), Action::ManageOwners)?;
    }
    if user.role == role {
        return Ok(user);
    }
    if user.role == UserRole::Owner {
        must_have_another_owner(tx, &user).await?;
    }
    tx.end_sessions(&user.id, None).await?;
    if !matches!(role, UserRole::Owner | UserRole::Admin) {
        revoke_invitations(tx, &user.id).await?;
    }
    let changes = user::ActiveModel {
        role: Set(role),
        token_version: Set(user.token_version + 1),
        ..Default::default()
    };
    tx.update(&user, changes, ROLE_CHANGED).await
}

/// Removes a person. What they wrote stays, and the ledger goes on to say that it was theirs.
///
/// # Errors
/// As [`change_role`].
pub(crate) async fn remove(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    hold_people(tx).await?;
    let user = tx.get::<user::Entity>(id).await?;
    if user.role == UserRole::Owner {
        authorize(tx.scope().actor(), Action::ManageOwners)?;
        must_have_another_owner(tx, &user).await?;
    }
    end_delegation(tx, &user).await?;
    revoke_invitations(tx, &user.id).await?;
    tx.delete::<user::Entity>(&user, "user.removed").await?;
    Ok(())
}

/// Makes somebody an owner in place of the actor, who becomes an admin. Whoever asks for it goes on in their session, so that the
/// answer can be asked for again.
///
/// # Errors
/// [`Error::Forbidden`] when it takes an owner, [`Error::BadUserInput`] when that is the actor.
pub(crate) async fn transfer(tx: &mut Tx<'_>, id: &Id) -> Result<user::Model> {
    hold_people(tx).await?;
    authorize(tx.scope().actor(), Action::ManageOwners)?;
    let own = tx.scope().actor().user_id().cloned();
    let own = own.ok_or_else(|| Error::Forbidden("Only a person hands it over.".to_owned()))?;
    if own == *id {
        return Err(Error::bad_input("userId", "is yourself"));
    }
    // Whoever holds several people takes them in one order.
    let mut people = Vec::new();
    for id in [&own, id]
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>()
    {
        people.push(tx.get_gently::<user::Entity>(id).await?);
    }
    let [mut new, mut old] = <[user::Model; 2]>::try_from(people)
        .map_err(|_| Error::internal("two people are not two"))?;
    if new.id == own {
        std::mem::swap(&mut new, &mut old);
    }
    let to = |role| user::ActiveModel {
        role: Set(role),
        ..Default::default()
    };
    new = tx.update(&new, to(UserRole::Owner), ROLE_CHANGED).await?;
    tx.update(&old, to(UserRole::Admin), ROLE_CHANGED).await?;
    let workspace = tx.workspace().await?;
    tx.note::<tenant::Entity>(&workspace, "workspace.transferred");
    Ok(new)
}

/// Whether without this person the workspace has no owner.
pub(super) async fn is_last_owner(tx: &Tx<'_>, user: &user::Model) -> Result<bool> {
    if user.role != UserRole::Owner {
        return Ok(false);
    }
    let owners = tx.unlocked_rows_up_to::<user::Entity>(2, |place| {
        all_of(
            place
                .column(user::Column::Role)
                .eq(UserRole::Owner.to_value()),
        )
    });
    Ok(owners.await?.iter().all(|other| other.id == user.id))
}

/// Refuses to leave a workspace without an owner.
async fn must_have_another_owner(tx: &Tx<'_>, owner: &user::Model) -> Result<()> {
    if !is_last_owner(tx, owner).await? {
        return Ok(());
    }
    Err(Error::conflict(
        "LAST_OWNER",
        "A workspace always has an owner, and this is the last one. Make somebody else an owner first, or hand it over with \
         transferOwnership.",
    ))
}

/// Ends the delegation from or to a person.
async fn end_delegation(tx: &mut Tx<'_>, user: &user::Model) -> Result<()> {
    let workspace = tx.workspace().await?;
    let is_of =
        |named: &tenant::Delegation| [&named.user_id, &named.for_user_id].contains(&&user.id);
    if !workspace.settings.0.delegation.as_ref().is_some_and(is_of) {
        return Ok(());
    }
    let changes = tenant::ActiveModel {
        settings: Set(Json(TenantSettings {
            delegation: None,
            ..workspace.settings.0.clone()
        })),
        ..Default::default()
    };
    tx.update(&workspace, changes, "settings.updated")
        .await
        .map(drop)
}
