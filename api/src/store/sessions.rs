//! The rows behind sessions and tokens.
//!
//! Refresh tokens come and go every few minutes; they are bookkeeping, and have no ledger entries of their own. What they
//! stand for has: signing in, signing out, a token used twice.

use super::{System, Tx, select};
use crate::error::Result;
use chrono::TimeDelta;
use entity::{
    Id, Json, Owned, Secret, Shape, Timestamp, agent_token, audit_log,
    auth_token::{self, AuthTokenKind},
    invitation, service_token, user,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, QueryFilter,
    sea_query::{Expr, ExprTrait, LockType, Order, Query},
};
use std::{net::IpAddr, time::Duration};

/// Of so many of a user's sign-ins it is remembered from where.
const REMEMBERED: u64 = 100;

/// How exact the `lastUsedAt` of agents' and services' tokens is.
const EXACT_TO: TimeDelta = TimeDelta::minutes(1);
/// How long it may take to note that one was used.
const NOTING: Duration = Duration::from_secs(1);

/// The token of an agent or a service, which was used.
pub(crate) struct Used {
    shape: &'static Shape,
    id: Id,
    tenant: Id,
    last: Option<Timestamp>,
}

impl From<&agent_token::Model> for Used {
    fn from(token: &agent_token::Model) -> Self {
        Self {
            shape: agent_token::Entity::shape(),
            id: token.id.clone(),
            tenant: token.tenant_id.clone(),
            last: token.last_used_at,
        }
    }
}

impl From<&service_token::Model> for Used {
    fn from(token: &service_token::Model) -> Self {
        Self {
            shape: service_token::Entity::shape(),
            id: token.id.clone(),
            tenant: token.tenant_id.clone(),
            last: token.last_used_at,
        }
    }
}

impl System {
    /// A tenant's user with this id, and the hash of their password if they have one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_with_password(
        &self,
        tenant: &Id,
        id: &Id,
    ) -> Result<Option<(user::Model, Option<String>)>> {
        self.with_password(tenant, user::Column::Id, id.as_str())
            .await
    }

    /// A tenant's user with this address, and the hash of their password if they have one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_by_email(
        &self,
        tenant: &Id,
        email: &str,
    ) -> Result<Option<(user::Model, Option<String>)>> {
        self.with_password(tenant, user::Column::Email, email).await
    }

    /// A tenant's user whom a provider calls so.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_by_identity(
        &self,
        tenant: &Id,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<user::Model>> {
        let condition = Condition::all()
            .add(Expr::col(user::Column::TenantId).eq(tenant.as_str()))
            .add(Expr::col(user::Column::IdentityIssuer).eq(issuer))
            .add(Expr::col(user::Column::IdentitySubject).eq(subject));
        self.one::<user::Entity>(condition).await
    }

    async fn with_password(
        &self,
        tenant: &Id,
        column: user::Column,
        value: &str,
    ) -> Result<Option<(user::Model, Option<String>)>> {
        let condition = Condition::all()
            .add(Expr::col(user::Column::TenantId).eq(tenant.as_str()))
            .add(Expr::col(column).eq(value));
        let found = self
            .one_with::<user::Entity>(condition, &[user::Column::PasswordHash])
            .await?;
        Ok(found.map(apart))
    }

    /// The addresses from which a user signed in last, the latest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn signed_in_from(&self, tenant: &Id, user: &Id) -> Result<Vec<IpAddr>> {
        use audit_log::Column::{Action, Metadata, Seq, TargetId, TargetType, TenantId};
        let select = Query::select()
            .column(Metadata)
            .from(audit_log::Entity)
            .and_where(Expr::col(TenantId).eq(tenant.as_str()))
            .and_where(Expr::col(TargetType).eq(user::Entity::KIND))
            .and_where(Expr::col(TargetId).eq(user.as_str()))
            .and_where(Expr::col(Action).eq("user.login"))
            .order_by(Seq, Order::Desc)
            .limit(REMEMBERED)
            .take();
        let mut addresses = Vec::new();
        for row in self.rows(&select).await? {
            let metadata: Json<serde_json::Value> = row.try_get("", Metadata.as_str())?;
            let address = metadata.0["ip"].as_str().map(str::parse::<IpAddr>);
            addresses.extend(address.and_then(Result::ok));
        }
        Ok(addresses)
    }

    /// The one-time token with this hash, whosever it is.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn auth_token(&self, hash: &str) -> Result<Option<auth_token::Model>> {
        self.one::<auth_token::Entity>(with_hash(auth_token::Column::TokenHash, hash))
            .await
    }

    /// The invitation with this token's hash, whosever it is.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn invitation(&self, hash: &str) -> Result<Option<invitation::Model>> {
        self.one::<invitation::Entity>(with_hash(invitation::Column::TokenHash, hash))
            .await
    }

    /// Whether a tenant has this project.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_project(&self, tenant: &Id, id: &Id) -> Result<bool> {
        use entity::project::{Column, Entity};
        let condition = Condition::all()
            .add(Expr::col(Column::Id).eq(id.as_str()))
            .add(Expr::col(Column::TenantId).eq(tenant.as_str()));
        Ok(self.one::<Entity>(condition).await?.is_some())
    }

    /// Notes that a token was used, once a minute or so. Bookkeeping, without a ledger entry, and nobody waits for
    /// it: what is not noted now is noted when the token is used again.
    pub(crate) fn touch(&self, token: impl Into<Used>, now: Timestamp) {
        let token = token.into();
        let fresh = |at: Timestamp| now.inner() - at.inner() < EXACT_TO;
        if token.last.is_some_and(fresh) {
            return;
        }
        let Ok(pen) = self.store().pen().clone().try_acquire_owned() else {
            return;
        };
        let system = self.clone();
        tokio::spawn(async move {
            let noted = system.note_use(&token, now).await;
            drop(pen);
            match noted {
                // What is remembered of it has not been used.
                Ok(()) => system.store().accounts().forget(&token.id),
                Err(error) => {
                    tracing::warn!(error = error.cause(), "the use of a token is not noted");
                }
            }
        });
    }

    async fn note_use(&self, token: &Used, now: Timestamp) -> Result<()> {
        let store = self.store();
        let _turn = store.admit_to_note().await?;
        let (tenant, meter) = (&token.tenant, store.meter());
        let transaction = store.begin(tenant, Some(NOTING), meter).await?;
        let update = Query::update()
            .table(token.shape.name)
            .value(agent_token::Column::LastUsedAt.as_str(), now)
            .and_where(Expr::col(token.shape.id().name).eq(token.id.as_str()))
            .take();
        transaction.execute(&update).await?;
        transaction.commit().await
    }
}

