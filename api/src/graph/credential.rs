//! Keys and tokens of other services, encrypted. Only the integration layer decrypts them.

use super::prelude::*;
use entity::credential;

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
