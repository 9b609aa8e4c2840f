//! Tables as data, for code that is compiled once for all of them.

use crate::{Owned, Ownership, Table};
use sea_orm::{ColumnTrait, IdenStatic, Iterable, Value, sea_query::ColumnType};
use std::hash::{Hash, Hasher};

/// A table as data: what [`Owned`] says of it in types. There is one of each table, [`Owned::shape`].
#[derive(Debug)]
pub struct Shape {
    /// The table.
    pub table: Table,
    /// Its name in the database.
    pub name: &'static str,
    /// Its columns, in the order of the entity's fields.
    pub columns: Vec<Column>,
    /// Whether rows may be global.
    pub ownership: Ownership,
    id: usize,
    tenant: usize,
    user: Option<usize>,
    agent: Option<usize>,
}

/// A column of a table, as data.
#[derive(Debug)]
pub struct Column {
    /// The table it is a column of.
    pub table: Table,
    shape: fn() -> &'static Shape,
    /// Where it stands among the table's columns, from 0.
    pub index: usize,
    /// Its name in the database.
    pub name: &'static str,
    /// Its name in the API.
    pub field: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    pub nullable: bool,
    /// Who reads it.
    pub reading: Reading,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text: also an id, and a word of a set of words.
    Text,
    /// Yes or no.
    Boolean,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    BigInteger,
    /// A number.
    Float,
    /// A moment in UTC.
    Moment,
    /// JSON.
    Json,
}

/// Who reads a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Every read may.
    Ordinary,
    /// Only who asks for it by name, because it may hold megabytes.
    Large,
    /// No read of the API.
    Secret,
}

impl Shape {
    /// The shape of an entity's table.
    pub fn of<E: Owned>() -> Self {
        let name = |column: &E::Column| column.as_str();
        let index = |of: E::Column| E::Column::iter().position(|column| name(&column) == name(&of));
        let is_in = |columns: &[E::Column], one: &E::Column| {
            columns.iter().any(|column| name(column) == name(one))
        };
        let columns = E::Column::iter().enumerate().map(|(index, column)| {
            let definition = column.def();
            Column {
                table: E::TABLE,
                shape: E::shape,
                index,
                name: name(&column),
                field: camel_case(&format!("{column:?}")),
                kind: Kind::of(definition.get_column_type()),
                nullable: definition.is_null(),
                reading: match column {
                    column if is_in(E::LARGE, &column) => Reading::Large,
                    column if is_in(E::SECRET, &column) => Reading::Secret,
                    _ => Reading::Ordinary,
                },
            }
        });
        Self {
            table: E::TABLE,
            name: E::default().table_name(),
            columns: columns.collect(),
            ownership: E::OWNERSHIP,
            id: index(E::ID).unwrap_or_default(),
            tenant: index(E::TENANT).unwrap_or_default(),
            user: E::USER.and_then(index),
            agent: E::AGENT.and_then(index),
        }
    }

    /// The column with this name, if there is one.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column that the API calls so, if there is one.
    pub fn field(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == name)
    }

    /// The column that identifies a row.
    pub fn id(&self) -> &Column {
        &self.columns[self.id]
    }

    /// The column that holds the tenant.
    pub fn tenant(&self) -> &Column {
        &self.columns[self.tenant]
    }

    /// The column with the user a row is for, where some may see only their own.
    pub fn user(&self) -> Option<&Column> {
        Some(&self.columns[self.user?])
    }

    /// The column with the agent token that holds a row, where agents see their own.
    pub fn agent(&self) -> Option<&Column> {
        Some(&self.columns[self.agent?])
    }
}

impl Column {
    /// The table it is a column of, as data.
    pub fn shape(&self) -> &'static Shape {
        (self.shape)()
    }
}

fn camel_case(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl Eq for Shape {}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.table.hash(state);
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        (self.table, self.index) == (other.table, other.index)
    }
}

impl Eq for Column {}

impl Hash for Column {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.table, self.index).hash(state);
    }
}

impl Kind {
    fn of(column: &ColumnType) -> Self {
        match column {
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Integer => Self::Integer,
            ColumnType::BigInteger => Self::BigInteger,
            ColumnType::Double | ColumnType::Float => Self::Float,
            ColumnType::TimestampWithTimeZone => Self::Moment,
            ColumnType::Json | ColumnType::JsonBinary => Self::Json,
            _ => Self::Text,
        }
    }

    /// No value of this kind.
    pub fn nothing(self) -> Value {
        match self {
            Self::Text => Value::String(None),
            Self::Boolean => Value::Bool(None),
            Self::Integer => Value::Int(None),
            Self::BigInteger => Value::BigInt(None),
            Self::Float => Value::Double(None),
            Self::Moment => Value::ChronoDateTimeUtc(None),
            Self::Json => Value::Json(None),
        }
    }
}
