//! Every write. A transaction sets id, tenant and times itself, and cannot commit a change without its ledger entry.

mod claim;
mod commit;
mod delete;
mod insert;
mod next;
mod read;
mod step;

pub(crate) use next::Sought;
pub use next::{PLANNED_ONCE, next_ticket_sql};
use step::difference;
pub(crate) use step::{digest, project_of, standing};

use super::{
    Scope,
    diff::{UPDATED_AT, column, text},
    ledger::{Course, Entry},
    select::{self, Place},
    transaction::Transaction,
};
use crate::{
    auth::Actor,
    error::{Error, Result},
    post::Post,
};
use entity::{Id, Owned, Ownership, Shape, Table, Timestamp};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait,
    FromQueryResult, IntoActiveModel, Iterable, ModelTrait, QueryFilter, QueryTrait, Value,
    sea_query::{ExprTrait, Query},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The part of the server that reads what the actor need not see.
const COMPONENT: &str = "transaction";

/// The column that says where a row stands, unless its machine names another.
const STATUS: &str = "status";

/// The tenant id of changes to what all tenants share.
pub(crate) const SYSTEM_TENANT: &str = "system";

/// A transaction that writes for one actor. Nothing of it is seen by others until [`commit`](Self::commit).
#[must_use = "dropping a Tx rolls it back"]
pub struct Tx<'s> {
    scope: &'s Scope,
    transaction: Transaction,
    now: Timestamp,
    /// Who acts in the place of the scope's actor; see [`as_of`](Self::as_of).
    instead: Option<Actor>,
    entries: Vec<Entry>,
    shown_once: Option<String>,
    /// The parts of the server that act by themselves in the actor's transaction, the one that acts now last.
    by_themselves: Vec<Actor>,
    /// Who sees all rows in place of who acts, while that is needed.
    eyes: Option<Actor>,
    /// The sessions whose jobs are counted before the commit, and whether they are locked.
    uncounted: BTreeMap<Id, bool>,
    /// Whether the ledger goes on after this.
    course: Course,
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
            instead: None,
            entries: Vec::new(),
            shown_once: None,
            by_themselves: Vec::new(),
            eyes: None,
            uncounted: BTreeMap::new(),
            course: Course::default(),
        })
    }

    /// The moment this transaction calls "now".
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// From now on it is this moment, and this actor writes: for what tells of the past, in the order of time.
    pub(crate) fn as_of(&mut self, at: Timestamp, actor: Actor) {
        self.now = at;
        self.instead = Some(actor);
    }

    /// Who writes, whatever parts of the server act for them by themselves.
    pub(crate) fn writer(&self) -> &Actor {
        let instead = self.instead.as_ref();
        instead.unwrap_or_else(|| self.scope.actor())
    }

    /// Who acts now: who writes, or a part of the server.
    fn acting(&self) -> &Actor {
        let itself = self.by_themselves.last();
        itself.unwrap_or_else(|| self.writer())
    }

    /// How the ledger names who acts now.
    pub(crate) fn actor(&self) -> String {
        self.acting().name()
    }

    /// What the transaction was begun in.
    pub fn scope(&self) -> &'s Scope {
        self.scope
    }

    /// How links reach people.
    pub(crate) fn post(&self) -> &'s Post {
        self.scope.store().post()
    }

    pub(super) fn tenant(&self) -> &'s Id {
        self.scope.actor().tenant()
    }

    pub(super) fn place(&self) -> Place<'_> {
        let eyes = self.eyes.as_ref().unwrap_or_else(|| self.acting());
        Place::outermost(eyes, self.scope.store().backend())
    }

    /// Does something with rows of the tenant that whoever acts need not see: what follows from rows that it does see. What is
    /// written is still its doing.
    ///
    /// # Errors
    /// What it answers.
    pub(crate) async fn unseen<R>(
        &mut self,
        act: impl for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<R>>,
    ) -> Result<R> {
        let all_seeing = self.all_seeing();
        let before = self.eyes.replace(all_seeing);
        let done = act(self).await;
        self.eyes = before;
        done
    }

    /// Does something as a part of the server that acts by itself: it sees all of the tenant's rows, and the ledger names it.
    ///
    /// # Errors
    /// What it answers.
    pub(crate) async fn by_itself<R>(
        &mut self,
        component: &'static str,
        act: impl for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<R>>,
    ) -> Result<R> {
        self.begin_by_itself(component);
        let done = act(self).await;
        self.end_by_itself();
        done
    }

    /// What reads what the actor need not see.
    pub(super) fn all_seeing(&self) -> Actor {
        Actor::system(self.tenant().clone(), COMPONENT)
    }

    /// Changes a row that was read in this transaction. Without a difference nothing is written.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the row is gone or its status is no longer what was read; or if a constraint refuses.
    pub async fn update<E, A>(
        &mut self,
        before: &E::Model,
        changes: A,
        action: &'static str,
    ) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.change::<E, A>(before, changes, Some(action), STATUS, None)
            .await
    }

    /// Changes a row in a way that the ledger does not tell of: a sign of life, which comes every few seconds. It names no
    /// column that is searched, and no status.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub(crate) async fn update_untold<E, A>(
        &mut self,
        before: &E::Model,
        changes: A,
    ) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.change::<E, A>(before, changes, None, STATUS, None)
            .await
    }

    /// Changes a row, if its status, in the column of that name, is still what was read. What changes nothing but one other
    /// column may be no change.
    async fn change<E, A>(
        &mut self,
        before: &E::Model,
        mut changes: A,
        action: Option<&'static str>,
        status: &str,
        but_for: Option<&str>,
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
        let (old, after) = difference::<E, A>(before, &changes);
        if after.keys().all(|name| Some(name.as_str()) == but_for) {
            return Ok(before.clone());
        }
        if let Some(column) = column::<E>(UPDATED_AT)
            && !changes.get(column).is_set()
        {
            changes.set(column, self.now.into());
        }
        let mut update = E::update_many()
            .filter(E::ID.eq(before.get(E::ID)))
            .filter(self.own::<E>());
        if let Some(status) = column::<E>(status) {
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
        if let Some(action) = action {
            self.record::<E>(&model, action, json!({ "before": old, "after": after }));
        }
        Ok(model)
    }

    /// The row again, with large columns that ordinary reads leave out.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is gone.
    pub(crate) async fn with_columns<E: Owned>(
        &self,
        row: &E::Model,
        columns: &[E::Column],
    ) -> Result<E::Model> {
        // Whoever could read the row may not see it any more: an agent that another one's job was given to.
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
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

    /// Enters into the ledger that something happened which changed no column of a row.
    pub fn note<E: Owned>(&mut self, row: &E::Model, action: &'static str) {
        self.record::<E>(row, action, Json::Null);
    }

    /// The same, with what changed beside the row.
    pub(crate) fn note_with<E: Owned>(&mut self, row: &E::Model, action: &'static str, diff: Json) {
        self.record::<E>(row, action, diff);
    }

    /// Says of which project and of which brief's life the entries of the changes just made are part, so many of them,
    /// where their rows do not say so themselves.
    pub fn belong_to(&mut self, entries: usize, project: &Id, brief: Option<&Id>) {
        for entry in self.entries.iter_mut().rev().take(entries) {
            entry.project_id = Some(project.clone());
            entry.prd_id = brief.cloned();
        }
    }

    /// From now on a part of the server acts by itself: it sees all of the tenant's rows, and the ledger names it.
    pub(crate) fn begin_by_itself(&mut self, component: &'static str) {
        let itself = Actor::system(self.tenant().clone(), component);
        self.by_themselves.push(itself);
    }

    /// From now on whoever acted before acts again.
    pub(crate) fn end_by_itself(&mut self) {
        self.by_themselves.pop();
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
        let value = |name: &str| column::<E>(name).and_then(|column| text(row.get(column)));
        let entry = self.entry(E::shape(), value, action, diff);
        self.entries.push(entry);
    }

    /// An entry about a row, whose columns hold these texts.
    fn entry(
        &self,
        shape: &'static Shape,
        value: impl Fn(&str) -> Option<String>,
        action: &'static str,
        diff: Json,
    ) -> Entry {
        let itself_or = |table: Table, pointer: &str| match shape.table == table {
            true => value(shape.id().name),
            false => value(pointer),
        };
        Entry {
            action,
            target_type: shape.table.name(),
            target_id: value(shape.id().name).map(Id),
            target_user_id: shape.user().and_then(|user| value(user.name)).map(Id),
            target_title: value("title")
                .or_else(|| value("name"))
                .or_else(|| value("slug")),
            project_id: itself_or(Table::Project, "projectId").map(Id),
            prd_id: itself_or(Table::PRD, "prdId").map(Id),
            diff,
            message: None,
            at: self.now,
            instead: { self.by_themselves.last() }
                .or(self.instead.as_ref())
                .cloned(),
        }
    }
}
