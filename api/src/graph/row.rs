//! A row of a table as an object of the answer.

use super::{
    connection::resolve_page,
    found::resolve_row,
    object::{self, Object, Resolving, failed},
    row_type::{Field, Relation, RowType},
};
use crate::{Result, store::Row};
use async_graphql::{Context, ContextSelectionSet, ServerResult, Value};
use std::sync::Arc;

/// A row and the type it is shown as.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(super) row: Arc<Row>,
    pub(super) row_type: &'static RowType,
}

impl Object for Shown {
    fn type_name(&self) -> &str {
        self.row_type.name()
    }

    fn at_hand(&self, field: &str) -> Result<Option<Value>> {
        match self.row_type.field(field) {
            Some(Field::Plain(column, shown)) => Ok(Some(shown.value(self.row.get(column)?))),
            _ => Ok(None),
        }
    }

    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> Resolving<'a> {
        let declared = &self.row_type.declared;
        match self.row_type.field(&ctx.item.node.name.node) {
            Some(Field::Relation(relation)) => Box::pin(follow(ctx, &self.row, relation)),
            Some(Field::Large | Field::Own) => Box::pin(async move {
                for derived in declared.own.iter().chain([&declared.plain]) {
                    if let Some(value) = (derived.resolve)(&self.row, ctx).await? {
                        return Ok(Some(value));
                    }
                }
                Ok(None)
            }),
            Some(Field::Plain(..)) | None => Box::pin(async { Ok(None) }),
        }
    }
}

/// What a relation leads to.
async fn follow(
    ctx: &Context<'_>,
    row: &Row,
    relation: &'static Relation,
) -> ServerResult<Option<Value>> {
    let other = (relation.other)();
    let key = { row.key(relation.ours) }.map_err(|error| failed(ctx, error))?;
    let value = match (relation.is_many, key) {
        (true, key) => resolve_page(ctx, other, key.map(|id| (relation.theirs, id))).await?,
        (false, Some(key)) => resolve_row(ctx, other, relation.theirs, &key).await?,
        (false, None) => Value::Null,
    };
    Ok(Some(value))
}

/// A row as the type that it is shown as.
///
/// # Errors
/// Those of fields that are not nullable.
pub(crate) async fn resolve(
    ctx: &ContextSelectionSet<'_>,
    row: &Arc<Row>,
    row_type: &'static RowType,
) -> ServerResult<Value> {
    let row = row.clone();
    object::resolve(ctx, &Shown { row, row_type }).await
}
