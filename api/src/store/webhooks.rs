//! Whose a webhook is, before anybody knows that it is genuine.

use super::{System, accounts::goes_on};
use crate::error::Result;
use entity::{
    Id,
    credential::{self, CredentialKind},
    integration_connection::{
        self,
        Column::{Id as ConnectionId, Status},
        IntegrationStatus,
    },
};
use sea_orm::{
    ActiveEnum, Condition,
    sea_query::{Expr, ExprTrait},
};

impl System {
    /// The connection with this id, whosever it is, unless it was given up or its workspace deleted.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn connection_in_use(
        &self,
        id: &Id,
    ) -> Result<Option<integration_connection::Model>> {
        let condition = Condition::all()
            .add(Expr::col(ConnectionId).eq(id.as_str()))
            .add(Expr::col(Status).ne(IntegrationStatus::Disconnected.to_value()))
            .add(goes_on::<integration_connection::Entity>());
        self.one::<integration_connection::Entity>(condition).await
    }

    /// The secret of a workspace's webhooks with this name, as it is sealed.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn webhook_secret(
        &self,
        tenant: &Id,
        name: &str,
    ) -> Result<Option<credential::Model>> {
        use credential::Column::{Ciphertext, Kind, Name, Nonce, TenantId};
        let condition = Condition::all()
            .add(Expr::col(TenantId).eq(tenant.as_str()))
            .add(Expr::col(Kind).eq(CredentialKind::WebhookSecret.to_value()))
            .add(Expr::col(Name).eq(name));
        self.one_with::<credential::Entity>(condition, &[Ciphertext, Nonce])
            .await
    }
}
