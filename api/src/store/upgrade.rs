//! Bringing the database up to date, one server after the other.

use super::{Store, transaction::Transaction};
use crate::error::Result;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};

/// The advisory lock of servers that migrate or seed; any number that nothing else takes.
const UPGRADE: i64 = 0x0057_6f72_6b67_7261;

/// The right to migrate or seed. Several servers may start at once; a SQLite file belongs to one.
#[must_use = "the turn ends when this is dropped"]
pub struct UpgradeTurn(Option<Transaction<DatabaseTransaction>>);

impl UpgradeTurn {
    /// Lets the next server have its turn.
    ///
    /// # Errors
    /// If the connection was lost meanwhile.
    pub async fn end(self) -> Result<()> {
        match self.0 {
            Some(transaction) => transaction.rollback().await,
            None => Ok(()),
        }
    }
}

impl Store {
    /// Brings the schema up to date. Returns how many steps that took.
    ///
    /// # Errors
    /// If a step fails; it is then as if it had not begun. On PostgreSQL, neither had those before it.
    pub async fn migrate(&self) -> Result<usize> {
        let taken = if let Some(transaction) = self.upgrade_turn().await?.0 {
            let pending = Migrator::get_pending_migrations(transaction.session()).await?;
            Migrator::up(transaction.session(), None).await?;
            transaction.commit().await?;
            pending.len()
        } else {
            self.migrate_step_by_step().await?
        };
        self.fill_index().await?;
        Ok(taken)
    }

    /// A step and the note that it was done are one transaction, which no other program's can fall into.
    async fn migrate_step_by_step(&self) -> Result<usize> {
        let mut taken = 0;
        loop {
            let transaction = self.system_transaction().await?;
            let pending = Migrator::get_pending_migrations(transaction.session()).await?;
            Migrator::up(transaction.session(), Some(1)).await?;
            transaction.commit().await?;
            taken += pending.len().min(1);
            if pending.len() <= 1 {
                return Ok(taken);
            }
        }
    }

    /// Waits until no other server migrates or seeds this database, and holds them off until it is ended.
    ///
    /// # Errors
    /// If no connection can be had.
    pub async fn upgrade_turn(&self) -> Result<UpgradeTurn> {
        if self.backend() != DbBackend::Postgres {
            return Ok(UpgradeTurn(None));
        }
        let transaction = self.system_transaction().await?;
        let lock = format!("SELECT pg_advisory_xact_lock({UPGRADE})");
        transaction.execute_unprepared(&lock).await?;
        Ok(UpgradeTurn(Some(transaction)))
    }

    /// The names of the steps that are not applied yet.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        let transaction = self.system_transaction().await?;
        let pending = Migrator::get_pending_migrations(transaction.session()).await?;
        transaction.rollback().await?;
        Ok(pending.iter().map(|step| step.name().to_owned()).collect())
    }
}
