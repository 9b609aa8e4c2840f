//! One operation's view of one tenant: the only way for the rest of the program to reach a row.

use super::{
    Store,
    filter::Filter,
    given::{limited, names_project},
    loaders::{NUMBER, View},
    meter::Meter,
    order::{Ordering, SortKey, oldest_first},
    page::{List, PageArgs, PageRows},
    questions::{ColumnOf, CountOf, PageOf, RowBy},
    row::{Columns, Row},
    seal::Places,
    snapshot::Snapshot,
    tx::Tx,
};
use crate::{
    auth::{self, Actor},
    error::{Error, Result},
    vault::Vault,
};
use async_graphql::Value;
use entity::{Column, Id, Owned, Shape, Timestamp};
use sea_orm::{
    Condition, QueryResult, TryGetable,
    sea_query::{Expr, ExprTrait},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The most columns that a list is sorted by.
const MOST_STEPS: u64 = 20;

/// What an actor can read and write, within its tenant, for the time of one operation. Cheap to clone.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

struct Inner {
    store: Store,
    actor: Actor,
    /// How long a statement may take; without it, as long as it takes.
    patience: Option<Duration>,
    view: Mutex<Arc<View>>,
    meter: Arc<Meter>,
}

/// The rows a list is taken from: the whole tenant's, or those that point to a parent.
pub type Parent<'p> = Option<(&'static Column, &'p Id)>;

impl Scope {
    pub(super) fn new(
        store: Store,
        actor: Actor,
        patience: Option<Duration>,
        meter: Arc<Meter>,
    ) -> Self {
        let view = Mutex::new(store.view(&actor, patience, &meter));
        Self(Arc::new(Inner {
            store,
            actor,
            patience,
            view,
            meter,
        }))
    }

    /// Who asks.
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// The same view, with lists that are not narrowed to the project that the actor is at work in.
    pub(crate) fn across_projects(&self) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            store: inner.store.clone(),
            actor: inner.actor.clone().across_projects(),
            patience: inner.patience,
            view: Mutex::new(self.view()),
            meter: inner.meter.clone(),
        }))
    }

    /// The present moment, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.store().clock().now()
    }

    /// What secrets are sealed with, and where they may be sent.
    pub(crate) fn vault(&self) -> &Vault {
        self.store().vault()
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn patience(&self) -> Option<Duration> {
        self.0.patience
    }

    pub(super) fn view(&self) -> Arc<View> {
        self.0
            .view
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What measures the operation.
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.0.meter
    }

    /// Forgets what was read, so that what follows sees what was just written, and holds no connection until it reads.
    pub(crate) fn renew(&self) {
        let inner = &self.0;
        let fresh = inner.store.view(&inner.actor, inner.patience, &inner.meter);
        *inner.view.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    /// Whether the actor sees any row of a table.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if not: then rows of it are not absent but withheld, and a page should know.
    pub fn sees<E: Owned>(&self) -> Result<()> {
        auth::rows(self.actor(), E::TABLE).map(drop)
    }

    /// The row with this id, if the actor sees it.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if it sees none of the table; or if the database fails.
    pub async fn find<E: Owned>(&self, id: &Id) -> Result<Option<Arc<E::Model>>> {
        self.find_by::<E>(E::ID, id).await
    }

    /// The row whose unique column has this value.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn find_by<E: Owned>(
        &self,
        column: E::Column,
        value: &Id,
    ) -> Result<Option<Arc<E::Model>>> {
        let columns = Columns::ordinary(E::shape());
        let row = self.row(E::column(column), value, columns, Vec::new());
        let row = row.await?;
        Ok(row.map(|row| row.model::<E>()).transpose()?.map(Arc::new))
    }

    /// These columns of the row whose unique column has this value, with large columns of it that are about to be
    /// [shown](Self::large).
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the actor sees none of the table; or if the database fails.
    pub(crate) async fn row(
        &self,
        by: &'static Column,
        value: &Id,
        columns: Arc<Columns>,
        large: Vec<&'static Column>,
    ) -> Result<Option<Arc<Row>>> {
        auth::rows(self.actor(), by.table)?;
        let question = RowBy {
            by,
            value: value.clone(),
            columns,
            large,
        };
        self.view().ask(question).await
    }

    /// The row with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant has none.
    pub async fn get<E: Owned>(&self, id: &Id) -> Result<Arc<E::Model>> {
        self.find::<E>(id)
            .await?
            .ok_or(Error::NotFound { kind: E::KIND })
    }

    /// The oldest row, if there is any.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn first<E: Owned>(&self) -> Result<Option<Arc<E::Model>>> {
        let view = self.view();
        let columns = Columns::ordinary(E::shape());
        let mut select = super::select::read(&columns, &[], view.place());
        let named = |column: &'static Column| view.place().named(column.name);
        oldest_first(E::shape()).apply(&mut select, named, false);
        let row = view.rows(select.limit(1), &columns, &[]).await?.pop();
        Ok(row.map(|row| row.model::<E>()).transpose()?.map(Arc::new))
    }

    /// One large column of a row: as it was read with the row, or else read together with the others that are asked for
    /// meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn large<E: Owned, T: TryGetable>(
        &self,
        column: E::Column,
        id: &Id,
    ) -> Result<Option<T>> {
        let column = E::column(column);
        match self.large_row(column, id).await? {
            Some(row) => Ok(row.try_get("", column.name)?),
            None => Ok(None),
        }
    }

    async fn large_row(
        &self,
        column: &'static Column,
        id: &Id,
    ) -> Result<Option<Arc<QueryResult>>> {
        let view = self.view();
        if let Some(row) = view.read_with(column, id) {
            return Ok(Some(row));
        }
        let id = id.clone();
        view.ask(ColumnOf { column, id }).await
    }

    /// Decides a list: its filter, its order and the page of it.
    ///
    /// # Errors
    /// When filter, order or page cannot be accepted.
    pub fn list(
        &self,
        shape: &'static Shape,
        parent: Parent<'_>,
        filter: Option<&dyn Filter>,
        order: Vec<SortKey>,
        page: &PageArgs,
    ) -> Result<Arc<List>> {
        let asked = filter.map(limited).transpose()?;
        self.must_name_a_project(shape, parent, asked)?;
        Error::within(
            "The number of steps of an order",
            MOST_STEPS,
            order.len() as u64,
        )?;
        let view = self.view();
        let mut condition = filter.map_or_else(
            || Ok(Condition::all()),
            |filter| filter.condition(view.place()),
        )?;
        // What is below a row that was found by itself is shown whole.
        let project = self.actor().project().filter(|_| parent.is_none());
        if let (Some(project), Some(column)) = (project, shape.column("projectId")) {
            condition = condition.add(view.place().named(column.name).eq(project.as_str()));
        }
        let ordering = Ordering::new(shape, order);
        let filter = asked.map(|filter| filter.to_string()).unwrap_or_default();
        let (tenant, role) = (self.actor().tenant(), self.actor().role());
        let by = parent.map_or("", |(column, _)| column.name);
        let project = project.map_or("", |project| project.as_str());
        let name = format!(
            "{tenant}|{role:?}|{project}|{}|{by}|{}|{filter}",
            shape.table.name(),
            ordering.name()
        );
        let seal = self.store().seal().of(&name);
        let position = |cursor: &str| self.store().feed_position(tenant, cursor).ok();
        List::new(shape, name, condition, ordering, page, seal, position).map(Arc::new)
    }

    /// The places in a list that is in no table, by the name that no other such list of the workspace has.
    pub(crate) fn places(&self, list: &str) -> Places {
        let tenant = self.actor().tenant();
        Places(self.store().seal().of(&format!("{tenant}|{list}")))
    }

    /// Costs are read of one project at a time by who does not read all: the one it is at work in, the parent's, or the
    /// filter's.
    fn must_name_a_project(
        &self,
        shape: &'static Shape,
        parent: Parent<'_>,
        filter: Option<&Value>,
    ) -> Result<()> {
        let named = match parent {
            // Whatever rows point to is in one project, but for people and workspaces.
            Some((column, _)) => !["userId", "tenantId"].contains(&column.name),
            None => self.actor().project().is_some(),
        };
        let named = named || filter.is_some_and(names_project);
        if auth::rows(self.actor(), shape.table)? == auth::Rows::OfProjects && !named {
            // The header narrows lists of the workspace, not what is below a row.
            let or = match parent {
                Some(_) => "",
                None => ", or in the header X-Project-Id",
            };
            return Err(Error::Forbidden(format!(
                "Your role reads the costs of one project at a time. Name it: `filter: {{projectId: {{eq: …}}}}`{or}."
            )));
        }
        Ok(())
    }

    /// The rows of a list's page: these of their columns, with large columns of them that are about to be
    /// [shown](Self::large).
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn page(
        &self,
        parent: Parent<'_>,
        list: &Arc<List>,
        columns: Arc<Columns>,
        large: Vec<&'static Column>,
    ) -> Result<PageRows> {
        let view = self.view();
        let Some((by, id)) = parent else {
            let columns = list.columns(&columns);
            let select = list.root_select(view.place(), &columns, &large);
            return Ok(list.page(view.rows(&select, &columns, &large).await?));
        };
        let question = PageOf {
            by,
            parent: id.clone(),
            list: list.clone(),
            columns,
            large,
        };
        view.ask(question).await
    }

    /// How many rows a list has.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count(&self, parent: Parent<'_>, list: &Arc<List>) -> Result<i64> {
        let view = self.view();
        if let Some((by, id)) = parent {
            let (parent, list) = (id.clone(), list.clone());
            return view.ask(CountOf { by, parent, list }).await;
        }
        let mut select = super::select::of(list.shape(), view.place());
        select
            .expr_as(Expr::cust("COUNT(*)"), NUMBER)
            .cond_where(list.condition.clone());
        view.number(&select).await
    }

    /// Begins to write. The operation's snapshot ends here; what is read after the commit is read anew.
    ///
    /// # Errors
    /// If no connection can be had.
    pub async fn begin(&self) -> Result<Tx<'_>> {
        self.renew();
        Tx::begin(self).await
    }
}

impl Store {
    fn view(&self, actor: &Actor, patience: Option<Duration>, meter: &Arc<Meter>) -> Arc<View> {
        let snapshot = Snapshot::new(self.readers().clone(), actor.tenant().clone(), patience);
        View::new(snapshot.measured(meter.clone()), actor.clone())
    }
}
