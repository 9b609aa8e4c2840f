//! Which table an id belongs to: one statement over all tables.

use super::{
    Scope,
    loaders::{Question, View},
    select::{self, Place},
};
use crate::error::Result;
use entity::Id;
use sea_orm::sea_query::{Expr, SelectStatement, UnionType};
use std::collections::HashMap;

/// "What kind of thing has this id?"
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct KindOf(Id);

impl Question for KindOf {
    type Answer = Option<String>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut parts = tables(view.place()).map(|(mut select, id)| {
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
fn tables(place: Place<'_>) -> impl Iterator<Item = (SelectStatement, Expr)> {
    let with_id = entity::shapes().filter(|shape| shape.id().name == "id");
    with_id.map(move |shape| {
        let id = place.named("id");
        let mut select = select::of(shape, place);
        select
            .expr_as(id.clone(), "id")
            .expr_as(Expr::cust(format!("'{}'", shape.table.name())), "kind");
        (select, id)
    })
}
