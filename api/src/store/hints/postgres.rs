//! Hints over PostgreSQL's LISTEN/NOTIFY.

use super::{CARRIED_WITHIN, heard};
use crate::store::Store;
use sea_orm::sqlx::{
    self, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

const CHANNEL: &str = "workgraph_ledger";

/// Two connections of their own, so that hints never wait for those that operations use: one listens, one tells. Nobody
/// need wait until a hint is on the disk.
pub(super) fn connections(pool: &PgPool) -> PgPool {
    let options = PgConnectOptions::clone(&pool.connect_options());
    PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(CARRIED_WITHIN)
        .test_before_acquire(false)
        .connect_lazy_with(options.options([("synchronous_commit", "off")]))
}

/// Tells the other servers. It is no part of any transaction: a NOTIFY within one would make all commits wait for each
/// other.
pub(super) async fn tell(pool: &PgPool, payload: &str) {
    let told = sqlx::query("SELECT pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(payload)
        .execute(pool)
        .await;
    if let Err(error) = told {
        tracing::warn!(%error, "a hint could not be sent over PostgreSQL; the poll will find the change");
    }
}

/// Hears what other servers tell, for ever.
pub(super) async fn hear(store: Store, pool: PgPool) {
    loop {
        if let Err(error) = listen(&store, &pool).await {
            tracing::warn!(%error, "hints over PostgreSQL are interrupted; the poll goes on");
        }
        tokio::time::sleep(CARRIED_WITHIN).await;
    }
}

async fn listen(store: &Store, pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // It connects again by itself; what it misses meanwhile is the poll's to find.
        let notification = listener.recv().await?;
        heard(store, notification.payload());
    }
}
