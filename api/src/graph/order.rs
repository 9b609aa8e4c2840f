//! The order of a list of rows, out of their [`RowType`].

use super::{Node, describe::order_word, row_type::RowType};
use crate::{
    error::{Error, Result},
    store::SortKey,
};
use async_graphql::{Enum, InputType, InputValueResult, Value, registry::Registry};
use std::{borrow::Cow, marker::PhantomData};

/// Which way a list is sorted. Rows without a value come last either way.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest, first or oldest at the top.
    #[default]
    Asc,
    /// Largest, last or newest at the top.
    Desc,
}

/// The keys that an order says, as a list field takes it: steps, of which later ones decide among rows that are equal so
/// far.
///
/// # Errors
/// [`Error::BadUserInput`] when it is none for such rows.
pub(super) fn keys(order: Value, row_type: &RowType) -> Result<Vec<SortKey>> {
    let steps = match order {
        Value::Null => Vec::new(),
        Value::List(steps) => steps,
        step => vec![step],
    };
    steps.into_iter().map(|step| key(step, row_type)).collect()
}

fn key(step: Value, row_type: &RowType) -> Result<SortKey> {
    let unknown = || Error::bad_input("orderBy", "is not what this list can be sorted by");
    let Value::Object(mut step) = step else {
        return Err(unknown());
    };
    let field = match step.swap_remove("field") {
        Some(Value::Enum(word)) => word.to_string(),
        Some(Value::String(word)) => word,
        _ => return Err(unknown()),
    };
    let direction = step
        .swap_remove("direction")
        .map(|word| Direction::parse(Some(word)));
    let direction = direction.transpose().map_err(|_| unknown())?;
    let mut columns = row_type.declared.compared.iter().map(|(column, _)| *column);
    let column = columns.find(|column| order_word(&column.field).eq(field.chars()));
    let descending = direction.unwrap_or_default() == Direction::Desc;
    Ok(SortKey::new(column.ok_or_else(unknown)?, descending))
}

/// A step of the order of rows of `N`, for fields that are written by hand: [`ListArgs`] reads it.
pub struct OrderOf<N>(Value, PhantomData<fn() -> N>);

impl<N: Node> InputType for OrderOf<N> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        N::row_type().order_name().into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        N::row_type().register_order(registry);
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Ok(Self(value.unwrap_or_default(), PhantomData))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
