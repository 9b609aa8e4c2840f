//! The library: what all workspaces share, what a workspace puts in its place, and its own playbooks.

use super::{agenda::Who, content, workspace::Workspace};
use crate::{
    domain::{digest, machine::SkillPackageStep},
    error::Result,
    store::{Store, Tx},
    workflow::keep_first_version,
};
use chrono::{NaiveDate, NaiveTime};
use entity::{
    BigInt, Json, Large, Timestamp,
    agent_role::{self, AgentRoleCategory},
    api_usage::ApiProvider,
    approval::{self, ApprovalChannel, ApprovalDecision, ApprovalSubject},
    model_price,
    skill::{self, ConfigField, SupportingFile},
    skill_package::{self, LibrarySource, LibraryStatus},
    subagent_definition,
    user::UserRole,
};
use sea_orm::{ActiveValue::Set, Condition};
use serde::Deserialize;
use serde_json::json;

/// Prices, roles, packaged skills and specialists, for everyone or for one workspace.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    prices: Vec<Price>,
    roles: Vec<Role>,
    skills: Vec<Entry>,
    subagents: Vec<Entry>,
}

impl Library {
    fn is_empty(&self) -> bool {
        self.prices.is_empty()
            && self.roles.is_empty()
            && self.skills.is_empty()
            && self.subagents.is_empty()
    }
}

/// What calls of some models cost, in micro-USD.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    provider: ApiProvider,
    /// How their names begin.
    models: String,
    #[serde(default)]
    input: i64,
    #[serde(default)]
    output: i64,
    #[serde(default)]
    cached: i64,
    #[serde(default)]
    minute: i64,
    /// From when on; from long ago if it is the first.
    from: Option<NaiveDate>,
}

impl Price {
    fn valid_from(&self) -> Timestamp {
        let day = self.from.unwrap_or(LONG_AGO);
        Timestamp::new(day.and_time(NaiveTime::MIN).and_utc())
    }
}

