//! What deleted workspaces had is removed: a little at a time, since others wait to write, and from wherever it was left off.
//!
//! A workspace's ledger has ended before, so nothing of it changes meanwhile but by this. First the ledger is told how many
//! rows there are of each table, and which; then they go, those that point to others before these; the workspace's own row is
//! the last. The ledger and its head stay.

use super::{Store, accounts::goes_on, background::door};
use crate::{
    auth::Actor,
    error::{Error, Result},
    store::{Scope, Tx, retried},
};
use entity::{Id, Reading, Shape, Table, audit_log, shapes, tenant};
use sea_orm::{
    ConnectionTrait, IdenStatic as _,
    sea_query::{Expr, ExprTrait, Order, Query, SelectStatement},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The part of the server that does this.
const COMPONENT: &str = "workspaces";
/// What it tells of what it is about to remove.
const REMOVED: &str = "workspace.rows_removed";
/// So long this goes on at a time.
const AT_A_TIME: Duration = Duration::from_secs(120);
/// Who deletes a workspace waits so long for its slug to be free.
const FREED_WITHIN: Duration = Duration::from_secs(2);
/// So many rows go in one transaction, and so many of those that may be large.
const ROWS: u64 = 500;
const LARGE_ROWS: u64 = 25;
/// So many ids are read in one statement.
const IDS: u64 = 5_000;

impl Scope {
    /// Frees the slug of the actor's workspace, which was deleted. What is not done in time is done in the background.
    pub(crate) async fn free_slug(&self) {
        let store = self.store();
        let freed = timeout(FREED_WITHIN, store.free_slug(self.actor().tenant()));
        if let Ok(Err(error)) = freed.await {
            tracing::warn!(cause = error.cause(), "a slug is freed later");
        }
    }
}

impl Store {
    /// Removes what deleted workspaces had, as far as it comes in some minutes. Returns how many workspaces are gone.
    ///
    /// # Errors
    /// If the database fails. What was removed until then is.
    pub(crate) async fn remove_workspaces(&self) -> Result<u64> {
        let until = Instant::now() + AT_A_TIME;
        let (mut gone, mut failed) = (0, None);
        for workspace in self.deleted_workspaces().await? {
            match self.remove_workspace(&workspace, until).await {
                Ok(is_gone) => gone += u64::from(is_gone),
                Err(error) => {
                    let cause = error.cause();
                    tracing::warn!(%workspace, %cause, "a deleted workspace could not be removed yet");
                    failed = failed.or(Some(error));
                }
            }
            if Instant::now() > until {
                break;
            }
        }
        failed.map_or(Ok(gone), Err)
    }

    /// Removes what one deleted workspace had. Says whether nothing of it is left.
    async fn remove_workspace(&self, workspace: &Id, until: Instant) -> Result<bool> {
        self.free_slug(workspace).await?;
        if !self.is_told(workspace).await? {
            let told = self.what_it_had(workspace).await?;
            retried(|| self.tell(workspace, told.clone())).await?;
        }
        for shape in removed() {
            while self.remove_some(shape, workspace).await? > 0 {
                if Instant::now() > until {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Lets another workspace have the slug of one that was deleted, which gets what nobody can choose. It is no part of the
    /// deletion itself, since it waits until nobody writes rows of the workspace, and others go on writing until that is committed.
    async fn free_slug(&self, workspace: &Id) -> Result<()> {
        let (id, slug) = (tenant::Column::Id, tenant::Column::Slug);
        let instead = format!("deleted:{workspace}");
        let free = Query::update()
            .table(tenant::Entity)
            .value(slug, instead.as_str())
            .and_where(Expr::col(id).eq(workspace.as_str()))
            .and_where(Expr::col(slug).ne(instead.as_str()))
            .and_where(goes_on::<tenant::Entity>().not())
            .take();
        let transaction = self.system_transaction().await?;
        transaction.execute(&free).await?;
        transaction.commit().await
    }

    /// The workspaces that were deleted and still have something.
    async fn deleted_workspaces(&self) -> Result<Vec<Id>> {
        let id = tenant::Column::Id;
        let select = Query::select()
            .column(id)
            .from(tenant::Entity)
            .and_where(goes_on::<tenant::Entity>().not())
            .order_by(id, Order::Asc)
            .take();
        self.ids(&select, id.as_str()).await
    }

    async fn ids(&self, select: &SelectStatement, column: &str) -> Result<Vec<Id>> {
        let rows = self.system().rows(select).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("", column)?))
            .collect()
    }

    /// Whether the workspace's ledger tells already what there was.
    async fn is_told(&self, workspace: &Id) -> Result<bool> {
        use audit_log::Column::{Action, Id, TenantId};
        let select = Query::select()
            .column(Id)
            .from(audit_log::Entity)
            .and_where(Expr::col(TenantId).eq(workspace.as_str()))
            .and_where(Expr::col(Action).eq(REMOVED))
            .limit(1)
            .take();
        Ok(!self.ids(&select, Id.as_str()).await?.is_empty())
    }

    /// How many rows the workspace has of each table, and the SHA-256 of their ids, in order, a line each.
    async fn what_it_had(&self, workspace: &Id) -> Result<Map<String, Value>> {
        let mut had = Map::new();
        for shape in removed() {
            let (mut digest, mut count) = (Sha256::new(), 0_u64);
            let mut last: Option<Id> = None;
            loop {
                let id = shape.id().name;
                let beyond = last.map(|last| Expr::col(id).gt(last.0));
                let select = Query::select()
                    .column(id)
                    .from(shape.name)
                    .and_where(Expr::col(shape.tenant().name).eq(workspace.as_str()))
                    .and_where_option(beyond)
                    .order_by(id, Order::Asc)
                    .limit(IDS)
                    .take();
                let ids = self.ids(&select, id).await?;
                for id in &ids {
                    if count > 0 {
                        digest.update("\n");
                    }
                    digest.update(id.as_str());
                    count += 1;
                }
                if (ids.len() as u64) < IDS {
                    break;
                }
                last = ids.last().cloned();
            }
            if count > 0 {
                let ids = hex::encode(digest.finalize());
                let told = json!({ "count": count, "idsSha256": ids });
                had.insert(shape.name.to_owned(), told);
            }
        }
        Ok(had)
    }

    /// Tells the ledger what is about to go.
    async fn tell(&self, workspace: &Id, had: Map<String, Value>) -> Result<()> {
        let actor = Actor::system(workspace.clone(), COMPONENT);
        let scope = self.scope(actor);
        let mut tx = Tx::begin(&scope).await?;
        tx.write_after_the_end();
        let found = tx.find::<tenant::Entity>(workspace).await?;
        let tenant = found.ok_or(Error::NotFound { kind: "Tenant" })?;
        let diff = json!({ "before": had, "after": null });
        tx.note_with::<tenant::Entity>(&tenant, REMOVED, diff);
        tx.commit().await.map(drop)
    }

    /// Removes some of the workspace's rows of a table. Returns how many.
    async fn remove_some(&self, shape: &Shape, workspace: &Id) -> Result<u64> {
        retried(|| self.delete_some(shape, workspace)).await
    }

    async fn delete_some(&self, shape: &Shape, workspace: &Id) -> Result<u64> {
        let is_large = |column: &entity::Column| column.reading == Reading::Large;
        let most = match shape.columns.iter().any(is_large) {
            true => LARGE_ROWS,
            false => ROWS,
        };
        let name = match shape.table {
            Table::Tenant => "delete-workspace",
            _ => "retention",
        };
        let id = shape.id().name;
        let some = Query::select()
            .column(id)
            .from(shape.name)
            .and_where(Expr::col(shape.tenant().name).eq(workspace.as_str()))
            .limit(most)
            .take();
        let delete = Query::delete()
            .from_table(shape.name)
            .and_where(Expr::col(id).in_subquery(some))
            .take();
        let [open, close] = door(self.backend(), name);
        let transaction = self.system_transaction().await?;
        transaction.execute_unprepared(&open).await?;
        let gone = transaction.execute(&delete).await?;
        transaction.execute_unprepared(&close).await?;
        transaction.commit().await?;
        Ok(gone.rows_affected())
    }
}

/// The tables whose rows go, those that point to others before these: tables are listed after those that they point to.
fn removed() -> impl Iterator<Item = &'static Shape> {
    let mut all: Vec<_> = shapes().collect();
    all.reverse();
    let stays = |table| matches!(table, Table::TenantFeed | Table::AuditLog);
    all.into_iter().filter(move |shape| !stays(shape.table))
}
