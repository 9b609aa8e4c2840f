//! The root fields of an operation: each runs once, however often and in however many fragments it is selected (6.3.2).
//! Below the root the executor merges what it resolved twice; but a mutation that ran twice has written twice.

use async_graphql::{
    Name, Positioned, Value as Constant, Variables,
    parser::types::{Directive, Field, FragmentDefinition, Selection, SelectionSet},
};
use async_graphql_value::Value;
use std::{collections::HashMap, mem};

/// The fragments of an operation.
type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Merges the fields of the root that have one name in the answer: the judge saw that they are the same but for what is
/// selected of them.
pub(super) fn merge(root: &mut SelectionSet, fragments: &Fragments, variables: &Variables) {
    let mut fields = Vec::new();
    let items = mem::take(&mut root.items);
    flatten(items, fragments, variables, &mut fields);
    let items = fields.into_iter().map(|field| {
        let at = field.pos;
        Positioned::new(Selection::Field(field), at)
    });
    root.items = items.collect();
}

fn flatten(
    items: Vec<Positioned<Selection>>,
    fragments: &Fragments,
    variables: &Variables,
    fields: &mut Vec<Positioned<Field>>,
) {
    for item in items {
        if is_left_out(item.node.directives(), variables) {
            continue;
        }
        match item.node {
            Selection::Field(mut field) => {
                // They were obeyed.
                field.node.directives.clear();
                let key = &field.node.response_key().node;
                let mut others = fields.iter_mut();
                let other = others.find(|other| other.node.response_key().node == *key);
                match other {
                    Some(other) => {
                        let more = field.node.selection_set.node.items;
                        other.node.selection_set.node.items.extend(more);
                    }
                    None => fields.push(field),
                }
            }
            // What stands at the root is about the root's type, or the judge would have refused it.
            Selection::InlineFragment(fragment) => {
                let items = fragment.node.selection_set.node.items;
                flatten(items, fragments, variables, fields);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    let items = fragment.node.selection_set.node.items.clone();
                    flatten(items, fragments, variables, fields);
                }
            }
        }
    }
}

/// Whether `@skip` or `@include` leave something out: there are no other directives in documents.
fn is_left_out(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().any(|directive| {
        let condition = directive.node.get_argument("if").map(|value| &value.node);
        let condition = match condition {
            Some(Value::Boolean(condition)) => *condition,
            Some(Value::Variable(name)) => variables.get(name) == Some(&Constant::Boolean(true)),
            _ => return false,
        };
        match directive.node.name.node.as_str() {
            "skip" => condition,
            "include" => !condition,
            _ => false,
        }
    })
}