/// Before all that is told of anybody.
const LONG_AGO: NaiveDate = match NaiveDate::from_ymd_opt(2020, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

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

/// Writes what is missing of what all workspaces share. What is there, by its slug or its models, stays as it is: somebody may have
/// imported it.
pub(super) async fn write_shared(store: &Store) -> Result<()> {
    let scope = store.system().library("seed");
    let mut library: Library = content::read(include_str!("content/library.yaml"))?;
    let mut tx = scope.begin().await?;
    // Asked within the transaction: another server may be at it.
    let roles = tx.rows::<agent_role::Entity>(|_| Condition::all()).await?;
    let prices = tx.rows::<model_price::Entity>(|_| Condition::all()).await?;
    let packages = tx
        .rows::<skill_package::Entity>(|_| Condition::all())
        .await?;
    let subagents = tx
        .rows::<subagent_definition::Entity>(|_| Condition::all())
        .await?;
    library.prices.retain(|price| {
        let is_it = |row: &model_price::Model| {
            (row.provider, &row.model_prefix, row.valid_from)
                == (price.provider, &price.models, price.valid_from())
        };
        !prices.iter().any(is_it)
    });
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
    write_prices(&mut tx, library.prices).await?;
    for role in library.roles {
        write_role(&mut tx, role, true).await?;
    }
    for entry in library.skills {
        tx.insert(package(entry), "skill_package.created").await?;
    }
    for entry in library.subagents {
        tx.insert(subagent(entry), "subagent.created").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Days since a workspace wrote something of its own.
const OWN: f64 = 52.0;

/// What a workspace has of its own: its admin writes it.
pub(super) fn tell_own(ws: &mut Workspace<'_>, library: Library, playbooks: Vec<Playbook>) {
    let admin = Who::Person(UserRole::Admin);
    ws.at(ws.ago(OWN), admin.clone(), |ws| {
        Box::pin(async move {
            write_prices(&mut ws.tx, library.prices).await?;
            for role in library.roles {
                let role = write_role(&mut ws.tx, role, false).await?;
                let note = Some("As we work.".to_owned());
                keep_first_version(&mut ws.tx, &role, note).await?;
            }
            for entry in library.skills {
                write_package(ws, entry).await?;
            }
            for entry in library.subagents {
                ws.tx.insert(subagent(entry), "subagent.created").await?;
            }
            Ok(())
        })
    });
    for (place, playbook) in playbooks.into_iter().enumerate() {
        let at = ws.ago(OWN - 0.3 * place as f64);
        ws.at(at, admin.clone(), |ws| {
            Box::pin(write_playbook(ws, playbook))
        });
    }
}

/// Writes a packaged skill, which waits until somebody approves it.
async fn write_package(ws: &mut Workspace<'_>, entry: Entry) -> Result<()> {
    let is_approved = entry.status == LibraryStatus::Active;
    let row = skill_package::ActiveModel {
        status: Set(LibraryStatus::PendingApproval),
        ..package(entry)
    };
    let row = ws.tx.insert(row, "skill_package.created").await?;
    if is_approved {
        let admin = Who::Person(UserRole::Admin);
        ws.at(ws.soon(3.0), admin, |ws| Box::pin(approve(ws, row)));
    }
    Ok(())
}

async fn approve(ws: &mut Workspace<'_>, package: skill_package::Model) -> Result<()> {
    let made = approval::ActiveModel {
        subject_type: Set(ApprovalSubject::SkillPackage),
        skill_package_id: Set(Some(package.id.clone())),
        subject_version: Set(1),
        decision: Set(ApprovalDecision::Approved),
        user_id: Set(Some(ws.user(UserRole::Admin)?)),
        actor: Set(ws.tx.actor()),
        actor_email: Set(Some(ws.email(UserRole::Admin))),
        channel: Set(ApprovalChannel::Web),
        diff: Set(Large::new(Json(json!({ "after": { "status": "active" } })))),
        idempotency_key: Set(Some(cuid2::create_id())),
        ..Default::default()
    };
    ws.tx.insert(made, "approval.created").await?;
    let nothing = skill_package::ActiveModel::default();
    let approved = ws.tx.take(&package, SkillPackageStep::Approve, nothing);
    approved.await.map(drop)
}

async fn write_playbook(ws: &mut Workspace<'_>, playbook: Playbook) -> Result<()> {
    let row = skill::ActiveModel {
        slug: Set(playbook.slug),
        name: Set(playbook.name),
        description: Set(playbook.description),
        body: Set(Large::new(playbook.body)),
        platforms: Set(Json(playbook.platforms)),
        config_schema: Set(playbook.config_schema.map(Json)),
        supporting_files: Set(Large(playbook.supporting_files.map(Json))),
        created_by_id: Set(Some(ws.user(UserRole::Admin)?)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "skill.created").await?;
    if playbook.disabled {
        ws.at(ws.ago(11.0), Who::Person(UserRole::Admin), |ws| {
            Box::pin(async move {
                let changes = skill::ActiveModel {
                    disabled: Set(true),
                    ..Default::default()
                };
                ws.tx
                    .update(&row, changes, "skill.disabled")
                    .await
                    .map(drop)
            })
        });
    }
    Ok(())
}

async fn write_prices(tx: &mut Tx<'_>, prices: Vec<Price>) -> Result<()> {
    for price in prices {
        let row = model_price::ActiveModel {
            valid_from: Set(price.valid_from()),
            provider: Set(price.provider),
            model_prefix: Set(price.models),
            input_micros_per_million: Set(BigInt(price.input)),
            output_micros_per_million: Set(BigInt(price.output)),
            cached_micros_per_million: Set(BigInt(price.cached)),
            audio_micros_per_minute: Set(BigInt(price.minute)),
            ..Default::default()
        };
        tx.insert(row, "price.set").await?;
    }
    Ok(())
}

async fn write_role(tx: &mut Tx<'_>, role: Role, is_builtin: bool) -> Result<agent_role::Model> {
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
        ..Default::default()
    };
    let action = match is_builtin {
        true => "agent_role.created",
        false => "agent_role.overridden",
    };
    tx.insert(row, action).await
}

fn package(entry: Entry) -> skill_package::ActiveModel {
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
        ..Default::default()
    }
}

fn subagent(entry: Entry) -> subagent_definition::ActiveModel {
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
        ..Default::default()
    }
}
