//! What a project's code consists of and how its parts depend on each other.

use super::code_graph::{
    CodeGraphs, GraphCommunity, GraphEdge, GraphNeighbour, GraphStep, GraphSymbol,
};
use super::prelude::*;
use crate::{
    Error,
    domain::code_graph::{CodeGraph, is_stale},
    store::page_size,
};
use entity::{
    Json,
    project_graph::{self, GraphNode},
};

/// How many of the most connected symbols are shown when the query does not say.
const GOD_NODES: i32 = 10;

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
            pushed_at: DateTimeFilter,
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
    fields {

        /// Whether its repository was pushed to since it was built, or it was built 24 hours ago or longer, so that the code
        /// may have changed since. Null when it was never built.
        async fn stale(&self, ctx: &Context<'_>) -> Nullable<bool> {
            let row = self.row()?;
            let built = row.built_at;
            Ok(built.map(|built| is_stale(built, row.pushed_at, ctx.scope().now())))
        }

        /// The symbols with the most edges, the most connected first, among equals by id.
        async fn god_nodes(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "So many symbols: 10 if not given, at most 200.")] first: Option<i32>,
        ) -> Nullable<Vec<GraphNode>> {
            let most = most(first.or(Some(GOD_NODES)))?;
            // The row names the first few, so that the page that shows them never opens the graph.
            let named = self.row()?.god_node_slugs.0;
            if most <= named.len() {
                return Ok(Some(named[..most].to_vec()));
            }
            self.ask(ctx, move |graph| Ok(graph.most_connected(most))).await
        }

        /// The symbols that have this in their name, to find their ids. Those that are called just so come first, then
        /// the most connected.
        async fn find_symbols(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "A name or a part of one; capital letters A to Z count like small ones.")] name: String,
            #[graphql(desc = "So many symbols: 50 if not given, at most 200.")] first: Option<i32>,
        ) -> Nullable<Vec<GraphNode>> {
            let most = most(first)?;
            if name.is_empty() {
                return Err(Error::bad_input("name", "is empty; give at least one letter of the name").into());
            }
            self.ask(ctx, move |graph| Ok(graph.named(&name, most))).await
        }

        /// One symbol.
        async fn symbol(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "The symbol's id, `path:kind:name`; `findSymbols` finds it.")] id: String,
        ) -> Nullable<GraphSymbol> {
            self.ask(ctx, move |graph| {
                let symbol = graph.find("id", &id)?;
                Ok(GraphSymbol { node: graph.node(symbol), community: graph.community_label(symbol) })
            })
            .await
        }

        /// What calls, imports, extends or implements a symbol directly; the most connected first, among equals by id.
        async fn callers(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "The symbol's id, `path:kind:name`; `findSymbols` finds it.")] symbol: String,
            #[graphql(desc = "So many callers: 50 if not given, at most 200.")] first: Option<i32>,
        ) -> Nullable<Vec<GraphNeighbour>> {
            let most = most(first)?;
            self.ask(ctx, move |graph| {
                let callers = graph.callers(graph.find("symbol", &symbol)?, most);
                Ok(callers.into_iter().map(GraphNeighbour::from).collect())
            })
            .await
        }

        /// What a symbol calls, imports, extends or implements directly; the most connected first, among equals by id.
        async fn callees(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "The symbol's id, `path:kind:name`; `findSymbols` finds it.")] symbol: String,
            #[graphql(desc = "So many callees: 50 if not given, at most 200.")] first: Option<i32>,
        ) -> Nullable<Vec<GraphNeighbour>> {
            let most = most(first)?;
            self.ask(ctx, move |graph| {
                let callees = graph.callees(graph.find("symbol", &symbol)?, most);
                Ok(callees.into_iter().map(GraphNeighbour::from).collect())
            })
            .await
        }

        /// The edges at a symbol, also what contains it and what it contains; those to the most connected first, among equals
        /// by id.
        async fn edges(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "The symbol's id, `path:kind:name`; `findSymbols` finds it.")] symbol: String,
            #[graphql(desc = "So many edges: 50 if not given, at most 200.")] first: Option<i32>,
        ) -> Nullable<Vec<GraphEdge>> {
            let most = most(first)?;
            self.ask(ctx, move |graph| {
                let edges = graph.edges(graph.find("symbol", &symbol)?, most);
                Ok(edges.into_iter().map(GraphEdge::from).collect())
            })
            .await
        }

        /// The symbols that are closely related to a symbol; null when it belongs to no community.
        async fn community(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "The symbol's id, `path:kind:name`; `findSymbols` finds it.")] symbol: String,
            #[graphql(desc = "So many members: 50 if not given, at most 200.")] first: Option<i32>,
        ) -> Nullable<GraphCommunity> {
            let most = most(first)?;
            let community = self
                .ask(ctx, move |graph| Ok(graph.community(graph.find("symbol", &symbol)?, most)))
                .await?;
            Ok(community.flatten().map(GraphCommunity::from))
        }

        /// A shortest way from one symbol to another, along what each contains or depends on, both included; null when
        /// the one does not lead to the other. Of several it is always the same. At most 200 steps.
        async fn path(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "The id of the symbol it begins at; `findSymbols` finds it.")] from: String,
            #[graphql(desc = "The id of the symbol it ends at.")] to: String,
        ) -> Nullable<Vec<GraphStep>> {
            let path = self
                .ask(ctx, move |graph| graph.path(graph.find("from", &from)?, graph.find("to", &to)?))
                .await?;
            Ok(path.flatten().map(|steps| steps.into_iter().map(GraphStep::from).collect()))
        }
    }
}

impl ProjectGraphFields {
    async fn ask<T: Send + 'static>(
        &self,
        ctx: &Context<'_>,
        question: impl FnOnce(&CodeGraph) -> crate::Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let graphs = ctx.data_unchecked::<CodeGraphs>();
        Ok(Some(graphs.ask(ctx.scope(), &self.row()?, question).await?))
    }
}

/// How many symbols a list has when its argument `first` asks for so many.
fn most(first: Option<i32>) -> crate::Result<usize> {
    Ok(usize::try_from(page_size("first", first)?).unwrap_or(usize::MAX))
}
