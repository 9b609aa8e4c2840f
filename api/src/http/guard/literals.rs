//! The values that a document holds: what the validator leaves open of them.
//!
//! That is what custom scalars accept, what the schema says beyond types, fields of an input given twice (5.6.3), numbers
//! beyond every range, and variables within lists and inputs (5.8.5), of which the validator compares the names of types
//! only.

use super::{constraints::Constraint, refusal::Faults, scalars};
use apollo_compiler::{
    Name, Node, Schema,
    ast::{InputValueDefinition, Type, Value as Literal},
    parser::SourceSpan,
    schema::ExtendedType,
};
use async_graphql::{Name as Key, Number, Value};
use std::collections::HashSet;

/// Where a variable stands, as far as its type is concerned. Equal ones are noted once for a definition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Usage {
    pub(super) name: Name,
    /// The type there; within a scalar that takes anything there is none.
    pub(super) place: Option<Type>,
    /// Whether the argument or input field has a default.
    pub(super) default: bool,
    /// What the schema says of the argument or input field beyond its type.
    pub(super) constraint: Option<Constraint>,
}

/// Looks at values.
pub(super) struct Literals<'s> {
    pub(super) schema: &'s Schema,
    pub(super) usages: HashSet<Usage>,
    /// How many values there are.
    pub(super) count: u64,
}

impl<'s> Literals<'s> {
    /// Begins.
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            usages: HashSet::new(),
            count: 0,
        }
    }

    /// Looks at what is given for an argument or a field of an input.
    pub(super) fn given(
        &mut self,
        value: &Node<Literal>,
        definition: &InputValueDefinition,
        faults: &mut Faults,
    ) {
        let default = definition.default_value.is_some();
        let constraint = Constraint::of(definition);
        if let Literal::Variable(name) = &**value {
            self.count += 1;
            return self.uses(name, Some(&definition.ty), default, constraint);
        }
        if let Some(Err(error)) = constraint.map(|constraint| constraint.check_literal(value)) {
            faults.refuse(value.location(), error);
        }
        self.look(value, &definition.ty, faults);
    }

    /// Looks at a value where `place` belongs. What does not fit by its kind is the validator's matter.
    pub(super) fn look(&mut self, value: &Node<Literal>, place: &Type, faults: &mut Faults) {
        self.count += 1;
        match &**value {
            Literal::Variable(name) => self.uses(name, Some(place), false, None),
            Literal::Null => {}
            Literal::List(items) if place.is_list() => {
                for item in items {
                    self.look(item, place.item_type(), faults);
                }
            }
            _ if place.is_list() => self.look(value, innermost(place), faults),
            given => match (self.schema.types.get(place.inner_named_type()), given) {
                (Some(ExtendedType::InputObject(input)), Literal::Object(fields)) => {
                    once_each(fields, faults);
                    for (name, value) in fields {
                        if let Some(field) = input.fields.get(name) {
                            self.given(value, field, faults);
                        }
                    }
                }
                (Some(ExtendedType::Scalar(scalar)), _) => {
                    self.within(value, faults);
                    let constant = constant(value);
                    if !scalar.is_built_in()
                        && let Err(expected) = scalars::accepts(&scalar.name, constant)
                    {
                        faults.add(value.location(), || {
                            format!("Expected a {}: {expected}.", scalar.name)
                        });
                    }
                }
                _ => {}
            },
        }
    }

    /// Looks within what is given for a scalar.
    fn within(&mut self, value: &Node<Literal>, faults: &mut Faults) {
        self.count += 1;
        match &**value {
            Literal::Variable(name) => self.uses(name, None, false, None),
            Literal::List(items) => {
                for item in items {
                    self.within(item, faults);
                }
            }
            Literal::Object(fields) => {
                once_each(fields, faults);
                for (_, value) in fields {
                    self.within(value, faults);
                }
            }
            Literal::Int(int) => within_range(int.as_str(), value.location(), faults),
            Literal::Float(float) => within_range(float.as_str(), value.location(), faults),
            _ => {}
        }
    }

    fn uses(
        &mut self,
        name: &Name,
        place: Option<&Type>,
        default: bool,
        constraint: Option<Constraint>,
    ) {
        let usage = Usage {
            name: name.clone(),
            place: place.cloned(),
            default,
            constraint,
        };
        self.usages.insert(usage);
    }
}

/// One value stands for a list of it, however deep the list.
fn innermost(mut place: &Type) -> &Type {
    while place.is_list() {
        place = place.item_type();
    }
    place
}

fn once_each(fields: &[(Name, Node<Literal>)], faults: &mut Faults) {
    let mut names = HashSet::with_capacity(fields.len());
    for (name, value) in fields {
        if !names.insert(name) {
            let at = name.location().or(value.location());
            faults.add(at, || {
                format!("There can be only one input field named \"{name}\".")
            });
        }
    }
}

fn within_range(number: &str, at: Option<SourceSpan>, faults: &mut Faults) {
    if number.parse::<Number>().is_err() {
        faults.add(at, || "This number is beyond every range.".to_owned());
    }
}

/// A value without its variables, which are judged when they come.
pub(super) fn constant(value: &Literal) -> Value {
    match value {
        Literal::Null | Literal::Variable(_) => Value::Null,
        Literal::Enum(name) => Value::Enum(key(name)),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(boolean) => Value::Boolean(*boolean),
        Literal::Int(int) => number(int.as_str()),
        Literal::Float(float) => number(float.as_str()),
        Literal::List(items) => Value::List(items.iter().map(|item| constant(item)).collect()),
        Literal::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (key(name), constant(value)));
            Value::Object(fields.collect())
        }
    }
}

fn number(text: &str) -> Value {
    text.parse().map_or(Value::Null, Value::Number)
}

/// A name, as the executor writes it.
pub(super) fn key(name: &Name) -> Key {
    Key::new(name.as_str())
}
