//! Packaged skills that a workspace imports, decides over, and puts in place of those that all share.

use super::{
    constraints::length,
    integration_connection::prepared,
    prelude::*,
    shelves::{Imported, LONGEST_TEXT, shelf, source, tools},
    write::{Once, Write, change, deletions, mutations},
};
use crate::{auth::Action, domain::check, import, store::Tx, workflow};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    Large,
    skill_package::{self, LibrarySource},
};
use sea_orm::ActiveValue::Set;

/// A packaged skill, as its file says it.
#[derive(InputObject, Clone)]
pub struct ImportSkillPackageInput {
    /// The text of a `SKILL.md`: YAML frontmatter with `name` and `description`, and below it the instructions in Markdown. At
    /// most 100,000 characters.
    #[graphql(directive = length::apply(1, 100_000))]
    text: String,
    /// Where it comes from: `USER` or `COMMUNITY`.
    #[graphql(default_with = "LibrarySource::User")]
    source: LibrarySource,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    read: Option<crate::Result<Imported>>,
}

impl Write for ImportSkillPackageInput {
    type Entity = skill_package::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn prepare(self, _: &Context<'_>) -> crate::Result<Self> {
        let read = Some(Imported::read(&self.text));
        Ok(Self { read, ..self })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<skill_package::Model> {
        let source = source(self.source)?;
        let Imported {
            slug,
            content_hash,
            definition,
        } = prepared(self.read)?;
        let row = skill_package::ActiveModel {
            source: Set(source),
            ..import::skill(None, content_hash.clone(), definition)
        };
        workflow::import_entry::<Self::Entity>(tx, slug, &content_hash, row).await
    }
}

/// What a packaged skill that all workspaces share says for this one. What is left out stays as it is.
#[derive(InputObject, Clone)]
pub struct OverrideSkillPackageInput {
    /// The slug of a packaged skill that all workspaces share.
    #[graphql(directive = length::apply(1, 64))]
    slug: String,
    /// When to use it, 1 to 4,096 characters.
    description: MaybeUndefined<String>,
    /// The instructions themselves, in Markdown: 1 to 100,000 characters.
    body: MaybeUndefined<String>,
    /// The tools it cannot do without, at most 50, each of at most 200 characters.
    required_tools: MaybeUndefined<Vec<String>>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for OverrideSkillPackageInput {
    type Entity = skill_package::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<skill_package::Model> {
        let changes = skill_package::ActiveModel {
            description: change("description", self.description, |text| {
                check::text("description", &text, 1, 4096)
            })?,
            body: change("body", self.body, |text| {
                check::text("body", &text, 1, LONGEST_TEXT).map(Large::new)
            })?,
            required_tools: change("requiredTools", self.required_tools, |named| {
                tools("requiredTools", &named)
            })?,
            ..Default::default()
        };
        workflow::override_entry::<Self::Entity>(tx, self.slug, changes).await
    }
}

shelf! { skill_package: DecideSkillPackageInput, SetSkillPackageStatusInput, ResetSkillPackageInput }

mutations! { SkillPackageMutation {
    /// Puts a packaged skill into the workspace's library, or a new text of one that it put there. It waits for a decision before
    /// agents are offered it. The same text again changes nothing.
    import_skill_package(ImportSkillPackageInput) -> ImportSkillPackagePayload { skill_package: SkillPackage };
    /// Decides over a packaged skill that was imported. Sent again with the same decision, nothing is done twice.
    decide_skill_package(DecideSkillPackageInput) -> DecideSkillPackagePayload { skill_package: SkillPackage };
    /// Offers a packaged skill of the workspace's own to agents, or offers it no longer. One that stands in place of a shared one
    /// hides that also when it is not offered.
    set_skill_package_status(SetSkillPackageStatusInput) -> SetSkillPackageStatusPayload { skill_package: SkillPackage };
    /// Puts a packaged skill of the workspace's own in place of one that all workspaces share, or changes it. It counts at once.
    override_skill_package(OverrideSkillPackageInput) -> OverrideSkillPackagePayload { skill_package: SkillPackage };
} }

deletions! { SkillPackageDeletionMutation {
    /// Takes a packaged skill of the workspace's own away, with the decisions over it. Where it stood in place of one that all
    /// workspaces share, that one counts again.
    reset_skill_package(ResetSkillPackageInput) -> ResetSkillPackagePayload;
} }
