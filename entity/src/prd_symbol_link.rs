//! `prd_symbol_links`: which places in the code a brief touches.

use crate::prelude::*;

text_enum! {
    /// Who tied a brief to a place in the code.
    SymbolLinkSource {
        /// The system, by comparing the brief with the code graph.
        Auto,
        /// A person.
        Manual,
    }
}

/// A place in the code that a brief is expected to touch.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "prd_symbol_links", rename_all = "camelCase")]
#[graphql(name = "PRDSymbolLinkRow")]
pub struct Model {
    /// The link's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The brief.
    pub prd_id: Id,
    /// The node of the code graph, as `path:kind:name`; unique within the brief.
    pub symbol_id: String,
    /// The symbol's bare name, such as `parseOrder`.
    pub symbol_name: String,
    /// The file it is in, from the repository's root; null when the graph did not say.
    pub file: Option<String>,
    /// The line it starts at, from 1; null when the graph did not say.
    pub line: Option<i32>,
    /// How likely the brief touches it, from 0 to 1.
    pub confidence: f64,
    /// Who tied them together.
    pub source: SymbolLinkSource,
    /// When they were tied together.
    pub created_at: Timestamp,
}

owned!(PRDSymbolLink);
