//! What a project's code consists of and how its parts depend on each other.

use super::prelude::*;
use entity::{Json, project_graph};

node! {
    /// The graph of a project's code; each project has at most one.
    ProjectGraph in project_graph (project_graph, project_graphs) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            content_hash: StringFilter,
            node_count: IntFilter,
            edge_count: IntFilter,
            community_count: IntFilter,
            repo_label: StringFilter,
            build_status: EnumFilter<project_graph::ProjectGraphBuildStatus>,
            last_error: StringFilter,
            built_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project whose code it maps.
            project: Project by project_id,
        }
        large {
            /// The graph itself, some megabytes: its nodes, edges and communities.
            graph_json: Json<serde_json::Value>,
        }
    }
}
