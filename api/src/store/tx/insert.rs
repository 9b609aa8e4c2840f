//! New rows.

use super::Tx;
use crate::{
    error::{Error, Result},
    store::{
        diff::{CREATED_AT, UPDATED_AT, column, is_deferred, kept, shown, text},
        select,
    },
};
use entity::{Id, Owned};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, IntoActiveModel,
    ModelTrait, QueryTrait,
    sea_query::{OnConflict, Query},
};
use serde_json::{Map, json};
use std::collections::HashMap;

impl Tx<'_> {
    /// Writes a new row under a new id. The ledger's `after` is the row as it was written, with what the database's
    /// defaults decided.
    ///
    /// # Errors
    /// If a constraint refuses it.
    pub async fn insert<E, A>(&mut self, row: A, action: &'static str) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.write_one(None, row, Some(action)).await
    }

    /// Writes new rows in one statement, each as [`insert`](Self::insert) does, and returns them in their order. All set
    /// the same columns.
    ///
    /// # Errors
    /// If a constraint refuses one.
    pub async fn insert_all<E, A>(
        &mut self,
        rows: Vec<A>,
        action: &'static str,
    ) -> Result<Vec<E::Model>>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.write(None, rows, None, Some(action)).await
    }

    /// Writes a new row that the ledger does not tell of: a call of a provider, which is counted and not narrated.
    ///
    /// # Errors
    /// If a constraint refuses it.
    pub async fn insert_untold<E, A>(&mut self, row: A) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.write_one(None, row, None).await
    }

    /// Writes new rows that the ledger does not tell of, in one statement. All set the same columns.
    ///
    /// # Errors
    /// If a constraint refuses one.
    pub async fn insert_all_untold<E, A>(&mut self, rows: Vec<A>) -> Result<()>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.write(None, rows, None, None).await.map(drop)
    }

    /// Writes those new rows whose value in this column, which is unique within the tenant, no row has yet.
    ///
    /// # Errors
    /// If another constraint refuses one.
    pub async fn insert_missing<E, A>(
        &mut self,
        rows: Vec<A>,
        unique: E::Column,
        action: &'static str,
    ) -> Result<Vec<E::Model>>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        let known = OnConflict::columns([E::TENANT, unique])
            .do_nothing()
            .to_owned();
        self.write(None, rows, Some(known), Some(action)).await
    }

    /// Writes a new row under an id that was made for it: for what is sealed for the row that it is written into.
    ///
    /// # Errors
    /// If a constraint refuses it.
    pub(crate) async fn insert_under<E, A>(
        &mut self,
        id: &Id,
        row: A,
        action: &'static str,
    ) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        self.write_one(Some(id), row, Some(action)).await
    }

    async fn write_one<E, A>(
        &mut self,
        id: Option<&Id>,
        row: A,
        action: Option<&'static str>,
    ) -> Result<E::Model>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        let written = self.write(id, vec![row], None, action).await?.pop();
        written.ok_or_else(|| Error::internal("an insert returned nothing"))
    }

    async fn write<E, A>(
        &mut self,
        id: Option<&Id>,
        mut rows: Vec<A>,
        on_conflict: Option<OnConflict>,
        action: Option<&'static str>,
    ) -> Result<Vec<E::Model>>
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let defaulted: Vec<_> = { E::LARGE.iter().copied() }
            .filter(|column| !first.get(*column).is_set())
            .collect();
        let mut told = HashMap::with_capacity(rows.len());
        for (place, row) in rows.iter_mut().enumerate() {
            let id = self.complete::<E, A>(id, row);
            let after = match action {
                Some(_) => shown::<E, A>(row, |column, value| {
                    is_deferred::<E>(column) && value != &value.as_null()
                }),
                None => Map::new(),
            };
            told.insert(id, (place, after));
        }
        let mut insert = E::insert_many(rows).into_query();
        if let Some(on_conflict) = on_conflict {
            insert.on_conflict(on_conflict);
        }
        let read = select::ordinary::<E>().chain(defaulted.iter().copied());
        insert.returning(Query::returning().columns(read));
        let mut written = Vec::with_capacity(told.len());
        for row in self.transaction.query_all(&insert).await? {
            let model = E::Model::from_query_result(&row, "")?;
            let id = text(model.get(E::ID)).unwrap_or_default();
            let told = told.remove(&id);
            let (place, after) =
                told.ok_or_else(|| Error::internal("an insert returned another row"))?;
            written.push((place, after, model));
        }
        // No database promises to return them in the order in which it was given them.
        written.sort_unstable_by_key(|(place, ..)| *place);
        let mut models = Vec::with_capacity(written.len());
        for (_, mut after, model) in written {
            if let Some(action) = action {
                let columns = select::ordinary::<E>().chain(defaulted.iter().copied());
                after.extend(kept::<E>(&model, columns));
                self.record::<E>(&model, action, json!({ "before": null, "after": after }));
            }
            models.push(model);
        }
        Ok(models)
    }

    /// Gives a new row its id, its tenant and its times, and returns the id.
    fn complete<E, A>(&self, id: Option<&Id>, row: &mut A) -> String
    where
        E: Owned + EntityTrait<ActiveModel = A>,
        A: ActiveModelTrait<Entity = E>,
    {
        let id = if E::ID.as_str() == E::TENANT.as_str() {
            self.tenant().0.clone()
        } else {
            id.map_or_else(cuid2::create_id, |id| id.0.clone())
        };
        row.set(E::TENANT, self.owner::<E>());
        row.set(E::ID, id.clone().into());
        for name in [CREATED_AT, UPDATED_AT] {
            // A row that is imported or seeded may say when it came about.
            if let Some(column) = column::<E>(name)
                && !row.get(column).is_set()
            {
                row.set(column, self.now.into());
            }
        }
        id
    }
}
