//! Batching: equal questions of one operation are asked once, questions of one level in one statement.
//!
//! Loaders live in the operation's view and are keyed within its tenant; nothing here outlives or leaves it. The crate
//! `dataloader` sees to it that one asker leads and the others wait; when a batch leaves is decided in `parking.rs`.

use super::{
    row::{Columns, Row},
    select::Place,
    snapshot::Snapshot,
};
use crate::{
    auth::Actor,
    error::{Error, Result},
};
use ::dataloader::{BatchFn, cached::Loader};
use entity::{Column, Id};
use sea_orm::{QueryResult, sea_query::SelectStatement};
use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
    fmt::Debug,
    hash::Hash,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// What a statement that selects one number calls it.
pub(super) const NUMBER: &str = "number";

/// What one operation reads from, and what it has read: thrown away with it, and after each mutation.
pub(super) struct View {
    pub(super) snapshot: Snapshot,
    actor: Actor,
    desks: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    large: Mutex<HashMap<(&'static Column, Id), Arc<QueryResult>>>,
}

/// Something to ask of the database, together with others of its kind.
pub(super) trait Question: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    /// The answer; its default is "there is none".
    type Answer: Clone + Default + Send + Sync;

    /// Answers all questions, in as few statements as their kinds allow.
    fn answer(
        questions: &[Self],
        view: &View,
    ) -> impl Future<Output = Result<HashMap<Self, Self::Answer>>> + Send;
}

/// Where one kind of question is asked.
struct Desk<Q: Question> {
    loader: Loader<Q, Result<Q::Answer>, Batch<Q>>,
    asked: Arc<Mutex<Asked<Q>>>,
}

/// The questions of a kind: all there ever were, and those that no batch has taken along yet.
struct Asked<Q> {
    ever: HashSet<Q>,
    waiting: Vec<Q>,
}

struct Batch<Q> {
    view: Weak<View>,
    asked: Arc<Mutex<Asked<Q>>>,
}

impl<Q: Question> BatchFn<Q, Result<Q::Answer>> for Batch<Q> {
    /// Waits until the operation is parked, then answers what the crate collected and what was asked meanwhile.
    ///
    /// The crate's own wait is a fixed number of turns, which splits large levels: while hundreds of fields are handed
    /// their rows one by one, the first of them would leave with the next level's batch nearly empty.
    ///
    /// Every question gets an answer, so that "not found" from the crate can only mean a cancelled leader.
    async fn load(&mut self, drained: &[Q]) -> HashMap<Q, Result<Q::Answer>> {
        let Some(view) = self.view.upgrade() else {
            return drained
                .iter()
                .map(|question| (question.clone(), Err(Error::Unavailable)))
                .collect();
        };
        view.snapshot.meter().parking().until_parked().await;
        let mut questions: HashSet<Q> = mem::take(&mut lock(&self.asked).waiting)
            .into_iter()
            .collect();
        questions.extend(drained.iter().cloned());
        let questions: Vec<Q> = questions.into_iter().collect();
        // Boxed: whoever asks has room for this, and one of them runs it.
        match Box::pin(Q::answer(&questions, &view)).await {
            Ok(mut found) => questions
                .into_iter()
                .map(|question| {
                    let answer = found.remove(&question).unwrap_or_default();
                    (question, Ok(answer))
                })
                .collect(),
            Err(error) => questions
                .into_iter()
                .map(|question| (question, Err(error.clone())))
                .collect(),
        }
    }
}

impl View {
    pub(super) fn new(snapshot: Snapshot, actor: Actor) -> Arc<Self> {
        Arc::new(Self {
            snapshot,
            actor,
            desks: Mutex::default(),
            large: Mutex::default(),
        })
    }

    pub(super) fn tenant(&self) -> &Id {
        self.actor.tenant()
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place::outermost(&self.actor, self.snapshot.backend())
    }

    fn desk<Q: Question>(self: &Arc<Self>) -> Arc<Desk<Q>> {
        let made = || -> Arc<dyn Any + Send + Sync> {
            let asked = Arc::new(Mutex::new(Asked::<Q> {
                ever: HashSet::new(),
                waiting: Vec::new(),
            }));
            let batch = Batch {
                view: Arc::downgrade(self),
                asked: asked.clone(),
            };
            // Batches are cut by nothing but the level's end; page sizes bound them.
            let loader = Loader::new(batch)
                .with_max_batch_size(usize::MAX)
                .with_yield_count(0);
            Arc::new(Desk { loader, asked })
        };
        let desk = lock(&self.desks)
            .entry(TypeId::of::<Q>())
            .or_insert_with(made)
            .clone();
        desk.downcast()
            .unwrap_or_else(|_| unreachable!("desks are kept by the type of their question"))
    }

    /// Asks, together with whatever else the operation asks meanwhile.
    pub(super) async fn ask<Q: Question>(self: &Arc<Self>, question: Q) -> Result<Q::Answer> {
        let desk = self.desk::<Q>();
        {
            let mut asked = lock(&desk.asked);
            if asked.ever.insert(question.clone()) {
                asked.waiting.push(question.clone());
            }
        }
        loop {
            // An error means that the future which led the batch was cancelled, by a failed sibling or a client that
            // went away; the questions it had drained are asked again.
            if let Ok(answer) = desk.loader.try_load(question.clone()).await {
                return answer;
            }
        }
    }

