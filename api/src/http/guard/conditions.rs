//! What filters cost: the conditions they are made of.
//!
//! A condition counts one for each value it compares with. To look into texts, and to look through related rows for each
//! row, takes more, and what stands within that is done for each of them.

use apollo_compiler::{
    Name, Node, Schema,
    ast::{Type, Value as Literal},
    schema::ExtendedType,
};
use async_graphql::{Name as Key, Value as ConstValue};
use std::collections::HashMap;

/// A text is looked into.
const TEXT: u64 = 20;
/// The one related row of each row is looked at.
const ONE: u64 = 2;
/// The many related rows of each row are looked through.
const MANY: u64 = 50;

/// What an argument costs: by itself, and so many times as each variable in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    pub(super) fixed: u64,
    pub(super) variables: Vec<(u64, Key)>,
}

/// Whether an argument or a variable of this type is a filter.
pub(super) fn is_filter(declared: &Type) -> bool {
    declared.inner_named_type().ends_with("Filter")
}

/// A value, as a document or a request has it.
trait Given: Sized {
    fn items(&self) -> Option<&[Self::Item]>;
    fn fields(&self) -> Vec<(&str, &Self::Item)>;
    fn variable(&self) -> Option<&Name>;
    fn is_nothing(&self) -> bool;
    type Item: Given<Item = Self::Item>;
}

impl Given for Node<Literal> {
    type Item = Self;

    fn items(&self) -> Option<&[Self]> {
        self.as_list()
    }

    fn fields(&self) -> Vec<(&str, &Self)> {
        let fields = self.as_object().unwrap_or_default().iter();
        fields.map(|(name, value)| (name.as_str(), value)).collect()
    }

    fn variable(&self) -> Option<&Name> {
        self.as_variable()
    }

    fn is_nothing(&self) -> bool {
        self.is_null()
    }
}

impl Given for ConstValue {
    type Item = Self;

    fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&str, &Self)> {
        match self {
            Self::Object(fields) => {
                let fields = fields.iter();
                fields.map(|(name, value)| (name.as_str(), value)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn variable(&self) -> Option<&Name> {
        None
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl Conditions {
    /// Those of an argument in a document.
    pub(super) fn of(value: &Node<Literal>, declared: &Type, schema: &Schema) -> Self {
        let mut conditions = Self::default();
        conditions.add(value, declared, 1, schema);
        conditions
    }

    /// What a filter costs that came as a variable.
    pub(super) fn of_variable(value: &ConstValue, declared: &Type, schema: &Schema) -> u64 {
        let mut conditions = Self::default();
        conditions.add(value, declared, 1, schema);
        conditions.fixed
    }

    /// What it costs, now that its variables are known.
    pub(super) fn price(&self, variables: &HashMap<Key, u64>) -> u64 {
        let of_variables = self.variables.iter().map(|(times, name)| {
            let price = variables.get(name).copied().unwrap_or(1);
            times.saturating_mul(price)
        });
        of_variables.fold(self.fixed, u64::saturating_add)
    }

    fn add<V: Given<Item = V>>(&mut self, value: &V, declared: &Type, times: u64, schema: &Schema) {
        if let Some(name) = value.variable() {
            self.variables.push((times, super::literals::key(name)));
            return;
        }
        if value.is_nothing() {
            return;
        }
        if let Some(items) = value.items().filter(|items| !items.is_empty()) {
            for item in items {
                self.add(item, declared.item_type(), times, schema);
            }
            return;
        }
        let fields = value.fields();
        match schema.types.get(declared.inner_named_type()) {
            // One that is empty holds for everything, but it is asked.
            Some(ExtendedType::InputObject(input)) if !fields.is_empty() => {
                for (name, value) in fields {
                    if let Some(field) = input.fields.get(name) {
                        let times = times.saturating_mul(weight(name, &field.ty, schema));
                        self.add(value, &field.ty, times, schema);
                    }
                }
            }
            _ => self.fixed = self.fixed.saturating_add(times),
        }
    }
}

/// How much more a field of a filter costs than what is in it.
fn weight(name: &str, declared: &Type, schema: &Schema) -> u64 {
    let input = |kind: &Name| {
        schema
            .types
            .get(kind)
            .and_then(ExtendedType::as_input_object)
    };
    match input(declared.inner_named_type()) {
        Some(many) if many.fields.contains_key("some") => MANY,
        // These are about the same row, or about the rows that are looked through already.
        Some(_) if ["and", "or", "not", "some", "none", "every"].contains(&name) => 1,
        Some(one) if one.fields.contains_key("and") => ONE,
        None if ["contains", "startsWith"].contains(&name) => TEXT,
        _ => 1,
    }
}
