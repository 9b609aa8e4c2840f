//! What narrows a list.

use super::select::Place;
use crate::error::Result;
use async_graphql::InputType;
use entity::Owned;
use sea_orm::{ColumnTrait, Condition, DbBackend, sea_query::Expr};

/// A filter input over the rows of `E`.
pub trait Filter<E: Owned>: InputType + Send + Sync {
    /// The filter as SQL, about the row at `place`.
    ///
    /// # Errors
    /// When a value cannot be compared, or relations are nested too deep.
    fn condition(&self, place: Place<'_>) -> Result<Condition>;
}

/// A filter input over one column's values.
pub trait Comparison: InputType + Send + Sync {
    /// The comparison as SQL.
    ///
    /// # Errors
    /// When a value cannot be compared.
    fn condition(&self, column: Compared<'_>) -> Result<Condition>;
}

/// A column that is compared.
#[derive(Clone, Debug)]
pub struct Compared<'f> {
    /// The column.
    pub expr: Expr,
    /// The filter's field, for errors.
    pub field: &'f str,
    /// The database, where comparing differs.
    pub backend: DbBackend,
}

impl Place<'_> {
    /// A column of this row, to be compared by the filter's `field`.
    pub fn compared(self, column: impl ColumnTrait, field: &str) -> Compared<'_> {
        Compared {
            expr: self.column(column),
            field,
            backend: self.backend(),
        }
    }
}
