//! Which entries of the ledger concern a subscription.

use crate::{
    auth::Actor,
    error::{Error, Result},
    store::{Event, Feed, Key, Made, READ_WITHIN, bytes_of_json, bytes_of_row},
};
use entity::{Json, Owned, audit_log};
use futures_util::future::BoxFuture;
use std::{any::Any, sync::Arc};

/// What a subscription follows.
pub(crate) trait Interest: Send + Sync {
    /// Refuses an actor who may not follow this at all.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::Error::Forbidden).
    fn permits(&self, actor: &Actor) -> Result<()>;

    /// Whether the entry may concern it, as far as the entry tells by itself.
    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool;

    /// Whether the entry concerns it, by what it is about, and the row to show.
    fn matches<'a>(
        &'a self,
        _: &'a Event,
        _: &'a Feed,
        _: &'a Actor,
    ) -> BoxFuture<'a, Result<Matched>> {
        Box::pin(async { Ok(Matched::Yes(None)) })
    }
}

/// Whether an entry concerns a subscription.
pub(crate) enum Matched {
    /// It does not.
    No,
    /// It does, and this is the row that it is about.
    Yes(Option<Arc<dyn Any + Send + Sync>>),
    /// It does, but it is not for this actor to see: the stream only tells its position.
    Withheld,
}

/// The row that an entry is about, and what happened to it.
#[derive(Debug)]
pub(crate) struct Touched<E: Owned> {
    /// The row as it is now; none when it is gone.
    pub(crate) row: Option<Arc<E::Model>>,
    /// What changed; none when nothing about the row did.
    pub(crate) change: Option<Arc<audit_log::AuditDiff>>,
}

/// The row that an entry is about, read once for all who follow; the entry must be about one of `E`.
///
/// # Errors
/// If the database fails.
pub(crate) async fn touched<E: Owned>(event: &Event, feed: &Feed) -> Result<Touched<E>> {
    let read = async {
        match &event.entry().target_id {
            Some(id) => scope(feed).find::<E>(id).await,
            None => Ok(None),
        }
    };
    let weigh = |row: &Option<Arc<E::Model>>| row.as_ref().map_or(0, |row| bytes_of_row(&**row));
    Ok(Touched {
        row: read_once(event, feed, Made::Row, weigh, read).await?,
        change: change(event, feed).await?,
    })
}

/// What an entry says was changed, read once for all who follow.
///
/// # Errors
/// If the database fails.
pub(crate) async fn change(
    event: &Event,
    feed: &Feed,
) -> Result<Option<Arc<audit_log::AuditDiff>>> {
    let read = async {
        let (column, id) = (audit_log::Column::Diff, &event.entry().id);
        let change = scope(feed)
            .large::<audit_log::Entity, Json<audit_log::AuditDiff>>(column, id)
            .await?;
        Ok(change.map(|Json(change)| Arc::new(change)))
    };
    let weigh = |change: &Option<Arc<audit_log::AuditDiff>>| {
        let change = change.as_ref();
        change.map_or(0, |change| {
            let sides = [&change.before, &change.after].into_iter().flatten();
            sides.map(bytes_of_json).sum()
        })
    };
    read_once(event, feed, Made::Change, weigh, read).await
}

/// What is read of an entry, in the feed's own turn: it is little, and for all who follow.
async fn read_once<T: Clone + Send + Sync + 'static>(
    event: &Event,
    feed: &Feed,
    made: Made,
    weigh: impl FnOnce(&T) -> usize,
    read: impl Future<Output = Result<T>>,
) -> Result<T> {
    let position = event.seq();
    let read = async {
        let in_time = tokio::time::timeout(READ_WITHIN, read).await;
        in_time.unwrap_or(Err(Error::Unavailable))
    };
    let weigh = |read: &T| Some(weigh(read));
    feed.make_once(Key { position, made }, feed.own(), weigh, read)
        .await
}

/// What the feed itself sees: whom it is shown to is for the interest to judge.
fn scope(feed: &Feed) -> crate::store::Scope {
    let actor = Actor::system(feed.tenant().clone(), "feed");
    feed.store().scope_within(actor, READ_WITHIN)
}
