//! How the types of tables enter the schema: each as its row, connection, edge, filters and orders, out of its [`RowType`].

use super::{
    connection::{Cursor, PageInfo},
    order::Direction,
    row_type::{Relation, RowType},
};
use async_graphql::{
    InputType, OutputType,
    indexmap::IndexMap,
    registry::{
        Deprecation, EnumBuilder, InputObjectBuilder, MetaEnumValue, MetaField, MetaInputValue,
        MetaType, ObjectBuilder, Registry,
    },
};

/// The interface that every type with an id has.
pub(super) const NODE: &str = "Node";

/// The lines of a doc comment as the library would join them.
pub(super) fn text(lines: &[&str]) -> Option<String> {
    let lines = lines.iter().map(|line| line.trim());
    Some(lines.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
}

/// A field without arguments.
pub(super) fn field(name: &str, ty: impl Into<String>, description: &str) -> MetaField {
    MetaField {
        description: Some(description.to_owned()),
        ..MetaField::new(name, ty)
    }
}

/// An argument, or a field of an input.
pub(super) fn input(name: &str, ty: impl Into<String>, description: &str) -> MetaInputValue {
    MetaInputValue {
        description: Some(description.to_owned()),
        ..MetaInputValue::new(name, ty)
    }
}

fn by_name<T>(each: impl IntoIterator<Item = T>, name: fn(&T) -> &String) -> IndexMap<String, T> {
    let each = each.into_iter().map(|item| (name(&item).clone(), item));
    each.collect()
}

pub(super) fn fields(each: impl IntoIterator<Item = MetaField>) -> IndexMap<String, MetaField> {
    by_name(each, |field| &field.name)
}

pub(super) fn inputs(
    each: impl IntoIterator<Item = MetaInputValue>,
) -> IndexMap<String, MetaInputValue> {
    by_name(each, |input| &input.name)
}

/// Registers a type once, however often others lead to it.
fn once(registry: &mut Registry, name: &str, make: impl FnOnce(&mut Registry) -> MetaType) {
    if registry.types.contains_key(name) {
        return;
    }
    // Types lead to each other in circles.
    let begun = ObjectBuilder::new(name, IndexMap::new()).build();
    registry.types.insert(name.to_owned(), begun);
    let made = make(registry);
    registry.types.insert(name.to_owned(), made);
}

impl RowType {
    pub(super) fn connection_name(&self) -> String {
        format!("{}Connection", self.name())
    }

    pub(super) fn edge_name(&self) -> String {
        format!("{}Edge", self.name())
    }

    pub(super) fn filter_name(&self) -> String {
        format!("{}Filter", self.name())
    }

    pub(super) fn order_name(&self) -> String {
        format!("{}Order", self.name())
    }

    fn many_filter_name(&self) -> String {
        format!("{}ManyFilter", self.name())
    }

    fn order_field_name(&self) -> String {
        format!("{}OrderField", self.name())
    }

    /// Registers the type of a row, and what it leads to.
    pub(super) fn register(&'static self, registry: &mut Registry) {
        once(registry, self.name(), |registry| {
            let made = ObjectBuilder::new(self.name(), fields(self.fields(registry)));
            made.description(text(self.declared.description)).build()
        });
        registry.add_implements(self.name(), NODE);
    }

    /// Registers the connection of a list of such rows.
    pub(super) fn register_connection(&'static self, registry: &mut Registry) {
        once(registry, &self.connection_name(), |registry| {
            self.register(registry);
            self.register_edge(registry);
            let page_info = <PageInfo as OutputType>::create_type_info(registry);
            let all = [
                field(
                    "edges",
                    format!("[{}!]!", self.edge_name()),
                    "The page's rows, each with its cursor.",
                ),
                field("nodes", format!("[{}!]!", self.name()), "The page's rows."),
                field(
                    "pageInfo",
                    page_info,
                    "Where this page begins and ends, and whether there are more.",
                ),
                field(
                    "totalCount",
                    "Int",
                    "How many rows the whole list has, with its filter and without its paging. Counted only when selected.",
                ),
            ];
            let made = ObjectBuilder::new(self.connection_name(), fields(all));
            let description = "One page of a list, as in the Relay specification.";
            made.description(Some(description.to_owned())).build()
        });
    }

    fn register_edge(&'static self, registry: &mut Registry) {
        once(registry, &self.edge_name(), |registry| {
            let cursor = <Cursor as OutputType>::create_type_info(registry);
            let all = [
                field("node", format!("{}!", self.name()), "The row."),
                field(
                    "cursor",
                    cursor,
                    "The row's place in the list, for `after` or `before`.",
                ),
            ];
            let made = ObjectBuilder::new(self.edge_name(), fields(all));
            let description = "A row of a list and its place in it.";
            made.description(Some(description.to_owned())).build()
        });
    }

    /// The arguments of a field that is a list of such rows.
    pub(super) fn list_arguments(
        &'static self,
        registry: &mut Registry,
    ) -> IndexMap<String, MetaInputValue> {
        self.register_filter(registry);
        self.register_order(registry);
        let cursor = <Option<Cursor> as InputType>::create_type_info(registry);
        inputs([
            input(
                "first",
                "Int",
                "So many rows from the start: 50 if not given, at most 200.",
            ),
            input(
                "after",
                cursor.clone(),
                "Start after this cursor; goes with `first`.",
            ),
            input("last", "Int", "So many rows from the end, at most 200."),
            input(
                "before",
                cursor,
                "End before this cursor; goes with `last`.",
            ),
            input("filter", self.filter_name(), "Only rows that satisfy this."),
            input(
                "orderBy",
                format!("[{}!]", self.order_name()),
                "The order; newest first if not given.",
            ),
        ])
    }

    /// Registers what narrows a list of such rows.
    pub(super) fn register_filter(&'static self, registry: &mut Registry) {
        let name = self.filter_name();
        once(registry, &name, |registry| {
            let several = format!("[{name}!]");
            let mut all = vec![
                input(
                    "and",
                    several.clone(),
                    "All of these hold; an empty list holds for every row.",
                ),
                input(
                    "or",
                    several,
                    "At least one of these holds; an empty list holds for no row.",
                ),
                input(
                    "not",
                    name.clone(),
                    "This does not hold. What is compared with a value that is missing does not hold either, so its `not` does.",
                ),
            ];
            for (column, comparison) in &self.declared.compared {
                let ty = (comparison.register)(registry);
                let what = "What the field of the same name must be.";
                all.push(input(&column.field, ty, what));
            }
            for relation in &self.declared.relations {
                let other = (relation.other)();
                other.register_filter(registry);
                all.push(match relation.is_many {
                    true => {
                        other.register_many_filter(registry);
                        let what = "What the related rows must satisfy.";
                        input(relation.name, other.many_filter_name(), what)
                    }
                    false => input(
                        relation.name,
                        other.filter_name(),
                        "What the related row must satisfy; a missing one satisfies nothing.",
                    ),
                });
            }
            let description = format!(
                "Narrows a list of `{}`. All that is given must hold; where nothing is given, every row does.",
                self.name()
            );
            let made = InputObjectBuilder::new(&name, inputs(all));
            made.description(Some(description)).build()
        });
    }

    fn register_many_filter(&'static self, registry: &mut Registry) {
        let (name, filter) = (self.many_filter_name(), self.filter_name());
        once(registry, &name, |_| {
            let every = "Every row does; also true when there is none. A row whose value is missing satisfies no comparison \
                         but `isNull`,\n`ne` and `nin`.";
            let all = [
                input("some", &filter, "At least one row does."),
                input("none", &filter, "No row does."),
                input("every", &filter, every),
            ];
            let description =
                "What rows of a to-many relation must satisfy. All that is given must hold.";
            let made = InputObjectBuilder::new(&name, inputs(all));
            made.description(Some(description.to_owned())).build()
        });
    }

    /// Registers what a list of such rows can be sorted by.
    pub(super) fn register_order(&'static self, registry: &mut Registry) {
        let field_name = self.order_field_name();
        once(registry, &self.order_name(), |registry| {
            once(registry, &field_name, |_| {
                let values = self.declared.compared.iter().map(|(column, _)| {
                    let name: String = order_word(&column.field).collect();
                    let value = MetaEnumValue {
                        description: Some("The field of the same name.".to_owned()),
                        ..MetaEnumValue::new(&name)
                    };
                    (name, value)
                });
                let description = format!("What a list of `{}` can be sorted by.", self.name());
                let made = EnumBuilder::new(&field_name, values.collect());
                made.description(Some(description)).build()
            });
            let direction = <Direction as InputType>::create_type_info(registry);
            let all = [
                input("field", format!("{field_name}!"), "What to sort by."),
                MetaInputValue {
                    default_value: Some(Direction::default().to_value().to_string()),
                    ..input("direction", direction, "Which way.")
                },
            ];
            let description =
                "One step of a list's order; later steps decide among rows that are equal so far.";
            let made = InputObjectBuilder::new(self.order_name(), inputs(all));
            made.description(Some(description.to_owned())).build()
        });
    }
}

impl Relation {
    /// The field, with what it leads to registered.
    pub(super) fn register(&self, registry: &mut Registry) -> MetaField {
        let other = (self.other)();
        let (ty, args) = match self.is_many {
            true => {
                other.register_connection(registry);
                (other.connection_name(), other.list_arguments(registry))
            }
            false => {
                other.register(registry);
                (other.name().to_owned(), IndexMap::new())
            }
        };
        MetaField {
            description: text(self.description),
            args,
            deprecation: deprecation(self.deprecation),
            ..MetaField::new(self.name, ty)
        }
    }
}

/// That something else is to be used, if it is.
pub(super) fn deprecation(reason: Option<&str>) -> Deprecation {
    match reason {
        Some(reason) => Deprecation::Deprecated {
            reason: Some(reason.to_owned()),
        },
        None => Deprecation::NoDeprecated,
    }
}

/// A field as a value of an enum, letter by letter: `createdAt` as `CREATED_AT`.
pub(super) fn order_word(field: &str) -> impl Iterator<Item = char> {
    field.chars().flat_map(|letter| {
        let before = letter.is_ascii_uppercase().then_some('_');
        before.into_iter().chain([letter.to_ascii_uppercase()])
    })
}

/// Registers the interface of all types with an id.
pub(super) fn register_node(
    registry: &mut Registry,
    row_types: impl Iterator<Item = &'static RowType>,
) {
    let row_types: Vec<_> = row_types.collect();
    once(registry, NODE, |_| {
        let all = [field("id", "ID!", "The id, unique over all types.")];
        let names = row_types.iter().map(|row_type| row_type.name().to_owned());
        MetaType::Interface {
            name: NODE.to_owned(),
            description: Some("Anything with an id.".to_owned()),
            fields: fields(all),
            possible_types: names.collect(),
            extends: false,
            inaccessible: false,
            tags: Vec::new(),
            keys: None,
            visible: None,
            rust_typename: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    });
    for row_type in row_types {
        row_type.register(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Node, notification::Notification, viewer::Viewer};

    #[test]
    fn a_list_that_is_written_by_hand_takes_the_arguments_of_every_list() {
        let registry = &mut Registry::default();
        <Viewer as OutputType>::create_type_info(registry);
        let of_every_list = Notification::row_type().list_arguments(registry);
        let viewer = registry.types.get("Viewer");
        let by_hand = viewer.and_then(|viewer| viewer.field_by_name("notifications"));
        let shown = |args: &IndexMap<String, MetaInputValue>| -> Vec<_> {
            let args = args.values();
            args.map(|arg| (arg.name.clone(), arg.ty.clone(), arg.description.clone()))
                .collect()
        };
        assert_eq!(shown(&by_hand.unwrap().args), shown(&of_every_list));
    }
}
