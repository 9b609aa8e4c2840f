//! What takes long to compute, such as judging a long document or writing a large answer down: beside the threads that
//! serve everyone, and not on all processors.

use crate::{
    error::{Error, Result},
    store::Meter,
};
use std::{sync::LazyLock, thread::available_parallelism};
use tokio::{sync::Semaphore, task::spawn_blocking};
use tracing::Span;

/// An answer of so many bytes takes milliseconds to write down and to compress, in which its thread serves nobody.
const LARGE: u64 = 64 << 10;

/// Whose turn it is: so many at once as half of the processors.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, usize::from);
    Semaphore::new(processors.div_ceil(2))
});

/// Whether an operation has answered so much that it is not written down beside others.
pub(crate) fn is_large(meter: &Meter) -> bool {
    meter.answered() > LARGE
}

/// Does something, elsewhere and in turn if it takes long.
///
/// # Errors
/// If it panics.
pub(crate) async fn run<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if !is_long {
        return Ok(work());
    }
    // It is never closed.
    let turn = TURNS.acquire().await;
    let span = Span::current();
    spawn_blocking(move || {
        let _turn = turn;
        span.in_scope(work)
    })
    .await
    .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
        time::Duration,
    };

    #[tokio::test]
    async fn large_ones_leave_the_thread_to_others_and_half_of_the_processors() {
        let here = thread::current().id();
        assert_eq!(run(false, || thread::current().id()).await.unwrap(), here);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let one = || {
            let (running, most) = (running.clone(), most.clone());
            run(true, move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                running.fetch_sub(1, Ordering::SeqCst);
                thread::current().id()
            })
        };
        let processors = available_parallelism().map_or(1, usize::from);
        let many = futures_util::future::join_all((0..4 * processors).map(|_| one())).await;
        assert!(many.into_iter().all(|id| id.unwrap() != here));
        // Other tests write too.
        assert!(most.load(Ordering::SeqCst) <= processors.div_ceil(2));
        let fault = run(true, || -> () { panic!("a fault") }).await;
        assert!(fault.is_err());
    }
}
