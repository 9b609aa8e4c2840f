//! Which places in the code a brief touches.

use super::{
    code_graph::{CodeGraphs, GraphSymbol},
    constraints::length,
    prelude::*,
    write::{Delete, Once, Write, deletions, mutations},
};
use crate::{Error, auth::Action, store::Tx, workflow};
use async_graphql::InputObject;
use entity::{
    Id, prd, prd_symbol_link,
    project_graph::{self, GraphNode},
};

node! {
    /// A place in the code that a brief is expected to touch.
    PRDSymbolLink in prd_symbol_link (prd_symbol_link, prd_symbol_links) {
        columns {
            id: IdFilter,
            prd_id: IdFilter,
            symbol_id: StringFilter,
            symbol_name: StringFilter,
            file: StringFilter,
            line: IntFilter,
            confidence: FloatFilter,
            source: EnumFilter<prd_symbol_link::SymbolLinkSource>,
            created_at: DateTimeFilter,
        }
        one {
            /// The brief that touches the symbol.
            prd: PRD by prd_id,
        }
    }
    fields {

        /// The symbol in the map of the project's code as it is now; null when the map has none or there is no map.
        async fn symbol(&self, ctx: &Context<'_>) -> Nullable<GraphSymbol> {
            let row = self.row()?;
            let brief = ctx.scope().find::<prd::Entity>(&row.prd_id).await?;
            let Some(graph) = map(ctx, brief.as_deref()).await? else { return Ok(None) };
            let id = row.symbol_id;
            let symbol = ctx.data_unchecked::<CodeGraphs>().ask(ctx.scope(), &graph, move |graph| {
                Ok(graph.find("symbolId", &id).ok().map(|symbol| GraphSymbol {
                    node: graph.node(symbol),
                    community: graph.community_label(symbol),
                }))
            });
            Ok(symbol.await?)
        }
    }
}

/// The map of the code of a brief's project.
async fn map(
    ctx: &Context<'_>,
    brief: Option<&prd::Model>,
) -> crate::Result<Option<Arc<project_graph::Model>>> {
    let Some(brief) = brief else { return Ok(None) };
    let project = project_graph::Column::ProjectId;
    let scope = ctx.scope();
    scope
        .find_by::<project_graph::Entity>(project, &brief.project_id)
        .await
}

/// Which brief touches which place in the code.
#[derive(InputObject, Clone)]
pub struct LinkSymbolInput {
    /// The brief.
    prd_id: Id,
    /// The symbol's id in the map of the project's code, `path:kind:name`; `ProjectGraph.findSymbols` finds it.
    #[graphql(directive = length::apply(1, 1000))]
    symbol_id: String,
    #[graphql(flatten)]
    once: Once,
    /// The symbol, or why there is none.
    #[graphql(skip)]
    found: Option<crate::Result<GraphNode>>,
}

impl Write for LinkSymbolInput {
    type Entity = prd_symbol_link::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let brief = ctx.scope().find::<prd::Entity>(&self.prd_id).await?;
        let found = match map(ctx, brief.as_deref()).await? {
            None => Err(Error::Conflict(
                "There is no map of this project's code yet.".to_owned(),
            )),
            Some(graph) => {
                let symbol = self.symbol_id.clone();
                let graphs = ctx.data_unchecked::<CodeGraphs>();
                let node = graphs.ask(ctx.scope(), &graph, move |graph| {
                    Ok(graph.node(graph.find("symbolId", &symbol)?))
                });
                node.await
            }
        };
        Ok(Self {
            found: Some(found),
            ..self
        })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd_symbol_link::Model> {
        let found = self.found;
        let found = found.ok_or_else(|| Error::internal("a symbol nobody looked for"))?;
        workflow::link_symbol(tx, &self.prd_id, &self.symbol_id, found).await
    }
}

/// Which link is taken back.
#[derive(InputObject, Clone)]
pub struct UnlinkSymbolInput {
    /// The link.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for UnlinkSymbolInput {
    const ACTION: Action = Action::EditBrief;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        workflow::unlink_symbol(tx, &self.id).await
    }
}

mutations! { PRDSymbolLinkMutation {
    /// Says that a brief touches a place in the code. One that is linked already is answered as it is.
    link_symbol(LinkSymbolInput) -> LinkSymbolPayload { prd_symbol_link: PRDSymbolLink };
} }

deletions! { PRDSymbolLinkDeletionMutation {
    /// Takes back that a brief touches a place in the code.
    unlink_symbol(UnlinkSymbolInput) -> UnlinkSymbolPayload;
} }
