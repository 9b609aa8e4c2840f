//! Roles that a workspace makes, changes, takes back and brings back.

use super::{
    constraints::length,
    prelude::*,
    shared::{at_least_one, within},
    write::{Delete, Once, Write, change, deletions, mutations, patch},
};
use crate::{
    Error,
    auth::Action,
    domain::{check, slug::slugify},
    store::Tx,
    workflow,
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    BigInt, Id, Json, Large,
    agent_role::{self, AgentRoleCategory},
};
use sea_orm::ActiveValue::{self, NotSet, Set};

/// The longest slug.
const LONGEST_SLUG: usize = 64;

/// What a role may use and spend, and how. What is left out stays as it is.
#[derive(InputObject, Clone)]
pub struct AgentRoleSettings {
    /// What the role does, at most 2,000 characters.
    description: MaybeUndefined<String>,
    /// The slug of the active role above it; null for none.
    parent_role_slug: MaybeUndefined<String>,
    /// The tools its agents may use, such as `Edit` and `Bash`: at most 32, each of at most 200 characters.
    allowed_tools: MaybeUndefined<Vec<String>>,
    /// The model its agents use, at most 200 characters; null leaves the choice to the provider.
    default_model: MaybeUndefined<String>,
    /// How many tokens it may use in a calendar month, at least 1; null for no limit.
    monthly_budget_tokens: MaybeUndefined<BigInt>,
    /// How many of its tickets may be worked on at the same time, 1 to 32.
    default_concurrency: MaybeUndefined<i32>,
    /// After how many seconds a ticket of this role has failed, unless the ticket has a limit of its own: 10 to 86,400, a day.
    timeout_seconds: MaybeUndefined<i32>,
    /// Whether its results count without a person's approval.
    auto_approve: MaybeUndefined<bool>,
    /// Whether its tickets are handed out and plans may name it. Open tickets of a role that is not active wait; their
    /// `whyUnclaimed` says so.
    is_active: MaybeUndefined<bool>,
}

impl AgentRoleSettings {
    fn columns(self) -> crate::Result<agent_role::ActiveModel> {
        Ok(agent_role::ActiveModel {
            description: change("description", self.description, |text| {
                check::text("description", &text, 0, 2000)
            })?,
            parent_role_slug: patch(self.parent_role_slug, |slug| {
                check::line("parentRoleSlug", &slug, 1, LONGEST_SLUG)
            })?,
            allowed_tools: change("allowedTools", self.allowed_tools, |tools| {
                check::texts("allowedTools", &tools, 32, 200).map(Json)
            })?,
            default_model: patch(self.default_model, |model| {
                check::line("defaultModel", &model, 1, 200)
            })?,
            monthly_budget_tokens: patch(self.monthly_budget_tokens, |budget| {
                at_least_one("monthlyBudgetTokens", budget)
            })?,
            default_concurrency: change("defaultConcurrency", self.default_concurrency, |most| {
                within("defaultConcurrency", most, 1, 32)
            })?,
            timeout_seconds: change("timeoutSeconds", self.timeout_seconds, |seconds| {
                within("timeoutSeconds", seconds, 10, 86_400)
            })?,
            auto_approve: change("autoApprove", self.auto_approve, Ok)?,
            is_active: change("isActive", self.is_active, Ok)?,
            ..Default::default()
        })
    }
}

fn name(name: &str) -> crate::Result<String> {
    check::line("displayName", name, 1, 80)
}

fn prompt(text: &str) -> crate::Result<Large<String>> {
    check::text("systemPromptTemplate", text, 1, 20_000).map(Large::new)
}

/// Why something is changed, for its history.
fn note(note: Option<String>) -> crate::Result<Option<String>> {
    let note = note.map(|note| check::text("note", &note, 1, 5000));
    note.transpose()
}

/// A new role.
#[derive(InputObject, Clone)]
pub struct CreateAgentRoleInput {
    /// The name people see, 1 to 80 characters.
    display_name: String,
    /// The word that tickets queue under, such as `data_engineer`: a small letter, then small letters, digits, `_` and `-`, at
    /// most 64. Made from the name if not given. It does not change.
    slug: Option<String>,
    /// What kind of work it does.
    category: AgentRoleCategory,
    /// The prompt its agents work under, with places to fill in: 1 to 20,000 characters.
    system_prompt_template: String,
    #[graphql(flatten)]
    settings: AgentRoleSettings,
    /// Why, for its history: 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    note: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateAgentRoleInput {
    type Entity = agent_role::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_role::Model> {
        let display_name = name(&self.display_name)?;
        let slug = match self.slug {
            Some(slug) => chosen_slug(slug)?,
            None => slug_of(&display_name)?,
        };
        let given = self.settings.columns()?;
        let usual = agent_role::ActiveModel {
            display_name: Set(display_name),
            category: Set(self.category),
            system_prompt_template: Set(prompt(&self.system_prompt_template)?),
            ..given.clone()
        };
        let row = agent_role::ActiveModel {
            default_concurrency: or(given.default_concurrency, 2),
            timeout_seconds: or(given.timeout_seconds, 1800),
            auto_approve: or(given.auto_approve, false),
            is_active: or(given.is_active, true),
            ..usual
        };
        workflow::create_role(tx, slug, row, note(self.note)?).await
    }
}

