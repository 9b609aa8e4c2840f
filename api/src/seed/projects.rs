//! Projects and their goals, and what became of them.

use super::{agenda::Who, workspace::Workspace};
use crate::{domain::machine::GoalStep, error::Result};
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

#[derive(Clone, Deserialize)]
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

pub(super) fn tell(ws: &mut Workspace<'_>, projects: Vec<Project>) {
    for project in projects {
        let (ago, archived) = (project.ago, project.archived);
        for goal in &project.goals {
            tell_goal(ws, &project, goal.clone());
        }
        let name = format!("project:{}", project.slug);
        ws.at(ws.ago(ago), Who::Person(UserRole::Owner), move |ws| {
            Box::pin(write(ws, project))
        });
        if archived {
            ws.at(ws.ago(ago / 3.0), Who::Person(UserRole::Owner), move |ws| {
                Box::pin(async move {
                    let project = ws.row::<project::Entity>(&ws.id(&name)?).await?;
                    let changes = project::ActiveModel {
                        is_archived: Set(true),
                        ..Default::default()
                    };
                    let archived = ws.tx.update(&project, changes, "project.archived");
                    archived.await.map(drop)
                })
            });
        }
    }
}

async fn write(ws: &mut Workspace<'_>, project: Project) -> Result<()> {
    let row = project::ActiveModel {
        name: Set(project.name),
        slug: Set(project.slug.clone()),
        description: Set(Some(project.description)),
        color: Set(project.color),
        brief_template: Set(project.template.map(Json)),
        brief_guidance: Set(project.guidance),
        created_by_id: Set(Some(ws.user(UserRole::Owner)?)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "project.created").await?;
    ws.remember(format!("project:{}", project.slug), &row.id);
    Ok(())
}

fn tell_goal(ws: &mut Workspace<'_>, project: &Project, goal: Goal) {
    let description = format!("Agreed for {} and looked at every month.", project.name);
    let (name, ago) = (format!("project:{}", project.slug), goal.ago);
    ws.at(ws.ago(ago), Who::Person(UserRole::Admin), move |ws| {
        Box::pin(async move {
            let row = goal::ActiveModel {
                project_id: Set(ws.id(&name)?),
                description: Set(description),
                title: Set(goal.title),
                outcome: Set(goal.outcome),
                parent_goal_id: Set(ws.some("goal", goal.under.as_ref())?),
                status: Set(GoalStatus::Active),
                target_date: Set(goal.due.map(|days| ws.ago(-days))),
                created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
                ..Default::default()
            };
            let row = ws.tx.insert(row, "goal.created").await?;
            ws.remember(format!("goal:{}", goal.key), &row.id);
            let step = match goal.status {
                GoalStatus::Active => return Ok(()),
                GoalStatus::Achieved => GoalStep::Achieve,
                GoalStatus::Abandoned => GoalStep::Abandon,
            };
            ws.at(ws.ago(ago / 6.0), Who::Person(UserRole::Owner), move |ws| {
                Box::pin(async move {
                    let nothing = goal::ActiveModel::default();
                    ws.tx.take(&row, step, nothing).await.map(drop)
                })
            });
            Ok(())
        })
    });
}
