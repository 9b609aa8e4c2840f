//! The variables of an operation, completed before anything looks at them.

use crate::error::{Error, Result};
use async_graphql::{Value, Variables, parser::types::OperationDefinition};

/// Puts defaults in, and refuses a required variable that is absent or null.
///
/// The library decides `@skip` and `@include` by the variables as they were sent, where a default does not count and an
/// absent one is false.
///
/// # Errors
/// [`Error::ValidationFailed`] naming the variable.
pub(super) fn complete(operation: &OperationDefinition, variables: &mut Variables) -> Result<()> {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let (name, kind) = (&definition.name.node, &definition.var_type.node);
        match (variables.get(name), &definition.default_value) {
            (None, Some(default)) => {
                variables.insert(name.clone(), default.node.clone());
            }
            (None, None) if !kind.nullable => {
                return Err(Error::ValidationFailed(format!(
                    "The variable ${name} of the type {kind} is required, and was not sent."
                )));
            }
            (Some(Value::Null), _) if !kind.nullable => {
                return Err(Error::ValidationFailed(format!(
                    "The variable ${name} of the type {kind} cannot be null."
                )));
            }
            _ => {}
        }
    }
    Ok(())
}
