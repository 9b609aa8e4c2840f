//! Every write. A transaction sets id, tenant and times itself, and cannot commit a change without its ledger entry.

mod commit;

use super::{
    Scope,
    diff::{CREATED_AT, UPDATED_AT, column, is_deferred, kept, shown, shown_value, text},
    ledger::Entry,
    select::{self, Place},
    transaction::Transaction,
};
use crate::error::{Error, Result};
use entity::{Id, Owned, Ownership, Timestamp, tenant};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait,
    FromQueryResult, IdenStatic, IntoActiveModel, Iterable, ModelTrait, QueryFilter, QueryTrait,
    Value,
    sea_query::{Expr, ExprTrait, LockType, Query},
};
use serde_json::{Map, Value as Json, json};

/// The column that counts a row's changes, where there is one.
const VERSION: &str = "version";

/// The tenant id of changes to what all tenants share.
pub(crate) const SYSTEM_TENANT: &str = "system";

/// A transaction that writes for one actor. Nothing of it is seen by others until [`commit`](Self::commit).
#[must_use = "dropping a Tx rolls it back"]
pub struct Tx<'s> {
    scope: &'s Scope,
    transaction: Transaction,
    now: Timestamp,
    entries: Vec<Entry>,
    shown_once: Option<String>,
}

impl<'s> Tx<'s> {
    pub(super) async fn begin(scope: &'s Scope) -> Result<Self> {
        let store = scope.store();
        let transaction = store
            .begin(
                scope.actor().tenant(),
                scope.patience(),
                scope.meter().clone(),
            )
            .await?;
        Ok(Self {
            scope,
            transaction,
            now: store.clock().now(),
            entries: Vec::new(),
            shown_once: None,
        })
    }

