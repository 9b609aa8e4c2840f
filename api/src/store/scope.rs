//! One operation's view of one tenant: the only way for the rest of the program to reach a row.

use super::{
    Store,
    diff::column,
    filter::Filter,
    given::{limited, names_project},
    loaders::{NUMBER, View},
    meter::Meter,
    order::{Ordering, SortKey, oldest_first},
    page::{List, PageArgs, PageRows},
    questions::{By, ColumnOf, CountOf, PageOf, RowBy},
    seal::Places,
    snapshot::Snapshot,
    tx::Tx,
};
use crate::{
    auth::{self, Actor},
    error::{Error, Result},
};
use async_graphql::Value;
use entity::{Id, Owned, Timestamp};
use sea_orm::{
    Condition, IdenStatic, TryGetable,
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
pub type Parent<'p, E> = Option<(<E as sea_orm::EntityTrait>::Column, &'p Id)>;

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

    /// The present moment, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.store().clock().now()
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
        self.find_with::<E>(column, value, Vec::new()).await
    }

    /// The same row, with large columns of it that are about to be [shown](Self::large).
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn find_with<E: Owned>(
        &self,
        column: E::Column,
        value: &Id,
        large: Vec<E::Column>,
    ) -> Result<Option<Arc<E::Model>>> {
        self.sees::<E>()?;
        let question = RowBy::<E> {
            by: By(column),
            value: value.clone(),
            large: large.into_iter().map(By).collect(),
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
        let mut select = super::select::select::<E>(view.place());
        oldest_first::<E>().apply(&mut select, |column| view.place().column(column), false);
        Ok(view.models::<E>(select.limit(1)).await?.pop())
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
        let view = self.view();
        let row = match view.read_with::<E>(id, column) {
            Some(row) => Some(row),
            None => {
                let (by, id) = (By(column), id.clone());
                view.ask(ColumnOf::<E> { by, id }).await?
            }
        };
        match row {
            Some(row) => Ok(row.try_get("", column.as_str())?),
            None => Ok(None),
        }
    }

    /// Decides a list: its filter, its order and the page of it.
    ///
    /// # Errors
    /// When filter, order or page cannot be accepted.
    pub fn list<E: Owned, F: Filter<E>>(
        &self,
        parent: Parent<'_, E>,
        filter: Option<&F>,
        order: Vec<SortKey<E>>,
        page: &PageArgs,
    ) -> Result<Arc<List<E>>> {
        let asked = filter.map(limited).transpose()?;
        self.must_name_a_project::<E>(parent, asked.as_ref())?;
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
        if let (Some(project), Some(column)) = (project, column::<E>("projectId")) {
            condition = condition.add(view.place().column(column).eq(project.as_str()));
        }
        let ordering = Ordering::new(order);
        let filter = asked.map(|filter| filter.to_string()).unwrap_or_default();
        let (tenant, role) = (self.actor().tenant(), self.actor().role());
        let by = parent.map_or("", |(column, _)| column.as_str());
        let project = project.map_or("", |project| project.as_str());
        let name = format!(
            "{tenant}|{role:?}|{project}|{}|{by}|{}|{filter}",
            E::KIND,
            ordering.name()
        );
        let seal = self.store().seal().of(&name);
        let position = |cursor: &str| self.store().feed_position(tenant, cursor).ok();
        List::new(name, condition, ordering, page, seal, position).map(Arc::new)
    }

    /// The places in a list that is in no table, by the name that no other such list of the workspace has.
    pub(crate) fn places(&self, list: &str) -> Places {
        let tenant = self.actor().tenant();
        Places(self.store().seal().of(&format!("{tenant}|{list}")))
    }

    /// Costs are read of one project at a time by who does not read all: the one it is at work in, the parent's, or the
    /// filter's.
    fn must_name_a_project<E: Owned>(
        &self,
        parent: Parent<'_, E>,
        filter: Option<&Value>,
    ) -> Result<()> {
        let named = match parent {
            // Whatever rows point to is in one project, but for people.
            Some((column, _)) => column.as_str() != "userId",
            None => self.actor().project().is_some(),
        };
        let named = named || filter.is_some_and(names_project);
        if auth::rows(self.actor(), E::TABLE)? == auth::Rows::OfProjects && !named {
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

    /// The rows of a list's page.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn page<E: Owned>(
        &self,
        parent: Parent<'_, E>,
        list: &Arc<List<E>>,
    ) -> Result<PageRows<E>> {
        self.page_with(parent, list, Vec::new()).await
    }

    /// The same rows, with large columns of them that are about to be [shown](Self::large).
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn page_with<E: Owned>(
        &self,
        parent: Parent<'_, E>,
        list: &Arc<List<E>>,
        large: Vec<E::Column>,
    ) -> Result<PageRows<E>> {
        let view = self.view();
        let Some((column, id)) = parent else {
            let select = list.root_select(view.place(), &large);
            return Ok(list.page(view.models_with::<E>(&select, &large).await?));
        };
        let question = PageOf {
            by: By(column),
            parent: id.clone(),
            list: list.clone(),
            large: large.into_iter().map(By).collect(),
        };
        view.ask(question).await
    }

    /// How many rows a list has.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count<E: Owned>(&self, parent: Parent<'_, E>, list: &Arc<List<E>>) -> Result<i64> {
        let view = self.view();
        if let Some((column, id)) = parent {
            return view
                .ask(CountOf {
                    by: By(column),
                    parent: id.clone(),
                    list: list.clone(),
                })
                .await;
        }
        let mut select = super::select::bare::<E>(view.place());
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
