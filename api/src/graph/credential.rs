//! Keys and tokens of other services, encrypted. Only the integration layer decrypts them.

use super::{
    constraints::length,
    prelude::*,
    write::{Delete, Once, Write, deletions, mutations},
};
use crate::{
    auth::Action,
    domain::check,
    error::Error,
    store::Tx,
    vault::Plain,
    workflow::{
        CREDENTIAL, Kept, create_credential, credential_named, delete_credential, is_loose,
        replace_credential,
    },
};
use async_graphql::InputObject;
use entity::{
    Id,
    credential::{self, CredentialKind, Entity, Model},
};

node! {
    /// A credential of the tenant, encrypted with AES-256-GCM and bound to its row. Its value never leaves the server.
    CredentialVault in credential (credential, credentials) {
        columns {
            id: IdFilter,
            kind: EnumFilter<credential::CredentialKind>,
            name: StringFilter,
            hint: StringFilter,
            health: EnumFilter<credential::CredentialHealth>,
            last_checked_at: DateTimeFilter,
            last_error: StringFilter,
            rotated_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
    }
    fields {

        /// Whether a value is stored. It never leaves the server.
        async fn configured(&self) -> bool {
            true
        }
    }
}

/// A secret that is kept for later.
#[derive(InputObject, Clone)]
pub struct SetCredentialInput {
    /// What it is for: `WEBHOOK_SECRET`, `OAUTH` or `OTHER`. Those of connected services and of providers of models have
    /// mutations of their own.
    kind: CredentialKind,
    /// What it opens, such as `github`, in 1 to 100 characters. Of each kind there is one with a name. A `WEBHOOK_SECRET` with the
    /// name of a connection, such as `github/Shop`, is what its webhooks are signed with, if it has 16 characters or more.
    name: String,
    /// The secret, in 1 to 10000 characters; white space around it is no part of it. Send it as a variable.
    #[graphql(directive = length::apply(1, 10_000))]
    value: String,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SetCredentialInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        is_loose("kind", self.kind)?;
        let name = check::line("name", &self.name, 1, 100)?;
        // Whoever takes in a webhook that is signed with it holds the workspace first, too.
        tx.lock_workspace().await?;
        let kept = Kept::untried(secret(&self.value)?);
        match credential_named(tx, self.kind, &name).await? {
            Some(known) => replace_credential(tx, &known, kept, CREDENTIAL).await,
            None => create_credential(tx, self.kind, name, kept, CREDENTIAL).await,
        }
    }
}

/// Another secret in place of one.
#[derive(InputObject, Clone)]
pub struct RotateCredentialInput {
    /// The credential's id.
    id: Id,
    /// The new secret, in 1 to 10000 characters; white space around it is no part of it. Send it as a variable.
    #[graphql(directive = length::apply(1, 10_000))]
    value: String,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RotateCredentialInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        let kept = Kept::untried(secret(&self.value)?);
        tx.lock_workspace().await?;
        let row = tx.get::<Entity>(&self.id).await?;
        is_loose("id", row.kind)?;
        replace_credential(tx, &row, kept, CREDENTIAL).await
    }
}

/// Which secret goes.
#[derive(InputObject, Clone)]
pub struct DeleteCredentialInput {
    /// The credential's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeleteCredentialInput {
    const ACTION: Action = Action::SetUp;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        tx.lock_workspace().await?;
        let row = tx.get::<Entity>(&self.id).await?;
        is_loose("id", row.kind)?;
        delete_credential(tx, &row, CREDENTIAL).await
    }
}

/// A secret that is one.
fn secret(value: &str) -> crate::Result<Plain> {
    let secret = Plain::new(value);
    match secret.expose().is_empty() {
        true => Err(Error::bad_input("value", "cannot be empty")),
        false => Ok(secret),
    }
}

mutations! { CredentialMutation {
    /// Keeps a secret, encrypted: a new one, or in place of the one of the same kind and name. The answer has no more of it
    /// than its last four characters.
    set_credential(SetCredentialInput) -> SetCredentialPayload { credential: CredentialVault };
    /// Keeps another secret in place of one.
    rotate_credential(RotateCredentialInput) -> RotateCredentialPayload { credential: CredentialVault };
} }

deletions! { CredentialDeletionMutation {
    /// Deletes a secret for good.
    delete_credential(DeleteCredentialInput) -> DeleteCredentialPayload;
} }
