//! A document that may run: its operations, with what they ask for.

use super::{
    constraints::Constraint,
    executable::{Writer, kind, leave_out},
    literals::{Usage, constant, key},
    outlines::Outlines,
    places::Places,
    price::Part,
    roots,
    variables::Variable,
};
use crate::error::{Error, Result};
use apollo_compiler::{ExecutableDocument, Name, ast::Type, executable};
use async_graphql::{
    Name as Key, Positioned, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument as Executable, FragmentDefinition,
        OperationDefinition, OperationType,
    },
};
use std::collections::{HashMap, HashSet};

/// What an element of a document takes in memory, with its name, in both forms in which it is kept.
const ELEMENT_BYTES: u64 = 900;

/// A judged document.
pub(super) struct Document {
    pub(super) operations: Vec<Operation>,
    /// The fragments' prices by their numbers, and the numbers, those first that others are made of.
    pub(super) fragments: Vec<Vec<Part>>,
    pub(super) order: Vec<usize>,
    executable: HashMap<Key, Positioned<FragmentDefinition>>,
    names: Vec<Key>,
    /// How much memory it takes, about.
    pub(super) bytes: u64,
}

/// An operation of a judged document.
pub(super) struct Operation {
    pub(super) name: Option<Key>,
    pub(super) kind: OperationType,
    pub(super) variables: Vec<Variable>,
    pub(super) parts: Vec<Part>,
    /// Whether it asks only for what needs no token.
    pub(super) public: bool,
    executable: Positioned<OperationDefinition>,
    /// The numbers of the fragments it is made of.
    fragments: Vec<usize>,
}

impl Outlines {
    /// The document, now that nothing is wrong with it.
    pub(super) fn finish(self, document: &ExecutableDocument, places: &Places) -> Document {
        let writer = Writer { places };
        let names: Vec<_> = document.fragments.keys().map(key).collect();
        let fragments = document
            .fragments
            .values()
            .map(|fragment| writer.fragment(fragment));
        let executable = names.iter().cloned().zip(fragments).collect();
        let reached: Vec<_> = self
            .operations
            .iter()
            .map(|outline| self.reached(outline))
            .collect();
        let places: Vec<_> = reached
            .iter()
            .zip(&self.operations)
            .map(|(numbers, outline)| {
                let fragments = numbers.iter().map(|number| &self.fragments[*number].usages);
                Demands::of(fragments.chain([&outline.usages]).flatten())
            })
            .collect();
        let all = self.operations.iter().chain(&self.fragments);
        let work: u64 = all.map(|outline| outline.work + 1).sum();
        let variables: usize = document
            .operations
            .iter()
            .map(|of| of.variables.len())
            .sum();
        let operations = document
            .operations
            .iter()
            .zip(self.operations)
            .zip(reached.into_iter().zip(places));
        let operations = operations.map(|((operation, outline), (fragments, demands))| Operation {
            name: operation.name.as_ref().map(key),
            kind: kind(operation.operation_type),
            variables: declared(operation, &demands),
            parts: outline.parts,
            public: outline.size.public,
            executable: writer.operation(operation),
            fragments,
        });
        let operations: Vec<_> = operations.collect();
        let asked = operations.iter().flat_map(|operation| &operation.variables);
        let asked: usize = asked.map(|variable| variable.constraints.len()).sum();
        Document {
            operations,
            fragments: self
                .fragments
                .into_iter()
                .map(|fragment| fragment.parts)
                .collect(),
            order: self.order,
            executable,
            names,
            bytes: ELEMENT_BYTES * (work + (variables + asked) as u64),
        }
    }
}

impl Document {
    /// Which operation is asked for.
    ///
    /// # Errors
    /// [`Error::ValidationFailed`] when the document has none of that name, or several and no name was sent.
    pub(super) fn find(&self, name: Option<&str>) -> Result<usize> {
        let unknown = |name: &str| {
            let name: String = name.chars().take(100).collect();
            Error::ValidationFailed(format!("The document holds no operation named \"{name}\"."))
        };
        match (name, &self.operations[..]) {
            (None, [_]) => Ok(0),
            (None, _) => Err(Error::ValidationFailed(
                "The document holds several operations. Say in operationName which one to run."
                    .to_owned(),
            )),
            (Some(name), operations) => operations
                .iter()
                .position(|operation| operation.name.as_deref() == Some(name))
                .ok_or_else(|| unknown(name)),
        }
    }

    /// An operation with its fragments, as the executor takes it.
    pub(super) fn executable(&self, operation: &Operation, variables: &Variables) -> Executable {
        let mut definition = operation.executable.clone();
        let names = operation
            .fragments
            .iter()
            .map(|number| &self.names[*number]);
        let mut fragments: HashMap<_, _> = names
            .filter_map(|name| Some((name.clone(), self.executable.get(name)?.clone())))
            .collect();
        if operation.variables.len() > variables.len() {
            let absent = |name: &Key| !variables.contains_key(name);
            leave_out(&mut definition.node.selection_set.node, &absent);
            for fragment in fragments.values_mut() {
                leave_out(&mut fragment.node.selection_set.node, &absent);
            }
        }
        roots::merge(
            &mut definition.node.selection_set.node,
            &fragments,
            variables,
        );
        let operations = match &operation.name {
            Some(name) => DocumentOperations::Multiple([(name.clone(), definition)].into()),
            None => DocumentOperations::Single(definition),
        };
        Executable {
            operations,
            fragments,
        }
    }
}

/// What the places ask where variables stand.
#[derive(Default)]
struct Demands {
    not_null: HashSet<Name>,
    constraints: HashMap<Name, HashSet<Constraint>>,
}

impl Demands {
    fn of<'u>(usages: impl Iterator<Item = &'u Usage>) -> Self {
        let mut demands = Self::default();
        for usage in usages {
            if usage.place.as_ref().is_some_and(Type::is_non_null) {
                demands.not_null.insert(usage.name.clone());
            }
            if let Some(constraint) = &usage.constraint {
                let of_variable = demands.constraints.entry(usage.name.clone());
                of_variable.or_default().insert(constraint.clone());
            }
        }
        demands
    }
}

fn declared(operation: &executable::Operation, demands: &Demands) -> Vec<Variable> {
    let variables = operation.variables.iter().map(|variable| Variable {
        name: key(&variable.name),
        declared: (*variable.ty).clone(),
        default: variable.default_value.as_ref().map(|value| constant(value)),
        not_null: demands.not_null.contains(&variable.name),
        constraints: {
            let asked = demands.constraints.get(&variable.name);
            let mut asked: Vec<_> = asked.into_iter().flatten().cloned().collect();
            asked.sort();
            asked
        },
    });
    variables.collect()
}
