//! Projects and their goals.

use super::workspace::Workspace;
use crate::error::Result;
use entity::{
    Json,
    goal::{self, GoalStatus},
    project::{self, BriefTemplateField},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    slug: String,
    name: String,
    color: Option<String>,
    description: String,
    guidance: Option<String>,
    template: Option<Vec<BriefTemplateField>>,
    #[serde(default)]
    archived: bool,
    ago: f64,
    #[serde(default)]
    goals: Vec<Goal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Goal {
    key: String,
    title: String,
    outcome: String,
    status: GoalStatus,
    ago: f64,
    /// Days until it should be reached.
    due: Option<f64>,
    /// The goal above it.
    under: Option<String>,
}

pub(super) async fn write(ws: &mut Workspace<'_>, projects: Vec<Project>) -> Result<()> {
    for project in projects {
        let row = project::ActiveModel {
            name: Set(project.name),
            slug: Set(project.slug.clone()),
            description: Set(Some(project.description)),
            color: Set(project.color),
            is_archived: Set(project.archived),
            brief_template: Set(project.template.map(Json)),
            brief_guidance: Set(project.guidance),
            created_by_id: Set(Some(ws.user(UserRole::Owner)?)),
            created_at: Set(ws.ago(project.ago)),
            updated_at: Set(ws.ago(project.ago / 3.0)),
            ..Default::default()
        };
        let row = ws.tx.insert(row, "project.created").await?;
        ws.remember(format!("project:{}", project.slug), &row.id);
        for goal in project.goals {
            write_goal(ws, &row, goal).await?;
        }
    }
    Ok(())
}

async fn write_goal(ws: &mut Workspace<'_>, project: &project::Model, goal: Goal) -> Result<()> {
    let reached = if goal.status == GoalStatus::Active {
        goal.ago
    } else {
        goal.ago / 6.0
    };
    let row = goal::ActiveModel {
        project_id: Set(project.id.clone()),
        description: Set(format!(
            "Agreed for {} and looked at every month.",
            project.name
        )),
        title: Set(goal.title),
        outcome: Set(goal.outcome),
        parent_goal_id: Set(ws.some("goal", goal.under.as_ref())?),
        status: Set(goal.status),
        target_date: Set(goal.due.map(|days| ws.ago(-days))),
        created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
        created_at: Set(ws.ago(goal.ago)),
        updated_at: Set(ws.ago(reached)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "goal.created").await?;
    ws.remember(format!("goal:{}", goal.key), &row.id);
    Ok(())
}
