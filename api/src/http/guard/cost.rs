//! What an operation costs: how many values its answer can hold at most, by the page sizes it asks for.
//!
//! Every field counts one for each time it can occur. Below a list it occurs as often as the list's page has rows: what
//! `first` or `last` says, as a literal, a variable or its default, or else what the field does by itself.

use super::shapes::{List, Shapes};
use crate::{
    error::{Error, Result},
    http::Limits,
};
use async_graphql::{
    Value, Variables,
    parser::types::{
        ExecutableDocument, Field, FragmentDefinition, InlineFragment, OperationDefinition,
        OperationType, Selection, SelectionSet,
    },
};
use std::collections::HashMap;

/// So many of the largest lists are named in a refusal.
const NAMED: usize = 5;

/// Prices an operation.
///
/// # Errors
/// [`Error::CostExceeded`] with the largest lists.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    shapes: &Shapes,
    limits: &Limits,
) -> Result<u64> {
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let mut prices = Prices {
        shapes,
        document,
        variables,
        fragments: HashMap::new(),
    };
    let selection = &operation.selection_set.node;
    let requested = prices.of(selection, root).of_page(1);
    if requested <= limits.operation_cost {
        return Ok(requested);
    }
    let mut lists = Vec::new();
    let top = Level {
        path: "",
        times: 1,
        page: 1,
    };
    prices.lists(selection, root, top, &mut lists);
    lists.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    lists.truncate(NAMED);
    Err(Error::CostExceeded {
        limit: limits.operation_cost,
        requested,
        fields: lists,
    })
}

/// What a selection costs once, and again for each row if it is that of a connection.
#[derive(Clone, Copy, Default)]
struct Price {
    once: u64,
    each_row: u64,
}

impl Price {
    fn of_page(self, rows: u64) -> u64 {
        self.once.saturating_add(self.each_row.saturating_mul(rows))
    }
}

struct Prices<'d> {
    shapes: &'d Shapes,
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    /// Each fragment is priced once; one that is being priced costs nothing within itself.
    fragments: HashMap<&'d str, Price>,
}

/// A place in the answer: where it is, how often it occurs, and how many rows the connection has that it is in.
#[derive(Clone, Copy)]
struct Level<'p> {
    path: &'p str,
    times: u64,
    page: u64,
}

impl<'d> Prices<'d> {
    fn of(&mut self, set: &'d SelectionSet, kind: &'d str) -> Price {
        set.items.iter().fold(Price::default(), |sum, item| {
            let price = match &item.node {
                Selection::Field(field) => self.of_field(&field.node, kind),
                Selection::InlineFragment(fragment) => {
                    let (set, kind) = inline(&fragment.node, kind);
                    self.of(set, kind)
                }
                Selection::FragmentSpread(spread) => {
                    self.of_fragment(&spread.node.fragment_name.node)
                }
            };
            Price {
                once: sum.once.saturating_add(price.once),
                each_row: sum.each_row.saturating_add(price.each_row),
            }
        })
    }

    fn of_fragment(&mut self, name: &'d str) -> Price {
        if let Some(price) = self.fragments.get(name) {
            return *price;
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Price::default();
        };
        self.fragments.insert(name, Price::default());
        let (set, kind) = named(&fragment.node);
        let price = self.of(set, kind);
        self.fragments.insert(name, price);
        price
    }

    fn of_field(&mut self, field: &'d Field, kind: &'d str) -> Price {
        let Some(shape) = self.shapes.field(kind, field.name.node.as_str()) else {
            // The schema's own fields have a budget of their own; the library refuses those that do not exist.
            return Price::default();
        };
        let selection = self.of(&field.selection_set.node, &shape.of);
        let rows = self.rows(field, shape.list);
        let one = selection.of_page(1).saturating_add(1);
        let (once, each_row) = match shape.list {
            List::No | List::Connection => (selection.of_page(rows).saturating_add(1), 0),
            List::Plain | List::Paged => (one.saturating_mul(rows), 0),
            List::Rows => (0, one),
        };
        Price { once, each_row }
    }

    /// How many rows a field's page has.
    fn rows(&self, field: &Field, list: List) -> u64 {
        let asked = |name: &str| {
            let value = field.get_argument(name)?.node.clone();
            let known = value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
            match known {
                Ok(Value::Number(number)) => number.as_u64(),
                _ => None,
            }
        };
        match list {
            List::Paged | List::Connection => asked("first").or_else(|| asked("last")),
            List::No | List::Plain | List::Rows => None,
        }
        .unwrap_or(list.usual())
    }

    /// Every list with the most rows it can have, as often as it can occur. Only for what is refused: it walks fragments
    /// as often as they are spread.
    fn lists(
        &self,
        set: &'d SelectionSet,
        kind: &'d str,
        level: Level<'_>,
        out: &mut Vec<(String, u64)>,
    ) {
        for item in &set.items {
            let (set, kind) = match &item.node {
                Selection::Field(field) => {
                    self.list(&field.node, kind, level, out);
                    continue;
                }
                Selection::InlineFragment(fragment) => inline(&fragment.node, kind),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else {
                        continue;
                    };
                    named(&fragment.node)
                }
            };
            self.lists(set, kind, level, out);
        }
    }

    fn list(
        &self,
        field: &'d Field,
        kind: &'d str,
        level: Level<'_>,
        out: &mut Vec<(String, u64)>,
    ) {
        let Some(shape) = self.shapes.field(kind, field.name.node.as_str()) else {
            return;
        };
        let shown = field.response_key().node.as_str();
        let path = match level.path {
            "" => shown.to_owned(),
            above => format!("{above}.{shown}"),
        };
        let rows = self.rows(field, shape.list);
        let (times, page) = match shape.list {
            List::No => (level.times, 1),
            List::Connection => (level.times, rows),
            List::Plain | List::Paged => (level.times.saturating_mul(rows), 1),
            List::Rows => (level.times.saturating_mul(level.page), 1),
        };
        if matches!(shape.list, List::Connection | List::Paged) {
            out.push((path.clone(), times.saturating_mul(page)));
        }
        let below = Level {
            path: &path,
            times,
            page,
        };
        self.lists(&field.selection_set.node, &shape.of, below, out);
    }
}

/// What an inline fragment selects, and of which type: its own, or the one around it.
fn inline<'d>(fragment: &'d InlineFragment, around: &'d str) -> (&'d SelectionSet, &'d str) {
    let on = fragment.type_condition.as_ref();
    let kind = on.map_or(around, |on| on.node.on.node.as_str());
    (&fragment.selection_set.node, kind)
}

/// What a named fragment selects, and of which type.
fn named(fragment: &FragmentDefinition) -> (&SelectionSet, &str) {
    let kind = fragment.type_condition.node.on.node.as_str();
    (&fragment.selection_set.node, kind)
}
