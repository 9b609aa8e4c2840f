//! Rows that fields lead to: the one that has a value, or the newest that point to something.

use super::{
    Ctx as _, Node,
    filter::RowFilter,
    object::{failed, resolve_one},
    row::Shown,
    row_type::RowType,
    selected::{Selected, large_selected},
};
use crate::{
    error::Result,
    store::{Columns, Filter, PageArgs, Row, SortKey},
};
use async_graphql::{Context, ServerResult, Value};
use entity::{Column, Id, Owned};
use sea_orm::EntityTrait;
use std::sync::Arc;

/// The row of a type whose unique column has this value, with the columns that the operation selects.
///
/// # Errors
/// If the database fails.
pub(super) async fn found(
    ctx: &Context<'_>,
    row_type: &'static RowType,
    by: &'static Column,
    value: &Id,
) -> Result<Option<Shown>> {
    let read = Selected::read(ctx, row_type);
    let selection = || vec![&ctx.item.node.selection_set.node];
    let large = large_selected(ctx, row_type, &read, selection);
    let row = ctx.scope().row(by, value, read.columns, large).await?;
    Ok(row.map(|row| Shown { row, row_type }))
}

/// What a field answers with that leads to the row of a type whose unique column has this value.
///
/// # Errors
/// If the database fails, and those of the row's fields that are not nullable.
pub(super) async fn resolve_row(
    ctx: &Context<'_>,
    row_type: &'static RowType,
    by: &'static Column,
    value: &Id,
) -> ServerResult<Value> {
    let found = found(ctx, row_type, by, value).await;
    match found.map_err(|error| failed(ctx, error))? {
        Some(shown) => resolve_one(ctx, &shown).await,
        None => Ok(Value::Null),
    }
}

/// The row that an id points to.
///
/// # Errors
/// If the database fails.
pub(super) async fn one<N: Node>(ctx: &Context<'_>, id: Option<&Id>) -> Result<Option<N>> {
    let Some(id) = id else { return Ok(None) };
    let row_type = N::row_type();
    let shown = found(ctx, row_type, row_type.shape().id(), id).await?;
    Ok(shown.map(|shown| N::from(shown.row)))
}

/// The newest of the rows whose column has this value. Many that are asked for are one statement.
///
/// # Errors
/// If the database fails.
pub(super) async fn rows_by<N: Node>(
    ctx: &Context<'_>,
    column: <N::Entity as EntityTrait>::Column,
    value: &str,
    most: i32,
) -> Result<Vec<Arc<Row>>> {
    rows_where::<N>(ctx, column, value, None, most).await
}

/// The newest of those of them that satisfy a filter.
///
/// # Errors
/// If the database fails.
pub(super) async fn rows_where<N: Node>(
    ctx: &Context<'_>,
    column: <N::Entity as EntityTrait>::Column,
    value: &str,
    filter: Option<Value>,
    most: i32,
) -> Result<Vec<Arc<Row>>> {
    let value = Id::from(value);
    let (scope, parent) = (ctx.scope(), Some((N::Entity::column(column), &value)));
    let page = PageArgs {
        first: Some(most),
        ..PageArgs::default()
    };
    let row_type = N::row_type();
    let order = vec![SortKey::new(row_type.declared.newest_by, true)];
    let filter = filter.map(|filter| RowFilter::new(row_type, filter));
    let filter = filter.transpose()?;
    let filter = filter.as_ref().map(|filter| filter as &dyn Filter);
    let list = scope.list(row_type.shape(), parent, filter, order, &page)?;
    let columns = Columns::ordinary(row_type.shape());
    Ok(scope.page(parent, &list, columns, Vec::new()).await?.rows)
}

/// The first of the rows that point to a parent, in their list's own order: the latest plan of a brief, say.
///
/// # Errors
/// If the database fails.
pub(super) async fn newest<N: Node>(
    ctx: &Context<'_>,
    column: <N::Entity as EntityTrait>::Column,
    parent: &Id,
) -> Result<Option<Arc<Row>>> {
    let rows = rows_by::<N>(ctx, column, parent.as_str(), 1).await?;
    Ok(rows.into_iter().next())
}
