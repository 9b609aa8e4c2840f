//! Rows of any workspace that are due: found by their ids alone, for what the server does by itself within each row's tenant.

use super::{System, accounts::goes_on};
use crate::error::{Error, Result};
use entity::{Id, Owned, Timestamp};
use futures_util::{StreamExt as _, stream};
use sea_orm::{
    Condition, IdenStatic as _,
    sea_query::{Expr, ExprTrait, Order, Query},
};

/// So many rows are looked for at a time.
const BATCH: u64 = 200;

impl System {
    /// Sees to each row that is due in any tenant, so many at once, until none is left that was not seen to. One that fails does
    /// not keep the others waiting. Returns how many it was said of that something was done.
    ///
    /// # Errors
    /// If the database fails; at the end, the first error of those rows that are still there.
    pub(crate) async fn each_due<E: Owned, F: Future<Output = Result<bool>>>(
        &self,
        due: impl Fn(Timestamp) -> Condition,
        at_once: usize,
        see_to: impl Fn(Id, Id) -> F,
    ) -> Result<u64> {
        let (mut done, mut after, mut failed) = (0, None::<Id>, None);
        loop {
            let due = due(self.store().clock().now());
            let rows = self.due::<E>(due, after.as_ref(), BATCH).await?;
            let Some((_, last)) = rows.last() else {
                return failed.map_or(Ok(done), Err);
            };
            after = Some(last.clone());
            let each = rows.into_iter().map(|(tenant, id)| see_to(tenant, id));
            let mut each = stream::iter(each).buffer_unordered(at_once);
            while let Some(outcome) = each.next().await {
                match outcome {
                    Ok(is_done) => done += u64::from(is_done),
                    Err(error) if is_gone(&error) => {}
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
    }

    /// Which rows of any tenant that was not deleted satisfy a condition, so many at most, by their ids, after one: for tasks
    /// that the server does by itself, which go on within the row's tenant.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn due<E: Owned>(
        &self,
        condition: Condition,
        after: Option<&Id>,
        most: u64,
    ) -> Result<Vec<(Id, Id)>> {
        let beyond = after.map(|after| Expr::col(E::ID).gt(after.as_str()));
        let select = Query::select()
            .columns([E::TENANT, E::ID])
            .from(E::default())
            .cond_where(condition)
            .and_where(goes_on::<E>())
            .cond_where(Condition::all().add_option(beyond))
            .order_by(E::ID, Order::Asc)
            .limit(most)
            .take();
        let rows = self.rows(&select).await?;
        rows.iter()
            .map(|row| {
                let value = |column: E::Column| row.try_get("", column.as_str());
                Ok((value(E::TENANT)?, value(E::ID)?))
            })
            .collect()
    }
}

/// Whether a row that was due was deleted meanwhile, or its workspace was.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Unauthenticated(_))
}
