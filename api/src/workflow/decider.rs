//! Who decides: an admin, or who stands in for one; and by when.

use super::references::all_of;
use crate::{
    auth::{Role, decides},
    error::{Error, Result},
    store::Tx,
};
use chrono::TimeDelta;
use entity::{
    Id, Timestamp,
    tenant::{Delegation, TenantSettings},
    user::{self, UserRole},
};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, IntoColumnRef},
};

/// Who decides.
pub(super) struct Decider {
    /// The person; none when it is the server.
    pub(super) user: Option<user::Model>,
    /// In whose place.
    pub(super) instead_of: Option<Id>,
    /// The workspace's settings, as they stay until the transaction ends.
    pub(super) settings: TenantSettings,
}

/// The workspace's settings, as they stay until the transaction ends.
pub(super) async fn settings(tx: &Tx<'_>) -> Result<TenantSettings> {
    Ok(tx.workspace().await?.settings.0)
}

/// Whether who acts decides by itself, so that a rule may take its word.
pub(super) fn is_trusted(tx: &Tx<'_>) -> bool {
    let writer = tx.writer();
    !writer.is_service() && !matches!(writer.role(), Role::Member | Role::Viewer | Role::Agent)
}

/// By when what is handed in now should be decided.
pub(super) fn due(tx: &Tx<'_>, settings: &TenantSettings) -> Option<Timestamp> {
    let hours = settings.approval_due_hours?;
    let due = tx.now().inner() + TimeDelta::hours(hours.into());
    Some(Timestamp::new(due))
}

/// How long after those who decide were told that something is overdue they are told again.
const AGAIN: TimeDelta = TimeDelta::hours(24);

/// What is overdue by its columns for when it is due, when it was told of, and since when it is paused.
pub(super) fn overdue<C: IntoColumnRef + Copy>(columns: [C; 3], now: Timestamp) -> Condition {
    let [due, told, paused] = columns.map(Expr::col);
    let lately = Timestamp::new(now.inner() - AGAIN);
    let untold = told.clone().is_null().or(told.lte(lately));
    all_of(due.lte(now)).add(untold).add(paused.is_null())
}

/// The same of a row that was read.
pub(super) fn is_overdue(times: [Option<Timestamp>; 3], now: Timestamp) -> bool {
    let [due, told, paused] = times;
    let lately = Timestamp::new(now.inner() - AGAIN);
    due.is_some_and(|due| due <= now) && told.is_none_or(|told| told <= lately) && paused.is_none()
}

/// The delegation that stands: who is stood in for is still one who decides.
pub(crate) fn delegation<'d>(
    settings: &'d TenantSettings,
    stood_in_for: Option<&user::Model>,
) -> Option<&'d Delegation> {
    let delegation = settings.delegation.as_ref()?;
    let user = stood_in_for.filter(|user| user.id == delegation.for_user_id)?;
    matches!(user.role, UserRole::Owner | UserRole::Admin).then_some(delegation)
}

impl Decider {
    /// The actor, if it decides.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(super) async fn of(tx: &Tx<'_>) -> Result<Self> {
        let actor = tx.writer();
        let settings = settings(tx).await?;
        let named = settings.delegation.as_ref();
        let named = named.filter(|named| Some(&named.user_id) == actor.user_id());
        let ids: Vec<&str> = { actor.user_id().into_iter() }
            .chain(named.map(|named| &named.for_user_id))
            .map(Id::as_str)
            .collect();
        let mut people = match ids.is_empty() {
            true => Vec::new(),
            false => {
                tx.held_rows::<user::Entity>(|place| {
                    all_of(place.column(user::Column::Id).is_in(ids))
                })
                .await?
            }
        };
        // Who was let in before may have lost the role by now.
        for user in &people {
            tx.check_user(user)?;
        }
        let stood_in_for = people
            .iter()
            .find(|user| named.is_some_and(|named| named.for_user_id == user.id));
        let standing = delegation(&settings, stood_in_for);
        let instead_of = decides(actor, standing, tx.now())?.cloned();
        people.retain(|user| Some(&user.id) == actor.user_id());
        Ok(Self {
            user: people.pop(),
            instead_of,
            settings,
        })
    }

    /// The person, and in whose place.
    pub(super) fn people(&self) -> impl Iterator<Item = &Id> {
        let user = self.user.as_ref().map(|user| &user.id);
        user.into_iter().chain(&self.instead_of)
    }
}

/// The actor, if it is a person who decides.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) async fn must_decide(tx: &Tx<'_>) -> Result<Id> {
    let user = Decider::of(tx).await?.user.map(|user| user.id);
    user.ok_or_else(|| Error::Forbidden("Only a person decides by reply.".to_owned()))
}
