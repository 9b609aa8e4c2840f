//! Whether the server can do its work: what an orchestrator asks before it sends requests here.

use super::{Store, feed, row_security::EVERY_TENANT, snapshot::Snapshot};
use crate::error::Result;
use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::{Expr, Query};
use serde::Serialize;
use std::{collections::HashSet, time::Duration};

/// How long the database may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// What was found.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Readiness {
    /// Whether all is well.
    pub(crate) ready: bool,
    database: Database,
    migrations: Migrations,
    feed: Lag,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Database {
    ok: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Migrations {
    ok: bool,
    /// How many steps are not applied.
    missing: usize,
}

/// How live streams stand to their ledgers.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Lag {
    ok: bool,
    /// How many ledgers are followed.
    followed: usize,
    /// How many entries the one that is furthest behind has yet to read.
    behind: i64,
}

impl Store {
    /// Whether the database answers, is up to date, and is read along.
    pub(crate) async fn readiness(&self) -> Readiness {
        let found = tokio::time::timeout(ANSWER, self.look()).await;
        found.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn look(&self) -> Result<Readiness> {
        // Not behind those who follow ledgers, who may be at it for longer than an orchestrator waits.
        let _turn = self.admit_to_entrance(None).await?;
        let snapshot = Snapshot::new(self.readers().clone(), EVERY_TENANT.into(), None);
        let applied = Query::select()
            .expr_as(Expr::col("version"), "version")
            .from("seaql_migrations")
            .take();
        let applied = snapshot.all(&applied).await?;
        drop(snapshot);
        let applied: HashSet<String> = applied
            .iter()
            .map(|row| Ok(row.try_get("", "version")?))
            .collect::<Result<_>>()?;
        let steps = Migrator::migrations();
        // A newer server may have gone on already.
        let missing = steps
            .iter()
            .filter(|step| !applied.contains(step.name()))
            .count();
        let (followed, behind) = feed::lag(self).await?;
        let migrations = Migrations {
            ok: missing == 0,
            missing,
        };
        let lag = Lag {
            ok: behind <= feed::MOST_BEHIND,
            followed,
            behind,
        };
        Ok(Readiness {
            ready: migrations.ok && lag.ok,
            database: Database { ok: true },
            migrations,
            feed: lag,
        })
    }
}
