//! What a tenant's work is sorted into.

use super::prelude::*;
use super::{
    dashboard::Dashboard,
    shared::at_least_one,
    write::{Once, Write, change, mutations, patch},
};
use crate::{
    Error,
    auth::{Action, authorize},
    domain::{
        check,
        slug::{is_slug, slugify},
    },
    store::Tx,
    workflow,
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{BigInt, Id, project};
use sea_orm::{ActiveValue::Set, Condition, sea_query::ExprTrait};

node! {
    /// A body of work with its own goals, meetings, briefs and tickets. Every tenant has one called `default`.
    Project in project (project, projects) {
        columns {
            id: IdFilter,
            name: StringFilter,
            slug: StringFilter,
            description: StringFilter,
            color: StringFilter,
            is_archived: BooleanFilter,
            brief_guidance: StringFilter,
            monthly_spend_cap_micros: BigIntFilter,
            created_by_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who made it; null when the system did or the person is gone.
            created_by: User by created_by_id,
        }
        single {
            /// The map of the project's code; null until one is built.
            graph: ProjectGraph by project_id,
        }
        many {
            /// What happened in this project.
            activity: AuditLog by project_id,
            /// What the project is for.
            goals: Goal by project_id,
            /// Meetings about the project.
            meetings: Meeting by project_id,
            /// Briefs for the project.
            prds: PRD by project_id,
            /// Plans made in the project.
            execution_plans: ExecutionPlan by project_id,
            /// Work in the project.
            tickets: Ticket by project_id,
            /// Runs of agents in the project.
            agent_jobs: AgentJob by project_id,
            /// Tasks of the first generation.
            #[graphql(deprecation = "Use `agentJobs`: tasks of the first generation are no longer made.")]
            agent_tasks: AgentTask by project_id,
            /// Decisions in the project, newest first.
            approvals: Approval by project_id,
            /// Where messages about the project go.
            channel_routes: ChannelRoute by project_id,
            /// What people were told about the project.
            notifications: Notification by project_id,
            /// Who wants to be told about the project.
            notification_subscriptions: NotificationSubscription by project_id,
            /// Model calls spent on the project.
            api_usages: ApiUsage by project_id,
            /// What is or was set aside for model calls for the project.
            budget_reservations: BudgetReservation by project_id,
        }
    }
    fields {

        /// The project in numbers.
        async fn dashboard(&self) -> Result<Dashboard> {
            Ok(Dashboard { project: Some(self.id()?) })
        }
    }
}

/// A new project.
#[derive(InputObject, Clone)]
pub struct CreateProjectInput {
    /// Its name, 1 to 64 characters.
    name: String,
    /// Its address: small letters, digits and dashes, at most 40. Made from the name if not given.
    slug: Option<String>,
    /// What it is about, at most 5,000 characters.
    description: Option<String>,
    /// Its colour in lists, such as `#1f6feb`.
    color: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateProjectInput {
    type Entity = project::Entity;
    const ACTION: Action = Action::EditProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<project::Model> {
        let name = check::line("name", &self.name, 1, 64)?;
        // Also who chooses a slug: another may be looking for a free one.
        tx.lock_workspace().await?;
        let slug = match &self.slug {
            Some(slug) => chosen_slug(slug)?,
            None => free_slug(tx, &name).await?,
        };
        let row = project::ActiveModel {
            name: Set(name),
            slug: Set(slug),
            description: Set(self
                .description
                .map(|text| check::text("description", &text, 0, 5000))
                .transpose()?),
            color: Set(self
                .color
                .map(|color| check::color("color", &color))
                .transpose()?),
            is_archived: Set(false),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            ..Default::default()
        };
        tx.insert(row, "project.created").await
    }
}

/// Slugs that are pages of the dashboard.
const RESERVED: [&str; 4] = ["new", "all", "archived", "settings"];
const LONGEST_SLUG: usize = 40;

fn chosen_slug(slug: &str) -> crate::Result<String> {
    if slug.len() <= LONGEST_SLUG && is_slug(slug) && !RESERVED.contains(&slug) {
        return Ok(slug.to_owned());
    }
    let reason = "use at most 40 small letters, digits and single dashes, and none of new, all, archived, settings";
    Err(Error::bad_input("slug", reason))
}

/// The name as a slug, with -2 to -19 behind it when it is taken.
async fn free_slug(tx: &Tx<'_>, name: &str) -> crate::Result<String> {
    // A name without a letter or a digit leaves only a number to tell its project by.
    let wanted = slugify(name, LONGEST_SLUG - "-19".len()).unwrap_or_else(|| "project".to_owned());
    let taken = tx
        .unlocked_rows::<project::Entity>(|place| {
            Condition::all().add(
                place
                    .column(project::Column::Slug)
                    .like(format!("{wanted}%")),
            )
        })
        .await?;
    let numbered = (2..20).map(|number| format!("{wanted}-{number}"));
    std::iter::once(wanted.clone())
        .chain(numbered)
        .find(|slug| {
            !RESERVED.contains(&slug.as_str()) && taken.iter().all(|project| project.slug != *slug)
        })
        .ok_or_else(|| {
            Error::Conflict(format!(
                "The slugs {wanted} to {wanted}-19 are taken. Choose one yourself."
            ))
        })
}

/// Changes to a project. What is left out stays; what always has a value cannot be null.
#[derive(InputObject, Clone)]
pub struct UpdateProjectInput {
    /// The project.
    id: Id,
    /// Its new name, 1 to 64 characters.
    name: MaybeUndefined<String>,
    /// What it is about, at most 5,000 characters; null clears it.
    description: MaybeUndefined<String>,
    /// Its colour in lists, such as `#1f6feb`; null clears it.
    color: MaybeUndefined<String>,
    /// What model calls for it may cost in a month, in millionths of a US dollar, at least 1; null takes the cap away. For
    /// admins.
    monthly_spend_cap_micros: MaybeUndefined<BigInt>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateProjectInput {
    type Entity = project::Entity;
    const ACTION: Action = Action::EditProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<project::Model> {
        if !self.monthly_spend_cap_micros.is_undefined() {
            authorize(tx.scope().actor(), Action::SetBudgets)?;
        }
        let before = tx.get::<project::Entity>(&self.id).await?;
        let changes = project::ActiveModel {
            name: change("name", self.name, |name| check::line("name", &name, 1, 64))?,
            description: patch(self.description, |text| {
                check::text("description", &text, 0, 5000)
            })?,
            color: patch(self.color, |color| check::color("color", &color))?,
            monthly_spend_cap_micros: patch(self.monthly_spend_cap_micros, |cap| {
                at_least_one("monthlySpendCapMicros", cap)
            })?,
            ..Default::default()
        };
        let after = tx.update(&before, changes, "project.edited").await?;
        if after.monthly_spend_cap_micros != before.monthly_spend_cap_micros {
            workflow::tell_all(tx).await?;
        }
        Ok(after)
    }
}

mutations! { ProjectMutation {
    /// Starts a project.
    create_project(CreateProjectInput) -> CreateProjectPayload { project: Project };
    /// Changes a project; limiting what it costs needs an admin. See `archiveProject` and `setBriefTemplate` too.
    update_project(UpdateProjectInput) -> UpdateProjectPayload { project: Project };
} }
