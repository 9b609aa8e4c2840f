//! What questions about a code graph are answered with, and the graphs that were read already.

use super::shared::count;
use crate::{
    domain::code_graph::{CodeGraph, CommunityShown, Edge, Unreadable},
    error::{Error, Result},
    store::Scope,
};
use async_graphql::SimpleObject;
use entity::{
    Id, JsonText,
    project_graph::{self, GraphEdgeKind, GraphEdgeTag, GraphNode},
};
use quick_cache::{Weighter, sync::Cache};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// A symbol of the code graph, with the community it belongs to.
#[derive(SimpleObject)]
pub struct GraphSymbol {
    /// The symbol.
    #[graphql(flatten)]
    pub(super) node: GraphNode,
    /// What its community is called; null when it is in none.
    pub(super) community: Option<String>,
}

/// A symbol at the other end of a dependency.
#[derive(SimpleObject)]
pub struct GraphNeighbour {
    /// The symbol.
    symbol: GraphNode,
    /// How the one depends on the other.
    kind: GraphEdgeKind,
    /// How the builder knows.
    tag: GraphEdgeTag,
}

/// An edge of the code graph: one symbol contains or depends on another.
#[derive(SimpleObject)]
pub struct GraphEdge {
    /// The symbol that contains the other or depends on it.
    from: GraphNode,
    /// The symbol that is contained or depended on.
    to: GraphNode,
    /// How the one relates to the other.
    kind: GraphEdgeKind,
    /// How the builder knows.
    tag: GraphEdgeTag,
}

/// A step of a way through the code graph.
#[derive(SimpleObject)]
pub struct GraphStep {
    /// The symbol it leads to.
    symbol: GraphNode,
    /// How the symbol before depends on this one; null at the start.
    kind: Option<GraphEdgeKind>,
    /// How the builder knows; null at the start.
    tag: Option<GraphEdgeTag>,
}

/// Symbols that are more closely related to each other than to the rest.
#[derive(SimpleObject)]
pub struct GraphCommunity {
    /// What it is called.
    label: String,
    /// How many symbols it has.
    size: i32,
    /// Its most connected symbols: those with most edges first, among equals by id.
    members: Vec<GraphNode>,
}

impl From<(GraphNode, Edge)> for GraphNeighbour {
    fn from((symbol, Edge { kind, tag }): (GraphNode, Edge)) -> Self {
        Self { symbol, kind, tag }
    }
}

impl From<(GraphNode, GraphNode, Edge)> for GraphEdge {
    fn from((from, to, Edge { kind, tag }): (GraphNode, GraphNode, Edge)) -> Self {
        Self {
            from,
            to,
            kind,
            tag,
        }
    }
}

impl From<(GraphNode, Option<Edge>)> for GraphStep {
    fn from((symbol, edge): (GraphNode, Option<Edge>)) -> Self {
        Self {
            symbol,
            kind: edge.map(|edge| edge.kind),
            tag: edge.map(|edge| edge.tag),
        }
    }
}

impl From<CommunityShown> for GraphCommunity {
    fn from(
        CommunityShown {
            label,
            size,
            members,
        }: CommunityShown,
    ) -> Self {
        Self {
            label,
            size: count(size),
            members,
        }
    }
}

/// The most memory that graphs are kept in, in bytes; those not asked for go first.
const MOST_BYTES: u64 = 128 << 20;

/// About so many graphs fit. The crate gives each 32 a part of the memory; so few get it whole, even a large one.
const ABOUT: usize = 32;

/// The graphs that were read and are likely to be asked again, of all tenants, each under its own.
///
/// Whoever asks has the graph's row in hand, read through a scope: nothing here is found without it.
#[derive(Clone)]
pub(super) struct CodeGraphs(Arc<Cache<Key, Read, Bytes>>);

/// Whose graph, which one, and what was in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    tenant: Id,
    graph: Id,
    content_hash: String,
}

/// A graph that cannot be read is remembered too: it will not be better the next time.
type Read = Result<Arc<CodeGraph>, Unreadable>;

/// Weighs what was read by its memory.
#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Read> for Bytes {
    fn weight(&self, key: &Key, read: &Read) -> u64 {
        let names = size_of::<Key>() + key.content_hash.len();
        (names + read.as_ref().map_or(0, |graph| graph.bytes())) as u64
    }
}

impl Default for CodeGraphs {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(ABOUT, MOST_BYTES, Bytes)))
    }
}

impl CodeGraphs {
    /// Asks a project's graph. It is read from the database only when it is not at hand, and once however many ask.
    ///
    /// # Errors
    /// Those of the question; [`Error::Conflict`] when the graph cannot be read; or when the database fails.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        scope: &Scope,
        row: &project_graph::Model,
        question: impl FnOnce(&CodeGraph) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let key = Key {
            tenant: scope.actor().tenant().clone(),
            graph: row.id.clone(),
            content_hash: row.content_hash.clone(),
        };
        let read = self
            .0
            .get_or_insert_async(&key, read(scope, &row.id))
            .await?;
        let graph = read.map_err(|_| {
            Error::Conflict("This code graph cannot be read. Build it again.".to_owned())
        })?;
        // A graph may have hundreds of thousands of symbols.
        spawn_blocking(move || question(&graph))
            .await
            .map_err(Error::internal)?
    }
}

/// Reads a graph. What a client that goes away leaves unfinished is begun anew by the next that asks.
async fn read(scope: &Scope, id: &Id) -> Result<Read> {
    let column = project_graph::Column::GraphJson;
    let json: Option<JsonText> = scope.large::<project_graph::Entity, _>(column, id).await?;
    let json = json.ok_or(Error::NotFound {
        kind: "ProjectGraph",
    })?;
    let read = spawn_blocking(move || CodeGraph::parse(json.bytes()).map(Arc::new));
    let read = read.await.map_err(Error::internal)?;
    if let Err(reason) = &read {
        tracing::warn!(graph = %id.as_str(), %reason, "a code graph cannot be read");
    }
    Ok(read)
}
