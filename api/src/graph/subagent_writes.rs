//! Specialists that a workspace imports, decides over, and puts in place of those that all share.

use super::{
    constraints::length,
    integration_connection::prepared,
    prelude::*,
    shelves::{Imported, LONGEST_TEXT, shelf, source, tools},
    write::{Once, Write, change, deletions, mutations, patch},
};
use crate::{auth::Action, domain::check, import, store::Tx, workflow};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{Large, skill_package::LibrarySource, subagent_definition};
use sea_orm::ActiveValue::Set;

/// A specialist, as its file says it.
#[derive(InputObject, Clone)]
pub struct ImportSubagentInput {
    /// Markdown with YAML frontmatter, with `name` and `description` and perhaps `tools` and `model`, and below it the prompt it
    /// works under. At most 100,000 characters.
    #[graphql(directive = length::apply(1, 100_000))]
    text: String,
    /// Where it comes from: `USER` or `COMMUNITY`.
    #[graphql(default_with = "LibrarySource::User")]
    source: LibrarySource,
    /// The shelf it stands on, such as `01-core-development`: 1 to 100 characters.
    category: Option<String>,
    #[graphql(flatten)]
    once: Once,
    #[graphql(skip)]
    read: Option<crate::Result<Imported>>,
}

impl Write for ImportSubagentInput {
    type Entity = subagent_definition::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn prepare(self, _: &Context<'_>) -> crate::Result<Self> {
        let read = Some(Imported::read(&self.text));
        Ok(Self { read, ..self })
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<subagent_definition::Model> {
        let source = source(self.source)?;
        let category = self.category.as_deref().map(category).transpose()?;
        let Imported {
            slug,
            content_hash,
            definition,
        } = prepared(self.read)?;
        let row = subagent_definition::ActiveModel {
            source: Set(source),
            category: Set(category),
            ..import::subagent(None, content_hash.clone(), definition)
        };
        workflow::import_entry::<Self::Entity>(tx, slug, &content_hash, row).await
    }
}

fn category(text: &str) -> crate::Result<String> {
    check::line("category", text, 1, 100)
}

/// What a specialist that all workspaces share is like for this one. What is left out stays as it is.
#[derive(InputObject, Clone)]
pub struct OverrideSubagentInput {
    /// The slug of a specialist that all workspaces share.
    #[graphql(directive = length::apply(1, 64))]
    slug: String,
    /// What it is good at, 1 to 4,096 characters.
    description: MaybeUndefined<String>,
    /// The prompt it works under: 1 to 100,000 characters.
    system_prompt: MaybeUndefined<String>,
    /// The tools it may use, at most 50, each of at most 200 characters.
    allowed_tools: MaybeUndefined<Vec<String>>,
    /// The model it works best with, at most 200 characters; null leaves the choice to the role.
    preferred_model: MaybeUndefined<String>,
    /// The shelf it stands on, 1 to 100 characters; null for none.
    category: MaybeUndefined<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for OverrideSubagentInput {
    type Entity = subagent_definition::Entity;
    const ACTION: Action = Action::ManageLibrary;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<subagent_definition::Model> {
        let changes = subagent_definition::ActiveModel {
            description: change("description", self.description, |text| {
                check::text("description", &text, 1, 4096)
            })?,
            system_prompt: change("systemPrompt", self.system_prompt, |text| {
                check::text("systemPrompt", &text, 1, LONGEST_TEXT).map(Large::new)
            })?,
            allowed_tools: change("allowedTools", self.allowed_tools, |named| {
                tools("allowedTools", &named)
            })?,
            preferred_model: patch(self.preferred_model, |model| {
                check::line("preferredModel", &model, 1, 200)
            })?,
            category: patch(self.category, |text| category(&text))?,
            ..Default::default()
        };
        workflow::override_entry::<Self::Entity>(tx, self.slug, changes).await
    }
}

shelf! { subagent_definition: DecideSubagentInput, SetSubagentStatusInput, ResetSubagentInput }

mutations! { SubagentMutation {
    /// Puts a specialist into the workspace's library, or a new text of one that it put there. It waits for a decision before plans
    /// can name it. The same text again changes nothing.
    import_subagent(ImportSubagentInput) -> ImportSubagentPayload { subagent: SubagentDefinition };
    /// Decides over a specialist that was imported. Sent again with the same decision, nothing is done twice.
    decide_subagent(DecideSubagentInput) -> DecideSubagentPayload { subagent: SubagentDefinition };
    /// Offers a specialist of the workspace's own, or offers it no longer. One that stands in place of a shared one hides that also
    /// when it is not offered.
    set_subagent_status(SetSubagentStatusInput) -> SetSubagentStatusPayload { subagent: SubagentDefinition };
    /// Puts a specialist of the workspace's own in place of one that all workspaces share, or changes it. It counts at once.
    override_subagent(OverrideSubagentInput) -> OverrideSubagentPayload { subagent: SubagentDefinition };
} }

deletions! { SubagentDeletionMutation {
    /// Takes a specialist of the workspace's own away. Where it stood in place of one that all workspaces share, that one counts
    /// again.
    reset_subagent(ResetSubagentInput) -> ResetSubagentPayload;
} }
