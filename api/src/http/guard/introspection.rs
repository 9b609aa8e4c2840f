//! What may be asked about the schema itself. The query of GraphiQL and of code generators fits in.
//!
//! A type's fields have types that have fields: each such step multiplies the answer by some twenty, and page sizes do
//! not bound it. So the steps are counted.

use crate::error::{Error, Result};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use std::collections::HashMap;

/// How many lists may lie within each other: types, their fields, those fields' arguments.
const LISTS: u64 = 3;
/// How often an operation may begin to ask about the schema.
const ROOTS: u64 = 4;

/// The fields of the schema's own types that are lists.
const LIST_FIELDS: [&str; 8] = [
    "types",
    "directives",
    "fields",
    "args",
    "inputFields",
    "enumValues",
    "interfaces",
    "possibleTypes",
];

/// Judges what a document asks about the schema.
///
/// # Errors
/// [`Error::LimitExceeded`] naming the limit.
pub(super) fn check(document: &ExecutableDocument) -> Result<()> {
    let mut steps = Steps {
        document,
        fragments: HashMap::new(),
    };
    for (_, operation) in document.operations.iter() {
        let (roots, lists) = steps.roots(&operation.node.selection_set.node, 0);
        Error::within("The number of questions about the schema", ROOTS, roots)?;
        Error::within(
            "The depth of lists in a question about the schema",
            LISTS,
            lists,
        )?;
    }
    Ok(())
}

struct Steps<'d> {
    document: &'d ExecutableDocument,
    fragments: HashMap<&'d str, Option<u64>>,
}

impl<'d> Steps<'d> {
    /// How many root fields ask about the schema, and the most lists in one of them. Fragments of the root are followed
    /// as far as there are fragments.
    fn roots(&mut self, set: &'d SelectionSet, followed: usize) -> (u64, u64) {
        let mut sum = (0, 0);
        for item in &set.items {
            let (roots, lists) = match &item.node {
                Selection::Field(field)
                    if matches!(field.node.name.node.as_str(), "__schema" | "__type") =>
                {
                    (1, self.lists(&field.node.selection_set.node))
                }
                Selection::Field(_) => (0, 0),
                Selection::InlineFragment(fragment) => {
                    self.roots(&fragment.node.selection_set.node, followed)
                }
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) if followed < self.document.fragments.len() => {
                            self.roots(&fragment.node.selection_set.node, followed + 1)
                        }
                        _ => (0, 0),
                    }
                }
            };
            sum = (sum.0 + roots, sum.1.max(lists));
            if sum.0 > ROOTS {
                return sum;
            }
        }
        sum
    }

    fn lists(&mut self, set: &'d SelectionSet) -> u64 {
        let lists = set.items.iter().map(|item| match &item.node {
            Selection::Field(field) => {
                let own = LIST_FIELDS.contains(&field.node.name.node.as_str());
                u64::from(own) + self.lists(&field.node.selection_set.node)
            }
            Selection::InlineFragment(fragment) => self.lists(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => self.of_fragment(&spread.node.fragment_name.node),
        });
        lists.max().unwrap_or(0)
    }

    fn of_fragment(&mut self, name: &'d str) -> u64 {
        if let Some(lists) = self.fragments.get(name) {
            return lists.unwrap_or(0);
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return 0;
        };
        self.fragments.insert(name, None);
        let lists = self.lists(&fragment.node.selection_set.node);
        self.fragments.insert(name, Some(lists));
        lists
    }
}
