//! What a workspace has of its own, in tables where all workspaces share rows as well: which row stands in place of which, and
//! how many there may be.

use super::references::all_of;
use crate::{
    error::{Error, Result},
    store::Tx,
};
use entity::{Id, Owned};
use sea_orm::{ModelTrait, Value, sea_query::ExprTrait};

/// The rows with one slug.
pub(super) struct Named<E: Owned> {
    /// The workspace's own.
    pub(super) own: Option<E::Model>,
    /// The one that all workspaces share.
    pub(super) shared: Option<E::Model>,
}

impl<E: Owned> Named<E> {
    /// Those whose slug, in this column, is this one.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn find(tx: &Tx<'_>, slug_column: E::Column, slug: &str) -> Result<Self> {
        let rows = tx.unlocked_rows::<E>(|place| all_of(place.column(slug_column).eq(slug)));
        let (shared, own): (Vec<_>, Vec<_>) =
            { rows.await?.into_iter() }.partition(|row| is_shared::<E>(row));
        Ok(Self {
            own: own.into_iter().next(),
            shared: shared.into_iter().next(),
        })
    }
}

/// Whether a row belongs to all workspaces.
pub(super) fn is_shared<E: Owned>(row: &E::Model) -> bool {
    matches!(row.get(E::TENANT), Value::String(None))
}

/// A row of the workspace's own, to be changed or taken away. The noun says what it is, and the other name is that of the
/// mutation which people want for a shared one.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::BadUserInput`] when it is shared by all.
pub(super) async fn own<E: Owned>(
    tx: &Tx<'_>,
    id: &Id,
    noun: &str,
    instead: &str,
) -> Result<E::Model> {
    let row = tx.find::<E>(id).await?;
    let row = row.ok_or(Error::NotFound { kind: E::KIND })?;
    if is_shared::<E>(&row) {
        let reason =
            format!("is a {noun} that all workspaces share; {instead} puts your own in its place");
        return Err(Error::bad_input("id", reason));
    }
    Ok(row)
}

/// Refuses one more of the workspace's own rows than it may have. The name is the limit's.
///
/// # Errors
/// [`Error::LimitExceeded`].
pub(crate) async fn must_have_room<E: Owned>(
    tx: &Tx<'_>,
    name: &'static str,
    most: u64,
) -> Result<()> {
    let own = tx.count::<E>(|place| all_of(place.column(E::TENANT).is_not_null()));
    match own.await? {
        own if own < most => Ok(()),
        own => Err(Error::LimitExceeded {
            name,
            limit: most,
            actual: own + 1,
        }),
    }
}
