//! `credential_vault`: keys and tokens of other services, encrypted. Only the integration layer decrypts them.

use crate::prelude::*;

text_enum! {
    /// What a stored credential is for.
    CredentialKind {
        /// A connected service, such as Jira.
        Integration,
        /// A provider of language models.
        AiProvider,
        /// The secret that signs incoming webhooks.
        WebhookSecret,
        /// Access granted by a person through OAuth.
        Oauth,
        /// Anything else.
        Other,
    }
}

text_enum! {
    /// Whether the other service took a credential when it was last used or tested.
    CredentialHealth {
        /// It was not tested yet.
        Unknown,
        /// The service took it.
        Healthy,
        /// The service failed twice or more in a row, but did not reject it.
        Degraded,
        /// The service rejected it.
        Failing,
    }
}

/// A credential of the tenant, encrypted with AES-256-GCM and bound to its row. Its value never leaves the server.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "credential_vault", rename_all = "camelCase")]
#[graphql(name = "CredentialVaultRow")]
pub struct Model {
    /// The credential's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it is for.
    pub kind: CredentialKind,
    /// What it opens, such as `anthropic`; unique within the tenant and the kind.
    pub name: String,
    /// The encrypted value with its authentication tag.
    #[graphql(skip)]
    pub ciphertext: Secret<Vec<u8>>,
    /// The 12 random bytes it was encrypted with.
    #[graphql(skip)]
    pub nonce: Secret<Vec<u8>>,
    /// Which key of the key ring it was encrypted with.
    #[graphql(skip)]
    pub key_id: String,
    /// How it was encrypted: `aes-256-gcm`.
    #[graphql(skip)]
    pub algorithm: String,
    /// The value's last four characters, to recognise it by; null when it is too short to show any.
    pub hint: Option<String>,
    /// Whether the other service took it the last time.
    pub health: CredentialHealth,
    /// When that was; null when it was never tested.
    pub last_checked_at: Option<Timestamp>,
    /// What the other service said when it did not take it; null when it did.
    pub last_error: Option<String>,
    /// How often in a row the other service failed or rejected it.
    #[graphql(skip)]
    pub consecutive_failures: i32,
    /// Where a provider that is not one of the known ones is reached; null for all others.
    pub base_url: Option<String>,
    /// When it was last decrypted for use; null when never.
    #[graphql(skip)]
    pub last_used_at: Option<Timestamp>,
    /// When its value was last replaced; null when it is the first.
    pub rotated_at: Option<Timestamp>,
    /// When the other service stops taking it; null when never or unknown.
    #[graphql(skip)]
    pub expires_at: Option<Timestamp>,
    /// Who stored it; null when the system did or the person is gone.
    #[graphql(skip)]
    pub created_by_id: Option<Id>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(CredentialVault, secret [Ciphertext, Nonce]);
