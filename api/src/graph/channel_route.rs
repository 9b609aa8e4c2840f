//! Which messages go where.

use super::prelude::*;
use entity::channel_route;

node! {
    /// A rule that says where messages go. The most specific one that fits wins: project and role, project, role, neither.
    ChannelRoute in channel_route (channel_route, channel_routes) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            role_slug: StringFilter,
            message_type: EnumFilter<channel_route::RouteMessageType>,
            connection_id: IdFilter,
            channel: EnumFilter<channel_route::RouteChannel>,
            target: StringFilter,
            is_dm: BooleanFilter,
            enabled: BooleanFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it routes for; null for the whole workspace.
            project: Project by project_id,
            /// The service it goes through; null for e-mail and text messages.
            connection: IntegrationConnection by connection_id,
        }
    }
}
