//! The poll: what is found out when every hint was lost.

use super::{Feeds, history};
use crate::store::Store;
use std::time::Duration;

/// How often the followed ledgers' heads are looked at: what a lost hint costs at most.
const EVERY: Duration = Duration::from_secs(2);

/// Looks at all followed ledgers' heads with one statement, as long as any is followed.
pub(super) async fn poll(store: Store) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(feeds) = Feeds::followed(store.feeds()) else {
            return;
        };
        for feed in &feeds {
            feed.kept.sweep();
        }
        let tenants: Vec<_> = feeds.iter().map(|feed| feed.tenant()).collect();
        let turn = store.feeds().turn_to_read().await;
        let heads = history::heads(&store, &tenants).await;
        drop(turn);
        match heads {
            Ok(heads) => {
                for (tenant, head) in heads {
                    store.feeds().hint(&tenant, head);
                }
            }
            Err(error) => tracing::warn!(error = error.cause(), "the ledgers could not be polled"),
        }
    }
}
