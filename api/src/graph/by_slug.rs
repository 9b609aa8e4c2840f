//! Rows of the library that are named by their slugs: the workspace's own, or else the global one.

use super::{Node, found::rows_by, prelude::*};
use crate::store::Row;
use entity::Owned;
use futures_util::future::try_join_all;
use sea_orm::{EntityTrait, Value};

/// The most rows of the library that name one another.
const MOST: i32 = 200;

/// Whether all workspaces share a row.
fn is_global<E: Owned>(row: &Row) -> crate::Result<bool> {
    Ok(matches!(
        row.get(E::column(E::TENANT))?,
        Value::String(None)
    ))
}

/// The row with this slug as it counts for the workspace. Many that are asked for are one statement.
///
/// # Errors
/// If the database fails.
pub(super) async fn by_slug<N: Node>(
    ctx: &Context<'_>,
    column: <N::Entity as EntityTrait>::Column,
    slug: &str,
) -> crate::Result<Option<Arc<Row>>> {
    let found = rows_by::<N>(ctx, column, slug, 2).await?;
    let mut global = None;
    for row in found {
        match is_global::<N::Entity>(&row)? {
            true => global = Some(row),
            false => return Ok(Some(row)),
        }
    }
    Ok(global)
}

/// The rows whose column names this slug, as they count for the workspace: without global ones that it replaces.
///
/// # Errors
/// If the database fails.
pub(super) async fn naming<N: Node>(
    ctx: &Context<'_>,
    column: <N::Entity as EntityTrait>::Column,
    slug: <N::Entity as EntityTrait>::Column,
    named: &str,
) -> crate::Result<Vec<Arc<Row>>> {
    let mut rows = Vec::new();
    for row in rows_by::<N>(ctx, column, named, MOST).await? {
        if let Value::String(Some(own)) = row.get(N::Entity::column(slug))? {
            rows.push((own.clone(), row));
        }
    }
    let counting = rows.iter().map(|(own, _)| by_slug::<N>(ctx, slug, own));
    let counting = try_join_all(counting).await?;
    let mut naming = Vec::new();
    for ((_, row), counting) in rows.into_iter().zip(counting) {
        if counting.map(|counts| counts.id()).transpose()? == Some(row.id()?) {
            naming.push(row);
        }
    }
    Ok(naming)
}
