//! A subscription's operation, as it is executed again and again.

use crate::graph::Selected;
use async_graphql::{
    Name, Pos, Positioned, Request, ServerError, Value as ConstValue, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType,
        Selection,
    },
};
use async_graphql_value::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// An operation without its beginning: what is executed for a frame is the same wherever a subscription began.
pub(super) struct Operation {
    document: ExecutableDocument,
    name: Option<String>,
    variables: Variables,
    /// Equal for operations that are answered alike.
    pub(super) key: [u8; 32],
    /// About how many bytes it takes.
    pub(super) bytes: u64,
    /// The field's name in the answer.
    pub(super) field: String,
    /// Where it stands in the document.
    pub(super) at: Pos,
}

/// The operations in progress, so that equal ones are held once.
#[derive(Default)]
pub(crate) struct Operations {
    held: Mutex<HashMap<[u8; 32], Weak<Operation>>>,
}

impl Operations {
    /// The operation of a request that the guard let through, which names it if it has a name.
    ///
    /// # Errors
    /// When it is no subscription of exactly one field.
    pub(super) fn read(&self, request: &mut Request) -> Result<Arc<Operation>, ServerError> {
        let operation = Operation::read(request)?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(operation) = held.get(&operation.key).and_then(Weak::upgrade) {
            return Ok(operation);
        }
        if held.len() == held.capacity() {
            held.retain(|_, operation| operation.strong_count() > 0);
        }
        let operation = Arc::new(operation);
        held.insert(operation.key, Arc::downgrade(&operation));
        Ok(operation)
    }
}

impl Operation {
    fn read(request: &mut Request) -> Result<Self, ServerError> {
        let mut document = request.parsed_query()?.clone();
        let (name, mut variables) = (request.operation_name.clone(), request.variables.clone());
        let Positioned { pos, node: field } = only_field(&mut document, name.as_deref())?;
        let at = *pos;
        let answer = field.response_key().node.to_string();
        let mut text = request.query.clone();
        let after = field
            .arguments
            .iter_mut()
            .find(|(name, _)| name.node == "after");
        match after.map(|(_, value)| &mut value.node) {
            Some(Value::Variable(name))
                if is_used_once(&text, name) && variables.contains_key(name) =>
            {
                variables.insert(name.clone(), ConstValue::String(String::new()));
            }
            Some(Value::String(cursor)) => {
                let literal = format!("\"{cursor}\"");
                // If the same stands elsewhere, it means something else there.
                if text.matches(&literal).count() == 1 {
                    text = text.replace(&literal, "\"\"");
                    cursor.clear();
                }
            }
            _ => {}
        }
        let key = Sha256::new()
            .chain_update(&text)
            .chain_update([0])
            .chain_update(name.as_deref().unwrap_or_default())
            .chain_update([0])
            .chain_update(serde_json::to_vec(&variables).unwrap_or_default())
            .finalize();
        Ok(Self {
            document,
            name,
            bytes: bytes_of_document(&text) + bytes_of_variables(&variables),
            variables,
            key: key.into(),
            field: answer,
            at,
        })
    }

    /// A request that executes it once.
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new("").variables(self.variables.clone());
        request.operation_name.clone_from(&self.name);
        request.set_parsed_query(self.document.clone());
        request.data(Selected::default())
    }
}

/// About how many bytes a document takes when it is parsed: more for each of its words than the word has.
fn bytes_of_document(text: &str) -> u64 {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let count = words.by_ref().filter(|word| !word.is_empty()).count();
    (text.len() + count * size_of::<Positioned<Selection>>()) as u64
}

/// About how many bytes variables take.
fn bytes_of_variables(variables: &Variables) -> u64 {
    fn of(value: &ConstValue) -> usize {
        let held = match value {
            ConstValue::String(text) => text.len(),
            ConstValue::List(items) => items.iter().map(of).sum(),
            ConstValue::Object(fields) => {
                let fields = fields.iter();
                fields.map(|(name, value)| name.len() + of(value)).sum()
            }
            _ => 0,
        };
        size_of::<(Name, ConstValue)>() + held
    }
    let variables = variables.iter();
    variables
        .map(|(name, value)| name.len() + of(value))
        .sum::<usize>() as u64
}

/// The one field of a subscription. The specification allows no more, and the library sees none that stands in a
/// fragment or has a condition.
fn only_field<'d>(
    document: &'d mut ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d mut Positioned<Field>, ServerError> {
    let operation = match &mut document.operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => name.and_then(|name| operations.get_mut(name)),
    };
    let Some(Positioned { pos, node }) = operation else {
        let message = "The document holds no such operation.";
        return Err(ServerError::new(message, None));
    };
    let refused = |message: &str, pos: Pos| Err(ServerError::new(message, Some(pos)));
    if node.ty != OperationType::Subscription {
        return refused("Only a subscription can be followed.", *pos);
    }
    let OperationDefinition { selection_set, .. } = node;
    let [selection] = &mut selection_set.node.items[..] else {
        return refused("A subscription has exactly one field at its root.", *pos);
    };
    match &mut selection.node {
        Selection::Field(field) if field.node.directives.is_empty() => Ok(field),
        _ => refused(
            "Write a subscription's field in the operation itself: not in a fragment, and without a directive.",
            selection.pos,
        ),
    }
}

/// Whether a variable stands only where it is declared and in one other place.
fn is_used_once(text: &str, name: &Name) -> bool {
    let variable = format!("${name}");
    let uses = text.match_indices(&variable).filter(|(at, _)| {
        let next = text[at + variable.len()..].chars().next();
        !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_')
    });
    uses.count() == 2
}
