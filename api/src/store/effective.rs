//! The rows that count for a tenant where it can replace what all tenants share.

use super::{Scope, filter::Filter, given::limited};
use crate::error::Result;
use entity::{Id, Owned};
use sea_orm::{
    Condition, FromQueryResult,
    sea_query::{Expr, ExprTrait, SubQueryStatement},
};
use std::sync::Arc;

/// A row that counts for the tenant.
pub struct Effective<E: Owned> {
    /// The row: the tenant's own, or a global one.
    pub row: Arc<E::Model>,
    /// The global row that a tenant's own one replaces.
    pub replaces: Option<Id>,
}

impl Scope {
    /// The tenant's own rows and the global ones whose slug it has no row of, by slug, in one statement.
    ///
    /// `filter` is asked of the rows that count: a tenant's own row hides the global one even if it satisfies nothing.
    ///
    /// # Errors
    /// When the filter cannot be accepted, or the database fails.
    pub async fn effective<E: Owned>(
        &self,
        slug: E::Column,
        filter: Option<&dyn Filter>,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Effective<E>>> {
        self.sees::<E>()?;
        let view = self.view();
        let place = view.place();
        let by_slug = E::column(slug);
        let is_own = place.column(E::TENANT).is_not_null();
        let own_twin = place.exists(by_slug, by_slug, |twin| {
            Ok(Condition::all().add(twin.column(E::TENANT).is_not_null()))
        })?;
        let (global, mut replaced) = place.related(by_slug, by_slug, |global| {
            Ok(Condition::all()
                .add(global.column(E::TENANT).is_null())
                .add(is_own.clone()))
        })?;
        let replaced = replaced.expr(global.column(E::ID)).take();
        let mut select = super::select::select::<E>(place);
        select
            .expr_as(Expr::from(SubQueryStatement::from(replaced)), "replaces")
            .cond_where(Condition::any().add(is_own).add(own_twin.not()))
            .order_by_expr(place.column(slug), sea_orm::sea_query::Order::Asc)
            .limit(limit);
        if let Some(filter) = filter {
            limited(filter)?;
            select.cond_where(filter.condition(place)?);
        }
        if let Some(after) = after {
            select.and_where(place.column(slug).gt(after));
        }
        let rows = view.snapshot.all(&select).await?;
        rows.iter()
            .map(|row| {
                Ok(Effective {
                    row: Arc::new(E::Model::from_query_result(row, "")?),
                    replaces: row.try_get("", "replaces")?,
                })
            })
            .collect()
    }
}
