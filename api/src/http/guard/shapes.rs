//! Which fields of the schema are lists, and how long those are.

use crate::{
    error::{Error, Result},
    graph::Schema,
    store::DEFAULT_PAGE,
};
use async_graphql::parser::types::{
    BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition,
};
use std::collections::HashMap;

/// How many rows a list has that says nothing of its size.
const USUAL_LIST: u64 = 10;

/// The fields of each type.
pub(crate) struct Shapes(HashMap<String, HashMap<String, Shape>>);

/// A field.
pub(super) struct Shape {
    /// The type of what it holds.
    pub(super) of: String,
    /// Whether it holds many.
    pub(super) list: List,
}

/// Whether a field holds many, and how many.
#[derive(Clone, Copy)]
pub(super) enum List {
    /// One.
    No,
    /// A list without paging.
    Plain,
    /// A list with `first`.
    Paged,
    /// A connection: not itself a list, but its `nodes` and `edges` are.
    Connection,
    /// The rows of a connection, as many as its page has.
    Rows,
}

impl Shapes {
    /// Reads them off the schema.
    ///
    /// # Errors
    /// [`Error::Internal`] if the schema, written out, cannot be read, which a test excludes.
    pub(crate) fn new(schema: &Schema) -> Result<Self> {
        let schema = async_graphql::parser::parse_schema(schema.sdl()).map_err(Error::internal)?;
        let types = schema.definitions.iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(kind) = definition else {
                return None;
            };
            let fields = match &kind.node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => return None,
            };
            let name = kind.node.name.node.as_str();
            let fields = fields.iter().map(|field| {
                let shape = Shape::new(name, &field.node);
                (field.node.name.node.to_string(), shape)
            });
            Some((name.to_owned(), fields.collect()))
        });
        Ok(Self(types.collect()))
    }

    /// A type's field, if there is one of this name.
    pub(super) fn field(&self, kind: &str, field: &str) -> Option<&Shape> {
        self.0.get(kind)?.get(field)
    }
}

impl Shape {
    fn new(kind: &str, field: &FieldDefinition) -> Self {
        let of = inner(&field.ty.node);
        let is_list = matches!(field.ty.node.base, BaseType::List(_));
        let mut arguments = field.arguments.iter();
        let paged = arguments.any(|argument| argument.node.name.node == "first");
        let list = match (is_list, paged) {
            (true, true) => List::Paged,
            (true, false) if is_connection(kind) => List::Rows,
            (true, false) => List::Plain,
            (false, true) if is_connection(&of) => List::Connection,
            (false, _) => List::No,
        };
        Self { of, list }
    }
}

impl List {
    /// How many rows it has if the query does not say.
    pub(super) fn usual(self) -> u64 {
        match self {
            Self::No | Self::Rows => 1,
            Self::Plain | Self::Paged => USUAL_LIST,
            Self::Connection => DEFAULT_PAGE,
        }
    }
}

fn is_connection(kind: &str) -> bool {
    kind.ends_with("Connection")
}

fn inner(kind: &Type) -> String {
    match &kind.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inside) => inner(inside),
    }
}
