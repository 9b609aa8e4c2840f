//! The end of a transaction that writes: its ledger entries, and the commit that they are part of.

use super::Tx;
use crate::{
    auth::Account,
    error::{Error, Result},
    store::{
        commits::UnderWay,
        idempotency::{Answer, Request},
        ledger::{self, Appended, Course, Entry},
        search::{Findable, index::fill_changed},
        snapshot::undisturbed,
    },
};
use entity::Id;
use sea_orm::DbBackend;

impl Tx<'_> {
    /// With the commit the ledger ends, and with it all that the workspace may do: nothing is written after it, and nobody of
    /// it is let in.
    pub(crate) fn end_ledger(&mut self) {
        self.course = Course::Ends;
    }

    /// What is written now is what the server has to say of a ledger that has ended.
    pub(in crate::store) fn write_after_the_end(&mut self) {
        self.course = Course::HasEnded;
    }

    /// Writes the ledger entries and makes everything visible. Returns the ledger's new head.
    ///
    /// The ledger comes last: its head row is locked for the shortest time, and the order of `seq` is the order of
    /// commit.
    ///
    /// # Errors
    /// If the database fails; then nothing was written, unless it is the connection that failed after the database was
    /// asked to commit.
    pub async fn commit(self) -> Result<i64> {
        self.finish(None).await
    }

    /// Appends to the ledger, remembers that a request was answered with a row, and commits.
    pub(in crate::store) async fn finish(mut self, answered: Option<(Request, Id)>) -> Result<i64> {
        self.count_jobs().await?;
        let actor = self.scope.actor();
        let changed = self.entries.iter().filter_map(changed_document).collect();
        fill_changed(&self.transaction, actor.tenant(), changed).await?;
        let head = ledger::lock_head(&self.transaction, actor.tenant()).await?;
        if self.may_be_overtaken() {
            self.check_account().await?;
        }
        let Appended { head, entries } =
            ledger::append(&self.transaction, actor, head, self.entries, self.course).await?;
        if let Some((request, id)) = answered {
            let (seal, answer) = (self.scope.store().seal(), Answer { id, seq: head });
            request
                .remember(seal, &self.transaction, actor, self.now, answer)
                .await?;
        }
        let (store, actor) = (self.scope.store().clone(), actor.clone());
        let under_way = UnderWay::new(self.scope.meter().clone());
        // What the database was asked to commit it does commit, whoever still waits for its word.
        undisturbed(async move {
            let committed = self.transaction.commit().await;
            match committed {
                Ok(()) => under_way.said(true),
                // It may have heard what it was asked, and only its answer is lost.
                Err(Error::Unavailable | Error::Internal(_)) => drop(under_way),
                Err(_) => under_way.said(false),
            }
            committed?;
            ledger::log(&actor, &entries);
            store.announce(actor.tenant(), head, entries);
            Ok(())
        })
        .await?;
        self.scope.renew();
        Ok(head)
    }

    /// Whether the person who acts may have been removed, or been given another role, since the transaction began, or the
    /// service been revoked. Under the lock of the ledger's head either that is seen, or it comes after this. What people change
    /// about themselves they have held; of what a service writes not all is told. On SQLite nothing else is written meanwhile.
    fn may_be_overtaken(&self) -> bool {
        if self.scope.store().backend() != DbBackend::Postgres {
            return false;
        }
        match self.scope.actor().account() {
            Some(Account::User { id, .. }) => {
                let is_own = |entry: &Entry| entry.target_id.as_ref() == Some(id);
                !self.entries.is_empty() && !self.entries.iter().any(is_own)
            }
            Some(Account::Service { .. }) => true,
            Some(Account::Agent { .. }) | None => false,
        }
    }
}

/// The document of the search whose words a change may have changed: it names a column that is searched.
fn changed_document(entry: &Entry) -> Option<(Findable, &Id)> {
    let kind = Findable::named(entry.target_type)?;
    let mut changed = entry.diff["after"].as_object()?.keys();
    let id = entry.target_id.as_ref()?;
    changed
        .any(|column| kind.is_searched(column))
        .then_some((kind, id))
}
