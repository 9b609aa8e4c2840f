//! What was made of something once, kept for all who need the same.

use std::{
    any::Any,
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// How many different things are kept; more are made again by each who needs them.
const MOST: usize = 256;

/// What was made once, by what it is made of. Whoever asks first makes it while the others wait; if that one is
/// cancelled, another takes over.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<(u128, i64), Arc<dyn Any + Send + Sync>>>);

impl Kept {
    /// What is kept under a key, made now if it is not. A key must always stand for the same type.
    ///
    /// # Errors
    /// If making it fails; then the next one tries.
    pub(crate) async fn get_or_make<T, E>(
        &self,
        key: (u128, i64),
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Clone + Send + Sync + 'static,
    {
        match self.cell::<T>(key) {
            Some(cell) => cell.get_or_try_init(|| make).await.cloned(),
            None => make.await,
        }
    }

    fn cell<T: Send + Sync + 'static>(&self, key: (u128, i64)) -> Option<Arc<OnceCell<T>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(&key) {
            return None;
        }
        let cell = kept
            .entry(key)
            .or_insert_with(|| Arc::new(OnceCell::<T>::new()))
            .clone();
        drop(kept);
        cell.downcast().ok()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = HashMap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };
    use tokio::sync::Notify;

    #[tokio::test]
    async fn what_many_ask_for_at_once_is_made_once() {
        let (kept, made) = (Arc::new(Kept::default()), Arc::new(AtomicUsize::new(0)));
        let askers: Vec<_> = (0..5000)
            .map(|_| {
                let (kept, made) = (kept.clone(), made.clone());
                tokio::spawn(async move {
                    kept.get_or_make((7, 0), async {
                        tokio::task::yield_now().await;
                        Ok::<_, Infallible>(made.fetch_add(1, Ordering::Relaxed))
                    })
                    .await
                })
            })
            .collect();
        for asker in askers {
            assert_eq!(asker.await.unwrap(), Ok(0));
        }
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn when_its_maker_is_cancelled_another_makes_it() {
        let (kept, begun) = (Arc::new(Kept::default()), Arc::new(Notify::new()));
        let maker = tokio::spawn({
            let (kept, begun) = (kept.clone(), begun.clone());
            async move {
                let never = async {
                    begun.notify_one();
                    std::future::pending::<Result<u8, Infallible>>().await
                };
                kept.get_or_make((7, 0), never).await
            }
        });
        begun.notified().await;
        let other = tokio::spawn({
            let kept = kept.clone();
            async move {
                kept.get_or_make((7, 0), async { Ok::<u8, Infallible>(9) })
                    .await
            }
        });
        maker.abort();
        assert_eq!(other.await.unwrap(), Ok(9));
    }

    #[tokio::test]
    async fn beyond_the_bound_each_makes_its_own() {
        let kept = Kept::default();
        for key in 0..MOST as u128 + 10 {
            let made = kept.get_or_make((key, 0), async { Ok::<_, Infallible>(key) });
            assert_eq!(made.await, Ok(key));
        }
        assert_eq!(kept.0.lock().unwrap().len(), MOST);
    }
}
