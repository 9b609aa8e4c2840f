//! The library of skills, global ones and those that a tenant added.

use super::{
    prelude::*,
    steps::{Shown, allowed},
};
use crate::domain::machine::SkillPackageStep;
use entity::skill_package;

node! {
    /// A skill of the library. A tenant's own package replaces the global one with the same slug.
    SkillPackage in skill_package (skill_package, skill_packages) {
        columns {
            id: IdFilter,
            slug: StringFilter,
            source: EnumFilter<skill_package::LibrarySource>,
            content_hash: StringFilter,
            description: StringFilter,
            status: EnumFilter<skill_package::LibraryStatus>,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        many {
            /// Decisions on this package, newest first.
            approvals: Approval by skill_package_id,
        }
        large {
            /// The instructions themselves, in Markdown.
            body: String,
        }
    }
    fields {

        /// What you may do with it now; empty when nothing, as for one that all workspaces share.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<SkillPackageStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for SkillPackageStep {
    async fn possible(
        _: &Context<'_>,
        row: &skill_package::Model,
        steps: Vec<Self>,
    ) -> crate::Result<Vec<Self>> {
        Ok(match row.tenant_id {
            Some(_) => steps,
            None => Vec::new(),
        })
    }
}
