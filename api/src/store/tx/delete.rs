//! Rows that go, and what goes with them: each is told of in the ledger.

use super::Tx;
use crate::{
    domain::digest::sha256,
    error::{Error, Result},
    store::{
        ledger::Entry,
        order::to_json,
        row::{Columns, Row},
        select::{self, Place},
    },
};
use entity::{Column, Follower, Id, Owned, Reading, Shape, Table, followers};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, QueryFilter, Value,
    sea_query::{LockType, Order},
};
use serde_json::{Map, Value as Json, json};
use std::collections::{HashSet, VecDeque};

/// So many rows of a table are told of one by one; more become one entry.
const TOLD_ONE_BY_ONE: usize = 1000;

/// Rows of a table that go because of others.
struct Gone {
    follower: Follower,
    ids: Vec<Id>,
}

/// Rows of a table that the ledger tells of in one way.
struct Told<'g> {
    shape: &'static Shape,
    action: &'static str,
    ids: Vec<&'g str>,
}

/// What goes, by its table, whatever it went because of.
fn by_table(gone: &[Gone]) -> Vec<Told<'_>> {
    let mut all: Vec<Told<'_>> = Vec::new();
    for Gone { follower, ids } in gone {
        let (shape, Some(action)) = (follower.column.shape(), follower.entry) else {
            continue;
        };
        let ids = ids.iter().map(Id::as_str);
        let is_it = |told: &&mut Told<'_>| (told.shape.table, told.action) == (shape.table, action);
        match all.iter_mut().find(is_it) {
            Some(told) => told.ids.extend(ids),
            None => all.push(Told {
                shape,
                action,
                ids: ids.collect(),
            }),
        }
    }
    all
}

impl Tx<'_> {
    /// Deletes a row that was read and locked in this transaction, and with it what belongs to it. Returns the ids of all
    /// that went, its own last.
    ///
    /// # Errors
    /// [`Error::Conflict`] when other rows still need it.
    pub async fn delete<E: Owned>(
        &mut self,
        row: &E::Model,
        action: &'static str,
    ) -> Result<Vec<Id>> {
        let row = Row::of::<E>(row);
        let id = row.id()?;
        let mut gone = self.that_follow(E::TABLE, &id).await?;
        let about = self.removal(&row, action);
        // What depends on others is told of before them.
        gone.reverse();
        for of in by_table(&gone) {
            let told = self.entries.len();
            self.tell(of).await?;
            for entry in &mut self.entries[told..] {
                entry.prd_id = entry.prd_id.take().or_else(|| about.prd_id.clone());
                let project = entry.project_id.take();
                entry.project_id = project.or_else(|| about.project_id.clone());
            }
        }
        let delete = E::delete_many()
            .filter(E::ID.eq(id.as_str()))
            .filter(self.own::<E>());
        if delete.exec(&self.transaction).await?.rows_affected == 0 {
            return Err(Error::NotFound { kind: E::KIND });
        }
        self.entries.push(about);
        let ids = gone.into_iter().flat_map(|of| of.ids);
        Ok(ids.chain([id]).collect())
    }

    /// What goes with a row, each table's rows after those that they point to. Each row is found once, so it ends.
    async fn that_follow(&self, of: Table, id: &Id) -> Result<Vec<Gone>> {
        let mut found = HashSet::from([(of, id.clone())]);
        let mut next = VecDeque::from([(of, vec![id.clone()])]);
        let mut gone = Vec::new();
        while let Some((table, parents)) = next.pop_front() {
            for follower in followers(table) {
                let child = follower.column.table;
                if follower.entry.is_none() && followers(child).is_empty() {
                    continue;
                }
                let mut ids = self.that_point(follower.column, &parents).await?;
                ids.retain(|id| found.insert((child, id.clone())));
                if !ids.is_empty() {
                    next.push_back((child, ids.clone()));
                    gone.push(Gone { follower, ids });
                }
            }
        }
        Ok(gone)
    }

    /// The ids of the rows whose column holds one of these, locked.
    async fn that_point(&self, column: &'static Column, to: &[Id]) -> Result<Vec<Id>> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let id = Columns::new(column.shape(), |_| false);
        let keys = to.iter().map(Id::as_str);
        let mut select = select::read(&id, &[], place);
        select
            .and_where(select::is_any_of(
                place.named(column.name),
                keys,
                place.backend(),
            ))
            .order_by_expr(place.named(column.shape().id().name), Order::Asc);
        place.lock(&mut select, LockType::Update);
        let rows = self.transaction.query_all(&select).await?;
        rows.iter().map(|row| Row::read(row, &id)?.id()).collect()
    }

    /// Enters into the ledger what goes.
    async fn tell(&mut self, gone: Told<'_>) -> Result<()> {
        let Told { shape, action, ids } = gone;
        if ids.len() > TOLD_ONE_BY_ONE {
            let before = json!({ "count": ids.len(), "idsSha256": sha256(ids.join("\n")) });
            let diff = json!({ "before": before, "after": null });
            let entry = self.entry(shape, |_| None, action, diff);
            self.entries.push(entry);
            return Ok(());
        }
        let columns = Columns::ordinary(shape);
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let keys = ids.into_iter();
        let id = place.named(shape.id().name);
        let mut select = select::read(&columns, &[], place);
        select.and_where(select::is_any_of(id.clone(), keys, place.backend()));
        select.order_by_expr(id, Order::Asc);
        for row in self.transaction.query_all(&select).await? {
            let entry = self.removal(&Row::read(&row, &columns)?, action);
            self.entries.push(entry);
        }
        Ok(())
    }

    /// The entry of a row that goes.
    fn removal(&self, row: &Row, action: &'static str) -> Entry {
        self.entry(row.shape(), |name| text(row, name), action, removed(row))
    }
}

/// The text that a column of a row holds.
fn text(row: &Row, name: &str) -> Option<String> {
    match row.get(row.shape().column(name)?) {
        Ok(Value::String(text)) => text.clone(),
        _ => None,
    }
}

/// A row that went, as the ledger shows it.
fn removed(row: &Row) -> Json {
    let columns = row.shape().columns.iter();
    let before: Map<String, Json> = columns
        .filter(|column| column.reading == Reading::Ordinary)
        .filter_map(|column| Some((column.name.to_owned(), to_json(row.get(column).ok()?))))
        .collect();
    json!({ "before": before, "after": null })
}
