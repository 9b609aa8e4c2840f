//! What the writer of a brief can say in it.

use super::{
    constraints::size,
    shared::count,
    write::{change, patch},
};
use crate::{Error, Result, domain::check};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{Json, Large, prd};
use sea_orm::ActiveValue::{NotSet, Set};

/// What a brief says. A null clears what may be missing; the lists are emptied by `[]`.
#[derive(InputObject, Clone, Default)]
pub struct BriefContent {
    /// What is to be reached, in a few sentences.
    goal_text: MaybeUndefined<String>,
    /// Who it is for.
    target_users: MaybeUndefined<String>,
    /// How one will know that it worked.
    success_metrics: MaybeUndefined<String>,
    /// What is in it.
    scope: MaybeUndefined<String>,
    /// What is left out of it.
    non_scope: MaybeUndefined<String>,
    /// When it is wanted.
    timeline: MaybeUndefined<String>,
    /// The repository it is to be built in, as `owner/name`.
    target_repo: MaybeUndefined<String>,
    /// What it is to achieve, at most 100.
    #[graphql(directive = size::apply(0, 100))]
    objectives: MaybeUndefined<Vec<String>>,
    /// What it demands, at most 200.
    #[graphql(directive = size::apply(0, 200))]
    requirements: MaybeUndefined<Vec<prd::Requirement>>,
    /// When it counts as done, at most 100.
    #[graphql(directive = size::apply(0, 100))]
    acceptance_criteria: MaybeUndefined<Vec<String>>,
    /// What it deliberately leaves out, at most 100.
    #[graphql(directive = size::apply(0, 100))]
    out_of_scope: MaybeUndefined<Vec<String>>,
    /// What it takes for granted, at most 100.
    #[graphql(directive = size::apply(0, 100))]
    assumptions: MaybeUndefined<Vec<String>>,
    /// What can go wrong, at most 100.
    #[graphql(directive = size::apply(0, 100))]
    risks: MaybeUndefined<Vec<prd::Risk>>,
}

impl BriefContent {
    /// The columns that were given; the others stay as they are.
    pub(super) fn columns(self) -> Result<prd::ActiveModel> {
        self.checked().map_err(|error| match error {
            Error::BadUserInput { field, reason } => {
                Error::bad_input(format!("content.{field}"), reason)
            }
            other => other,
        })
    }

    fn checked(self) -> Result<prd::ActiveModel> {
        let words = |field: &'static str, value| {
            patch(value, |text: String| check::text(field, &text, 0, 10_000))
        };
        let list = |field: &'static str, values| {
            change(field, values, |values: Vec<String>| {
                check::texts(field, &values, 100, 2000).map(large)
            })
        };
        let requirement_count = match &self.requirements {
            MaybeUndefined::Value(all) => Set(count(all.len())),
            _ => NotSet,
        };
        Ok(prd::ActiveModel {
            goal_text: words("goalText", self.goal_text)?,
            target_users: words("targetUsers", self.target_users)?,
            success_metrics: words("successMetrics", self.success_metrics)?,
            scope: words("scope", self.scope)?,
            non_scope: words("nonScope", self.non_scope)?,
            timeline: words("timeline", self.timeline)?,
            target_repo: patch(self.target_repo, |repo| {
                check::repository("targetRepo", &repo)
            })?,
            objectives: list("objectives", self.objectives)?,
            acceptance_criteria: list("acceptanceCriteria", self.acceptance_criteria)?,
            out_of_scope: list("outOfScope", self.out_of_scope)?,
            assumptions: list("assumptions", self.assumptions)?,
            requirement_count,
            requirements: change("requirements", self.requirements, |all| {
                each("requirements", all, requirement)
            })?,
            risks: change("risks", self.risks, |all| each("risks", all, risk))?,
            ..Default::default()
        })
    }
}

/// Every entry as it is kept, each checked under its own name.
fn each<T>(
    list: &str,
    all: Vec<T>,
    checked: impl Fn(usize, &dyn Fn(&str) -> String, T) -> Result<T>,
) -> Result<Large<Json<Vec<T>>>> {
    let entry = |(place, entry)| {
        checked(
            place,
            &|field: &str| format!("{list}[{place}].{field}"),
            entry,
        )
    };
    let all = all.into_iter().enumerate().map(entry);
    all.collect::<Result<_>>().map(large)
}

fn requirement(
    place: usize,
    field: &dyn Fn(&str) -> String,
    given: prd::Requirement,
) -> Result<prd::Requirement> {
    let criteria = field("acceptanceCriteria");
    let id = match check::line(&field("id"), &given.id, 0, 100)? {
        id if id.is_empty() => format!("REQ-{}", place + 1),
        id => id,
    };
    Ok(prd::Requirement {
        id,
        title: check::line(&field("title"), &given.title, 1, 300)?,
        description: check::text(&field("description"), &given.description, 0, 10_000)?,
        acceptance_criteria: check::texts(&criteria, &given.acceptance_criteria, 100, 2000)?,
        ..given
    })
}

fn risk(_: usize, field: &dyn Fn(&str) -> String, given: prd::Risk) -> Result<prd::Risk> {
    Ok(prd::Risk {
        description: check::text(&field("description"), &given.description, 1, 2000)?,
        impact: check::text(&field("impact"), &given.impact, 0, 2000)?,
        mitigation: check::text(&field("mitigation"), &given.mitigation, 0, 2000)?,
    })
}

fn large<T>(all: Vec<T>) -> Large<Json<Vec<T>>> {
    Large::new(Json(all))
}
