//! The variables of a request, made what the operation declares them to be, before anything looks at them.

use super::{constraints::Constraint, literals::key, scalars, suggestions::Suggestions};
use crate::error::Error;
use apollo_compiler::{
    ast::Type,
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Number, ServerError, Value as ConstValue, Variables};
use serde_json::{Map, Value};

/// A variable that an operation declares.
pub(super) struct Variable {
    pub(super) name: Name,
    pub(super) declared: Type,
    pub(super) default: Option<ConstValue>,
    /// Whether it stands where null cannot, though its type has null.
    pub(super) not_null: bool,
    /// What the schema says, beyond types, of the places where it stands.
    pub(super) constraints: Vec<Constraint>,
}

impl Variable {
    fn check(&self, value: &ConstValue) -> Result<(), Error> {
        let mut constraints = self.constraints.iter();
        constraints.try_for_each(|constraint| constraint.check_value(value))
    }
}

/// Takes what an operation declares out of what was sent, and leaves the rest: it means nothing.
///
/// # Errors
/// What each variable that does not fit should be.
pub(super) fn coerce(
    declared: &[Variable],
    mut sent: Map<String, Value>,
    suggestions: &Suggestions<'_>,
) -> Result<Variables, Vec<ServerError>> {
    let (mut variables, mut errors) = (Variables::default(), Vec::new());
    for variable in declared {
        let Variable { name, declared, .. } = variable;
        let value = match (sent.remove(name.as_str()), &variable.default) {
            (None, Some(default)) => Ok(default.clone()),
            (None, None) if declared.is_non_null() => Err(Error::ValidationFailed(format!(
                "The variable ${name} of the type {declared} is required, and was not sent."
            ))),
            (None, None) => continue,
            (Some(Value::Null), _) if declared.is_non_null() || variable.not_null => {
                Err(Error::ValidationFailed(format!(
                    "The variable ${name} of the type {declared} cannot be null."
                )))
            }
            (Some(value), _) => {
                coerced(value, declared, suggestions).map_err(|unfit| unfit.of_variable(name))
            }
        };
        match value.and_then(|value| variable.check(&value).map(|()| value)) {
            Ok(value) => {
                variables.insert(name.clone(), value);
            }
            Err(error) => errors.push(error.into()),
        }
    }
    if errors.is_empty() {
        Ok(variables)
    } else {
        Err(errors)
    }
}

/// Why a value does not fit, and where in the variable it stands, from the inside out.
struct Unfit {
    path: Vec<String>,
    error: Error,
}

impl Unfit {
    fn new(reason: String) -> Self {
        Self::suggesting(reason, "")
    }

    /// With what may have been meant.
    fn suggesting(reason: String, suggestion: &str) -> Self {
        Error::ValidationFailed(format!("{reason}.{suggestion}")).into()
    }

    fn of_variable(self, name: &str) -> Error {
        let path: String = self.path.into_iter().rev().collect();
        match self.error {
            Error::ValidationFailed(reason) => {
                Error::ValidationFailed(format!("The variable ${name}{path}: {reason}"))
            }
            // It names the field already.
            other => other,
        }
    }

    fn within(mut self, step: impl FnOnce() -> String) -> Self {
        self.path.push(step());
        self
    }
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Self {
            path: Vec::new(),
            error,
        }
    }
}

