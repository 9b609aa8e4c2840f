//! The specialists that a step of a plan may be given to.

use super::prelude::*;

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
}
