//! Steps of state machines, as a transaction takes them.

use super::Tx;
use crate::{
    domain::{
        canonical::canonical,
        digest::sha256,
        machine::{Machine, Standing, Step, To, refusal},
    },
    error::{Error, Result},
    store::{
        diff::{column, shown, shown_value, text},
        order::to_json,
        select,
    },
};
use entity::{Id, Owned};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic,
    IntoActiveModel, Iterable, ModelTrait, QueryFilter, QueryTrait, Value,
    sea_query::{Expr, Query},
};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

type Model<T> = <<T as Step>::Entity as EntityTrait>::Model;
type Changes<T> = <<T as Step>::Entity as EntityTrait>::ActiveModel;

const VERSION: &str = "version";
const PAUSED_AT: &str = "pausedAt";
const PAUSED_BY: &str = "pausedById";
const WAITING_REASON: &str = "waitingReason";

/// Where a row stands in its machine.
///
/// # Errors
/// When its status is none of the machine's.
pub(crate) fn standing<E: Machine>(row: &E::Model) -> Result<Standing<E::State>> {
    let value = |name| column::<E>(name).map(|column| row.get(column));
    let word = |name| value(name).and_then(text);
    let state = word(E::STATUS).ok_or_else(|| Error::internal("a row without a status"))?;
    Ok(Standing {
        state: sea_orm::ActiveEnum::try_from_value(&state)?,
        is_paused: value(PAUSED_AT).is_some_and(|at| at != at.as_null()),
        waiting: word(WAITING_REASON),
    })
}

/// The project that a row belongs to; nothing when its table belongs to none.
pub(crate) fn project_of<E: Owned>(row: &E::Model) -> Option<Id> {
    let column = column::<E>("projectId")?;
    text(row.get(column)).map(Id)
}

