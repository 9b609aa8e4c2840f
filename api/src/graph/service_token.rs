//! What lets a company's own programs use the API.

use super::{
    prelude::*,
    write::{Once, Write, mutations},
};
use crate::{
    auth::{self, Action},
    domain::check,
    error::Error,
    store::Tx,
};
use async_graphql::InputObject;
use chrono::TimeDelta;
use entity::{
    Id, Secret, Timestamp,
    service_token::{self, ServiceRole},
};
use sea_orm::ActiveValue::Set;

/// How long a token works when nobody says how long.
const LIFETIME: TimeDelta = TimeDelta::days(365);
/// How long it works at most: five years.
const LONGEST: TimeDelta = TimeDelta::days(1826);

node! {
    /// Lets a program of the company's own, such as its CI, use the API with a role. It is nobody's: it outlives who made it. The
    /// token itself is shown once, when it is made.
    ServiceToken in service_token (service_token, service_tokens) {
        columns {
            id: IdFilter,
            name: StringFilter,
            token_hint: StringFilter,
            role: EnumFilter<ServiceRole>,
            created_by_id: IdFilter,
            expires_at: DateTimeFilter,
            last_used_at: DateTimeFilter,
            revoked_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who made it; null when that person is gone.
            created_by: User by created_by_id,
        }
        many {
            /// What the service with this token did.
            activity: AuditLog by service_token_id,
            /// What the service with this token set aside for calls of models.
            budget_reservations: BudgetReservation by service_token_id,
        }
    }
}

/// A token for a program of the company's own.
#[derive(InputObject, Clone)]
pub struct CreateServiceTokenInput {
    /// What it is for, such as the pipeline it runs in, in 1 to 100 characters.
    name: String,
    /// What it may do: what a person of this role may, but for what needs a person. It decides nothing, lets nobody in, and sets
    /// neither approvals nor keys nor the workspace up.
    role: ServiceRole,
    /// When it stops working, at most five years ahead; left out or null, in 365 days.
    expires_at: Option<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateServiceTokenInput {
    type Entity = service_token::Entity;
    const ACTION: Action = Action::ManageServiceTokens;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<service_token::Model> {
        let name = check::line("name", &self.name, 1, 100)?;
        let from_now = |time| Timestamp::new(tx.now().inner() + time);
        let expires_at = self.expires_at.unwrap_or_else(|| from_now(LIFETIME));
        if expires_at <= tx.now() {
            return Err(Error::bad_input("expiresAt", "is in the past"));
        }
        if expires_at > from_now(LONGEST) {
            return Err(Error::bad_input(
                "expiresAt",
                "is more than five years ahead",
            ));
        }
        let token = auth::mint(auth::SERVICE);
        let row = service_token::ActiveModel {
            name: Set(name),
            token_hash: Set(Secret::new(auth::hash(&token))),
            token_hint: Set(auth::hint(&token).to_owned()),
            role: Set(self.role),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            expires_at: Set(expires_at),
            ..Default::default()
        };
        let row = tx.insert(row, "service_token.created").await?;
        tx.show_once(token);
        Ok(row)
    }
}

/// Which token.
#[derive(InputObject, Clone)]
pub struct RevokeServiceTokenInput {
    /// The token's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RevokeServiceTokenInput {
    type Entity = service_token::Entity;
    const ACTION: Action = Action::ManageServiceTokens;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<service_token::Model> {
        // What is written with it at this moment is not waited for, and finds it revoked when it commits.
        let token = tx.get_gently::<service_token::Entity>(&self.id).await?;
        if token.revoked_at.is_some() {
            return Ok(token);
        }
        let changes = service_token::ActiveModel {
            revoked_at: Set(Some(tx.now())),
            ..Default::default()
        };
        tx.update(&token, changes, "service_token.revoked").await
    }
}

mutations! {
    ServiceTokenMutation {
        /// Makes a token for a program of the company's own, such as its CI. It is nobody's: it goes on working when you are gone,
        /// until it is over or revoked.
        create_service_token(CreateServiceTokenInput) -> CreateServiceTokenPayload {
            service_token: ServiceToken,
            /// The token itself, shown this once: null when the answer is repeated.
            once token
        };
        /// Makes a token stop working, for good. When this is answered nothing is written with it any more, and its streams end
        /// within seconds. One that was revoked stays as it is.
        revoke_service_token(RevokeServiceTokenInput) -> RevokeServiceTokenPayload { service_token: ServiceToken };
    }
}
