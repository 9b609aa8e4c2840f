//! A position of the ledger as a cursor: the same in `feedCursor`, in live frames and as `after` of the query.
//!
//! It belongs to the workspace and to no role, so that whoever holds it can go on from it.

use crate::{
    error::{Error, Result},
    store::{Scope, Store, seal::ListSeal},
};
use entity::Id;

impl Store {
    /// The cursor of a tenant's position.
    pub(crate) fn feed_cursor(&self, tenant: &Id, seq: i64) -> String {
        self.feed_seal(tenant).close(vec![seq.into()])
    }

    /// The position of a cursor.
    ///
    /// # Errors
    /// [`Error::CursorMismatch`] when it is damaged or forged, or belongs to another tenant or to a list.
    pub(crate) fn feed_position(&self, tenant: &Id, cursor: &str) -> Result<i64> {
        let items = self.feed_seal(tenant).open(cursor, 1);
        items
            .ok()
            .and_then(|items| items.first()?.as_i64())
            .ok_or(Error::CursorMismatch(
                "This cursor is no place in your workspace's ledger.",
            ))
    }

    fn feed_seal(&self, tenant: &Id) -> ListSeal {
        self.seal().of(&format!("{tenant}|feed"))
    }
}

impl Scope {
    /// The cursor of a position of the tenant's ledger.
    pub(crate) fn feed_cursor(&self, seq: i64) -> String {
        self.store().feed_cursor(self.actor().tenant(), seq)
    }
}
