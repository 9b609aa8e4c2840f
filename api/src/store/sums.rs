//! Sums over the rows that point to a parent.

use super::{
    Scope,
    loaders::{Question, View},
    questions::grouped,
    select,
};
use crate::error::Result;
use entity::{Column, Id, Owned};
use sea_orm::sea_query::Func;
use std::collections::HashMap;

/// "What does this column add up to, over the rows that point to this parent?"
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SumOf {
    of: &'static Column,
    by: &'static Column,
    parent: Id,
}

impl Question for SumOf {
    type Answer = i64;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for ((of, by), group) in grouped(questions, |question| (question.of, question.by)) {
            let place = view.place();
            let parent = place.named(by.name);
            let parents = group.iter().map(|question| question.parent.as_str());
            let mut select = select::of(of.shape(), place);
            select
                .expr_as(parent.clone(), "parent")
                // PostgreSQL adds 64-bit numbers up to a decimal one.
                .expr_as(
                    Func::cast_as(Func::sum(place.named(of.name)), "bigint"),
                    "sum",
                )
                .and_where(select::is_any_of(
                    parent.clone(),
                    parents,
                    view.snapshot.backend(),
                ))
                .add_group_by([parent]);
            for row in view.snapshot.all(&select).await? {
                let parent: Id = row.try_get("", "parent")?;
                out.insert(Self { of, by, parent }, row.try_get("", "sum")?);
            }
        }
        Ok(out)
    }
}

impl Scope {
    /// What a column of whole numbers adds up to, over the rows whose column `by` holds this parent; 0 without any.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn sum<E: Owned>(&self, of: E::Column, by: E::Column, parent: &Id) -> Result<i64> {
        let question = SumOf {
            of: E::column(of),
            by: E::column(by),
            parent: parent.clone(),
        };
        self.view().ask(question).await
    }
}
