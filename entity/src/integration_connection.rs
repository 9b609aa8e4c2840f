//! `integration_connections`: the outside services a tenant is connected to.

use crate::prelude::*;

text_enum! {
    /// An outside service.
    IntegrationName {
        /// Atlassian Jira, where tickets are mirrored.
        Jira,
        /// Slack, for messages and approvals.
        Slack,
        /// GitHub, for repositories and pull requests.
        Github,
        /// Linear, where tickets are mirrored.
        Linear,
        /// Notion, for documents.
        Notion,
        /// Google Chat, for messages and approvals.
        Gchat,
        /// Google Docs, where briefs are copied to.
        Gdocs,
        /// Google Drive, where recordings are picked up.
        Gdrive,
        /// Twilio, for telephone calls, WhatsApp and SMS.
        Twilio,
        /// Microsoft Teams, for messages and approvals.
        Teams,
        /// E-mail, for messages and approvals.
        Email,
    }
}

text_enum! {
    /// Whether an outside service can be used.
    IntegrationStatus {
        /// Not connected.
        Disconnected,
        /// Connected, and the last test passed.
        Connected,
        /// The service refused the credential; someone must enter a new one.
        ActionNeeded,
        /// The service could not be reached.
        Error,
    }
}

/// A connection to an outside service. A tenant may have several to the same one, told apart by their labels.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "integration_connections", rename_all = "camelCase")]
#[graphql(name = "IntegrationConnectionRow")]
pub struct Model {
    /// The connection's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The service.
    pub name: IntegrationName,
    /// Which of several connections to the service, such as a workspace's name. Empty when there is only one.
    pub label: String,
    /// Whether it can be used.
    pub status: IntegrationStatus,
    /// The credential it uses; null when it is disconnected.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub credential_id: Secret<Id>,
    /// What may be shown of it, such as the project's key or the connected address; never a secret.
    pub metadata: Json<serde_json::Value>,
    /// When it was last tried; null when never.
    pub last_tested_at: Option<Timestamp>,
    /// What the service answered when the last test failed; null when it passed.
    pub last_error: Option<String>,
    /// Who connected it; null when it never was or the person is gone.
    pub connected_by_id: Option<Id>,
    /// When it was connected; null when it never was.
    pub connected_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(IntegrationConnection, secret[CredentialId]);
