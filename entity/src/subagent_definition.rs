//! `subagent_definitions`: the specialists that a step of a plan may be given to.

use crate::{
    prelude::*,
    skill_package::{LibrarySource, LibraryStatus},
};

/// A specialist of the library. A tenant's own definition replaces the global one with the same slug.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "subagent_definitions", rename_all = "camelCase")]
#[graphql(name = "SubagentDefinitionRow")]
pub struct Model {
    /// The definition's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is; a global definition has no tenant.
    #[graphql(skip)]
    pub tenant_id: Option<Id>,
    /// The word that plans and tickets name it by, unique within the tenant and among the global definitions.
    pub slug: String,
    /// Where it comes from.
    pub source: LibrarySource,
    /// The SHA-256 of its content in hex; an import of the same content changes nothing.
    pub content_hash: String,
    /// What it is good at, in a sentence or two; the planner chooses a specialist by this text.
    pub description: String,
    /// The prompt it works under.
    #[graphql(skip)]
    pub system_prompt: Large<String>,
    /// The tools it may use, such as `Read` and `Grep`; empty when it may use none.
    pub allowed_tools: Json<Vec<String>>,
    /// The model it works best with; null leaves the choice to the role.
    pub preferred_model: Option<String>,
    /// The shelf it stands on, such as `01-core-development`; null when it is on none.
    pub category: Option<String>,
    /// Whether agents may use it.
    pub status: LibraryStatus,
    /// What the import noted, such as the file's path and the vendor's version; empty when nothing.
    pub metadata: Json<serde_json::Value>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(SubagentDefinition, or global, large [SystemPrompt]);
