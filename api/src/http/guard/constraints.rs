//! What the schema says of inputs beyond their types: `@length` and `@size`.

use crate::{domain::check, error::Error};
use apollo_compiler::{
    Node,
    ast::{Directive, InputValueDefinition, Value as Literal},
};
use async_graphql::Value;

/// What an argument or a field of an input may hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Constraint {
    /// The argument's or the field's name.
    field: String,
    what: Measure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Measure {
    /// So many characters of a text.
    Length { least: u64, most: u64 },
    /// So many entries of a list.
    Size { least: u64, most: u64 },
}

impl Constraint {
    /// What the schema says of an argument or a field, if it says anything.
    pub(super) fn of(definition: &InputValueDefinition) -> Option<Self> {
        let bounds = |directive| {
            let given = definition.directives.get(directive)?;
            Some((number(given, "min"), number(given, "max")))
        };
        let length = bounds("length").map(|(least, most)| Measure::Length { least, most });
        let size = bounds("size").map(|(least, most)| Measure::Size { least, most });
        Some(Self {
            field: definition.name.to_string(),
            what: length.or(size)?,
        })
    }

    /// Checks what a document gives. A variable is checked when it comes.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] naming the field.
    pub(super) fn check_literal(&self, value: &Node<Literal>) -> Result<(), Error> {
        match &**value {
            // One value stands for a list of it.
            Literal::String(text) => self.check(characters(text), 1),
            Literal::List(items) => self.check(0, items.len() as u64),
            _ => Ok(()),
        }
    }

    /// Checks what came as a variable, or in one.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] naming the field.
    pub(super) fn check_value(&self, value: &Value) -> Result<(), Error> {
        match value {
            Value::String(text) => self.check(characters(text), 1),
            Value::List(items) => self.check(0, items.len() as u64),
            _ => Ok(()),
        }
    }

    fn check(&self, length: u64, size: u64) -> Result<(), Error> {
        let wrong = match self.what {
            Measure::Length { least, most } => check::wrong_length(least, most, length),
            Measure::Size { least, most } => check::wrong_size(least, most, size),
        };
        match wrong {
            Some(reason) => Err(Error::bad_input(&self.field, reason)),
            None => Ok(()),
        }
    }
}

fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}

/// The schema was validated, so the number is there.
fn number(directive: &Directive, name: &str) -> u64 {
    let argument = directive.specified_argument_by_name(name);
    let number = argument.and_then(|value| value.to_i32());
    number
        .and_then(|number| u64::try_from(number).ok())
        .unwrap_or(u64::MAX)
}
