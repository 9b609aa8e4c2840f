//! A filter over a table's rows, out of the table's [`RowType`].

use super::{
    Node,
    row_type::{Relation, RowType},
};
use crate::{
    error::{Error, Result},
    store::{Filter, Place},
};
use async_graphql::{
    InputType, InputValueError, InputValueResult, Name, Value, indexmap::IndexMap,
    registry::Registry,
};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, Func},
};
use std::{borrow::Cow, marker::PhantomData};

type Fields = IndexMap<Name, Value>;

/// Which rows of a type a list has.
#[derive(Clone)]
pub(crate) struct RowFilter {
    row_type: &'static RowType,
    /// As it was given, each thing said in one way only, so that equal filters are equal texts.
    given: Value,
}

impl RowFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When it is none for such rows.
    pub(crate) fn new(row_type: &'static RowType, filter: Value) -> Result<Self> {
        let given = read(row_type, filter)?;
        Ok(Self { row_type, given })
    }
}

impl Filter for RowFilter {
    fn given(&self) -> &Value {
        &self.given
    }

    fn condition(&self, place: Place<'_>) -> Result<Condition> {
        condition(self.row_type, &self.given, place)
    }
}

/// A filter as it was given, in one way of several: with fields in the order of the schema, lists where they belong, and
/// values as their types write them.
fn read(row_type: &'static RowType, filter: Value) -> Result<Value> {
    let mut given = object(filter)?;
    let mut out = Fields::with_capacity(given.len());
    let mut take = |name: &str| {
        given
            .swap_remove(name)
            .filter(|value| *value != Value::Null)
    };
    for name in ["and", "or"] {
        if let Some(filters) = take(name) {
            let filters = match filters {
                Value::List(filters) => filters,
                filter => vec![filter],
            };
            let filters = filters.into_iter().map(|filter| read(row_type, filter));
            let filters = Value::List(filters.collect::<Result<_>>()?);
            out.insert(Name::new(name), filters);
        }
    }
    if let Some(filter) = take("not") {
        out.insert(Name::new("not"), read(row_type, filter)?);
    }
    for (column, comparison) in &row_type.declared.compared {
        if let Some(value) = take(&column.field) {
            let comparison = (comparison.parse)(value).ok_or_else(|| unread(&column.field))?;
            let given = without_nulls(comparison.to_value());
            out.insert(Name::new(&column.field), given);
        }
    }
    for relation in &row_type.declared.relations {
        let Some(filter) = take(relation.name) else {
            continue;
        };
        let other = (relation.other)();
        let filter = match relation.is_many {
            false => read(other, filter)?,
            true => {
                let mut given = object(filter)?;
                let mut many = Fields::with_capacity(given.len());
                for name in ["some", "none", "every"] {
                    if let Some(filter) = given.swap_remove(name) {
                        many.insert(Name::new(name), read(other, filter)?);
                    }
                }
                Value::Object(many)
            }
        };
        out.insert(Name::new(relation.name), filter);
    }
    match given.keys().next() {
        Some(unknown) => Err(unread(unknown)),
        None => Ok(Value::Object(out)),
    }
}

fn object(value: Value) -> Result<Fields> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(unread("filter")),
    }
}

/// What no document says that was judged.
fn unread(field: &str) -> Error {
    Error::bad_input(field, "is not what this filter takes")
}

/// What was left out is written as null, and nothing that was given can be.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            fields.retain(|_, field| *field != Value::Null);
            Value::Object(fields)
        }
        value => value,
    }
}

/// A filter that was read, as SQL.
fn condition(row_type: &'static RowType, filter: &Value, place: Place<'_>) -> Result<Condition> {
    let mut all = Condition::all();
    let Value::Object(given) = filter else {
        return Ok(all);
    };
    if let Some(Value::List(filters)) = given.get("and") {
        for filter in filters {
            all = all.add(condition(row_type, filter, place)?);
        }
    }
    if let Some(Value::List(filters)) = given.get("or") {
        // An empty one holds for nothing.
        let mut any = Condition::any().add(Expr::cust("1 = 0"));
        for filter in filters {
            any = any.add(condition(row_type, filter, place)?);
        }
        all = all.add(any);
    }
    if let Some(filter) = given.get("not") {
        all = all.add(untrue(condition(row_type, filter, place)?));
    }
    for (column, comparison) in &row_type.declared.compared {
        if let Some(value) = given.get(column.field.as_str()) {
            let comparison =
                (comparison.parse)(value.clone()).ok_or_else(|| unread(&column.field))?;
            all = all.add(comparison.condition(place.compared(column))?);
        }
    }
    for relation in &row_type.declared.relations {
        if let Some(filter) = given.get(relation.name) {
            all = all.add(match relation.is_many {
                true => of_many(relation, filter, place)?,
                false => Condition::all().add(exists(relation, filter, place)?),
            });
        }
    }
    Ok(all)
}

/// "A related row satisfies this."
fn exists(relation: &Relation, filter: &Value, place: Place<'_>) -> Result<Expr> {
    let other = (relation.other)();
    place.exists(relation.theirs, relation.ours, |inner| {
        condition(other, filter, inner)
    })
}

/// What the rows of a to-many relation must satisfy. All that is given must hold.
fn of_many(relation: &Relation, filter: &Value, place: Place<'_>) -> Result<Condition> {
    let mut all = Condition::all();
    let Value::Object(given) = filter else {
        return Ok(all);
    };
    if let Some(filter) = given.get("some") {
        all = all.add(exists(relation, filter, place)?);
    }
    if let Some(filter) = given.get("none") {
        all = all.add(exists(relation, filter, place)?.not());
    }
    if let Some(filter) = given.get("every") {
        let other = (relation.other)();
        let (theirs, ours) = (relation.theirs, relation.ours);
        let one_does_not = place.exists(theirs, ours, |inner| {
            Ok(Condition::all().add(untrue(condition(other, filter, inner)?)))
        })?;
        all = all.add(one_does_not.not());
    }
    Ok(all)
}

/// "This is not so." SQL knows a third answer, for what is compared with NULL; for people that is not so either.
///
/// Only what stands below a negation must be asked this way. Anywhere else the third answer keeps no row, as false does,
/// and a plain condition can use an index.
fn untrue(condition: Condition) -> Expr {
    Expr::from(Func::coalesce([condition.into(), Expr::cust("FALSE")])).not()
}

/// A filter over the rows of `N`, for fields that are written by hand.
#[derive(Clone)]
pub struct FilterOf<N>(RowFilter, PhantomData<fn() -> N>);

impl<N: Node> FilterOf<N> {
    /// The filter.
    pub(crate) fn get(&self) -> &RowFilter {
        &self.0
    }
}

impl<N: Node> InputType for FilterOf<N> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        N::row_type().filter_name().into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        N::row_type().register_filter(registry);
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let filter = RowFilter::new(N::row_type(), value.unwrap_or_default());
        let filter = filter.map_err(|_| InputValueError::custom("expected a filter"))?;
        Ok(Self(filter, PhantomData))
    }

    fn to_value(&self) -> Value {
        self.0.given.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
