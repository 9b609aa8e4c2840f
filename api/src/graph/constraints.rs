//! What the schema says of inputs beyond their types, where a client can read it. It is judged before anything runs, in
//! `http/guard`; the library's own validators would judge an argument when its field's turn comes, after what a mutation
//! before it has committed.

use async_graphql::TypeDirective;

/// The text has so many characters.
#[TypeDirective(location = "InputFieldDefinition", location = "ArgumentDefinition")]
pub(super) fn length(
    #[graphql(desc = "At least so many.")] min: u32,
    #[graphql(desc = "At most so many.")] max: u32,
) {
}

/// The list has so many entries.
#[TypeDirective(location = "InputFieldDefinition", location = "ArgumentDefinition")]
pub(super) fn size(
    #[graphql(desc = "At least so many.")] min: u32,
    #[graphql(desc = "At most so many.")] max: u32,
) {
}
