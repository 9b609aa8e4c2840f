//! The Google accounts that users connected, and the Drive channels that watch them.

use super::prelude::*;
use entity::google_oauth_token;

node! {
    /// A Google account that a user connected; each user has at most one.
    GoogleOAuthToken in google_oauth_token (google_oauth_token, google_oauth_tokens) {
        columns {
            id: IdFilter,
            user_id: IdFilter,
            email: StringFilter,
            expires_at: DateTimeFilter,
            status: EnumFilter<google_oauth_token::GoogleOAuthTokenStatus>,
            drive_channel_id: StringFilter,
            channel_expiry: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Whose Google account it is.
            user: User by user_id,
        }
    }
}
