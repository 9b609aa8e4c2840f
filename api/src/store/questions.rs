//! What an operation asks of the database: rows by key, pages, counts and large columns, each for many parents at once.

use super::{
    loaders::{Question, View},
    order::to_json,
    page::{List, PageRows},
    select,
};
use crate::error::Result;
use entity::{Id, Owned};
use sea_orm::{IdenStatic, ModelTrait, QueryResult, Value, sea_query::Expr};
use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
    hash::{Hash, Hasher},
    sync::Arc,
};

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => text,
        other => to_json(&other).as_str().map(str::to_owned),
    }
}

/// A column as part of a question.
pub(super) struct By<E: Owned>(pub(super) E::Column);

impl<E: Owned> Clone for By<E> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<E: Owned> PartialEq for By<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl<E: Owned> Eq for By<E> {}

impl<E: Owned> Hash for By<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl<E: Owned> Debug for By<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

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

macro_rules! question {
    ($(#[$doc:meta])* $name:ident<E> { $($field:ident: $ty:ty),* }) => {
        $(#[$doc])*
        pub(super) struct $name<E: Owned> { $(pub(super) $field: $ty),* }

        impl<E: Owned> Clone for $name<E> {
            fn clone(&self) -> Self { Self { $($field: self.$field.clone()),* } }
        }
        impl<E: Owned> PartialEq for $name<E> {
            fn eq(&self, other: &Self) -> bool { $(self.$field == other.$field)&&* }
        }
        impl<E: Owned> Eq for $name<E> {}
        impl<E: Owned> Hash for $name<E> {
            fn hash<H: Hasher>(&self, state: &mut H) { $(self.$field.hash(state);)* }
        }
        impl<E: Owned> Debug for $name<E> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name))$(.field(&self.$field))*.finish()
            }
        }
    };
}

pub(super) use question;

/// The large columns that some rows are read with, each once.
fn large_of<'q, E: Owned>(each: impl Iterator<Item = &'q Vec<By<E>>>) -> Vec<E::Column> {
    let mut all: Vec<&By<E>> = Vec::new();
    for by in each.flatten() {
        if !all.contains(&by) {
            all.push(by);
        }
    }
    all.into_iter().map(|by| by.0).collect()
}

question! {
    /// "The row whose column has this value", by id or by another unique column, with these of its large columns.
    RowBy<E> { by: By<E>, value: Id, large: Vec<By<E>> }
}

impl<E: Owned> Question for RowBy<E> {
    type Answer = Option<Arc<E::Model>>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for (by, group) in grouped(questions, |question| question.by.clone()) {
            let place = view.place();
            let large = large_of(group.iter().map(|question| &question.large));
            let mut select = select::select_with::<E>(place, &large);
            let keys: HashSet<_> = { group.iter() }
                .map(|question| question.value.as_str())
                .collect();
            select.and_where(select::is_any_of(
                place.column(by.0),
                keys.into_iter(),
                view.snapshot.backend(),
            ));
            let mut found: HashMap<String, Arc<E::Model>> = HashMap::with_capacity(group.len());
            for row in view.models_with::<E>(&select, &large).await? {
                if let Some(value) = text(row.get(by.0)) {
                    found.insert(value, row);
                }
            }
            out.extend(group.into_iter().map(|question| {
                let row = found.get(question.value.as_str()).cloned();
                (question.clone(), row)
            }));
        }
        Ok(out)
    }
}

question! {
    /// "This page of the rows that point to this parent, with these of their large columns."
    PageOf<E> { by: By<E>, parent: Id, list: Arc<List<E>>, large: Vec<By<E>> }
}

impl<E: Owned> Question for PageOf<E> {
    type Answer = PageRows<E>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for ((by, list), group) in grouped(questions, |question| {
            (question.by.clone(), question.list.clone())
        }) {
            let large = large_of(group.iter().map(|question| &question.large));
            let keys: HashSet<_> = { group.iter() }
                .map(|question| question.parent.as_str())
                .collect();
            let select = list.nested_select(view.place(), by.0, keys.into_iter(), &large);
            let mut children: HashMap<String, Vec<Arc<E::Model>>> =
                HashMap::with_capacity(group.len());
            for row in view.models_with::<E>(&select, &large).await? {
                if let Some(parent) = text(row.get(by.0)) {
                    children.entry(parent).or_default().push(row);
                }
            }
            let mut pages: HashMap<&str, PageRows<E>> = HashMap::with_capacity(group.len());
            for question in group {
                let parent = question.parent.as_str();
                let page = pages.entry(parent).or_insert_with(|| {
                    let rows = children.remove(parent).unwrap_or_default();
                    list.page(rows)
                });
                out.insert(question.clone(), page.clone());
            }
        }
        Ok(out)
    }
}

question! {
    /// "How many rows of this list point to this parent?"
    CountOf<E> { by: By<E>, parent: Id, list: Arc<List<E>> }
}

impl<E: Owned> Question for CountOf<E> {
    type Answer = i64;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for ((by, _), group) in grouped(questions, |question| {
            (question.by.clone(), &question.list.name)
        }) {
            let Some(list) = group.first().map(|question| &question.list) else {
                continue;
            };
            let place = view.place();
            let parent = place.column(by.0);
            let keys = group
                .iter()
                .map(|question| question.parent.as_str())
                .collect::<HashSet<_>>();
            let mut select = select::bare::<E>(place);
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
            let mut counts: HashMap<String, i64> = HashMap::new();
            for row in view.snapshot.all(&select).await? {
                counts.insert(row.try_get("", "parent")?, row.try_get("", "count")?);
            }
            out.extend(group.into_iter().map(|question| {
                (
                    question.clone(),
                    counts
                        .get(question.parent.as_str())
                        .copied()
                        .unwrap_or_default(),
                )
            }));
        }
        Ok(out)
    }
}

question! {
    /// "This large column of this row." The answer is a row that holds it.
    ColumnOf<E> { by: By<E>, id: Id }
}

impl<E: Owned> Question for ColumnOf<E> {
    type Answer = Option<Arc<QueryResult>>;

    /// Rows of which the same columns are asked share a statement.
    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        let by_row = grouped(questions, |question| &question.id);
        let alike: Vec<_> = by_row
            .into_values()
            .map(|mut row| {
                row.sort_by_key(|question| question.by.0.as_str());
                row
            })
            .collect();
        let same_columns = grouped(&alike, |row| {
            let names = row.iter().map(|question| question.by.0.as_str());
            names.collect::<Vec<_>>()
        });
        for rows in same_columns.into_values() {
            let place = view.place();
            let ids = rows.iter().filter_map(|row| Some(row.first()?.id.as_str()));
            let mut select = select::bare::<E>(place);
            select
                .expr_as(place.column(E::ID), "id")
                .and_where(select::is_any_of(
                    place.column(E::ID),
                    ids,
                    view.snapshot.backend(),
                ));
            let columns = rows.first().into_iter().flat_map(|row| row.iter());
            select.exprs(columns.map(|question| place.column(question.by.0)));
            let mut found: HashMap<Id, Arc<QueryResult>> = HashMap::with_capacity(rows.len());
            for row in view.snapshot.all(&select).await? {
                found.insert(row.try_get("", "id")?, Arc::new(row));
            }
            for question in rows.into_iter().flatten() {
                let answer = found.get(&question.id).cloned();
                out.insert((*question).clone(), answer);
            }
        }
        Ok(out)
    }
}
