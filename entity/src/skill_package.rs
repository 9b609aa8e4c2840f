//! `skill_packages`: the library of skills, global ones and those that a tenant added.

use crate::prelude::*;

text_enum! {
    /// Where an entry of the library comes from.
    LibrarySource {
        /// Shipped with the product.
        Vendor,
        /// Written by someone of the tenant; needs an approval before it is used.
        User,
        /// Taken from a public collection; needs an approval before it is used.
        Community,
    }
}

text_enum! {
    /// Whether agents may use an entry of the library.
    LibraryStatus {
        /// Offered to agents.
        Active,
        /// Waiting for an admin to approve it; where entries of users and of the community begin.
        PendingApproval,
        /// Switched off.
        Disabled,
    }
}

/// A skill of the library. A tenant's own package replaces the global one with the same slug.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "skill_packages", rename_all = "camelCase")]
#[graphql(name = "SkillPackageRow")]
pub struct Model {
    /// The package's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is; a global package has no tenant.
    #[graphql(skip)]
    pub tenant_id: Option<Id>,
    /// The word that plans and tickets name it by, unique within the tenant and among the global packages.
    pub slug: String,
    /// Where it comes from.
    pub source: LibrarySource,
    /// The SHA-256 of its content in hex; an import of the same content changes nothing.
    pub content_hash: String,
    /// When to use it, in a sentence or two; the planner chooses a package by this text.
    pub description: String,
    /// The instructions themselves, in Markdown.
    #[graphql(skip)]
    pub body: Large<String>,
    /// The tools it cannot do without, such as `Bash`; empty when it needs none.
    pub required_tools: Json<Vec<String>>,
    /// Whether agents may use it.
    pub status: LibraryStatus,
    /// What the import noted, such as the file's path and the vendor's version; empty when nothing.
    pub metadata: Json<serde_json::Value>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(SkillPackage, or global, large [Body]);
