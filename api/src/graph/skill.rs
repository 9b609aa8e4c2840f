//! The playbooks a tenant writes for its agents.

use super::prelude::*;
use entity::{Json, skill};

node! {
    /// A playbook of the tenant, which an agent follows when it is called by its slug, as in `/release-notes`.
    Skill in skill (skill, skills) {
        columns {
            id: IdFilter,
            slug: StringFilter,
            name: StringFilter,
            description: StringFilter,
            disabled: BooleanFilter,
            created_by_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who wrote it; null when the person is gone.
            created_by: User by created_by_id,
        }
        large {
            /// The instructions themselves, in Markdown.
            body: String,
            /// The files that come with it; null when there are none.
            supporting_files: Json<Vec<skill::SupportingFile>>,
        }
    }
}
