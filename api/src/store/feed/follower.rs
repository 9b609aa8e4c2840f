//! One who follows a ledger: a position, and the way from there to the next entry.

use super::{Feed, event::Event, replay::Replay, ring::After, share::Share};
use crate::error::{Error, Result};
use std::sync::Arc;
use tokio::sync::watch;

/// A reader of one ledger, in order and without gaps. It holds no entries of its own but a page while it replays.
pub(crate) struct Follower {
    feed: Arc<Feed>,
    /// In whose turn it reads.
    share: Arc<Share>,
    head: watch::Receiver<i64>,
    position: i64,
    /// Whether it has met the ring. From then on it must keep up.
    live: bool,
    replay: Option<Replay>,
}

impl Follower {
    /// Follows from this position, or from the head.
    ///
    /// # Errors
    /// [`Error::CursorMismatch`] when the ledger has not come so far.
    pub(super) async fn new(feed: Arc<Feed>, after: Option<i64>) -> Result<Self> {
        let head = feed.listen();
        let last = feed.last();
        let position = after.unwrap_or(last);
        // The ring may be some milliseconds behind what another server wrote.
        if position > last && position > feed.look().await? {
            return Err(Error::CursorMismatch(
                "This cursor is beyond the end of your workspace's ledger.",
            ));
        }
        Ok(Self {
            share: feed.own.clone(),
            feed,
            head,
            position,
            live: false,
            replay: None,
        })
    }

    /// The same, of what this actor may take.
    pub(crate) fn of(mut self, share: Arc<Share>) -> Self {
        self.share = share;
        self
    }

    /// Of whose share it takes.
    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.share
    }

    /// The position of the last entry that was taken.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// The feed it follows.
    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// The next entry, if there is one already. Being cancelled loses nothing.
    ///
    /// # Errors
    /// [`Error::ResyncRequired`] when it was too slow, or what comes next is not kept any more; or if the database
    /// fails.
    pub(crate) async fn step(&mut self) -> Result<Option<Arc<Event>>> {
        // Marked before looking, so that whatever comes later wakes `changed`.
        self.head.borrow_and_update();
        if let Some(event) = self.replay.as_mut().and_then(Replay::next) {
            return self.take(event).map(Some);
        }
        self.replay = None;
        match self.feed.after(self.position) {
            After::Next(event) => {
                self.live = true;
                return self.take(event).map(Some);
            }
            After::End => {
                self.live = true;
                return Ok(None);
            }
            After::Gone if self.live => return Err(self.resync()),
            After::Gone => {}
        }
        // Boxed, because every follower holds this future, and few are here.
        let mut replay = Box::pin(Replay::after(&self.feed, self.position, &self.share)).await?;
        let Some(event) = replay.next() else {
            return Err(self.resync());
        };
        self.replay = Some(replay);
        self.take(event).map(Some)
    }

    /// Waits until there may be more.
    pub(crate) async fn changed(&mut self) {
        if self.head.changed().await.is_err() {
            // The feed is held by this follower, so its sender cannot be gone.
            std::future::pending::<()>().await;
        }
    }

    fn take(&mut self, event: Arc<Event>) -> Result<Arc<Event>> {
        if event.seq() != self.position + 1 {
            return Err(self.resync());
        }
        self.position = event.seq();
        Ok(event)
    }

    fn resync(&self) -> Error {
        Error::ResyncRequired {
            cursor: self
                .feed
                .store()
                .feed_cursor(self.feed.tenant(), self.position),
        }
    }
}
