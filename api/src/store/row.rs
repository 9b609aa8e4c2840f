//! A row as it was read: of its columns, those that were asked for.

use super::select;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::{Column, Id, Kind, Owned, Reading, Shape, Table};
use sea_orm::{ActiveModelTrait, Iterable, ModelTrait, QueryResult, TryIntoModel, Value};
use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock},
};

/// Which columns of a table's rows are read.
#[derive(Debug)]
pub struct Columns {
    shape: &'static Shape,
    read: Vec<&'static Column>,
    /// By the column's index, where its value is among those read.
    at: Vec<Option<usize>>,
}

impl Columns {
    /// Those of the ordinary columns that are wanted, and always what tells one row from another.
    pub fn new(shape: &'static Shape, wants: impl Fn(&Column) -> bool) -> Arc<Self> {
        let is_read = |column: &&Column| {
            column == &shape.id() || (column.reading == Reading::Ordinary && wants(column))
        };
        Self::of(shape, shape.columns.iter().filter(is_read).collect())
    }

    /// All that an ordinary read names.
    pub fn ordinary(shape: &'static Shape) -> Arc<Self> {
        static OF_EACH: LazyLock<HashMap<Table, Arc<Columns>>> = LazyLock::new(|| {
            let of_each =
                entity::shapes().map(|shape| (shape.table, Columns::new(shape, |_| true)));
            of_each.collect()
        });
        let made = OF_EACH.get(&shape.table).cloned();
        made.unwrap_or_else(|| Self::new(shape, |_| true))
    }

    fn of(shape: &'static Shape, read: Vec<&'static Column>) -> Arc<Self> {
        let mut at = vec![None; shape.columns.len()];
        for (position, column) in read.iter().enumerate() {
            at[column.index] = Some(position);
        }
        Arc::new(Self { shape, read, at })
    }

    /// These, and more of the same table.
    pub(super) fn and(
        self: &Arc<Self>,
        more: impl IntoIterator<Item = &'static Column>,
    ) -> Arc<Self> {
        let mut read = self.read.clone();
        for column in more {
            if !read.contains(&column) {
                read.push(column);
            }
        }
        if read.len() == self.read.len() {
            return self.clone();
        }
        Self::of(self.shape, read)
    }

    /// The table.
    pub fn shape(&self) -> &'static Shape {
        self.shape
    }

    /// The columns, in the order in which a statement names them.
    pub(super) fn read(&self) -> &[&'static Column] {
        &self.read
    }

    fn position(&self, column: &Column) -> Option<usize> {
        self.at.get(column.index).copied().flatten()
    }
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.shape == other.shape && self.read == other.read)
    }
}

impl Eq for Columns {}

impl Hash for Columns {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shape.hash(state);
        self.read.len().hash(state);
    }
}

/// A row as it was read.
pub struct Row {
    columns: Arc<Columns>,
    values: Vec<Value>,
}

impl Row {
    /// Takes the columns from a statement's row, which begins with them.
    ///
    /// # Errors
    /// When a column holds what it cannot hold.
    pub(super) fn read(row: &QueryResult, columns: &Arc<Columns>) -> Result<Self> {
        let mut values = Vec::with_capacity(columns.read.len());
        for (at, column) in columns.read.iter().enumerate() {
            values.push(value(row, at, column.kind)?);
        }
        Ok(Self {
            columns: columns.clone(),
            values,
        })
    }

    /// The ordinary columns of a row.
    pub fn of<E: Owned>(model: &E::Model) -> Self {
        let columns = Columns::ordinary(E::shape());
        let values = select::ordinary::<E>().map(|column| model.get(column));
        let values = values.collect();
        Self { columns, values }
    }

    /// The table.
    pub fn shape(&self) -> &'static Shape {
        self.columns.shape
    }

    /// What a column holds.
    ///
    /// # Errors
    /// When the column was not read: whoever reads the row must say which columns it takes.
    pub fn get(&self, column: &Column) -> Result<&Value> {
        let position = self.columns.position(column);
        position
            .and_then(|position| self.values.get(position))
            .ok_or_else(|| {
                let table = self.columns.shape.table.name();
                Error::internal(format!("{table}.{} was not read", column.name))
            })
    }

    /// The id that a column holds, if it holds one.
    ///
    /// # Errors
    /// When the column was not read.
    pub fn key(&self, column: &Column) -> Result<Option<Id>> {
        Ok(match self.get(column)? {
            Value::String(Some(id)) => Some(Id::from(id.as_str())),
            _ => None,
        })
    }

    /// The row's own id.
    ///
    /// # Errors
    /// When it has none.
    pub fn id(&self) -> Result<Id> {
        let id = self.key(self.shape().id())?;
        id.ok_or_else(|| Error::internal("a row without an id"))
    }

    /// The row as its entity has it. What an ordinary read leaves out is left out.
    ///
    /// # Errors
    /// When a column was not read, or holds what it cannot hold.
    pub fn model<E: Owned>(&self) -> Result<E::Model> {
        let mut model = <E::ActiveModel as ActiveModelTrait>::default();
        for (column, data) in E::Column::iter().zip(&E::shape().columns) {
            let value = match data.reading {
                Reading::Ordinary => self.get(data)?.clone(),
                _ => data.kind.nothing(),
            };
            model.try_set(column, value)?;
        }
        Ok(model.try_into_model()?)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({})", self.columns.shape.table.name())
    }
}

/// The value at a place of a row.
fn value(row: &QueryResult, at: usize, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Kind::Text => row.try_get_by_index::<Option<String>>(at)?.into(),
        Kind::Boolean => row.try_get_by_index::<Option<bool>>(at)?.into(),
        Kind::Integer => row.try_get_by_index::<Option<i32>>(at)?.into(),
        Kind::BigInteger => row.try_get_by_index::<Option<i64>>(at)?.into(),
        Kind::Float => row.try_get_by_index::<Option<f64>>(at)?.into(),
        Kind::Moment => row.try_get_by_index::<Option<DateTime<Utc>>>(at)?.into(),
        Kind::Json => row
            .try_get_by_index::<Option<serde_json::Value>>(at)?
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::goal::{self, GoalStatus};
    use sea_orm::ActiveValue::Set;

    fn goal() -> goal::Model {
        let at = entity::Timestamp::new(DateTime::UNIX_EPOCH);
        let goal = goal::ActiveModel {
            id: Set("g".into()),
            tenant_id: Set("t".into()),
            project_id: Set("p".into()),
            title: Set("Ship it".to_owned()),
            description: Set(String::new()),
            outcome: Set(String::new()),
            parent_goal_id: Set(None),
            status: Set(GoalStatus::Achieved),
            target_date: Set(Some(at)),
            created_by_id: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
        };
        goal.try_into_model().unwrap()
    }

    #[test]
    fn a_row_is_the_model_it_was_made_of() {
        let row = Row::of::<goal::Entity>(&goal());
        assert_eq!(row.model::<goal::Entity>().unwrap(), goal());
        assert_eq!(row.id().unwrap().as_str(), "g");
    }

    #[test]
    fn a_column_that_was_not_read_is_an_error_and_no_empty_value() {
        let title = goal::Entity::column(goal::Column::Title);
        let outcome = goal::Entity::column(goal::Column::Outcome);
        let columns = Columns::new(goal::Entity::shape(), |column| column == title);
        let row = Row {
            values: vec!["g".into(), "Ship it".into()],
            columns,
        };
        assert_eq!(row.get(title).unwrap(), &Value::from("Ship it"));
        assert!(row.get(outcome).is_err());
        assert!(row.model::<goal::Entity>().is_err());
    }
}
