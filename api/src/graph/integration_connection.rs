//! The outside services a tenant is connected to.

use super::prelude::*;
use entity::integration_connection;

node! {
    /// A connection to an outside service. A tenant may have several to the same one, told apart by their labels.
    IntegrationConnection in integration_connection (integration_connection, integration_connections) {
        columns {
            id: IdFilter,
            name: EnumFilter<integration_connection::IntegrationName>,
            label: StringFilter,
            status: EnumFilter<integration_connection::IntegrationStatus>,
            last_tested_at: DateTimeFilter,
            last_error: StringFilter,
            connected_by_id: IdFilter,
            connected_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who connected it; null when not connected or the person is gone.
            connected_by: User by connected_by_id,
        }
        many {
            /// Routes that go through this service.
            channel_routes: ChannelRoute by connection_id,
        }
    }
}
