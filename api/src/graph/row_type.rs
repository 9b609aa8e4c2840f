//! A type of the API that stands for a table's rows, as data: everything generic about it is derived from this at run time,
//! by code that is compiled once.

use super::{Node, comparison::ComparisonType, object::Resolving};
use crate::store::Row;
use async_graphql::{
    Context, Name, Value,
    registry::{MetaField, MetaType, MetaTypeName, Registry},
};
use entity::{Column, Kind, Owned, Reading, Shape};
use sea_orm::Value as Stored;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

/// What a table's file says of its type. `node!` writes it.
pub(crate) struct Declared {
    /// The type's name.
    pub(crate) name: &'static str,
    /// The lines of its description.
    pub(crate) description: &'static [&'static str],
    /// The table.
    pub(crate) shape: &'static Shape,
    /// The root field of one row, and of a list.
    pub(crate) root: [&'static str; 2],
    /// What to use instead of these.
    pub(crate) deprecation: Option<&'static str>,
    /// Lists begin with the largest value of this column unless told otherwise.
    pub(crate) newest_by: &'static Column,
    /// What can be filtered and sorted by.
    pub(crate) compared: Vec<(&'static Column, ComparisonType)>,
    /// Where one gets from a row.
    pub(crate) relations: Vec<Relation>,
    /// The row's plain columns, as the library describes them.
    pub(crate) plain: Derived,
    /// What else the type has, with code of its own: large columns, and what is computed.
    pub(crate) own: Option<Derived>,
}

/// An object type of the library's making.
#[derive(Clone, Copy)]
pub(crate) struct Derived {
    /// Registers it.
    pub(crate) register: fn(&mut Registry) -> String,
    /// Resolves a field of it.
    pub(crate) resolve: for<'a> fn(&'a Arc<Row>, &'a Context<'a>) -> Resolving<'a>,
}

/// Where one gets from a row: to the rows of another type whose `theirs` is this row's `ours`.
pub(crate) struct Relation {
    /// The field.
    pub(crate) name: &'static str,
    /// The lines of its description.
    pub(crate) description: &'static [&'static str],
    /// What to use instead.
    pub(crate) deprecation: Option<&'static str>,
    /// Whether there may be several.
    pub(crate) is_many: bool,
    /// The other type.
    pub(crate) other: fn() -> &'static RowType,
    /// This row's column.
    pub(crate) ours: &'static Column,
    /// The other's.
    pub(crate) theirs: &'static Column,
}

impl Relation {
    /// To the one row of `N` that a key points to.
    pub(crate) fn to<N: Node>(
        name: &'static str,
        description: &'static [&'static str],
        ours: &'static Column,
    ) -> Self {
        Self {
            name,
            description,
            deprecation: None,
            is_many: false,
            other: N::row_type,
            ours,
            theirs: N::Entity::shape().id(),
        }
    }

    /// Back to the one row of `N` whose key points to this row.
    pub(crate) fn back<N: Node>(
        name: &'static str,
        description: &'static [&'static str],
        ours: &'static Column,
        theirs: &'static Column,
    ) -> Self {
        Self {
            theirs,
            ..Self::to::<N>(name, description, ours)
        }
    }
}

/// How a field of a row gets its value.
pub(crate) enum Field {
    /// It is a column's.
    Plain(&'static Column, Writing),
    /// It leads to other rows.
    Relation(&'static Relation),
    /// It is a large column, read when it is selected.
    Large,
    /// It is computed from the row.
    Own,
}

/// How the API shows what a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// As it is.
    AsIs,
    /// As a value of an enum.
    Word,
    /// As a text, because JavaScript's numbers are too small.
    Digits,
}

/// A type of the API that stands for a table's rows.
pub(crate) struct RowType {
    pub(super) declared: Declared,
    /// How each field gets its value: known once the type is in a schema.
    fields: OnceLock<HashMap<String, Field>>,
}

impl RowType {
    /// The type that was declared so.
    pub(crate) fn new(declared: Declared) -> Self {
        Self {
            declared,
            fields: OnceLock::new(),
        }
    }

