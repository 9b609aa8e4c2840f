//! All operations and fragments of a document together: whether they are within the limits, and whether their variables
//! stand where they may.

use super::{
    outline::{Known, Outline, Size},
    refusal::Faults,
    text::NESTING,
};
use crate::{
    error::{Error, Result},
    http::Limits,
};
use apollo_compiler::{
    ExecutableDocument, Name, Node,
    ast::{Type, VariableDefinition},
};
use std::collections::HashMap;

/// How deep lists may lie within each other in a question about the schema: types, their fields, those fields' arguments.
const LISTS: u64 = 3;
/// How often an operation may begin to ask about the schema.
const QUESTIONS: u64 = 4;
/// All operations of a document together may be so many times as large as one, because the validator looks at each.
const TOGETHER: u64 = 2;
/// What was found out about a document in one walk.
pub(super) struct Outlines {
    pub(super) operations: Vec<Outline>,
    /// Those of the fragments, by their numbers, and the numbers, those first that others are made of.
    pub(super) fragments: Vec<Outline>,
    pub(super) order: Vec<usize>,
}

impl Outlines {
    /// Walks a document, of which nothing is known but that its fields exist.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] naming the limit; [`Error::ValidationFailed`] when fragments spread each other in a circle.
    pub(super) fn of(
        document: &ExecutableDocument,
        known: Known<'_>,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Result<Self> {
        limits.check_document_fragments(document.fragments.len() as u64)?;
        let fragments: Vec<_> = document
            .fragments
            .values()
            .map(|fragment| Outline::of_fragment(fragment, known, faults))
            .collect();
        let order = order(&fragments).map_err(|circle| {
            let name = document.fragments.get_index(circle);
            let name = name.map_or("", |(name, _)| name.as_str());
            Error::ValidationFailed(format!("Cannot spread fragment \"{name}\" within itself."))
        })?;
        let operations = document.operations.iter();
        let operations =
            operations.map(|operation| Outline::of_operation(operation, known, faults));
        let mut outlines = Self {
            operations: operations.collect(),
            fragments,
            order,
        };
        outlines.add_up();
        outlines.check(document, limits)?;
        Ok(outlines)
    }

    /// Adds to each what the fragments ask for that it spreads.
    fn add_up(&mut self) {
        for number in &self.order {
            let outline = &self.fragments[*number];
            let mut size = outline.size;
            for (spread, at) in &outline.spreads {
                size.spread(*at, self.fragments[*spread].size);
            }
            self.fragments[*number].size = size;
        }
        for outline in &mut self.operations {
            for (spread, at) in &outline.spreads {
                outline.size.spread(*at, self.fragments[*spread].size);
            }
        }
    }

    fn check(&self, document: &ExecutableDocument, limits: &Limits) -> Result<()> {
        let (mut fields, mut work) = (0_u64, 0_u64);
        for (operation, outline) in document.operations.iter().zip(&self.operations) {
            limits.check_operation_variables(operation.variables.len() as u64)?;
            let size = outline.size;
            within(size, limits)?;
            limits.check_operation_roots(size.roots)?;
            Error::within(
                "The number of questions about the schema",
                QUESTIONS,
                size.questions,
            )?;
            fields = fields.saturating_add(size.fields);
            let reached = self.reached(outline);
            work += outline.work;
            work += reached
                .iter()
                .map(|number| self.fragments[*number].work)
                .sum::<u64>();
            Error::within(
                "The number of fields in all operations together",
                TOGETHER * limits.operation_fields,
                fields,
            )?;
            Error::within(
                "The number of fields and values in all operations together",
                TOGETHER * limits.document_tokens,
                work,
            )?;
        }
        self.fragments
            .iter()
            .try_for_each(|fragment| within(fragment.size, limits))
    }

