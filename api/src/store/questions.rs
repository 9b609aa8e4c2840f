//! What an operation asks of the database: rows by key, pages, counts and large columns, each for many parents at once.

use super::{
    loaders::{Question, View},
    page::{List, PageRows},
    row::{Columns, Row},
    select,
};
use crate::error::Result;
use entity::{Column, Id};
use sea_orm::{QueryResult, sea_query::Expr};
use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
    hash::Hash,
    sync::Arc,
};

/// Groups questions that one statement can answer.
pub(super) fn grouped<'q, Q, G: Eq + Hash>(
    questions: &'q [Q],
    by: impl Fn(&'q Q) -> G,
) -> HashMap<G, Vec<&'q Q>> {
    let mut groups: HashMap<G, Vec<&Q>> = HashMap::new();
    for question in questions {
        groups.entry(by(question)).or_default().push(question);
    }
    groups
}

/// The large columns that some rows are read with, each once.
fn large_of<'q>(each: impl Iterator<Item = &'q Vec<&'static Column>>) -> Vec<&'static Column> {
    let mut all: Vec<&'static Column> = Vec::new();
    for column in each.flatten() {
        if !all.contains(column) {
            all.push(column);
        }
    }
    all
}

/// The columns that some rows are read with: those that any of them is.
fn columns_of<'q>(mut each: impl Iterator<Item = &'q Arc<Columns>>) -> Option<Arc<Columns>> {
    let first = each.next()?.clone();
    Some(each.fold(first, |all, more| all.and(more.read().iter().copied())))
}

/// "The row whose column has this value", by id or by another unique column: these of its columns, and of its large ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowBy {
    pub(super) by: &'static Column,
    pub(super) value: Id,
    pub(super) columns: Arc<Columns>,
    pub(super) large: Vec<&'static Column>,
}

impl Question for RowBy {
    type Answer = Option<Arc<Row>>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for (by, group) in grouped(questions, |question| question.by) {
            let place = view.place();
            let large = large_of(group.iter().map(|question| &question.large));
            let Some(columns) = columns_of(group.iter().map(|question| &question.columns)) else {
                continue;
            };
            let columns = columns.and([by]);
            let mut select = select::read(&columns, &large, place);
            let keys: HashSet<_> = { group.iter() }
                .map(|question| question.value.as_str())
                .collect();
            select.and_where(select::is_any_of(
                place.named(by.name),
                keys.into_iter(),
                view.snapshot.backend(),
            ));
            let mut found: HashMap<Id, Arc<Row>> = HashMap::with_capacity(group.len());
            for row in view.rows(&select, &columns, &large).await? {
                found.extend(row.key(by)?.map(|value| (value, row)));
            }
            out.extend(group.into_iter().map(|question| {
                let row = found.get(&question.value).cloned();
                (question.clone(), row)
            }));
        }
        Ok(out)
    }
}

/// "This page of the rows that point to this parent: these of their columns, and of their large ones."
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageOf {
    pub(super) by: &'static Column,
    pub(super) parent: Id,
    pub(super) list: Arc<List>,
    pub(super) columns: Arc<Columns>,
    pub(super) large: Vec<&'static Column>,
}

impl Question for PageOf {
    type Answer = PageRows;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for ((by, list), group) in grouped(questions, |question| (question.by, &question.list)) {
            let large = large_of(group.iter().map(|question| &question.large));
            let Some(columns) = columns_of(group.iter().map(|question| &question.columns)) else {
                continue;
            };
            let columns = list.columns(&columns).and([by]);
            let keys: HashSet<_> = { group.iter() }
                .map(|question| question.parent.as_str())
                .collect();
            let select = list.nested_select(view.place(), by, keys.into_iter(), &columns, &large);
            let mut children: HashMap<Id, Vec<Arc<Row>>> = HashMap::with_capacity(group.len());
            for row in view.rows(&select, &columns, &large).await? {
                if let Some(parent) = row.key(by)? {
                    children.entry(parent).or_default().push(row);
                }
            }
            let mut pages: HashMap<&Id, PageRows> = HashMap::with_capacity(group.len());
            for question in group {
                let page = pages.entry(&question.parent).or_insert_with(|| {
                    let rows = children.remove(&question.parent).unwrap_or_default();
                    list.page(rows)
                });
                out.insert(question.clone(), page.clone());
            }
        }
        Ok(out)
    }
}

/// "How many rows of this list point to this parent?"
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CountOf {
    pub(super) by: &'static Column,
    pub(super) parent: Id,
    pub(super) list: Arc<List>,
}

impl Question for CountOf {
    type Answer = i64;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for ((by, _), group) in grouped(questions, |question| (question.by, &question.list.name)) {
            let Some(list) = group.first().map(|question| &question.list) else {
                continue;
            };
            let place = view.place();
            let parent = place.named(by.name);
            let keys = group
                .iter()
                .map(|question| question.parent.as_str())
                .collect::<HashSet<_>>();
            let mut select = select::of(list.shape(), place);
            select
                .expr_as(parent.clone(), "parent")
                .expr_as(Expr::cust("COUNT(*)"), "count")
                .and_where(select::is_any_of(
                    parent.clone(),
                    keys.into_iter(),
                    view.snapshot.backend(),
                ))
                .cond_where(list.condition.clone())
                .add_group_by([parent]);
            let mut counts: HashMap<Id, i64> = HashMap::new();
            for row in view.snapshot.all(&select).await? {
                counts.insert(row.try_get("", "parent")?, row.try_get("", "count")?);
            }
            out.extend(group.into_iter().map(|question| {
                let count = counts.get(&question.parent).copied();
                (question.clone(), count.unwrap_or_default())
            }));
        }
        Ok(out)
    }
}

/// "This large column of this row." The answer is a row that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ColumnOf {
    pub(super) column: &'static Column,
    pub(super) id: Id,
}

impl Question for ColumnOf {
    type Answer = Option<Arc<QueryResult>>;

    /// Rows of which the same columns are asked share a statement.
    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        let by_row = grouped(questions, |question| {
            (question.column.shape(), &question.id)
        });
        let alike: Vec<_> = by_row
            .into_iter()
            .map(|((shape, id), mut row)| {
                row.sort_by_key(|question| question.column.index);
                (shape, id, row)
            })
            .collect();
        let same_columns = grouped(&alike, |(shape, _, row)| {
            let columns = row.iter().map(|question| question.column);
            (*shape, columns.collect::<Vec<_>>())
        });
        for ((shape, columns), rows) in same_columns {
            let place = view.place();
            let id = place.named(shape.id().name);
            let ids = rows.iter().map(|(_, id, _)| id.as_str());
            let mut select = select::of(shape, place);
            select
                .expr_as(id.clone(), "id")
                .and_where(select::is_any_of(id, ids, view.snapshot.backend()));
            select.exprs(columns.iter().map(|column| place.named(column.name)));
            let mut found: HashMap<Id, Arc<QueryResult>> = HashMap::with_capacity(rows.len());
            for row in view.snapshot.all(&select).await? {
                found.insert(row.try_get("", "id")?, Arc::new(row));
            }
            for (_, id, row) in rows {
                for question in row {
                    out.insert((*question).clone(), found.get(id).cloned());
                }
            }
        }
        Ok(out)
    }
}
