//! The specialists that a step of a plan may be given to.

use super::{
    prelude::*,
    steps::{Shown, allowed},
};
use crate::domain::machine::SubagentDefinitionStep;
use entity::subagent_definition;

node! {
    /// A specialist of the library. A tenant's own definition replaces the global one with the same slug.
    SubagentDefinition in subagent_definition (subagent_definition, subagent_definitions) {
        columns {
            id: IdFilter,
            slug: StringFilter,
            source: EnumFilter<entity::skill_package::LibrarySource>,
            content_hash: StringFilter,
            description: StringFilter,
            preferred_model: StringFilter,
            category: StringFilter,
            status: EnumFilter<entity::skill_package::LibraryStatus>,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        large {
            /// The prompt it works under.
            system_prompt: String,
        }
    }
    fields {

        /// What you may do with it now; empty when nothing, as for one that all workspaces share.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<SubagentDefinitionStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for SubagentDefinitionStep {
    async fn possible(
        _: &Context<'_>,
        row: &subagent_definition::Model,
        steps: Vec<Self>,
    ) -> crate::Result<Vec<Self>> {
        Ok(match row.tenant_id {
            Some(_) => steps,
            None => Vec::new(),
        })
    }
}
