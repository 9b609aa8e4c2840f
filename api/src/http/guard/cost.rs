//! What an operation costs: how many values its answer can hold at most, by the page sizes it asks for.
//!
//! Every field counts one for each time it can occur. Below a list it occurs as often as the list's page has rows: what
//! `first` or `last` says, as a literal, a variable or its default, or else what the field does by itself.

use crate::{
    error::{Error, Result},
    http::Limits,
};
use async_graphql::{
    Value, Variables,
    parser::types::{
        BaseType, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
    },
};
use std::collections::HashMap;

/// How many rows a list has that says nothing of its size.
const USUAL_LIST: u64 = 10;
/// How many rows a connection's page has if the query does not say.
const USUAL_PAGE: u64 = 50;
/// So many of the largest lists are named in a refusal.
const NAMED: usize = 5;

/// Which fields of the schema are lists, and of what.
pub(crate) struct Shapes(HashMap<String, HashMap<String, Shape>>);

struct Shape {
    of: String,
    list: List,
}

#[derive(Clone, Copy, PartialEq)]
enum List {
    No,
    /// A list without paging, such as a connection's `nodes`, which is as long as the connection's page.
    Plain,
    /// A list with `first`.
    Paged,
    /// A connection: not itself a list, but its `nodes` and `edges` are.
    Connection,
}

impl Shapes {
    /// Reads them off the schema in the schema language.
    pub(crate) fn new(schema: &ServiceDocument) -> Self {
        let types = schema.definitions.iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(kind) = definition else {
                return None;
            };
            let fields = match &kind.node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => return None,
            };
            let fields = fields.iter().map(|field| {
                let of = inner(&field.node.ty.node);
                let paged = field
                    .node
                    .arguments
                    .iter()
                    .any(|argument| argument.node.name.node == "first");
                let list = match (is_list(&field.node.ty.node), paged) {
                    (true, true) => List::Paged,
                    (true, false) => List::Plain,
                    (false, true) if of.ends_with("Connection") => List::Connection,
                    _ => List::No,
                };
                (field.node.name.node.to_string(), Shape { of, list })
            });
            Some((kind.node.name.node.to_string(), fields.collect()))
        });
        Self(types.collect())
    }

    fn field(&self, kind: &str, field: &str) -> Option<&Shape> {
        self.0.get(kind)?.get(field)
    }

    /// Prices an operation.
    ///
    /// # Errors
    /// [`Error::CostExceeded`] with the largest lists.
    pub(super) fn check(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
        limits: &Limits,
    ) -> Result<u64> {
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut prices = Prices {
            shapes: self,
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
        prices.lists(selection, root, "", 1, 1, &mut lists);
        lists.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        lists.truncate(NAMED);
        Err(Error::CostExceeded {
            limit: limits.operation_cost,
            requested,
            fields: lists,
        })
    }
}

fn inner(kind: &Type) -> String {
    match &kind.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inside) => inner(inside),
    }
}

fn is_list(kind: &Type) -> bool {
    matches!(kind.base, BaseType::List(_))
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

impl<'d> Prices<'d> {
    fn of(&mut self, set: &'d SelectionSet, kind: &'d str) -> Price {
        set.items.iter().fold(Price::default(), |sum, item| {
            let price = match &item.node {
                Selection::Field(field) => self.of_field(&field.node, kind),
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref();
                    let kind = on.map_or(kind, |on| on.node.on.node.as_str());
                    self.of(&fragment.node.selection_set.node, kind)
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
        let kind = fragment.node.type_condition.node.on.node.as_str();
        let price = self.of(&fragment.node.selection_set.node, kind);
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
        match shape.list {
            List::No | List::Connection => Price {
                once: selection.of_page(rows).saturating_add(1),
                each_row: 0,
            },
            List::Plain if kind.ends_with("Connection") => Price {
                once: 0,
                each_row: one,
            },
            List::Plain | List::Paged => Price {
                once: one.saturating_mul(rows),
                each_row: 0,
            },
        }
    }

    /// How many rows a field's page has.
    fn rows(&self, field: &Field, list: List) -> u64 {
        let usual = match list {
            List::No => return 1,
            List::Plain => return USUAL_LIST,
            List::Paged => USUAL_LIST,
            List::Connection => USUAL_PAGE,
        };
        ["first", "last"]
            .iter()
            .find_map(|name| {
                let value = field.get_argument(name)?.node.clone();
                let known =
                    value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
                match known {
                    Ok(Value::Number(number)) => number.as_u64(),
                    _ => None,
                }
            })
            .unwrap_or(usual)
    }

    /// Every list with the most rows it can have, as often as it can occur. Only for what is refused: it walks fragments
    /// as often as they are spread.
    fn lists(
        &self,
        set: &'d SelectionSet,
        kind: &'d str,
        path: &str,
        times: u64,
        page: u64,
        out: &mut Vec<(String, u64)>,
    ) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let Some(shape) = self.shapes.field(kind, field.name.node.as_str()) else {
                        continue;
                    };
                    let shown = field.response_key().node.as_str();
                    let path = match path {
                        "" => shown.to_owned(),
                        above => format!("{above}.{shown}"),
                    };
                    let rows = self.rows(field, shape.list);
                    let (times, inner) = match shape.list {
                        List::No => (times, 1),
                        List::Connection => (times, rows),
                        List::Plain if kind.ends_with("Connection") => {
                            (times.saturating_mul(page), 1)
                        }
                        List::Plain | List::Paged => (times.saturating_mul(rows), 1),
                    };
                    match shape.list {
                        List::Connection => out.push((path.clone(), times.saturating_mul(rows))),
                        List::Paged => out.push((path.clone(), times)),
                        List::No | List::Plain => {}
                    }
                    self.lists(
                        &field.selection_set.node,
                        &shape.of,
                        &path,
                        times,
                        inner,
                        out,
                    );
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref();
                    let kind = on.map_or(kind, |on| on.node.on.node.as_str());
                    self.lists(
                        &fragment.node.selection_set.node,
                        kind,
                        path,
                        times,
                        page,
                        out,
                    );
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name) {
                        let kind = fragment.node.type_condition.node.on.node.as_str();
                        self.lists(
                            &fragment.node.selection_set.node,
                            kind,
                            path,
                            times,
                            page,
                            out,
                        );
                    }
                }
            }
        }
    }
}
