//! What a feed reads from the database.

use crate::{
    auth::Actor,
    error::Result,
    store::{
        Store,
        row_security::EVERY_TENANT,
        select::{self, Place, is_any_of},
        snapshot::Snapshot,
    },
};
use entity::{BigInt, Id, audit_log, tenant_feed};
use sea_orm::{
    FromQueryResult,
    sea_query::{Expr, ExprTrait, Order, Query, SelectStatement},
};
use std::time::Duration;

/// How many entries are read at once.
pub(super) const PAGE: u64 = 500;
/// How long a statement of the feed's own may take: all of them are short.
pub(crate) const READ_WITHIN: Duration = Duration::from_secs(10);

/// The head of a tenant's ledger, and the newest entries, oldest first, of one moment.
pub(super) async fn newest(store: &Store, tenant: &Id) -> Result<(i64, Vec<audit_log::Model>)> {
    let snapshot = Snapshot::new(store.readers().clone(), tenant.clone(), Some(READ_WITHIN));
    let mut rows = read(&snapshot, tenant, |select, seq| {
        select.order_by_expr(seq, Order::Desc);
    })
    .await?;
    rows.reverse();
    let heads = heads_of(&snapshot, &[tenant]).await?;
    Ok((heads.first().map_or(0, |(_, head)| *head), rows))
}

/// The entries after a position, as many as fit a page, oldest first.
pub(super) async fn after(
    store: &Store,
    tenant: &Id,
    position: i64,
) -> Result<Vec<audit_log::Model>> {
    let snapshot = Snapshot::new(store.readers().clone(), tenant.clone(), Some(READ_WITHIN));
    read(&snapshot, tenant, |select, seq| {
        select
            .and_where(seq.clone().gt(position))
            .order_by_expr(seq, Order::Asc);
    })
    .await
}

/// The heads of these tenants' ledgers, in one statement.
pub(super) async fn heads(store: &Store, tenants: &[&Id]) -> Result<Vec<(Id, i64)>> {
    let snapshot = Snapshot::new(
        store.readers().clone(),
        EVERY_TENANT.into(),
        Some(READ_WITHIN),
    );
    heads_of(&snapshot, tenants).await
}

async fn heads_of(snapshot: &Snapshot, tenants: &[&Id]) -> Result<Vec<(Id, i64)>> {
    let keys = tenants.iter().map(|tenant| tenant.as_str());
    let column = Expr::col(tenant_feed::Column::TenantId);
    let select = Query::select()
        .columns([tenant_feed::Column::TenantId, tenant_feed::Column::HeadSeq])
        .from(tenant_feed::Entity)
        .and_where(is_any_of(column, keys, snapshot.backend()))
        .take();
    let rows = snapshot.all(&select).await?;
    rows.iter()
        .map(|row| {
            let head: BigInt = row.try_get("", "headSeq")?;
            Ok((row.try_get("", "tenantId")?, head.0))
        })
        .collect()
}

async fn read(
    snapshot: &Snapshot,
    tenant: &Id,
    narrow: impl FnOnce(&mut SelectStatement, Expr),
) -> Result<Vec<audit_log::Model>> {
    let actor = Actor::system(tenant.clone(), "feed");
    let place = Place::outermost(&actor, snapshot.backend());
    let mut select = select::select::<audit_log::Entity>(place);
    narrow(&mut select, place.column(audit_log::Column::Seq));
    let rows = snapshot.all(select.limit(PAGE)).await?;
    rows.iter()
        .map(|row| Ok(audit_log::Model::from_query_result(row, "")?))
        .collect()
}
