//! Followers on a real ledger: nothing missed, nothing twice, and told so when they cannot go on.

use super::*;
use crate::{clock::Clock, error::Error, store::DatabaseUrl, workspace};
use entity::tenant;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use tempfile::TempDir;

struct World {
    store: Store,
    tenant: tenant::Model,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        store.migrate().await.unwrap();
        let slug = workspace::found(&store, "Hill & Dale", None, "ada@example.com");
        let tenant = store.system().workspace(&slug.await.unwrap()).await;
        let tenant = tenant.unwrap().unwrap();
        Self {
            store,
            tenant,
            folder,
        }
    }

    /// Enters so much into the ledger, and returns its head.
    async fn write(&self, entries: usize) -> i64 {
        write(&self.store, &self.tenant, entries).await
    }

    async fn follow(&self, after: Option<i64>) -> Follower {
        self.store.follow(&self.tenant.id, after).await.unwrap()
    }

    /// A feed of its own with a ring of this size, which is hinted by hand.
    async fn feed(&self, capacity: usize) -> Arc<Feed> {
        let feed = Feed::new(self.store.clone(), self.tenant.id.clone(), capacity);
        let feed = Arc::new(feed);
        feed.begin().await.unwrap();
        feed
    }

    async fn execute(&self, sql: &str) {
        let writer = self.store.writer();
        writer.execute_unprepared(sql).await.unwrap();
    }
}

async fn open(folder: &TempDir) -> Store {
    let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
    let secret = crate::auth::Secret::new("a secret that only tests know, of 32+").unwrap();
    Store::open(&url, 4, &secret, Clock::system())
        .await
        .unwrap()
}

async fn write(store: &Store, tenant: &tenant::Model, entries: usize) -> i64 {
    let scope = store.system().tenant(tenant.id.clone(), "test");
    let mut tx = scope.begin().await.unwrap();
    for _ in 0..entries {
        tx.note::<tenant::Entity>(tenant, "test.noted");
    }
    tx.commit().await.unwrap()
}

/// Follows up to a position, and fails on whatever is not the next entry.
async fn follow_to(follower: &mut Follower, last: i64) {
    while follower.position() < last {
        let before = follower.position();
        match follower.step().await.unwrap() {
            Some(event) => assert_eq!(event.seq(), before + 1),
            None => follower.changed().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_meets_what_is_live_without_gap_or_repeat() {
    let world = Arc::new(World::new().await);
    let before = world.write(1700).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let world = world.clone();
            tokio::spawn(async move {
                for turn in 0..40 {
                    world.write(1 + (writer + turn) % 5).await;
                }
            })
        })
        .collect();
    let last = before + 4 * 40 * 3;
    let followers: Vec<_> = (0..24)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move {
                let after = (number % 8 != 7).then_some(number * before / 24);
                let mut follower = world.follow(after).await;
                assert!(after.is_none_or(|after| follower.position() == after));
                follow_to(&mut follower, last).await;
            })
        })
        .collect();
    for task in writers.into_iter().chain(followers) {
        task.await.unwrap();
    }
    assert_eq!(world.write(0).await, last);
}

#[tokio::test]
async fn who_was_live_and_falls_out_of_the_ring_is_told_where_to_resume() {
    let world = World::new().await;
    let feed = world.feed(8).await;
    let mut slow = Follower::new(feed.clone(), None).await.unwrap();
    assert!(slow.step().await.unwrap().is_none());
    let start = slow.position();
    let head = world.write(9).await;
    feed.hint(head);
    feed.listen().wait_for(|last| *last == head).await.unwrap();
    let Err(Error::ResyncRequired { cursor }) = slow.step().await else {
        panic!("it is too slow");
    };
    assert_eq!(
        world
            .store
            .feed_position(&world.tenant.id, &cursor)
            .unwrap(),
        start
    );
    let mut resumed = Follower::new(feed, Some(start)).await.unwrap();
    follow_to(&mut resumed, head).await;
}

