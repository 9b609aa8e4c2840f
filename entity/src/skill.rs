//! `skills`: the playbooks a tenant writes for its agents.

use crate::prelude::*;
use async_graphql::InputObject;

/// A setting that a skill asks for before it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "ConfigFieldInput")]
pub struct ConfigField {
    /// The name by which the skill's body refers to the setting, unique in the skill: a letter, then letters, digits and `_`,
    /// at most 64.
    pub key: String,
    /// What the setting changes, in at most 500 characters.
    #[graphql(default)]
    pub description: String,
    /// The value taken when none is given, in at most 500 characters; null when one must be given.
    pub default: Option<String>,
    /// The question put to the person who sets it, in at most 500 characters; null asks with the key.
    pub prompt: Option<String>,
}

/// A file that comes with a skill, such as a template or a script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "SupportingFileInput")]
pub struct SupportingFile {
    /// The file's name, as the skill's body refers to it and unique in the skill: names of letters, digits, `-`, `_` and `.`
    /// with `/` between them, at most 200 characters.
    pub name: String,
    /// The file's whole text, in at most 50,000 characters.
    pub content: String,
}

/// A playbook of the tenant, which an agent follows when it is called by its slug, as in `/release-notes`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "skills", rename_all = "camelCase")]
#[graphql(name = "SkillRow")]
pub struct Model {
    /// The skill's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The word that calls it, unique within the tenant: lower case with dashes, made from the name.
    pub slug: String,
    /// The name people see in lists.
    pub name: String,
    /// When to use it, in a sentence or two; agents choose a skill by this text. Empty when not given.
    pub description: String,
    /// The instructions themselves, in Markdown.
    #[graphql(skip)]
    pub body: Large<String>,
    /// The systems it runs on: `darwin`, `linux`, `windows`. Empty means all of them.
    pub platforms: Json<Vec<String>>,
    /// Whether it is switched off; agents are not offered a disabled skill.
    pub disabled: bool,
    /// The settings it asks for, in order; null when it has none.
    pub config_schema: Option<Json<Vec<ConfigField>>>,
    /// The files that come with it; null when there are none.
    #[graphql(skip)]
    #[sea_orm(nullable)]
    pub supporting_files: Large<Json<Vec<SupportingFile>>>,
    /// Who wrote it; null when the system did or the person is gone.
    pub created_by_id: Option<Id>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Skill, large [Body, SupportingFiles]);