impl Tx<'_> {
    /// Takes a step with a row that was read in this transaction, with these other changes.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it has no such step where it stands; otherwise as
    /// [`update`](Tx::update).
    pub(crate) async fn take<T: Step>(
        &mut self,
        before: &Model<T>,
        step: T,
        changes: Changes<T>,
    ) -> Result<Model<T>>
    where
        Changes<T>: ActiveModelTrait<Entity = T::Entity> + Send,
        Model<T>: IntoActiveModel<Changes<T>>,
    {
        let entries = self.entries.len();
        let row = self.step(before, step, changes, None).await?;
        if self.entries.len() == entries {
            self.note::<T::Entity>(&row, step.rule().entry);
        }
        Ok(row)
    }

    /// The same for a step that changes what a row says: without a difference nothing happened, and a version that counts the
    /// changes is none.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(crate) async fn edit<T: Step>(
        &mut self,
        before: &Model<T>,
        step: T,
        changes: Changes<T>,
    ) -> Result<Model<T>>
    where
        Changes<T>: ActiveModelTrait<Entity = T::Entity> + Send,
        Model<T>: IntoActiveModel<Changes<T>>,
    {
        self.step(before, step, changes, Some(VERSION)).await
    }

    async fn step<T: Step>(
        &mut self,
        before: &Model<T>,
        step: T,
        changes: Changes<T>,
        but_for: Option<&str>,
    ) -> Result<Model<T>>
    where
        Changes<T>: ActiveModelTrait<Entity = T::Entity> + Send,
        Model<T>: IntoActiveModel<Changes<T>>,
    {
        let changes = self.changes(&standing::<T::Entity>(before)?, step, changes)?;
        let (entry, status) = (step.rule().entry, T::Entity::STATUS);
        self.change::<T::Entity, Changes<T>>(before, changes, Some(entry), status, but_for)
            .await
    }

    /// Takes the step that deletes a row that was read and locked in this transaction. Returns the ids of all that went.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it cannot be deleted where it stands; otherwise as [`delete`](Tx::delete).
    pub(crate) async fn take_away<T: Step>(&mut self, row: &Model<T>, step: T) -> Result<Vec<Id>> {
        let (rule, now) = (step.rule(), standing::<T::Entity>(row)?);
        match rule.to {
            To::Gone if rule.is_open(&now) => self.delete::<T::Entity>(row, rule.entry).await,
            To::Gone => Err(refusal(step, &now)),
            _ => Err(Error::internal("a step that deletes nothing")),
        }
    }

    /// Takes the same step with several rows that were read and locked in this transaction, in one statement. The other
    /// changes name no large column.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(crate) async fn take_each<T: Step>(
        &mut self,
        before: &[Model<T>],
        step: T,
        changes: Changes<T>,
    ) -> Result<Vec<Model<T>>>
    where
        Changes<T>: ActiveModelTrait<Entity = T::Entity> + Send,
    {
        let Some(first) = before.first() else {
            return Ok(Vec::new());
        };
        let changes = self.changes(&standing::<T::Entity>(first)?, step, changes)?;
        for row in &before[1..] {
            let now = standing::<T::Entity>(row)?;
            if !step.rule().is_open(&now) {
                return Err(refusal(step, &now));
            }
        }
        self.update_each::<T::Entity, _>(before, changes, step.rule().entry)
            .await
    }

    /// Makes the same changes in several rows that were read and locked in this transaction, in one statement. They name no
    /// large column.
    ///
    /// # Errors
    /// If a constraint refuses.
    pub async fn update_each<E, A>(
        &mut self,
        before: &[E::Model],
        changes: A,
        action: &'static str,
    ) -> Result<Vec<E::Model>>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
    {
        self.change_each::<E, A>(before, changes, Some(action))
            .await
    }

    /// The same in a way that the ledger does not tell of: signs of life of several rows. They name no column that is searched,
    /// and no status.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn update_each_untold<E, A>(
        &mut self,
        before: &[E::Model],
        changes: A,
    ) -> Result<Vec<E::Model>>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
    {
        self.change_each::<E, A>(before, changes, None).await
    }

    async fn change_each<E, A>(
        &mut self,
        before: &[E::Model],
        mut changes: A,
        action: Option<&'static str>,
    ) -> Result<Vec<E::Model>>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
    {
        if before.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(updated) = column::<E>(super::UPDATED_AT) {
            changes.set(updated, self.now.into());
        }
        let ids: Vec<String> = { before.iter() }
            .filter_map(|row| text(row.get(E::ID)))
            .collect();
        let keys = ids.iter().map(String::as_str);
        let is_one = select::is_any_of(Expr::col(E::ID), keys, self.place().backend());
        let mut update = E::update_many().filter(is_one).filter(self.own::<E>());
        for column in E::Column::iter() {
            if let ActiveValue::Set(value) = changes.get(column) {
                update = update.col_expr(column, Expr::val(value));
            }
        }
        let mut update = update.into_query();
        update.returning(Query::returning().columns(select::ordinary::<E>()));
        let mut written = HashMap::with_capacity(before.len());
        for row in self.transaction.query_all(&update).await? {
            let row = E::Model::from_query_result(&row, "")?;
            written.insert(text(row.get(E::ID)), row);
        }
        let mut rows = Vec::with_capacity(before.len());
        for before in before {
            let row = written.remove(&text(before.get(E::ID)));
            let row = row.ok_or_else(|| Error::internal("a locked row vanished"))?;
            if let Some(action) = action {
                let (old, new) = difference::<E, A>(before, &changes);
                self.record::<E>(&row, action, json!({ "before": old, "after": new }));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// The changes with what the step itself changes.
    fn changes<T: Step>(
        &self,
        now: &Standing<<T::Entity as Machine>::State>,
        step: T,
        mut changes: Changes<T>,
    ) -> Result<Changes<T>>
    where
        Changes<T>: ActiveModelTrait<Entity = T::Entity>,
    {
        let rule = step.rule();
        if !rule.is_open(now) {
            return Err(refusal(step, now));
        }
        let mut set = |name: &str, value: Value| match column::<T::Entity>(name) {
            Some(column) => {
                changes.set(column, value);
                Ok(())
            }
            None => Err(Error::internal(format!("there is no column {name}"))),
        };
        match rule.to {
            To::Same => {}
            To::Gone => return Err(Error::internal("a row that goes is deleted")),
            To::State(to) => set(T::Entity::STATUS, sea_orm::ActiveEnum::to_value(&to).into())?,
            To::Paused => {
                let user = self.writer().user_id();
                set(PAUSED_AT, self.now.into())?;
                set(PAUSED_BY, user.map(|user| user.0.clone()).into())?;
            }
            To::Resumed => {
                set(PAUSED_AT, Value::ChronoDateTimeUtc(None))?;
                set(PAUSED_BY, Value::String(None))?;
            }
        }
        Ok(changes)
    }

    /// The row again, with all of its large columns.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is gone.
    pub(crate) async fn whole<E: Owned>(&self, row: &E::Model) -> Result<E::Model> {
        self.with_columns::<E>(row, E::LARGE).await
    }
}

/// SHA-256, in hex, of what these columns hold of a row that was read with them.
pub(crate) fn digest<E: Owned>(row: &E::Model, columns: &[E::Column]) -> String {
    let shown = columns.iter().map(|column| {
        let value = to_json(&row.get(*column));
        (column.as_str().to_owned(), value)
    });
    sha256(canonical(&Json::Object(shown.collect())))
}

/// What a row's change was, as the ledger shows it: before and after.
pub(super) fn difference<E, A>(
    before: &E::Model,
    changes: &A,
) -> (Map<String, Json>, Map<String, Json>)
where
    E: Owned,
    A: ActiveModelTrait<Entity = E>,
{
    let after = shown::<E, A>(changes, |column, value| before.get(column) != *value);
    let old = after.keys().filter_map(|name| {
        let column = column::<E>(name)?;
        Some((name.clone(), shown_value::<E>(column, &before.get(column))))
    });
    (old.collect(), after)
}
