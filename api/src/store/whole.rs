//! Rows with their large columns, for what shows all of them at once.

use super::{
    Scope,
    loaders::{Question, View},
    questions::{By, question},
    select,
};
use crate::error::Result;
use entity::{Id, Owned};
use sea_orm::ModelTrait;
use std::{
    collections::HashMap,
    fmt::Debug,
    hash::{Hash, Hasher},
    sync::Arc,
};

question! {
    /// "The row with this id, with its large columns."
    Whole<E> { by: By<E>, id: Id }
}

impl<E: Owned> Question for Whole<E> {
    type Answer = Option<Arc<E::Model>>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let place = view.place();
        let ids = questions.iter().map(|question| question.id.as_str());
        let mut select = select::select::<E>(place);
        select
            .exprs(E::LARGE.iter().map(|column| place.column(*column)))
            .and_where(select::is_any_of(
                place.column(E::ID),
                ids,
                view.snapshot.backend(),
            ));
        let rows = view.models::<E>(&select).await?;
        let by_id = rows.into_iter().filter_map(|row| match row.get(E::ID) {
            sea_orm::Value::String(Some(id)) => {
                let by = By(E::ID);
                Some((Self { by, id: Id(id) }, Some(row)))
            }
            _ => None,
        });
        Ok(by_id.collect())
    }
}

impl Scope {
    /// The row with this id and all that an API type may show of it, large columns too.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn whole<E: Owned>(&self, id: &Id) -> Result<Option<Arc<E::Model>>> {
        let (by, id) = (By(E::ID), id.clone());
        self.view().ask(Whole::<E> { by, id }).await
    }
}