/// What was given, or else what is usual.
fn or<T: Into<sea_orm::Value>>(given: ActiveValue<T>, usual: T) -> ActiveValue<T> {
    match given {
        NotSet => Set(usual),
        given => given,
    }
}

fn chosen_slug(slug: String) -> crate::Result<String> {
    let is_part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let begins = slug.starts_with(|first: char| first.is_ascii_lowercase());
    match begins && slug.len() <= LONGEST_SLUG && slug.bytes().all(is_part) {
        true => Ok(slug),
        false => Err(Error::bad_input(
            "slug",
            "use a small letter, then small letters, digits, _ and -, at most 64 in all",
        )),
    }
}

/// The name as a slug, as roles are called.
fn slug_of(name: &str) -> crate::Result<String> {
    let slug = slugify(name, LONGEST_SLUG).map(|slug| slug.replace('-', "_"));
    let slug = slug.filter(|slug| slug.starts_with(|first: char| first.is_ascii_lowercase()));
    slug.ok_or_else(|| Error::bad_input("slug", "is needed: none can be made of this name"))
}

/// What is changed in a role for the workspace. What is left out stays as it is.
#[derive(InputObject, Clone)]
pub struct OverrideAgentRoleInput {
    /// The role's slug.
    #[graphql(directive = length::apply(1, 64))]
    slug: String,
    /// The name people see, 1 to 80 characters.
    display_name: MaybeUndefined<String>,
    /// What kind of work it does.
    category: MaybeUndefined<AgentRoleCategory>,
    /// The prompt its agents work under, with places to fill in: 1 to 20,000 characters.
    system_prompt_template: MaybeUndefined<String>,
    #[graphql(flatten)]
    settings: AgentRoleSettings,
    /// Why, for its history: 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    note: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for OverrideAgentRoleInput {
    type Entity = agent_role::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_role::Model> {
        let changes = agent_role::ActiveModel {
            display_name: change("displayName", self.display_name, |text| name(&text))?,
            category: change("category", self.category, Ok)?,
            system_prompt_template: change(
                "systemPromptTemplate",
                self.system_prompt_template,
                |text| prompt(&text),
            )?,
            ..self.settings.columns()?
        };
        workflow::override_role(tx, &self.slug, changes, note(self.note)?).await
    }
}

/// Which version of which role.
#[derive(InputObject, Clone)]
pub struct RestoreAgentRoleVersionInput {
    /// The workspace's own role.
    role_id: Id,
    /// The number of the version.
    version: i32,
    /// Why, for its history: 1 to 5,000 characters; which version it was if not given.
    #[graphql(directive = length::apply(1, 5000))]
    note: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RestoreAgentRoleVersionInput {
    type Entity = agent_role::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<agent_role::Model> {
        workflow::restore_role(tx, &self.role_id, self.version, note(self.note)?).await
    }
}

/// Which role.
#[derive(InputObject, Clone)]
pub struct ResetAgentRoleInput {
    /// The id of the workspace's own role.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for ResetAgentRoleInput {
    const ACTION: Action = Action::ManageLibrary;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        workflow::reset_role(tx, &self.id).await
    }
}

mutations! { AgentRoleMutation {
    /// Makes a role of the workspace's own, of a slug that no role has yet.
    create_agent_role(CreateAgentRoleInput) -> CreateAgentRolePayload { agent_role: AgentRole };
    /// Changes a role for the workspace, whoever made it: of a role that all workspaces share, the workspace gets its own, which
    /// counts in its place from then on. Agents are held to it from the next claim on. Each change is a version.
    override_agent_role(OverrideAgentRoleInput) -> OverrideAgentRolePayload { agent_role: AgentRole };
    /// Makes a role of the workspace's what it was like after an earlier change, which is a version too.
    restore_agent_role_version(RestoreAgentRoleVersionInput) -> RestoreAgentRoleVersionPayload { agent_role: AgentRole };
} }

deletions! { AgentRoleDeletionMutation {
    /// Takes the workspace's own role away, with its versions: where it stood in place of one that all workspaces share, that one
    /// counts again. A role that is in no other's place is taken away only when no open ticket is left to it; `overrideAgentRole`
    /// makes it inactive.
    reset_agent_role(ResetAgentRoleInput) -> ResetAgentRolePayload;
} }
