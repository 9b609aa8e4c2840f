//! What the writer of a brief can say in it.

use super::shared::count;
use crate::domain::check;
use async_graphql::InputObject;
use entity::{Json, Large, prd};
use sea_orm::ActiveValue::{NotSet, Set};

/// What a brief says.
#[derive(InputObject, Clone, Default)]
pub struct BriefContent {
    /// What is to be reached, in a few sentences.
    goal_text: Option<String>,
    /// Who it is for.
    target_users: Option<String>,
    /// How one will know that it worked.
    success_metrics: Option<String>,
    /// What is in it.
    scope: Option<String>,
    /// What is left out of it.
    non_scope: Option<String>,
    /// When it is wanted.
    timeline: Option<String>,
    /// The repository it is to be built in, as `owner/name`.
    target_repo: Option<String>,
    /// What it is to achieve, at most 100.
    objectives: Option<Vec<String>>,
    /// What it demands, at most 200.
    #[graphql(validator(max_items = 200))]
    requirements: Option<Vec<prd::Requirement>>,
    /// When it counts as done, at most 100.
    acceptance_criteria: Option<Vec<String>>,
    /// What it deliberately leaves out, at most 100.
    out_of_scope: Option<Vec<String>>,
    /// What it takes for granted, at most 100.
    assumptions: Option<Vec<String>>,
    /// What can go wrong, at most 100.
    #[graphql(validator(max_items = 100))]
    risks: Option<Vec<prd::Risk>>,
}

impl BriefContent {
    /// The columns that were given; the others stay as they are.
    pub(super) fn columns(self) -> crate::Result<prd::ActiveModel> {
        let words = |field: &'static str, value: Option<String>| match value {
            Some(value) => check::text(field, &value, 0, 10_000).map(|text| Set(Some(text))),
            None => Ok(NotSet),
        };
        let list = |field: &'static str, values: Option<Vec<String>>| match values {
            Some(values) => {
                check::texts(field, &values, 100, 2000).map(|texts| Set(Large::new(Json(texts))))
            }
            None => Ok(NotSet),
        };
        Ok(prd::ActiveModel {
            goal_text: words("goalText", self.goal_text)?,
            target_users: words("targetUsers", self.target_users)?,
            success_metrics: words("successMetrics", self.success_metrics)?,
            scope: words("scope", self.scope)?,
            non_scope: words("nonScope", self.non_scope)?,
            timeline: words("timeline", self.timeline)?,
            target_repo: words("targetRepo", self.target_repo)?,
            objectives: list("objectives", self.objectives)?,
            acceptance_criteria: list("acceptanceCriteria", self.acceptance_criteria)?,
            out_of_scope: list("outOfScope", self.out_of_scope)?,
            assumptions: list("assumptions", self.assumptions)?,
            requirement_count: self
                .requirements
                .as_ref()
                .map_or(NotSet, |all| Set(count(all.len()))),
            requirements: self
                .requirements
                .map_or(NotSet, |all| Set(Large::new(Json(all)))),
            risks: self.risks.map_or(NotSet, |all| Set(Large::new(Json(all)))),
            ..Default::default()
        })
    }
}