#[tokio::test]
async fn what_was_taken_out_of_the_ledger_is_not_skipped_in_silence() {
    let world = World::new().await;
    let feed = world.feed(8).await;
    let mut live = Follower::new(feed.clone(), None).await.unwrap();
    assert!(live.step().await.unwrap().is_none());
    let start = live.position();
    let head = world.write(6).await;
    let missing = start + 3;
    world
        .execute(&format!(
            "DROP TRIGGER audit_logs_refuse_delete; DELETE FROM audit_logs WHERE seq = {missing}"
        ))
        .await;
    feed.hint(head);
    follow_to(&mut live, missing - 1).await;
    let cursor = loop {
        match live.step().await {
            Ok(Some(event)) => panic!("{} came after {}", event.seq(), missing - 1),
            Ok(None) => live.changed().await,
            Err(Error::ResyncRequired { cursor }) => break cursor,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(
        world
            .store
            .feed_position(&world.tenant.id, &cursor)
            .unwrap(),
        missing - 1
    );
    let mut beyond = Follower::new(feed.clone(), Some(missing)).await.unwrap();
    follow_to(&mut beyond, head).await;
    let mut before = Follower::new(world.feed(2).await, Some(missing - 1))
        .await
        .unwrap();
    assert!(matches!(
        before.step().await,
        Err(Error::ResyncRequired { .. })
    ));
}

#[tokio::test]
async fn what_this_process_commits_is_taken_over_as_it_would_be_read() {
    let world = World::new().await;
    let mut follower = world.follow(None).await;
    let (feed, start) = (follower.feed().clone(), follower.position());
    let head = world.write(3).await;
    assert_eq!(feed.last(), head, "it is there when the commit is");
    let written = history::after(&world.store, &world.tenant.id, start);
    for read in written.await.unwrap() {
        let event = follower.step().await.unwrap().expect("it is there");
        assert_eq!(**event.entry(), read);
    }
    assert_eq!(follower.position(), head);
}

#[tokio::test]
async fn what_is_taken_over_out_of_turn_or_twice_comes_once_and_in_order() {
    let world = World::new().await;
    let feed = world.feed(CAPACITY).await;
    let mut follower = Follower::new(feed.clone(), None).await.unwrap();
    let start = follower.position();
    let written = async |entries| {
        let head = world.write(entries).await;
        let before = head - entries as i64;
        let read = history::after(&world.store, &world.tenant.id, before);
        (head, read.await.unwrap())
    };
    let (head, entries) = written(4).await;
    feed.committed(head, entries[2..].to_vec());
    assert_eq!(feed.last(), start, "others were committed before");
    feed.committed(start + 2, entries[..2].to_vec());
    assert_eq!(feed.last(), start + 2);
    // The rest is the reader's.
    follow_to(&mut follower, head).await;
    feed.committed(head, entries);
    let (head, entries) = written(3).await;
    feed.committed(head - 1, entries[..2].to_vec());
    feed.committed(head, entries);
    assert_eq!(feed.last(), head);
    follow_to(&mut follower, head).await;
}

#[tokio::test]
async fn those_who_replay_the_same_share_it() {
    let world = World::new().await;
    world.write(history::PAGE as usize + 60).await;
    let feed = world.feed(32).await;
    let mut first = Follower::new(feed.clone(), Some(0)).await.unwrap();
    let mut second = Follower::new(feed.clone(), Some(7)).await.unwrap();
    follow_to(&mut first, 7).await;
    let (mine, theirs) = (first.step().await, second.step().await);
    let (mine, theirs) = (mine.unwrap().unwrap(), theirs.unwrap().unwrap());
    assert!(Arc::ptr_eq(&mine, &theirs));
    // What is not complete yet is not shared: it grows.
    let page = history::PAGE as i64;
    let mut early = Follower::new(feed.clone(), Some(page)).await.unwrap();
    follow_to(&mut early, page + 1).await;
    let head = world.write(20).await;
    feed.hint(head);
    for mut follower in [first, second, early] {
        follow_to(&mut follower, head).await;
    }
}

#[tokio::test]
async fn a_place_that_the_ledger_has_not_reached_is_refused() {
    let world = World::new().await;
    let head = world.write(1).await;
    let refused = world.store.follow(&world.tenant.id, Some(head + 1)).await;
    assert!(matches!(refused, Err(Error::CursorMismatch(_))));
    let mut follower = world.follow(Some(head)).await;
    assert!(follower.step().await.unwrap().is_none());
}

#[tokio::test]
async fn a_commit_of_another_process_is_found_without_a_hint() {
    let world = World::new().await;
    let mut follower = world.follow(None).await;
    let other = open(&world.folder).await;
    let head = write(&other, &world.tenant, 3).await;
    follow_to(&mut follower, head).await;
}

#[tokio::test]
async fn what_another_process_wrote_can_be_followed_from_before_this_one_has_seen_it() {
    let world = World::new().await;
    let mut early = world.follow(None).await;
    let other = open(&world.folder).await;
    let head = write(&other, &world.tenant, 3).await;
    let mut follower = world.follow(Some(head - 1)).await;
    follow_to(&mut follower, head).await;
    follow_to(&mut early, head).await;
}

#[tokio::test]
async fn being_cancelled_at_any_point_loses_nothing() {
    let world = World::new().await;
    let head = world.write(1200).await;
    let mut follower = Follower::new(world.feed(4).await, Some(0)).await.unwrap();
    let (mut seen, mut cancelled) = (0, 0);
    while seen < head {
        let polled = futures_util::poll!(Box::pin(follower.step()));
        match polled {
            std::task::Poll::Ready(event) => {
                let event = event.unwrap().expect("there is more");
                assert_eq!(event.seq(), seen + 1);
                seen = event.seq();
            }
            std::task::Poll::Pending => {
                cancelled += 1;
                assert_eq!(follower.position(), seen);
                // Cancelled here every time, it would never read a page.
                if cancelled % 3 == 0 {
                    seen = follower.step().await.unwrap().expect("there is more").seq();
                }
            }
        }
    }
    assert!(cancelled >= 3);
}

#[tokio::test]
async fn a_feed_ends_with_its_last_follower() {
    let world = World::new().await;
    let follower = world.follow(None).await;
    let feed = Arc::downgrade(follower.feed());
    assert!(feed.upgrade().is_some());
    drop(follower);
    // The reader may be holding it for the time of a look.
    while feed.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
    assert!(world.store.feeds().followed().is_none());
}

#[tokio::test]
async fn a_cursor_belongs_to_its_tenant() {
    let world = World::new().await;
    let store = &world.store;
    let (mine, theirs) = (Id::from("mine"), Id::from("theirs"));
    let cursor = store.feed_cursor(&mine, 41);
    assert_eq!(store.feed_position(&mine, &cursor).unwrap(), 41);
    for wrong in [
        &*store.feed_cursor(&theirs, 41),
        "",
        "bm90IG9uZQ",
        &cursor[1..],
    ] {
        assert!(matches!(
            store.feed_position(&mine, wrong),
            Err(Error::CursorMismatch(_))
        ));
    }
}