    /// The moment this transaction calls "now".
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who writes.
    pub fn scope(&self) -> &'s Scope {
        self.scope
    }

    fn tenant(&self) -> &'s Id {
        self.scope.actor().tenant()
    }

    pub(super) fn place(&self) -> Place<'s> {
        Place::outermost(self.scope.actor(), self.scope.store().backend())
    }

    /// The rows that satisfy a condition, locked until the transaction ends (but for tables with global rows).
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rows<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        // Global rows are nobody's to change, so a tenant cannot lock them.
        let lockable = E::OWNERSHIP == Ownership::Tenant || self.tenant().as_str() == SYSTEM_TENANT;
        self.read::<E>(condition, lockable.then_some(LockType::Update))
            .await
    }

    /// The rows that satisfy a condition, which others may change meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn unlocked_rows<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        self.read::<E>(condition, None).await
    }

    async fn read<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
        lock: Option<LockType>,
    ) -> Result<Vec<E::Model>> {
        let mut select = select::select::<E>(self.place());
        select.cond_where(condition(self.place()));
        if let Some(lock) = lock {
            self.place().lock(&mut select, lock);
        }
        let rows = self.transaction.query_all(&select).await?;
        rows.iter()
            .map(|row| Ok(E::Model::from_query_result(row, "")?))
            .collect()
    }

    /// Waits for all others of the workspace that hold this lock, so that what is free when it is looked for stays free
    /// until the commit. Those that do not take it write meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn lock_workspace(&self) -> Result<()> {
        let mut select = Query::select();
        select
            .expr(Expr::val(1))
            .from(tenant::Entity)
            .and_where(tenant::Column::Id.into_expr().eq(self.tenant().as_str()));
        self.place().lock(&mut select, LockType::NoKeyUpdate);
        self.transaction.query_one(&select).await?;
        Ok(())
    }

    /// The row with this id, locked until the transaction ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant has none.
    pub async fn get<E: Owned>(&self, id: &Id) -> Result<E::Model> {
        let mut rows = self
            .rows::<E>(|place| Condition::all().add(place.column(E::ID).eq(id.as_str())))
            .await?;
        rows.pop().ok_or(Error::NotFound { kind: E::KIND })
    }

    /// Like [`get`](Self::get), when there is an id at all.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is an id and the tenant has no such row.
    pub async fn get_some<E: Owned>(&self, id: Option<&Id>) -> Result<Option<E::Model>> {
        match id {
            Some(id) => self.get::<E>(id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Writes a new row under a new id. The ledger's `after` is the row as it was written, with what the database's
    /// defaults decided.
    ///
    /// # Errors
    /// If a constraint refuses it.
    pub async fn insert<E, A>(&mut self, mut row: A, action: &'static str) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        let id = if E::ID.as_str() == E::TENANT.as_str() {
            self.tenant().clone()
        } else {
            Id(cuid2::create_id())
        };
        row.set(E::TENANT, self.owner::<E>());
        row.set(E::ID, id.0.into());
        for name in [CREATED_AT, UPDATED_AT] {
            // A row that is imported or seeded may say when it came about.
            if let Some(column) = column::<E>(name)
                && !row.get(column).is_set()
            {
                row.set(column, self.now.into());
            }
        }
        let mut after = shown::<E, A>(&row, |column, value| {
            is_deferred::<E>(column) && value != &value.as_null()
        });
        let defaulted: Vec<_> = E::LARGE
            .iter()
            .copied()
            .filter(|column| !row.get(*column).is_set())
            .collect();
        let mut insert = E::insert(row).into_query();
        let read = select::ordinary::<E>().chain(defaulted.iter().copied());
        insert.returning(Query::returning().columns(read));
        let written = self.transaction.query_one(&insert).await?;
        let written = written.ok_or_else(|| Error::internal("an insert returned nothing"))?;
        let model = E::Model::from_query_result(&written, "")?;
        after.extend(kept::<E>(&model, select::ordinary::<E>().chain(defaulted)));
        self.record::<E>(&model, action, json!({ "before": null, "after": after }));
        Ok(model)
    }

    /// Changes a row that was read in this transaction. Without a difference nothing is written.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the row is gone or its status is no longer what was read; or if a constraint refuses.
    pub async fn update<E, A>(
        &mut self,
        before: &E::Model,
        mut changes: A,
        action: &'static str,
    ) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        let deferred: Vec<_> = E::LARGE
            .iter()
            .copied()
            .filter(|column| changes.get(*column).is_set())
            .collect();
        let full = if deferred.is_empty() {
            None
        } else {
            Some(self.with_columns::<E>(before, &deferred).await?)
        };
        let before = full.as_ref().unwrap_or(before);
        let after = shown::<E, A>(&changes, |column, value| before.get(column) != *value);
        // A version counts changes, and is none by itself.
        if after.keys().all(|name| name == VERSION) {
            return Ok(before.clone());
        }
        let changed = |name: &str| column::<E>(name).filter(|_| after.contains_key(name));
        let old: Map<String, Json> = after
            .keys()
            .filter_map(|name| {
                Some((
                    name.clone(),
                    shown_value::<E>(changed(name)?, &before.get(changed(name)?)),
                ))
            })
            .collect();
        if let Some(column) = column::<E>(UPDATED_AT)
            && !changes.get(column).is_set()
        {
            changes.set(column, self.now.into());
        }
        let mut update = E::update_many()
            .filter(E::ID.eq(before.get(E::ID)))
            .filter(self.own::<E>());
        if let Some(status) = column::<E>("status") {
            update = update.filter(status.eq(before.get(status)));
        }
        for column in E::Column::iter() {
            if let ActiveValue::Set(value) = changes.get(column) {
                update = update.col_expr(column, sea_orm::sea_query::Expr::val(value));
            }
        }
        let mut update = update.into_query();
        update.returning(Query::returning().columns(select::ordinary::<E>()));
        let written = self.transaction.query_one(&update).await?.ok_or_else(|| {
            Error::Conflict(format!(
                "This {} changed meanwhile. Read it again and repeat what still applies.",
                E::KIND
            ))
        })?;
        let model = E::Model::from_query_result(&written, "")?;
        self.record::<E>(&model, action, json!({ "before": old, "after": after }));
        Ok(model)
    }

    /// The row again, with large columns that ordinary reads leave out.
    async fn with_columns<E: Owned>(
        &self,
        row: &E::Model,
        columns: &[E::Column],
    ) -> Result<E::Model> {
        let place = self.place();
        let mut select = select::select::<E>(place);
        select
            .exprs(columns.iter().map(|column| place.column(*column)))
            .and_where(place.column(E::ID).eq(row.get(E::ID)));
        let row = self
            .transaction
            .query_one(&select)
            .await?
            .ok_or(Error::NotFound { kind: E::KIND })?;
        Ok(E::Model::from_query_result(&row, "")?)
    }

    /// Deletes a row that was read in this transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] when other rows still need it.
    pub async fn delete<E: Owned>(&mut self, row: &E::Model, action: &'static str) -> Result<()> {
        let delete = E::delete_many()
            .filter(E::ID.eq(row.get(E::ID)))
            .filter(self.own::<E>());
        if delete.exec(&self.transaction).await?.rows_affected == 0 {
            return Err(Error::NotFound { kind: E::KIND });
        }
        let before: Map<String, Json> = select::ordinary::<E>()
            .map(|column| {
                (
                    column.as_str().to_owned(),
                    shown_value::<E>(column, &row.get(column)),
                )
            })
            .collect();
        self.record::<E>(row, action, json!({ "before": before, "after": null }));
        Ok(())
    }

    /// Enters into the ledger that something happened which changed no column of a row.
    pub fn note<E: Owned>(&mut self, row: &E::Model, action: &'static str) {
        self.record::<E>(row, action, Json::Null);
    }

    /// Gives the answer something that is kept nowhere, such as a new token. An answer that is repeated lacks it.
    pub fn show_once(&mut self, text: String) {
        self.shown_once = Some(text);
    }

    /// What only this answer shows.
    pub(crate) fn shown_once(&mut self) -> Option<String> {
        self.shown_once.take()
    }

    /// Adds words to the entry of the change just made: a reason, a comment.
    pub fn explain(&mut self, message: impl Into<String>) {
        if let Some(entry) = self.entries.last_mut() {
            entry.message = Some(message.into());
        }
    }

    pub(super) fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The tenant a new row gets: what the system writes into shared tables belongs to none.
    fn owner<E: Owned>(&self) -> Value {
        if E::OWNERSHIP == Ownership::TenantOrGlobal && self.tenant().as_str() == SYSTEM_TENANT {
            return Value::String(None);
        }
        self.tenant().as_str().into()
    }

    /// "A row this actor may change": its tenant's own, never a global one unless the system writes.
    fn own<E: Owned>(&self) -> Condition {
        match self.owner::<E>() {
            Value::String(None) => Condition::all().add(E::TENANT.is_null()),
            tenant => Condition::all().add(E::TENANT.eq(tenant)),
        }
    }

    fn record<E: Owned>(&mut self, row: &E::Model, action: &'static str, diff: Json) {
        let value = |name| column::<E>(name).and_then(|column| text(row.get(column)));
        self.entries.push(Entry {
            action,
            target_type: E::KIND,
            target_id: text(row.get(E::ID)).map(Id),
            target_user_id: E::USER.and_then(|column| text(row.get(column))).map(Id),
            target_title: value("title")
                .or_else(|| value("name"))
                .or_else(|| value("slug")),
            project_id: if E::KIND == "Project" {
                value("id")
            } else {
                value("projectId")
            }
            .map(Id),
            diff,
            message: None,
        });
    }
}
