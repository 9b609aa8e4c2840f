//! `google_oauth_tokens`: the Google accounts that users connected, and the Drive channels that watch them.

use crate::prelude::*;

text_enum! {
    /// Whether a connected Google account can be used.
    GoogleOAuthTokenStatus {
        /// It works, and is refreshed when it runs out.
        Active,
        /// It ran out and could not be refreshed: the user must connect again.
        Expired,
        /// The user, or Google, took the permission back.
        Revoked,
    }
}

/// A Google account that a user connected; each user has at most one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "google_oauth_tokens", rename_all = "camelCase")]
#[graphql(name = "GoogleOAuthTokenRow")]
pub struct Model {
    /// The connection's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The user who connected the account.
    pub user_id: Id,
    /// The Google account's address, which may differ from the user's own.
    pub email: String,
    /// The token that calls Google, encrypted with AES-256-GCM.
    #[graphql(skip)]
    pub access_token: Secret<String>,
    /// The token that renews the access token, encrypted with AES-256-GCM.
    #[graphql(skip)]
    pub refresh_token: Secret<String>,
    /// When the access token runs out.
    pub expires_at: Timestamp,
    /// What the user permitted, as Google's scope URLs.
    pub scopes: Json<Vec<String>>,
    /// Whether the account can be used.
    pub status: GoogleOAuthTokenStatus,
    /// The Drive channel that reports new recordings; null when none is open.
    pub drive_channel_id: Option<String>,
    /// SHA-256 of the token that Drive sends with each report; null when no channel is open.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub drive_channel_token_hash: Secret<String>,
    /// When the Drive channel closes, at most seven days ahead; it is renewed a day earlier. Null when none is open.
    pub channel_expiry: Option<Timestamp>,
    /// When the account was connected.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(GoogleOAuthToken, secret [AccessToken, RefreshToken, DriveChannelTokenHash], user UserId);
