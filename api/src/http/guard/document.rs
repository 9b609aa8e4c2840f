//! A parsed document: how much each of its operations asks for, with its fragments expanded.

use super::introspection;
use crate::{error::Result, http::Limits};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use std::collections::HashMap;

/// What a selection asks for.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: u64,
    depth: u64,
    aliases: u64,
    directives: u64,
    /// Fields of this level itself.
    roots: u64,
}

impl Size {
    fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            roots: self.roots.saturating_add(other.roots),
        }
    }
}

/// Judges each operation of a document, and fragments that none of them uses.
///
/// # Errors
/// [`Error::LimitExceeded`](crate::Error) naming the limit.
pub(super) fn check(document: &ExecutableDocument, limits: &Limits) -> Result<()> {
    limits.check_document_fragments(document.fragments.len() as u64)?;
    let mut sizes = Sizes {
        document,
        fragments: HashMap::new(),
    };
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        limits.check_operation_variables(operation.variable_definitions.len() as u64)?;
        let own = operation.directives.len() as u64;
        let size = sizes.of(&operation.selection_set.node);
        within(size, limits)?;
        limits.check_operation_directives(size.directives + own)?;
        limits.check_operation_roots(size.roots)?;
    }
    for fragment in document.fragments.values() {
        within(sizes.of(&fragment.node.selection_set.node), limits)?;
    }
    introspection::check(document)
}

fn within(size: Size, limits: &Limits) -> Result<()> {
    limits.check_operation_fields(size.fields)?;
    limits.check_operation_depth(size.depth)?;
    limits.check_operation_aliases(size.aliases)?;
    limits.check_operation_directives(size.directives)
}

struct Sizes<'d> {
    document: &'d ExecutableDocument,
    /// `None` while a fragment is being measured: one that spreads itself counts for nothing here and is refused by the
    /// library's validation.
    fragments: HashMap<&'d str, Option<Size>>,
}

impl<'d> Sizes<'d> {
    fn of(&mut self, set: &'d SelectionSet) -> Size {
        set.items.iter().fold(Size::default(), |sum, item| {
            let (size, directives) = match &item.node {
                Selection::Field(field) => {
                    let inner = self.of(&field.node.selection_set.node);
                    let own = Size {
                        fields: 1,
                        depth: inner.depth + 1,
                        aliases: u64::from(field.node.alias.is_some()),
                        directives: 0,
                        roots: 1,
                    };
                    (Size { roots: 0, ..inner }.plus(own), &field.node.directives)
                }
                Selection::InlineFragment(fragment) => (
                    self.of(&fragment.node.selection_set.node),
                    &fragment.node.directives,
                ),
                Selection::FragmentSpread(spread) => (
                    self.of_fragment(&spread.node.fragment_name.node),
                    &spread.node.directives,
                ),
            };
            let directives = Size {
                directives: directives.len() as u64,
                ..Size::default()
            };
            sum.plus(size).plus(directives)
        })
    }

    fn of_fragment(&mut self, name: &'d str) -> Size {
        if let Some(size) = self.fragments.get(name) {
            return size.unwrap_or_default();
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Size::default();
        };
        self.fragments.insert(name, None);
        let size = self.of(&fragment.node.selection_set.node);
        self.fragments.insert(name, Some(size));
        size
    }
}
