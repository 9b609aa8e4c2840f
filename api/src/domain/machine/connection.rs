//! The states of a connection to another service.

use entity::integration_connection::IntegrationStatus;

super::machine! {
    integration_connection: IntegrationStatus {
        /// What becomes of a connection.
        ConnectionStep as "ConnectionStep" {
            /// A test has passed.
            Connect: [Disconnected, ActionNeeded, Error] => Connected, by itself, "integration.connected";
            /// A test has failed, or the service rejected the credential.
            Reject: [Connected, Error] => ActionNeeded, by itself, "integration.transitioned";
            /// The service cannot be reached.
            Lose: [Connected] => Error, by itself, "integration.transitioned";
            /// It is given up, and its credential deleted.
            Disconnect: [Connected, ActionNeeded, Error] => Disconnected, by itself, "integration.disconnected";
        }
    }
}
