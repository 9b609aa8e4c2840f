//! What a transaction that writes reads, and how it locks that.

use super::{SYSTEM_TENANT, Tx};
use crate::{
    error::{Error, Result},
    store::{
        diff::column,
        loaders::NUMBER,
        select::{self, Place},
    },
};
use entity::{Id, Owned, Ownership, tenant};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, FromQueryResult,
    sea_query::{Expr, ExprTrait, LockType, Order, Query},
};

impl Tx<'_> {
    /// The rows that satisfy a condition, locked until the transaction ends (but for tables with global rows).
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rows<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        self.read::<E>(condition, Some(LockType::Update), None)
            .await
    }

    /// The newest so many of them.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn newest_rows<E: Owned>(
        &self,
        most: u64,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        self.read::<E>(condition, Some(LockType::Update), Some(most))
            .await
    }

    /// The newest of them, with large columns that ordinary reads leave out.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn newest_row_with<E: Owned>(
        &self,
        columns: &[E::Column],
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Option<E::Model>> {
        let (lock, newest) = (Some(LockType::Update), Some(1));
        let found = self.read_with::<E>(columns, condition, lock, newest);
        Ok(found.await?.pop())
    }

    /// The rows that satisfy a condition, as they stay until the transaction ends. Many may hold the same rows at once.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn held_rows<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        self.read::<E>(condition, Some(LockType::Share), None).await
    }

    /// The rows that satisfy a condition, which others may change meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn unlocked_rows<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        self.read::<E>(condition, None, None).await
    }

    /// Some of the rows that satisfy a condition, so many at most, which others may change meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn unlocked_rows_up_to<E: Owned>(
        &self,
        most: u64,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Vec<E::Model>> {
        self.read::<E>(condition, None, Some(most)).await
    }

    /// The row with the largest value in a column, of those that satisfy a condition. Others may change it meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn last_row<E: Owned>(
        &self,
        by: E::Column,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<Option<E::Model>> {
        let mut select = select::select::<E>(self.place());
        select
            .cond_where(condition(self.place()))
            .order_by_expr(self.place().column(by), Order::Desc)
            .limit(1);
        let row = self.transaction.query_one(&select).await?;
        Ok(row
            .map(|row| E::Model::from_query_result(&row, ""))
            .transpose()?)
    }

    /// How many rows satisfy a condition.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn count<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<u64> {
        let mut select = select::bare::<E>(self.place());
        select
            .expr_as(Expr::cust("COUNT(*)"), NUMBER)
            .cond_where(condition(self.place()));
        let row = self.transaction.query_one(&select).await?;
        let number: i64 = row.map_or(Ok(0), |row| row.try_get("", NUMBER))?;
        Ok(number.unsigned_abs())
    }

    /// Whether more than so many rows satisfy a condition, whoever sees them, without counting how many more.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn are_more_than<E: Owned>(
        &self,
        most: u64,
        condition: impl FnOnce(Place<'_>) -> Condition,
    ) -> Result<bool> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let mut select = select::bare::<E>(place);
        select
            .expr(Expr::val(1))
            .cond_where(condition(place))
            .limit(1)
            .offset(most);
        Ok(self.transaction.query_one(&select).await?.is_some())
    }

    async fn read<E: Owned>(
        &self,
        condition: impl FnOnce(Place<'_>) -> Condition,
        lock: Option<LockType>,
        newest: Option<u64>,
    ) -> Result<Vec<E::Model>> {
        self.read_with::<E>(&[], condition, lock, newest).await
    }

    async fn read_with<E: Owned>(
        &self,
        large: &[E::Column],
        condition: impl FnOnce(Place<'_>) -> Condition,
        lock: Option<LockType>,
        newest: Option<u64>,
    ) -> Result<Vec<E::Model>> {
        let mut select = select::select::<E>(self.place());
        let large = large.iter().map(|column| self.place().column(*column));
        select.exprs(large).cond_where(condition(self.place()));
        if let (Some(most), Some(created)) = (newest, column::<E>("createdAt")) {
            let created = self.place().column(created);
            select.order_by_expr(created, Order::Desc).limit(most);
        }
        // Global rows are nobody's to change, so a tenant cannot lock them.
        let lockable = E::OWNERSHIP == Ownership::Tenant || self.tenant().as_str() == SYSTEM_TENANT;
        if let Some(lock) = lock.filter(|_| lockable) {
            // Two that lock several rows do so in one order.
            select.order_by_expr(self.place().column(E::ID), Order::Asc);
            self.place().lock(&mut select, lock);
        }
        let rows = self.transaction.query_all(&select).await?;
        rows.iter()
            .map(|row| Ok(E::Model::from_query_result(row, "")?))
            .collect()
    }

    /// Waits for all others of the workspace that hold this lock, so that what is free when it is looked for stays free
    /// until the commit. So do those that decide by its settings; others write meanwhile.
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

    /// The workspace as it stays until the transaction ends, also for an agent, who does not see it. Many may hold it at
    /// once.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn workspace(&self) -> Result<tenant::Model> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let mut select = select::select::<tenant::Entity>(place);
        select.and_where(place.column(tenant::Column::Id).eq(self.tenant().as_str()));
        place.lock(&mut select, LockType::Share);
        let row = self.transaction.query_one(&select).await?;
        let row = row.ok_or_else(|| Error::internal("a transaction without a workspace"))?;
        Ok(tenant::Model::from_query_result(&row, "")?)
    }

    /// The row with this id, locked until the transaction ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant has none.
    pub async fn get<E: Owned>(&self, id: &Id) -> Result<E::Model> {
        self.one::<E>(id, LockType::Update).await
    }

    /// The row with this id, locked until the transaction ends, to change what nothing points to it by: others may write rows
    /// that point to it meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant has none.
    pub(crate) async fn get_gently<E: Owned>(&self, id: &Id) -> Result<E::Model> {
        self.one::<E>(id, LockType::NoKeyUpdate).await
    }

    /// The row with this id, as it stays until the transaction ends: for one whose state decides what may be written beside
    /// it. Many may hold the same row at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant has none.
    pub async fn hold<E: Owned>(&self, id: &Id) -> Result<E::Model> {
        self.one::<E>(id, LockType::Share).await
    }

    /// The row with this id, which nobody deletes until the transaction ends: for one that something is about to point to.
    /// What else changes in it, changes.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant has none.
    pub async fn keep<E: Owned>(&self, id: &Id) -> Result<E::Model> {
        self.one::<E>(id, LockType::KeyShare).await
    }

    /// The row with this id, if there is one, which others may change meanwhile: for what says which rows to lock before it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn find<E: Owned>(&self, id: &Id) -> Result<Option<E::Model>> {
        self.with_id::<E>(id, None).await
    }

    /// The same, with large columns that ordinary reads leave out.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn find_with<E: Owned>(
        &self,
        id: &Id,
        columns: &[E::Column],
    ) -> Result<Option<E::Model>> {
        let is_it = |place: Place<'_>| Condition::all().add(place.column(E::ID).eq(id.as_str()));
        let found = self.read_with::<E>(columns, is_it, None, None);
        Ok(found.await?.pop())
    }

    async fn one<E: Owned>(&self, id: &Id, lock: LockType) -> Result<E::Model> {
        let found = self.with_id::<E>(id, Some(lock)).await?;
        found.ok_or(Error::NotFound { kind: E::KIND })
    }

    async fn with_id<E: Owned>(&self, id: &Id, lock: Option<LockType>) -> Result<Option<E::Model>> {
        let is_it = |place: Place<'_>| Condition::all().add(place.column(E::ID).eq(id.as_str()));
        Ok(self.read::<E>(is_it, lock, None).await?.pop())
    }

    /// Like [`keep`](Self::keep), when there is an id at all.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is an id and the tenant has no such row.
    pub async fn keep_some<E: Owned>(&self, id: Option<&Id>) -> Result<Option<E::Model>> {
        match id {
            Some(id) => self.keep::<E>(id).await.map(Some),
            None => Ok(None),
        }
    }
}