    /// The one number that a statement selects as [`NUMBER`]; 0 when it has no row.
    pub(super) async fn number(&self, select: &SelectStatement) -> Result<i64> {
        let rows = self.snapshot.all(select).await?;
        rows.first()
            .map_or(Ok(0), |row| Ok(row.try_get("", NUMBER)?))
    }

    /// The rows of a statement that reads these columns, and after them these large ones, which are kept for who shows
    /// them.
    pub(super) async fn rows(
        &self,
        select: &SelectStatement,
        columns: &Arc<Columns>,
        large: &[&'static Column],
    ) -> Result<Vec<Arc<Row>>> {
        let made = |found: QueryResult| {
            let row = Row::read(&found, columns)?;
            if !large.is_empty() {
                let (id, found) = (row.id()?, Arc::new(found));
                let mut kept = lock(&self.large);
                for column in large {
                    kept.insert((column, id.clone()), found.clone());
                }
            }
            Ok(Arc::new(row))
        };
        self.snapshot.each(select, made).await
    }

    /// A row that holds a large column of the row with this id, if it was read with it.
    pub(super) fn read_with(&self, column: &'static Column, id: &Id) -> Option<Arc<QueryResult>> {
        let large = lock(&self.large);
        // Most operations read none.
        if large.is_empty() {
            return None;
        }
        large.get(&(column, id.clone())).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{meter::Meter, snapshot::Readers};
    use entity::Id;
    use futures_util::poll;
    use sea_orm::sqlx::sqlite::SqlitePoolOptions;
    use std::time::Duration;

    /// Answered with its double, slowly.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Double(usize);

    impl Question for Double {
        type Answer = usize;

        async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, usize>> {
            let meter = view.snapshot.meter();
            meter.count_statement();
            let _under_way = meter.parking().statement();
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(questions
                .iter()
                .map(|question| (question.clone(), question.0 * 2))
                .collect())
        }
    }

    /// Answered with its half, long after a double.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Half(usize);

    impl Question for Half {
        type Answer = usize;

        async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, usize>> {
            let meter = view.snapshot.meter();
            meter.count_statement();
            let _under_way = meter.parking().statement();
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(questions
                .iter()
                .map(|question| (question.clone(), question.0 / 2))
                .collect())
        }
    }

    fn view(meter: &Arc<Meter>) -> Arc<View> {
        let pool = SqlitePoolOptions::new().connect_lazy("sqlite::memory:");
        let readers = Readers::Sqlite(pool.unwrap());
        let snapshot = Snapshot::new(readers, Id::from("t"), None).measured(meter.clone());
        View::new(snapshot, Actor::system(Id::from("t"), "test"))
    }

    #[tokio::test]
    async fn a_level_is_one_batch_however_many_turns_it_takes_to_ask() {
        let meter = Arc::new(Meter::default());
        let view = view(&meter);
        let level = (0..2000).map(|number| {
            let (view, meter) = (&view, &meter);
            async move {
                // Those that come first wait for those that compute for long.
                for _ in 0..number % 50 {
                    meter.take_turn().await;
                }
                let double = view.ask(Double(number)).await?;
                view.ask(Double(double + 1)).await
            }
        });
        let answers = meter.run(futures_util::future::join_all(level)).await;
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.unwrap(), (number * 2 + 1) * 2);
        }
        assert_eq!(meter.statements(), 2, "one a level");
    }

    #[tokio::test]
    async fn no_batch_leaves_while_a_statement_is_under_way_whose_rows_may_ask_more() {
        let meter = Arc::new(Meter::default());
        let view = view(&meter);
        let level = (0..20).map(|number| {
            let view = &view;
            async move {
                let answer = match number % 2 {
                    0 => view.ask(Double(number)).await?,
                    _ => view.ask(Half(number)).await?,
                };
                view.ask(Double(1000 + answer)).await
            }
        });
        let answers = meter.run(futures_util::future::join_all(level)).await;
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        assert_eq!(meter.statements(), 3, "one of each kind, and one for both");
    }

    #[tokio::test]
    async fn a_leader_that_is_cancelled_before_it_leaves_is_followed_by_another() {
        let meter = Arc::new(Meter::default());
        let view = view(&meter);
        let asking = async {
            let mut leader = Box::pin(view.ask(Double(1)));
            let mut other = Box::pin(view.ask(Double(2)));
            assert!(poll!(&mut leader).is_pending() && poll!(&mut other).is_pending());
            drop(leader);
            other.await
        };
        let answer = tokio::time::timeout(Duration::from_secs(5), meter.run(asking)).await;
        assert_eq!(answer.unwrap().unwrap(), 4);
    }

    #[tokio::test]
    async fn a_cancelled_leader_loses_nothing() {
        let view = view(&Arc::default());
        for round in 1..=100 {
            let number = 10_000 * round;
            let leader = tokio::spawn({
                let view = view.clone();
                async move { view.ask(Double(number)).await }
            });
            let waiters: Vec<_> = (0..50)
                .map(|waiter| {
                    let view = view.clone();
                    tokio::spawn(async move { view.ask(Double(number + waiter % 10)).await })
                })
                .collect();
            tokio::time::sleep(Duration::from_micros(500 * (round as u64 % 5))).await;
            leader.abort();
            for (waiter, answer) in waiters.into_iter().enumerate() {
                assert_eq!(answer.await.unwrap().unwrap(), (number + waiter % 10) * 2);
            }
        }
    }
}
