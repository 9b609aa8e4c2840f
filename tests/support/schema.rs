//! The schema as a client sees it by introspection, for tests that walk all of it.

use super::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const INTROSPECTION: &str = "{ __schema { queryType { name } mutationType { name } types {
    name description
    fields(includeDeprecated: true) { name description type { ...T } args { name description type { ...T } } }
    inputFields { name description type { ...T } }
    enumValues(includeDeprecated: true) { name description }
    interfaces { name }
} } }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Every type by its name.
pub struct Schema {
    types: BTreeMap<String, Type>,
}

/// A type.
#[derive(Clone, Debug)]
pub struct Type {
    pub name: String,
    pub description: Option<String>,
    pub fields: Vec<Field>,
    pub inputs: Vec<Field>,
    pub values: Vec<Field>,
    pub interfaces: Vec<String>,
}

/// A field, an argument or an enum value.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub description: Option<String>,
    pub of: TypeRef,
    pub args: Vec<Field>,
}

/// A field's type without its wrappers.
#[derive(Clone, Debug, Default)]
pub struct TypeRef {
    pub name: String,
    pub kind: String,
    pub list: bool,
    pub required: bool,
}

impl Schema {
    /// Asks the server.
    pub async fn of(client: &Client) -> Self {
        let data = client.data(INTROSPECTION, json!({})).await;
        let types = list(&data["__schema"]["types"]).map(|value| {
            let fields = |key: &str| list(&value[key]).map(field).collect();
            let read = Type {
                name: text(&value["name"]).unwrap_or_default(),
                description: text(&value["description"]),
                fields: fields("fields"),
                inputs: fields("inputFields"),
                values: fields("enumValues"),
                interfaces: list(&value["interfaces"])
                    .filter_map(|of| text(&of["name"]))
                    .collect(),
            };
            (read.name.clone(), read)
        });
        Self {
            types: types.collect(),
        }
    }

    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.types.values().filter(|of| !of.name.starts_with("__"))
    }

    pub fn get(&self, name: &str) -> &Type {
        self.types
            .get(name)
            .unwrap_or_else(|| panic!("there is no type {name}"))
    }

    pub fn queries(&self) -> &[Field] {
        &self.get("Query").fields
    }

    pub fn mutations(&self) -> &[Field] {
        &self.get("Mutation").fields
    }

    /// The mutations that change what a workspace has; the others are about the caller's session, and one ends all.
    pub fn writes(&self) -> impl Iterator<Item = &Field> {
        let changes = |mutation: &&Field| {
            let payload = self.get(&mutation.of.name);
            payload
                .fields
                .iter()
                .any(|field| field.name == "feedCursor")
        };
        let goes_on = |mutation: &&Field| mutation.name != "deleteWorkspace";
        self.mutations().iter().filter(changes).filter(goes_on)
    }

    /// The root lists, each with the type of its rows.
    pub fn lists(&self) -> impl Iterator<Item = (&Field, &Type)> {
        self.queries()
            .iter()
            .filter_map(|field| Some((field, self.row_type(field)?)))
    }

    /// The type of a connection's rows, if the field is a connection of rows with ids.
    pub fn row_type(&self, field: &Field) -> Option<&Type> {
        let row = field.of.name.strip_suffix("Connection")?;
        let connection = self.get(&field.of.name);
        let has_edges = connection.fields.iter().any(|field| field.name == "edges");
        Some(self.types.get(row).filter(|_| has_edges)?).filter(|row| row.is_node())
    }
}

impl Type {
    /// Whether its rows have ids.
    pub fn is_node(&self) -> bool {
        self.interfaces.iter().any(|name| name == "Node")
    }

    /// The fields that have no selection of their own.
    pub fn leaves(&self) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(|field| field.of.is_leaf() && field.args.is_empty())
    }
}

impl TypeRef {
    pub fn is_leaf(&self) -> bool {
        matches!(self.kind.as_str(), "SCALAR" | "ENUM")
    }
}

fn field(value: &Value) -> Field {
    Field {
        name: text(&value["name"]).unwrap_or_default(),
        description: text(&value["description"]),
        of: type_ref(&value["type"]),
        args: list(&value["args"]).map(field).collect(),
    }
}

fn type_ref(value: &Value) -> TypeRef {
    let mut read = TypeRef {
        required: value["kind"] == "NON_NULL",
        ..Default::default()
    };
    let mut inner = value;
    while !inner["ofType"].is_null() {
        read.list |= inner["kind"] == "LIST";
        inner = &inner["ofType"];
    }
    read.name = text(&inner["name"]).unwrap_or_default();
    read.kind = text(&inner["kind"]).unwrap_or_default();
    read
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