    /// Refuses questions about the schema.
    ///
    /// # Errors
    /// [`Error::ValidationFailed`].
    pub(super) fn without_questions(&self) -> Result<()> {
        if self
            .operations
            .iter()
            .all(|outline| outline.size.questions == 0)
        {
            return Ok(());
        }
        Err(Error::ValidationFailed(
            "This server does not answer questions about its schema; see schema.graphql."
                .to_owned(),
        ))
    }

    /// The numbers of the fragments that something is made of.
    pub(super) fn reached(&self, outline: &Outline) -> Vec<usize> {
        let mut seen = vec![false; self.fragments.len()];
        let mut open = vec![outline];
        let mut reached = Vec::new();
        while let Some(outline) = open.pop() {
            for (number, _) in &outline.spreads {
                if !std::mem::replace(&mut seen[*number], true) {
                    reached.push(*number);
                    open.push(&self.fragments[*number]);
                }
            }
        }
        reached
    }

    /// Checks each variable where it stands (5.8.5), also where the validator does not look.
    pub(super) fn check_usages(&self, document: &ExecutableDocument, faults: &mut Faults) {
        for (operation, outline) in document.operations.iter().zip(&self.operations) {
            let declared: HashMap<&Name, &Node<VariableDefinition>> = operation
                .variables
                .iter()
                .map(|variable| (&variable.name, variable))
                .collect();
            let reached = self.reached(outline).into_iter();
            let outlines = reached
                .map(|number| &self.fragments[number])
                .chain([outline]);
            for usage in outlines.flat_map(|outline| &outline.usages) {
                let at = usage.name.location();
                let Some(variable) = declared.get(&usage.name) else {
                    faults.add(at, || {
                        format!("Variable \"${}\" is not defined.", usage.name)
                    });
                    continue;
                };
                if let Some(place) = &usage.place
                    && !fits(variable, place, usage.default)
                {
                    faults.add(at, || {
                        format!(
                            "Variable \"${}\" of type \"{}\" used in position expecting type \"{place}\".",
                            usage.name, variable.ty
                        )
                    });
                }
            }
        }
    }
}

fn within(size: Size, limits: &Limits) -> Result<()> {
    limits.check_operation_fields(size.fields)?;
    limits.check_operation_depth(size.depth)?;
    limits.check_operation_aliases(size.aliases)?;
    limits.check_operation_directives(size.directives)?;
    Error::within(
        "The nesting of selections in the operation",
        2 * NESTING,
        size.nesting,
    )?;
    Error::within(
        "The depth of lists in a question about the schema",
        LISTS,
        size.lists,
    )
}

/// The numbers of fragments, each behind those that it spreads; or one that spreads itself, directly or through others.
fn order(fragments: &[Outline]) -> Result<Vec<usize>, usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; fragments.len()];
    let mut order = Vec::with_capacity(fragments.len());
    for start in 0..fragments.len() {
        // Each fragment on the way, and which of its spreads is next.
        let mut way = vec![(start, 0)];
        while let Some((number, next)) = way.last_mut() {
            let number = *number;
            if *next == 0 {
                match states[number] {
                    State::New => states[number] = State::Open,
                    State::Open => return Err(number),
                    State::Done => {
                        way.pop();
                        continue;
                    }
                }
            }
            match fragments[number].spreads.get(*next) {
                Some((spread, _)) => {
                    *next += 1;
                    way.push((*spread, 0));
                }
                None => {
                    states[number] = State::Done;
                    order.push(number);
                    way.pop();
                }
            }
        }
    }
    Ok(order)
}

/// Whether a variable may stand in a place (5.8.5).
fn fits(variable: &VariableDefinition, place: &Type, default: bool) -> bool {
    if place.is_non_null() && !variable.ty.is_non_null() {
        let has_value = variable
            .default_value
            .as_ref()
            .is_some_and(|value| !value.is_null());
        return (has_value || default) && variable.ty.is_assignable_to(&place.clone().nullable());
    }
    variable.ty.is_assignable_to(place)
}