    /// The fields of the type, which leads to others in circles: so nothing of this is done before the type is there.
    pub(super) fn fields(&'static self, registry: &mut Registry) -> Vec<MetaField> {
        let declared = &self.declared;
        let mut known = HashMap::new();
        let plain = fields_of(declared.plain, registry);
        for field in &plain {
            let column = declared.shape.field(&field.name);
            let writing = column.and_then(|column| writing(column, field, registry));
            let plain = match (column, writing) {
                (Some(column), Some(writing)) => Field::Plain(column, writing),
                _ => Field::Own,
            };
            known.insert(field.name.clone(), plain);
        }
        let relations: Vec<_> = { declared.relations.iter() }
            .map(|relation| {
                known.insert(relation.name.to_owned(), Field::Relation(relation));
                relation.register(registry)
            })
            .collect();
        let own = declared.own.map(|own| fields_of(own, registry));
        let own = own.unwrap_or_default();
        for field in &own {
            let column = declared.shape.field(&field.name);
            let is_large = column.is_some_and(|column| column.reading == Reading::Large);
            let how = if is_large { Field::Large } else { Field::Own };
            known.insert(field.name.clone(), how);
        }
        self.fields.get_or_init(|| known);
        [plain, relations, own].concat()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.declared.name
    }

    /// The table.
    pub(crate) fn shape(&self) -> &'static Shape {
        self.declared.shape
    }

    /// The fields that are read only when selected, because they can be large.
    pub(crate) fn large(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.get().into_iter().flatten();
        fields.filter_map(|(name, field)| matches!(field, Field::Large).then_some(name.as_str()))
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get()?.get(name)
    }
}

/// The fields of a type of the library's making, which is taken out of the registry again.
fn fields_of(derived: Derived, registry: &mut Registry) -> Vec<MetaField> {
    let name = (derived.register)(registry);
    let name = MetaTypeName::concrete_typename(&name);
    match registry.types.remove(name) {
        Some(MetaType::Object { fields, .. }) => fields.into_values().collect(),
        _ => Vec::new(),
    }
}

/// How a column is shown in a field; nothing if the field needs code of its own.
fn writing(column: &Column, field: &MetaField, registry: &Registry) -> Option<Writing> {
    let name = MetaTypeName::concrete_typename(&field.ty);
    match (column.kind, registry.types.get(name)?) {
        (Kind::Text, MetaType::Enum { .. }) => Some(Writing::Word),
        (Kind::BigInteger, _) => Some(Writing::Digits),
        (_, MetaType::Scalar { .. }) => Some(Writing::AsIs),
        _ => None,
    }
}

impl Writing {
    /// The value in the answer.
    pub(super) fn value(self, stored: &Stored) -> Value {
        match stored {
            Stored::String(Some(word)) if self == Self::Word => {
                Value::Enum(Name::new(word.to_ascii_uppercase()))
            }
            Stored::String(Some(text)) => Value::String(text.clone()),
            Stored::Bool(Some(yes)) => Value::Boolean(*yes),
            Stored::Int(Some(number)) => Value::Number((*number).into()),
            Stored::BigInt(Some(number)) if self == Self::Digits => {
                Value::String(number.to_string())
            }
            Stored::BigInt(Some(number)) => Value::Number((*number).into()),
            Stored::Double(Some(number)) => {
                serde_json::Number::from_f64(*number).map_or(Value::Null, Value::Number)
            }
            Stored::ChronoDateTimeUtc(Some(at)) => {
                Value::String(entity::Timestamp::new(*at).to_string())
            }
            Stored::Json(Some(json)) => Value::from_json((**json).clone()).unwrap_or_default(),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{node::row_types, schema};
    use std::collections::HashSet;

    #[test]
    fn no_type_has_a_field_twice() {
        drop(schema());
        let mut registry = Registry::default();
        for row_type in row_types() {
            let fields = row_type.fields(&mut registry);
            let names: HashSet<_> = fields.iter().map(|field| &field.name).collect();
            assert_eq!(names.len(), fields.len(), "{}", row_type.name());
        }
    }

    #[test]
    fn these_columns_are_shown_by_code() {
        drop(schema());
        let coded = row_types().flat_map(|row_type| {
            let columns = row_type.shape().columns.iter();
            columns.filter_map(move |column| match row_type.field(&column.field) {
                Some(Field::Own) => Some(format!("{}.{}", row_type.name(), column.field)),
                _ => None,
            })
        });
        let coded: Vec<_> = coded.collect();
        let expected = [
            "Tenant.settings",
            "User.channelIds",
            "AuditLog.metadata",
            "Project.briefTemplate",
            "ProjectGraph.godNodeSlugs",
            "WhisperTranscription.providerChain",
            "WhisperTranscription.costMicros",
            "Skill.configSchema",
            "Approval.messageLink",
            "Approval.externalActorRef",
        ];
        assert_eq!(coded, expected);
    }
}
