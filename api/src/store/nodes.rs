//! Which table an id belongs to: one statement over all tables.

use super::{
    Scope,
    loaders::{Question, View},
    select::{self, Place},
};
use crate::error::Result;
use entity::{Id, Owned};
use sea_orm::{
    IdenStatic,
    sea_query::{Expr, SelectStatement, UnionType},
};
use std::collections::HashMap;

/// "What kind of thing has this id?"
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct KindOf(Id);

impl Question for KindOf {
    type Answer = Option<String>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut parts = tables(view.place()).into_iter().map(|(mut select, id)| {
            let ids = questions.iter().map(|KindOf(id)| id.as_str());
            select.and_where(select::is_any_of(id, ids, view.snapshot.backend()));
            select
        });
        let Some(mut union) = parts.next() else {
            return Ok(HashMap::new());
        };
        union.unions(parts.map(|part| (UnionType::All, part)));
        let rows = view.snapshot.all(&union).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    KindOf(row.try_get("", "id")?),
                    Some(row.try_get("", "kind")?),
                ))
            })
            .collect()
    }
}

impl Scope {
    /// What kind of thing has this id in the tenant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn kind(&self, id: &Id) -> Result<Option<String>> {
        self.view().ask(KindOf(id.clone())).await
    }
}

/// `SELECT id, 'Kind' FROM table WHERE <tenant>` for every table whose rows have an id, with the id's expression.
fn tables(place: Place<'_>) -> Vec<(SelectStatement, Expr)> {
    let mut out = Vec::new();
    macro_rules! part_of_each {
        ($($entity:ident),*) => { $(part::<entity::$entity::Entity>(place, &mut out);)* };
    }
    entity::for_each_table!(part_of_each);
    out
}

fn part<E: Owned>(place: Place<'_>, out: &mut Vec<(SelectStatement, Expr)>) {
    if E::ID.as_str() != "id" {
        return;
    }
    let mut select = select::bare::<E>(place);
    select
        .expr_as(place.column(E::ID), "id")
        .expr_as(Expr::cust(format!("'{}'", E::KIND)), "kind");
    out.push((select, place.column(E::ID)));
}
