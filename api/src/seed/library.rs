//! The library: what all workspaces share, what a workspace puts in its place, and its own playbooks.

use super::{
    content,
    decisions::{self, Decision, Subject},
    workspace::{Workspace, later},
};
use crate::{
    domain::digest,
    error::Result,
    store::{Store, Tx},
};
use entity::{
    BigInt, Json, Large, Timestamp,
    agent_role::{self, AgentRoleCategory},
    approval::{ApprovalChannel, ApprovalDecision},
    skill::{self, ConfigField, SupportingFile},
    skill_package::{self, LibrarySource, LibraryStatus},
    subagent_definition,
    user::UserRole,
};
use sea_orm::{ActiveValue::Set, Condition};
use serde::Deserialize;
use serde_json::json;

/// Roles, packaged skills and specialists, for everyone or for one workspace.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    roles: Vec<Role>,
    skills: Vec<Entry>,
    subagents: Vec<Entry>,
}

impl Library {
    fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.skills.is_empty() && self.subagents.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Role {
    slug: String,
    name: String,
    description: String,
    category: AgentRoleCategory,
    parent: Option<String>,
    prompt: String,
    #[serde(default)]
    tools: Vec<String>,
    model: Option<String>,
    budget: Option<i64>,
    concurrency: i32,
    timeout: i32,
    #[serde(default)]
    auto_approve: bool,
}

/// A packaged skill or a specialist.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    slug: String,
    description: String,
    body: String,
    #[serde(default)]
    source: LibrarySource,
    #[serde(default)]
    status: LibraryStatus,
    tools: Vec<String>,
    model: Option<String>,
    category: Option<String>,
}

/// A skill that the workspace wrote itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Playbook {
    slug: String,
    name: String,
    description: String,
    body: String,
    #[serde(default)]
    platforms: Vec<String>,
    #[serde(default)]
    disabled: bool,
    config_schema: Option<Vec<ConfigField>>,
    supporting_files: Option<Vec<SupportingFile>>,
}

/// Writes what is missing of what all workspaces share. What is there, by its slug, stays as it is: somebody may have
/// imported it.
pub(super) async fn write_shared(store: &Store) -> Result<()> {
    let scope = store.system().library("seed");
    let mut library: Library = content::read(include_str!("content/library.yaml"))?;
    let mut tx = scope.begin().await?;
    // Asked within the transaction: another server may be at it.
    let roles = tx.rows::<agent_role::Entity>(|_| Condition::all()).await?;
    let packages = tx
        .rows::<skill_package::Entity>(|_| Condition::all())
        .await?;
    let subagents = tx
        .rows::<subagent_definition::Entity>(|_| Condition::all())
        .await?;
    library
        .roles
        .retain(|role| !roles.iter().any(|row| row.slug == role.slug));
    library
        .skills
        .retain(|entry| !packages.iter().any(|row| row.slug == entry.slug));
    library
        .subagents
        .retain(|entry| !subagents.iter().any(|row| row.slug == entry.slug));
    if library.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    write_roles(&mut tx, library.roles, now, true).await?;
    for entry in library.skills {
        tx.insert(package(entry, now), "skill_package.created")
            .await?;
    }
    for entry in library.subagents {
        tx.insert(subagent(entry, now), "subagent.created").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Writes what a workspace has of its own.
pub(super) async fn write_own(
    ws: &mut Workspace<'_>,
    library: Library,
    playbooks: Vec<Playbook>,
) -> Result<()> {
    let at = ws.ago(52.0);
    write_roles(&mut ws.tx, library.roles, at, false).await?;
    for entry in library.skills {
        let package = ws
            .tx
            .insert(package(entry, at), "skill_package.created")
            .await?;
        if package.status == LibraryStatus::Active {
            let decision = Decision::plain(UserRole::Admin, ApprovalChannel::Web);
            let subject = Subject::SkillPackage(package.id);
            let decided_at = later(at, 3.0);
            decisions::write(
                ws,
                subject,
                None,
                1,
                ApprovalDecision::Approved,
                &decision,
                decided_at,
            )
            .await?;
        }
    }
    for entry in library.subagents {
        ws.tx
            .insert(subagent(entry, at), "subagent.created")
            .await?;
    }
    for playbook in playbooks {
        let row = skill::ActiveModel {
            slug: Set(playbook.slug),
            name: Set(playbook.name),
            description: Set(playbook.description),
            body: Set(Large::new(playbook.body)),
            platforms: Set(Json(playbook.platforms)),
            disabled: Set(playbook.disabled),
            config_schema: Set(playbook.config_schema.map(Json)),
            supporting_files: Set(Large(playbook.supporting_files.map(Json))),
            created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
            created_at: Set(at),
            updated_at: Set(ws.ago(11.0)),
            ..Default::default()
        };
        ws.tx.insert(row, "skill.created").await?;
    }
    Ok(())
}

async fn write_roles(
    tx: &mut Tx<'_>,
    roles: Vec<Role>,
    at: Timestamp,
    is_builtin: bool,
) -> Result<()> {
    for role in roles {
        let row = agent_role::ActiveModel {
            slug: Set(role.slug),
            display_name: Set(role.name),
            description: Set(role.description),
            category: Set(role.category),
            parent_role_slug: Set(role.parent),
            system_prompt_template: Set(Large::new(role.prompt)),
            allowed_tools: Set(Json(role.tools)),
            default_model: Set(role.model),
            monthly_budget_tokens: Set(role.budget.map(BigInt)),
            default_concurrency: Set(role.concurrency),
            timeout_seconds: Set(role.timeout),
            auto_approve: Set(role.auto_approve),
            is_builtin: Set(is_builtin),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        tx.insert(
            row,
            if is_builtin {
                "agent_role.created"
            } else {
                "agent_role.overridden"
            },
        )
        .await?;
    }
    Ok(())
}

fn package(entry: Entry, at: Timestamp) -> skill_package::ActiveModel {
    skill_package::ActiveModel {
        metadata: Set(Json(
            json!({ "path": format!("skills/{}/SKILL.md", entry.slug), "version": "1.2.0" }),
        )),
        slug: Set(entry.slug),
        source: Set(entry.source),
        content_hash: Set(digest::sha256(entry.body.as_bytes())),
        description: Set(entry.description),
        body: Set(Large::new(entry.body)),
        required_tools: Set(Json(entry.tools)),
        status: Set(entry.status),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
}

fn subagent(entry: Entry, at: Timestamp) -> subagent_definition::ActiveModel {
    subagent_definition::ActiveModel {
        metadata: Set(Json(
            json!({ "path": format!("agents/{}.md", entry.slug), "version": "1.2.0" }),
        )),
        slug: Set(entry.slug),
        source: Set(entry.source),
        content_hash: Set(digest::sha256(entry.body.as_bytes())),
        description: Set(entry.description),
        system_prompt: Set(Large::new(entry.body)),
        allowed_tools: Set(Json(entry.tools)),
        preferred_model: Set(entry.model),
        category: Set(entry.category),
        status: Set(entry.status),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
}
