//! The door that crosses tenants: sign-in, seeding, the global library, the command line, what is due. Small on purpose;
//! nothing here lists what rows hold.

use super::{
    Scope, Store, accounts::goes_on, admission::Permit, feed::READ_WITHIN, order::oldest_first,
    row_security::EVERY_TENANT, snapshot::Snapshot, tx::SYSTEM_TENANT,
};
use crate::{auth::Actor, error::Result};
use entity::{Column, Id, Owned, audit_log, tenant, tenant_feed, user};
use sea_orm::{
    Condition, FromQueryResult, IdenStatic, QueryResult,
    sea_query::{Expr, ExprTrait, Order, Query, SelectStatement},
};
use std::net::IpAddr;

/// Reads across tenants, for the parts of the server that act before or above them.
#[derive(Clone)]
pub struct System {
    store: Store,
    /// The address whose turn each statement waits for, known or not; none for what the server does by itself.
    entrance: Option<Option<IpAddr>>,
    pub(super) remembering: bool,
}

impl Store {
    /// The door that crosses tenants.
    pub fn system(&self) -> System {
        System {
            store: self.clone(),
            entrance: None,
            remembering: false,
        }
    }

    /// The same, for those who come from an address: each statement waits for its turn there.
    pub(crate) fn entrance(&self, address: Option<IpAddr>) -> System {
        System {
            entrance: Some(address),
            ..self.system()
        }
    }
}

impl System {
    /// The same, which takes users and agent tokens for what they were within the last two seconds.
    pub(crate) fn remembering(self) -> Self {
        Self {
            remembering: true,
            ..self
        }
    }

    /// The workspace with this slug.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn workspace(&self, slug: &str) -> Result<Option<tenant::Model>> {
        let of_slug = Expr::col(tenant::Column::Slug).eq(slug);
        let goes_on = Condition::all().add(goes_on::<tenant::Entity>());
        self.one::<tenant::Entity>(goes_on.add(of_slug)).await
    }

    /// Whether a workspace has this slug, also one that was deleted and of which it was not freed yet.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn is_slug_taken(&self, slug: &str) -> Result<bool> {
        let of_slug = Expr::col(tenant::Column::Slug).eq(slug);
        Ok(self.one::<tenant::Entity>(of_slug.into()).await?.is_some())
    }

    /// The slugs of workspaces, so many at most, for who runs the program.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn workspace_slugs(&self, most: u64) -> Result<Vec<String>> {
        let slug = tenant::Column::Slug;
        let select = Query::select()
            .column(slug)
            .from(tenant::Entity)
            .and_where(goes_on::<tenant::Entity>())
            .order_by(slug, Order::Asc)
            .limit(most)
            .take();
        let rows = self.rows(&select).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("", slug.as_str())?))
            .collect()
    }

    /// The id of the workspace, existing or deleted, if it has a ledger.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn ledger_of(&self, workspace: &Id) -> Result<Option<Id>> {
        let of_workspace = Expr::col(tenant_feed::Column::TenantId).eq(workspace.as_str());
        let found = self.one::<tenant_feed::Entity>(of_workspace.into()).await?;
        Ok(found.map(|feed| feed.tenant_id))
    }

    /// The longest-standing user with this role.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_with_role(
        &self,
        tenant: &Id,
        role: user::UserRole,
    ) -> Result<Option<user::Model>> {
        let condition = Condition::all()
            .add(Expr::col(user::Column::Role).eq(sea_orm::ActiveEnum::to_value(&role)))
            .add(Expr::col(user::Column::TenantId).eq(tenant.as_str()));
        self.one::<user::Entity>(condition).await
    }

    /// Whether there is no workspace yet.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self
            .one::<tenant::Entity>(Condition::all())
            .await?
            .is_none())
    }

    /// Whether this workspace is the only one that there ever was, and this part of the server founded it. The ledger of a
    /// workspace outlives it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_the_only_one(&self, tenant: &Id, component: &'static str) -> Result<bool> {
        let others = Condition::all().add(
            Expr::col(tenant_feed::Column::TenantId).is_not_in([tenant.as_str(), SYSTEM_TENANT]),
        );
        if self.one::<tenant_feed::Entity>(others).await?.is_some() {
            return Ok(false);
        }
        let founded = Condition::all()
            .add(Expr::col(audit_log::Column::TenantId).eq(tenant.as_str()))
            .add(Expr::col(audit_log::Column::Seq).eq(1))
            .add(
                Expr::col(audit_log::Column::Actor)
                    .eq(Actor::system(tenant.clone(), component).name()),
            );
        Ok(self.one::<audit_log::Entity>(founded).await?.is_some())
    }

    /// The next tenant after this one that has calls of providers, and no counter of what they used.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn uncounted(&self, after: Option<&Id>) -> Result<Option<Id>> {
        let of_tenant = |table: &'static str| {
            Query::select()
                .expr(Expr::val(1))
                .from(table)
                .and_where(Expr::col((table, "tenantId")).eq(Expr::col(("tenants", "id"))))
                .take()
        };
        let select = Query::select()
            .column(tenant::Column::Id)
            .from(tenant::Entity)
            .and_where(goes_on::<tenant::Entity>())
            .and_where(Expr::exists(of_tenant("api_usage")))
            .and_where(Expr::exists(of_tenant("budget_counters")).not())
            .and_where_option(after.map(|after| Expr::col(tenant::Column::Id).gt(after.as_str())))
            .order_by(tenant::Column::Id, Order::Asc)
            .limit(1)
            .take();
        let rows = self.rows(&select).await?;
        rows.first()
            .map(|row| Ok(row.try_get("", tenant::Column::Id.as_str())?))
            .transpose()
    }

    /// A scope of the server itself within a tenant, existing or about to be founded.
    pub fn tenant(&self, tenant: Id, component: &'static str) -> Scope {
        self.store.scope(Actor::system(tenant, component))
    }

    /// A scope that writes what all tenants share: rows of the library without a tenant.
    pub fn library(&self, component: &'static str) -> Scope {
        self.tenant(SYSTEM_TENANT.into(), component)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) async fn one<E: Owned>(&self, condition: Condition) -> Result<Option<E::Model>> {
        self.one_with::<E>(condition, &[]).await
    }

    /// The row, with columns that ordinary reads leave out.
    pub(super) async fn one_with<E: Owned>(
        &self,
        condition: Condition,
        columns: &[E::Column],
    ) -> Result<Option<E::Model>> {
        let mut select = Query::select()
            .columns(super::select::ordinary::<E>())
            .columns(columns.iter().copied())
            .from(E::default())
            .cond_where(condition)
            .limit(1)
            .take();
        let named = |column: &'static Column| Expr::col(column.name);
        oldest_first(E::shape()).apply(&mut select, named, false);
        let rows = self.rows(&select).await?;
        rows.first()
            .map(|row| Ok(E::Model::from_query_result(row, "")?))
            .transpose()
    }

    pub(super) async fn rows(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        // Others wait for their turn behind whoever comes, but not for what the server does by itself.
        let (_turn, patience) = match self.entrance {
            Some(address) => (
                self.store.admit_to_entrance(address).await?,
                Some(READ_WITHIN),
            ),
            None => (Permit::free(), None),
        };
        let snapshot = Snapshot::new(self.store.readers().clone(), EVERY_TENANT.into(), patience)
            .measured(self.store.meter());
        snapshot.all(select).await
    }
}
