//! A position of the ledger as a cursor: the same in `feedCursor`, in live frames and as `after` of the query.

use crate::{
    error::{Error, Result},
    store::order::{sealed, unsealed},
};
use entity::Id;

/// The cursor of a tenant's position.
pub(crate) fn feed_cursor(tenant: &Id, seq: i64) -> String {
    sealed(&name(tenant), vec![seq.into()])
}

/// The position of a cursor.
///
/// # Errors
/// [`Error::CursorMismatch`] when it is damaged, or belongs to another tenant or to a list.
pub(crate) fn feed_position(tenant: &Id, cursor: &str) -> Result<i64> {
    unsealed(cursor, &name(tenant), 1)
        .ok()
        .and_then(|items| items.first()?.as_i64())
        .filter(|seq| *seq >= 0)
        .ok_or(Error::CursorMismatch(
            "This cursor is no place in your workspace's ledger.",
        ))
}

fn name(tenant: &Id) -> String {
    format!("{tenant}|feed")
}