fn coerced(
    value: Value,
    declared: &Type,
    suggestions: &Suggestions<'_>,
) -> Result<ConstValue, Unfit> {
    match (value, declared) {
        (Value::Null, _) if declared.is_non_null() => {
            Err(Unfit::new(format!("expected {declared}, not null")))
        }
        (Value::Null, _) => Ok(ConstValue::Null),
        (Value::Array(items), Type::List(item) | Type::NonNullList(item)) => {
            let items = items.into_iter().enumerate().map(|(at, value)| {
                coerced(value, item, suggestions)
                    .map_err(|unfit| unfit.within(|| format!("[{at}]")))
            });
            Ok(ConstValue::List(items.collect::<Result<_, _>>()?))
        }
        // One value stands for a list of it.
        (value, Type::List(item) | Type::NonNullList(item)) => {
            Ok(ConstValue::List(vec![coerced(value, item, suggestions)?]))
        }
        (value, Type::Named(name) | Type::NonNullNamed(name)) => {
            match suggestions.schema.types.get(name) {
                Some(ExtendedType::Scalar(_)) => scalar(value, name),
                Some(ExtendedType::Enum(values)) => match value {
                    Value::String(text) if values.values.contains_key(text.as_str()) => {
                        Ok(ConstValue::Enum(Name::new(text)))
                    }
                    other => {
                        let sent = other.as_str().unwrap_or_default();
                        let reason = format!("expected a value of the enum {name}");
                        Err(Unfit::suggesting(reason, &suggestions.value(sent, values)))
                    }
                },
                Some(ExtendedType::InputObject(declared)) => match value {
                    Value::Object(fields) => input(fields, declared, suggestions),
                    other => Err(unlike(&other, name, &suggestions.object(declared))),
                },
                _ => Err(Unfit::new(format!("{name} is no type of inputs"))),
            }
        }
    }
}

fn input(
    mut sent: Map<String, Value>,
    declared: &InputObjectType,
    suggestions: &Suggestions<'_>,
) -> Result<ConstValue, Unfit> {
    let mut fields = Vec::with_capacity(sent.len());
    for (name, field) in &declared.fields {
        let Some(value) = sent.remove(name.as_str()) else {
            if field.is_required() {
                let missing = format!("the field {name} of {} is required", declared.name);
                return Err(Unfit::new(missing));
            }
            continue;
        };
        let value = coerced(value, &field.ty, suggestions)
            .map_err(|unfit| unfit.within(|| format!(".{name}")))?;
        if let Some(constraint) = Constraint::of(field) {
            constraint.check_value(&value)?;
        }
        fields.push((key(name), value));
    }
    if let Some(unknown) = sent.keys().next() {
        let suggestion = suggestions.input_field(unknown, declared);
        let unknown: String = unknown.chars().take(100).collect();
        let reason = format!("{} has no field \"{unknown}\"", declared.name);
        return Err(Unfit::suggesting(reason, &suggestion));
    }
    Ok(ConstValue::Object(fields.into_iter().collect()))
}

fn scalar(value: Value, name: &str) -> Result<ConstValue, Unfit> {
    let whole = matches!(name, "Int" | "ID" | "BigInt")
        .then(|| whole(&value))
        .flatten();
    let fits = match (name, &value) {
        ("Int", _) => {
            let int = whole.filter(|int| i32::try_from(*int).is_ok());
            let int = int.ok_or_else(|| {
                Unfit::new(format!(
                    "expected Int, a whole number of 32 bits, not {}",
                    kind(&value)
                ))
            })?;
            return Ok(ConstValue::Number(int.into()));
        }
        ("ID", Value::Number(_)) => match whole {
            Some(id) => return Ok(ConstValue::String(id.to_string())),
            None => false,
        },
        ("ID" | "String", _) => value.is_string(),
        ("Float", _) => value.is_number(),
        ("Boolean", _) => value.is_boolean(),
        _ => true,
    };
    if !fits {
        return Err(unlike(&value, name, ""));
    }
    let value = match whole {
        Some(whole) => ConstValue::Number(whole.into()),
        None => ConstValue::from_json(value).map_err(|_| Unfit::new("is no value".to_owned()))?,
    };
    match scalars::accepts(name, value.clone()) {
        Ok(()) => Ok(value),
        Err(expected) => Err(Unfit::new(format!("expected a {name}: {expected}"))),
    }
}

/// A whole number, however it is written: JSON does not tell 1 from 1.0.
fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: &Number = value.as_number()?;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|_| number.is_f64())?;
        let exact = float.fract() == 0.0 && float.abs() <= EXACT;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it has no fraction and fits"
        )]
        exact.then_some(float as i64)
    })
}

fn unlike(value: &Value, name: &str, suggestion: &str) -> Unfit {
    let reason = format!("expected {name}, not {}", kind(value));
    Unfit::suggesting(reason, suggestion)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "this number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