impl Tx<'_> {
    /// A user and the hash of their password if they have one, locked until the transaction ends. Everyone who touches the
    /// user's tokens takes this lock first. It lets others write rows that point to the user.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_with_password(
        &self,
        id: &Id,
    ) -> Result<Option<(user::Model, Option<String>)>> {
        let place = self.place();
        let mut select = select::select::<user::Entity>(place);
        select
            .expr(place.column(user::Column::PasswordHash))
            .and_where(place.column(user::Column::Id).eq(id.as_str()));
        place.lock(&mut select, LockType::NoKeyUpdate);
        let row = self.transaction().query_one(&select).await?;
        let user = row.map(|row| user::Model::from_query_result(&row, ""));
        Ok(user.transpose()?.map(apart))
    }

    /// The token with this hash, if it is this workspace's, whether it was used or not.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn one_time_token(&self, hash: &str) -> Result<Option<auth_token::Model>> {
        let of_this_hash = |place: super::Place<'_>| {
            Condition::all().add(place.column(auth_token::Column::TokenHash).eq(hash))
        };
        Ok(self.rows::<auth_token::Entity>(of_this_hash).await?.pop())
    }

    /// Keeps the hash of a new refresh token, and forgets the user's expired ones.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn keep_session(
        &mut self,
        user: &Id,
        family: Id,
        hash: String,
        expires_at: Timestamp,
    ) -> Result<()> {
        self.forget_expired(user, AuthTokenKind::Refresh).await?;
        let row = auth_token::ActiveModel {
            id: Set(Id(cuid2::create_id())),
            tenant_id: Set(self.scope().actor().tenant().clone()),
            kind: Set(AuthTokenKind::Refresh),
            token_hash: Set(Secret::new(hash)),
            link_nonce: Set(Secret(None)),
            delivery_attempts: Set(0),
            next_delivery_at: Set(None),
            delivery_error: Set(None),
            user_id: Set(Some(user.clone())),
            subject_type: Set(None),
            subject_id: Set(None),
            subject_version: Set(None),
            channel: Set(None),
            channel_identity: Set(None),
            family_id: Set(Some(family)),
            expires_at: Set(expires_at),
            consumed_at: Set(None),
            answer: Set(None),
            created_at: Set(self.now()),
            updated_at: Set(self.now()),
        };
        auth_token::Entity::insert(row)
            .exec_without_returning(self.transaction())
            .await?;
        Ok(())
    }

    /// Forgets a user's tokens of a kind that have expired.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn forget_expired(&mut self, user: &Id, kind: AuthTokenKind) -> Result<()> {
        auth_token::Entity::delete_many()
            .filter(self.tokens(user))
            .filter(auth_token::Column::Kind.eq(kind))
            .filter(auth_token::Column::ExpiresAt.lte(self.now()))
            .exec(self.transaction())
            .await?;
        Ok(())
    }

    /// Uses up a refresh token that was read in this transaction and is unused.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn consume(&mut self, token: &auth_token::Model) -> Result<()> {
        auth_token::Entity::update_many()
            .col_expr(auth_token::Column::ConsumedAt, Expr::val(self.now()))
            .col_expr(auth_token::Column::UpdatedAt, Expr::val(self.now()))
            .filter(auth_token::Column::Id.eq(token.id.as_str()))
            .exec(self.transaction())
            .await?;
        Ok(())
    }

    /// Uses up what is left of a user's tokens: the refresh tokens of one family, or all, those for replies too. Returns how
    /// many there were.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn end_sessions(&mut self, user: &Id, family: Option<&Id>) -> Result<u64> {
        let mut update = auth_token::Entity::update_many()
            .col_expr(auth_token::Column::ConsumedAt, Expr::val(self.now()))
            .col_expr(auth_token::Column::UpdatedAt, Expr::val(self.now()))
            .filter(self.tokens(user))
            .filter(auth_token::Column::ConsumedAt.is_null());
        if let Some(family) = family {
            update = update.filter(auth_token::Column::FamilyId.eq(family.as_str()));
        }
        Ok(update.exec(self.transaction()).await?.rows_affected)
    }

    fn tokens(&self, user: &Id) -> Condition {
        Condition::all()
            .add(auth_token::Column::TenantId.eq(self.scope().actor().tenant().as_str()))
            .add(auth_token::Column::UserId.eq(user.as_str()))
    }
}

/// A user without the hash, and the hash.
fn apart(mut user: user::Model) -> (user::Model, Option<String>) {
    let hash = user.password_hash.0.take();
    (user, hash)
}

fn with_hash(column: impl ColumnTrait, hash: &str) -> Condition {
    Condition::all().add(Expr::col(column).eq(hash))
}
