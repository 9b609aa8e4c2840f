//! What may have been meant by a name that the schema does not have.

use super::shapes::fields;
use apollo_compiler::{
    Name, Node, Schema,
    ast::InputValueDefinition,
    schema::{EnumType, ExtendedType, InputObjectType},
    validation::DiagnosticData,
};
use std::cell::Cell;
use strsim::osa_distance;

/// For so many mistakes of a request names are looked for: many more would cost more than judging the rest.
const MISTAKES: usize = 5;
/// So many names are suggested at most.
const NAMES: usize = 3;
/// So many names are listed at most.
const LISTED: usize = 12;
/// A longer name is like none of the schema's, which are shorter.
const LONGEST: usize = 100;
/// The beginning of a name is near to it if it has so many characters.
const BEGINNING: usize = 3;

/// Suggests names to who sent one that the schema does not have. What it answers follows a sentence, or is empty.
pub(super) struct Suggestions<'s> {
    pub(super) schema: &'s Schema,
    /// For how many more mistakes names are looked for.
    left: Cell<usize>,
}

impl<'s> Suggestions<'s> {
    /// The suggestions for one request; none where the schema is not to be asked for, since they tell of it.
    pub(super) fn new(schema: &'s Schema, introspection: bool) -> Self {
        let left = Cell::new(if introspection { MISTAKES } else { 0 });
        Self { schema, left }
    }

    /// What the validator says, with what may have been meant.
    ///
    /// What it has compared it keeps to itself, but its messages quote first the name and then where that stands. Neither
    /// can hold a quote.
    pub(super) fn complete(&self, message: String, found: &DiagnosticData) -> String {
        let mut quoted = message.split('"').skip(1).step_by(2);
        let mut next = || quoted.next().unwrap_or_default();
        let (name, of) = (next(), next());
        let suggestion = match found.unstable_error_name() {
            Some("UndefinedField") => {
                let fields = self.schema.types.get(of).into_iter().flat_map(fields);
                let fields: Vec<_> = fields.map(|field| field.name.as_str()).collect();
                self.near_or_listed(name, &fields, "fields")
            }
            Some("UndefinedArgument") => {
                let arguments = self.arguments(of).iter();
                let names: Vec<_> = arguments.map(|argument| argument.name.as_str()).collect();
                self.near_or_listed(name, &names, "arguments")
            }
            Some("UndefinedInputValue") => {
                let input = self.schema.get_input_object(of);
                input.map_or_else(String::new, |input| self.input_field(name, input))
            }
            Some("UndefinedEnumValue") => {
                let values = self.schema.get_enum(of);
                values.map_or_else(String::new, |values| self.value(name, values))
            }
            // The type of a variable.
            Some("UndefinedDefinition") => self.near(name, self.types(ExtendedType::is_input_type)),
            Some(
                "UndefinedTypeInNamedFragmentTypeCondition"
                | "UndefinedTypeInInlineFragmentTypeCondition",
            ) => self.near(
                name,
                self.types(|kind| !kind.is_leaf() && !kind.is_input_object()),
            ),
            Some("UnsupportedValueType") => self.unlike(&message).unwrap_or_default(),
            _ => String::new(),
        };
        message + &suggestion
    }

    /// What may have been meant by a field that an input does not have.
    pub(super) fn input_field(&self, name: &str, of: &InputObjectType) -> String {
        let names: Vec<_> = of.fields.keys().map(Name::as_str).collect();
        self.near_or_listed(name, &names, "fields")
    }

    /// What belongs where something else than an object is.
    pub(super) fn object(&self, of: &InputObjectType) -> String {
        if !self.take() {
            return String::new();
        }
        let names: Vec<_> = of.fields.keys().map(Name::as_str).collect();
        format!(" It is an object with the fields {}.", listed(&names))
    }

    /// What may have been meant by a value that an enum does not have; if nothing is near, the values there are.
    pub(super) fn value(&self, value: &str, of: &EnumType) -> String {
        let names: Vec<_> = of.values.keys().map(Name::as_str).collect();
        if !self.take() {
            return String::new();
        }
        match near(value, names.iter().copied()) {
            near if near.is_empty() => format!(" The values are {}.", listed(&names)),
            near => did_you_mean(&near),
        }
    }

    /// What the validator says of a value that is of another kind than its type, from its end on.
    fn unlike(&self, message: &str) -> Option<String> {
        let (of, sent) = message.split_once(" cannot represent value: ")?;
        if let Some(object) = self.schema.get_input_object(of) {
            return Some(format!(".{}", self.object(object)));
        }
        let values = self.schema.get_enum(of)?;
        let (value, _) = sent.strip_prefix('"')?.split_once('"')?;
        let suggestion = self.value(value, values).replace('"', "");
        Some(format!(
            ".{suggestion} Values of an enum are written without quotes."
        ))
    }

    /// The arguments of `Type.field` or `@directive`.
    fn arguments(&self, of: &str) -> &'s [Node<InputValueDefinition>] {
        if let Some(directive) = of.strip_prefix('@') {
            let directive = self.schema.directive_definitions.get(directive);
            return directive.map_or(&[], |directive| &directive.arguments);
        }
        let (kind, field) = of.split_once('.').unwrap_or_default();
        let field = self.schema.type_field(kind, field);
        field.map_or(&[], |field| &field.arguments)
    }

    fn types(&self, fit: impl Fn(&ExtendedType) -> bool) -> impl Iterator<Item = &'s str> {
        let types = self.schema.types.values().filter(move |kind| fit(kind));
        types.map(|kind| kind.name().as_str())
    }

    fn near<'n>(&self, name: &str, names: impl Iterator<Item = &'n str>) -> String {
        if self.take() {
            did_you_mean(&near(name, names))
        } else {
            String::new()
        }
    }

    /// The names that are near; if none is, all of them where there are few.
    fn near_or_listed(&self, name: &str, names: &[&str], what: &str) -> String {
        if !self.take() {
            return String::new();
        }
        let meta = (what == "fields").then_some("__typename");
        match near(name, names.iter().copied().chain(meta)) {
            near if near.is_empty() && (1..=LISTED).contains(&names.len()) => {
                format!(" The {what} are {}.", listed(names))
            }
            near => did_you_mean(&near),
        }
    }

    /// Whether names are looked for once more.
    fn take(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}

/// The names that are near to one, the nearest first; how they are written in upper and lower case does not count.
fn near<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let length = name.chars().count();
    let most = length * 2 / 5 + 1;
    let mut near: Vec<_> = names
        .filter_map(|known| {
            let other = known.to_lowercase();
            if length >= BEGINNING && other.starts_with(&name) {
                return Some((0, known));
            }
            // Each character that one of them has more is a change already.
            let distance = (length.abs_diff(other.chars().count()) <= most)
                .then(|| osa_distance(&name, &other))?;
            (distance <= most).then_some((distance, known))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(NAMES).map(|(_, name)| name).collect()
}

fn did_you_mean(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!(" Did you mean {}?", series(&names, "or"))
}

/// The first of some names, and how many more there are.
fn listed(names: &[&str]) -> String {
    let mut listed: Vec<_> = { names.iter() }
        .take(LISTED)
        .map(|name| (*name).to_owned())
        .collect();
    let more = names.len() - listed.len();
    listed.extend((more > 0).then(|| format!("{more} more")));
    series(&listed, "and")
}

/// As a sentence says it: `a`, `a or b`, `a, b or c`.
fn series(names: &[String], word: &str) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} {word} {last}", first.join(", ")),
        _ => names.concat(),
    }
}
