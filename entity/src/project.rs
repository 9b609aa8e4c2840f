//! `projects`: what a tenant's work is sorted into.

use crate::prelude::*;
use async_graphql::InputObject;

/// A field that a project's briefs have beyond the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "BriefTemplateFieldInput")]
pub struct BriefTemplateField {
    /// The field's name in the brief, unique in the template, such as `rolloutPlan`: a letter, then letters, digits and `_`,
    /// at most 64.
    pub key: String,
    /// What people see above it, in 1 to 100 characters.
    pub label: String,
    /// What the agent that drafts it is told, in at most 2,000 characters; null when the label says enough.
    pub guidance: Option<String>,
    /// Whether a brief without it is incomplete.
    #[graphql(default)]
    pub required: bool,
}

/// A body of work with its own goals, meetings, briefs and tickets. Every tenant has one called `default`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "projects", rename_all = "camelCase")]
#[graphql(name = "ProjectRow")]
pub struct Model {
    /// The project's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it is called, in 1 to 64 characters.
    pub name: String,
    /// Its name in links, unique in the tenant: 1 to 40 of `a-z`, `0-9` and `-`.
    pub slug: String,
    /// What it is about, in at most 5,000 characters.
    pub description: Option<String>,
    /// The colour it is shown in, as `#rrggbb`; null for the product's own.
    pub color: Option<String>,
    /// Whether it is put away: it takes no new briefs, and can be restored.
    pub is_archived: bool,
    /// The fields its briefs have beyond the usual ones; null when they have none.
    pub brief_template: Option<Json<Vec<BriefTemplateField>>>,
    /// What agents are told whenever they draft one of its briefs.
    pub brief_guidance: Option<String>,
    /// What model calls for it may cost in a month, in millionths of a US dollar; null, zero or less is no cap.
    pub monthly_spend_cap_micros: Option<BigInt>,
    /// Who created it; null when the system did or the person is gone.
    pub created_by_id: Option<Id>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Project);
