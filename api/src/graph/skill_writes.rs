//! The playbooks that a workspace writes.

use super::{
    constraints::size,
    prelude::*,
    shelves::LONGEST_TEXT,
    write::{Delete, Once, Write, change, deletions, given, mutations, patch},
};
use crate::{
    Error,
    auth::Action,
    domain::{
        check,
        slug::{is_slug, slugify},
    },
    store::Tx,
    workflow::{all_of, must_have_room},
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    Id, Json, Large,
    skill::{self, ConfigField, SupportingFile},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    sea_query::ExprTrait,
};
use std::collections::HashSet;

/// The longest slug.
const LONGEST_SLUG: usize = 64;

/// So many playbooks a workspace has at most.
const MOST: u64 = 500;

/// The most characters of all files of a playbook together.
const LONGEST_FILES: usize = 150_000;

/// The systems a playbook can run on.
const PLATFORMS: [&str; 3] = ["darwin", "linux", "windows"];

/// A new playbook.
#[derive(InputObject, Clone)]
pub struct CreateSkillInput {
    /// The name people see in lists, 1 to 100 characters.
    name: String,
    /// The word that calls it: small letters, digits and single dashes, at most 64. Made from the name if not given. It does not
    /// change.
    slug: Option<String>,
    /// When to use it, at most 2,000 characters; agents choose a playbook by this text.
    #[graphql(default)]
    description: String,
    /// The instructions themselves, in Markdown: 1 to 100,000 characters.
    body: String,
    /// The systems it runs on: `darwin`, `linux`, `windows`; all of them if none is given.
    #[graphql(default, directive = size::apply(0, 3))]
    platforms: Vec<String>,
    /// The settings it asks for, 1 to 50, in their order; null when it has none.
    #[graphql(directive = size::apply(1, 50))]
    config_schema: Option<Vec<ConfigField>>,
    /// The files that come with it, 1 to 20, with at most 150,000 characters in all; null when there are none.
    #[graphql(directive = size::apply(1, 20))]
    supporting_files: Option<Vec<SupportingFile>>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateSkillInput {
    type Entity = skill::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<skill::Model> {
        let name = name(&self.name)?;
        let slug = match self.slug {
            Some(slug) if slug.len() <= LONGEST_SLUG && is_slug(&slug) => slug,
            Some(_) => {
                let reason = "use at most 64 small letters, digits and single dashes";
                return Err(Error::bad_input("slug", reason));
            }
            None => slugify(&name, LONGEST_SLUG).ok_or_else(|| {
                Error::bad_input("slug", "is needed: none can be made of this name")
            })?,
        };
        let row = skill::ActiveModel {
            name: Set(name),
            description: Set(check::text("description", &self.description, 0, 2000)?),
            body: Set(body(&self.body)?),
            platforms: Set(platforms(&self.platforms)?),
            disabled: Set(false),
            config_schema: Set(self.config_schema.map(settings).transpose()?),
            supporting_files: Set(match self.supporting_files {
                Some(files) => Large::new(checked(files)?),
                None => Large(None),
            }),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            ..Default::default()
        };
        tx.lock_workspace().await?;
        let room = must_have_room::<skill::Entity>(tx, "The number of a workspace's skills", MOST);
        room.await?;
        let column = skill::Column::Slug;
        let taken =
            tx.count::<skill::Entity>(|place| all_of(place.column(column).eq(slug.as_str())));
        if taken.await? > 0 {
            return Err(Error::Conflict(format!(
                "There is a skill `/{slug}` already. Change it with updateSkill, or choose another slug."
            )));
        }
        let row = skill::ActiveModel {
            slug: Set(slug),
            ..row
        };
        tx.insert(row, "skill.created").await
    }
}

fn name(name: &str) -> crate::Result<String> {
    check::line("name", name, 1, 100)
}

fn body(text: &str) -> crate::Result<Large<String>> {
    check::text("body", text, 1, LONGEST_TEXT).map(Large::new)
}

fn platforms(named: &[String]) -> crate::Result<Json<Vec<String>>> {
    for (place, platform) in named.iter().enumerate() {
        if !PLATFORMS.contains(&platform.as_str()) || named[..place].contains(platform) {
            let reason = format!("must be {}, each once", PLATFORMS.join(", "));
            return Err(Error::bad_input(format!("platforms[{place}]"), reason));
        }
    }
    Ok(Json(named.to_vec()))
}

fn settings(fields: Vec<ConfigField>) -> crate::Result<Json<Vec<ConfigField>>> {
    let mut keys = HashSet::new();
    let mut checked = Vec::with_capacity(fields.len());
    for (place, field) in fields.into_iter().enumerate() {
        let at = |name: &str| format!("configSchema[{place}].{name}");
        let some = |name: &str, text: Option<String>| {
            let text = text.map(|text| check::text(&at(name), &text, 0, 500));
            text.transpose()
        };
        let key = check::key(&at("key"), &field.key)?;
        if !keys.insert(key.clone()) {
            return Err(Error::bad_input(
                at("key"),
                "is the key of another setting already",
            ));
        }
        checked.push(ConfigField {
            key,
            description: check::text(&at("description"), &field.description, 0, 500)?,
            default: some("default", field.default)?,
            prompt: some("prompt", field.prompt)?,
        });
    }
    Ok(Json(checked))
}

fn checked(files: Vec<SupportingFile>) -> crate::Result<Json<Vec<SupportingFile>>> {
    let (mut names, mut length) = (HashSet::new(), 0);
    for (place, file) in files.iter().enumerate() {
        let at = |name: &str| format!("supportingFiles[{place}].{name}");
        check::file_name(&at("name"), &file.name)?;
        if !names.insert(file.name.to_lowercase()) {
            return Err(Error::bad_input(
                at("name"),
                "is the name of another file already",
            ));
        }
        // A file is what it is, white space included.
        let characters = file.content.chars().count() as u64;
        if let Some(reason) = check::wrong_length(0, 50_000, characters) {
            return Err(Error::bad_input(at("content"), reason));
        }
        length += file.content.len();
    }
    if length > LONGEST_FILES {
        let reason = format!("have {length} bytes together; at most {LONGEST_FILES} are allowed");
        return Err(Error::bad_input("supportingFiles", reason));
    }
    Ok(Json(files))
}

/// Changes to a playbook. What is left out stays; what always has a value cannot be null.
#[derive(InputObject, Clone)]
pub struct UpdateSkillInput {
    /// The playbook.
    id: Id,
    /// The name people see in lists, 1 to 100 characters. The word that calls it stays.
    name: MaybeUndefined<String>,
    /// When to use it, at most 2,000 characters.
    description: MaybeUndefined<String>,
    /// The instructions themselves, in Markdown: 1 to 100,000 characters.
    body: MaybeUndefined<String>,
    /// The systems it runs on: `darwin`, `linux`, `windows`; none for all of them.
    #[graphql(directive = size::apply(0, 3))]
    platforms: MaybeUndefined<Vec<String>>,
    /// Whether it is switched off; agents are not offered a disabled playbook.
    disabled: MaybeUndefined<bool>,
    /// The settings it asks for, 1 to 50, in their order; null when it has none.
    #[graphql(directive = size::apply(1, 50))]
    config_schema: MaybeUndefined<Vec<ConfigField>>,
    /// The files that come with it, 1 to 20, with at most 150,000 characters in all; null when there are none.
    #[graphql(directive = size::apply(1, 20))]
    supporting_files: MaybeUndefined<Vec<SupportingFile>>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateSkillInput {
    type Entity = skill::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<skill::Model> {
        let before = tx.get::<skill::Entity>(&self.id).await?;
        let disabled = given("disabled", self.disabled)?;
        let entry = match disabled {
            Some(true) if !before.disabled => "skill.disabled",
            Some(false) if before.disabled => "skill.enabled",
            _ => "skill.edited",
        };
        let changes = skill::ActiveModel {
            name: change("name", self.name, |text| name(&text))?,
            description: change("description", self.description, |text| {
                check::text("description", &text, 0, 2000)
            })?,
            body: change("body", self.body, |text| body(&text))?,
            platforms: change("platforms", self.platforms, |named| platforms(&named))?,
            disabled: disabled.map_or(NotSet, Set),
            config_schema: patch(self.config_schema, settings)?,
            supporting_files: match self.supporting_files {
                MaybeUndefined::Undefined => NotSet,
                MaybeUndefined::Null => Set(Large(None)),
                MaybeUndefined::Value(files) => Set(Large::new(checked(files)?)),
            },
            ..Default::default()
        };
        tx.update(&before, changes, entry).await
    }
}

/// Which playbook.
#[derive(InputObject, Clone)]
pub struct DeleteSkillInput {
    /// The playbook.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeleteSkillInput {
    const ACTION: Action = Action::ManageLibrary;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        let skill = tx.get::<skill::Entity>(&self.id).await?;
        let gone = tx.delete::<skill::Entity>(&skill, "skill.deleted");
        gone.await.map(drop)
    }
}

mutations! { SkillMutation {
    /// Writes a playbook, which agents follow when a ticket or a step of a plan names it.
    create_skill(CreateSkillInput) -> CreateSkillPayload { skill: Skill };
    /// Changes a playbook. Agents are given it as it is when they claim.
    update_skill(UpdateSkillInput) -> UpdateSkillPayload { skill: Skill };
} }

deletions! { SkillDeletionMutation {
    /// Deletes a playbook. Tickets that name it are done without it.
    delete_skill(DeleteSkillInput) -> DeleteSkillPayload;
} }
