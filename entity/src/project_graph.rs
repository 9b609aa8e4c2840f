//! `project_graphs`: what a project's code consists of and how its parts depend on each other.

use crate::prelude::*;

text_enum! {
    /// What a project's graph builder is doing.
    ProjectGraphBuildStatus {
        /// Nothing: the graph is as the last build left it.
        Idle,
        /// Reading the repository; the graph shown is the previous one.
        Building,
        /// The last build failed; the graph shown is the previous one.
        Failed,
    }
}

text_enum! {
    /// What part of a program a node of the code graph is.
    GraphNodeKind {
        /// A source file.
        File,
        /// A class or a struct.
        Class,
        /// An interface or a trait.
        Interface,
        /// A function that belongs to no type.
        Function,
        /// A function that belongs to a type.
        Method,
        /// An enumeration.
        Enum,
        /// A type alias.
        Type,
    }
}

text_enum! {
    /// How one symbol of the code graph depends on another.
    GraphEdgeKind {
        /// The file or type has the symbol in it.
        Contains,
        /// The file imports the other one.
        Imports,
        /// The symbol calls the other one.
        Calls,
        /// The type extends the other one.
        Extends,
        /// The type implements the other one.
        Implements,
    }
}

text_enum! {
    /// How the builder of a code graph knows of a dependency.
    GraphEdgeTag {
        /// It stands in the code as it is.
        Extracted,
        /// It was concluded, from a name for example, and may be wrong.
        Inferred,
    }
}

/// A symbol of the code graph, and how much hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct GraphNode {
    /// The node's id in the graph: `path:kind:name`.
    pub id: String,
    /// The symbol's name.
    pub name: String,
    /// What part of a program it is.
    pub kind: GraphNodeKind,
    /// The file it stands in, from the repository's root.
    pub file: String,
    /// The line it starts on, from 1; null for a file.
    pub line: Option<i32>,
    /// How many edges begin or end at it.
    pub degree: i32,
}

/// The graph of a project's code; each project has at most one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "project_graphs", rename_all = "camelCase")]
#[graphql(name = "ProjectGraphRow")]
pub struct Model {
    /// The graph's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The project whose code it shows.
    pub project_id: Id,
    /// SHA-256 of the graph, in hex; a plan made from another one is out of date.
    pub content_hash: String,
    /// The graph itself, some megabytes: its nodes, edges and communities.
    #[graphql(skip)]
    pub graph_json: Large<Json<serde_json::Value>>,
    /// How many symbols and files it has.
    pub node_count: i32,
    /// How many dependencies between them.
    pub edge_count: i32,
    /// How many groups of closely related symbols.
    pub community_count: i32,
    /// The symbols that most others depend on, at most ten, the most connected first.
    pub god_node_slugs: Json<Vec<GraphNode>>,
    /// The programming languages found, such as `rust` or `typescript`.
    pub languages: Json<Vec<String>>,
    /// The repository it was built from, as `owner/name`; null when not known.
    pub repo_label: Option<String>,
    /// Where the repository lies on the server; null when not known.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub repo_path: Secret<String>,
    /// What its builder is doing.
    pub build_status: ProjectGraphBuildStatus,
    /// Why the last build failed; null when it did not.
    pub last_error: Option<String>,
    /// When the graph was last built; null when it never was.
    pub built_at: Option<Timestamp>,
    /// When its repository's main branch was last pushed to, as the repository's service told; null when it never did.
    pub pushed_at: Option<Timestamp>,
    /// When the row was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ProjectGraph, large[GraphJson], secret[RepoPath]);
