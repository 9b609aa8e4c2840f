//! What narrows a list.

use super::select::Place;
use crate::error::Result;
use async_graphql::InputType;
use entity::Owned;
use sea_orm::{Condition, sea_query::Expr};

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
    /// The comparison as SQL, about this column; `field` names it in errors.
    ///
    /// # Errors
    /// When a value cannot be compared.
    fn condition(&self, column: &Expr, field: &str) -> Result<Condition>;
}
