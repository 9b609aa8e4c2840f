//! The one judge of documents: what is sent is judged, all of it and before anything runs, in time linear in its length.
//!
//! Text, parser, the sizes of operations, the specification's validation, values, price: each step is bounded by the one
//! before. `apollo-compiler` parses and validates. Before it validates, the walk of [`outline`] has measured the document,
//! because the validator looks at a fragment again for each operation and merges what is spread.

mod conditions;
mod constraints;
mod document;
mod executable;
mod kept;
mod literals;
mod outline;
mod outlines;
mod places;
mod price;
mod refusal;
mod roots;
mod scalars;
mod shapes;
mod suggestions;
#[cfg(test)]
mod tests;
mod text;
mod variables;

use self::{
    conditions::{Conditions, is_filter},
    document::Document,
    kept::Kept,
    outline::Known,
    outlines::Outlines,
    places::Places,
    price::Prices,
    refusal::{Faults, invalid, unexpected, unparsed},
    shapes::Shapes,
    suggestions::Suggestions,
};
use super::{Limits, documents::Sent, parameters::Parameters};
use crate::{
    answer::Errors,
    error::{Error, Result},
    graph::Selected,
};
use apollo_compiler::{Schema, parser::Parser, validation::Valid};
use async_graphql::{Request, ServerError, Value, Variables, parser::types::OperationType};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// How deep the parser may recurse: the brackets of a text, and what it opens by itself.
const RECURSION: usize = text::NESTING as usize + 10;

/// So many bytes of a document are judged in less than a millisecond.
const LONG: usize = 8 << 10;

/// What the executor answers about the schema, and the validator does not know yet (September 2025, 4.2).
const INTROSPECTION: &str = "extend type __Type { isOneOf: Boolean }";

/// What judges.
pub struct Guard {
    schema: Valid<Schema>,
    shapes: Shapes,
    limits: Limits,
    introspection: bool,
    kept: Kept,
}

/// An operation that may run, as far as what was sent says.
pub(super) struct Judged {
    document: Arc<Document>,
    /// Which of the document's operations it is.
    operation: usize,
    /// Whether the document is not kept yet.
    new: bool,
    text: String,
    variables: Variables,
    /// Whether it reads, writes or subscribes.
    pub(super) kind: OperationType,
    /// How much its answer can hold at most.
    pub(super) cost: u64,
    /// Whether it asks only for what needs no token.
    pub(super) public: bool,
}

impl Judged {
    /// The document.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the document calls the operation.
    pub(super) fn name(&self) -> Option<&str> {
        self.document.operations[self.operation].name.as_deref()
    }
}

impl Guard {
    /// A judge of what fits a schema, given in the schema language.
    ///
    /// # Errors
    /// [`Error::Internal`] if the schema is not valid, which a test excludes.
    pub fn new(schema: &str, limits: Limits, introspection: bool) -> Result<Self> {
        let schema = format!("{schema}\n{INTROSPECTION}\n");
        let schema = Schema::parse_and_validate(schema, "schema.graphql")
            .map_err(|invalid| Error::internal(invalid.errors))?;
        Ok(Self {
            shapes: Shapes::new(&schema),
            schema,
            limits,
            introspection,
            kept: Kept::new(limits.kept_document_bytes),
        })
    }

    /// Judges the body of a request, and nothing but it: who sends it, and whether it runs, is not its matter. Answers with
    /// what the operation costs.
    ///
    /// # Errors
    /// What a client would be answered.
    #[doc(hidden)]
    pub fn verdict(&self, body: &[u8]) -> Result<u64, Vec<ServerError>> {
        self.judge_body(body).map(|judged| judged.cost)
    }

    fn judge_body(&self, body: &[u8]) -> Result<Judged, Vec<ServerError>> {
        let Parameters {
            document,
            operation_name,
            variables,
        } = Parameters::from_body(body).map_err(alone)?;
        let (Sent::Text(text) | Sent::Both(text, _)) = document else {
            return Err(alone(Error::UnknownDocument {
                by_hash: true,
                only: false,
            }));
        };
        self.judge(text, operation_name.as_deref(), variables)
    }

    /// Judges a request.
    ///
    /// # Errors
    /// [`Error::ParseFailed`], [`Error::ValidationFailed`], [`Error::BadUserInput`], [`Error::LimitExceeded`] or
    /// [`Error::CostExceeded`], a few at most and each with its place in the document.
    pub(super) fn judge(
        &self,
        text: String,
        name: Option<&str>,
        variables: Map<String, Json>,
    ) -> Result<Judged, Vec<ServerError>> {
        self.judge_all(text, name, variables)
            .map_err(|errors| Errors::from(errors).told(&Value::Null))
    }

    /// Whether a document fits the schema, whatever its variables will be.
    ///
    /// # Errors
    /// What a client would be answered.
    pub(super) fn check(&self, text: &str) -> Result<(), Vec<ServerError>> {
        let suggestions = Suggestions::new(&self.schema, self.introspection);
        let document = self.read(text, &suggestions)?;
        self.kept.keep(text, &Arc::new(document));
        Ok(())
    }

    fn judge_all(
        &self,
        text: String,
        name: Option<&str>,
        variables: Map<String, Json>,
    ) -> Result<Judged, Vec<ServerError>> {
        let suggestions = Suggestions::new(&self.schema, self.introspection);
        let (document, new) = match self.kept.get(&text) {
            Some(document) => (document, false),
            None => (Arc::new(self.read(&text, &suggestions)?), true),
        };
        let number = document.find(name).map_err(alone)?;
        let operation = &document.operations[number];
        let variables = variables::coerce(&operation.variables, variables, &suggestions)?;
        let filters = operation.variables.iter().filter_map(|variable| {
            let value = variables.get(&variable.name)?;
            let price = is_filter(&variable.declared)
                .then(|| Conditions::of_variable(value, &variable.declared, &self.schema))?;
            Some((variable.name.clone(), price))
        });
        let prices = Prices {
            fragments: &document.fragments,
            order: &document.order,
            filters: filters.collect(),
            variables: &variables,
        };
        let cost = prices
            .check(&operation.parts, self.limits.operation_cost)
            .map_err(alone)?;
        Ok(Judged {
            kind: operation.kind,
            public: operation.public,
            operation: number,
            cost,
            new,
            text,
            variables,
            document,
        })
    }

    /// Whether to judge a document takes so long that others would wait for it.
    pub(super) fn takes_long(&self, text: &str) -> bool {
        text.len() > LONG && self.kept.get(text).is_none()
    }

    /// Keeps a judged document for those who send it again. Only who proved who they are has their documents kept.
    pub(super) fn keep(&self, judged: &Judged) {
        if judged.new {
            self.kept.keep(&judged.text, &judged.document);
        }
    }

    /// Parses a document, measures it, and holds it against the schema.
    fn read(
        &self,
        text: &str,
        suggestions: &Suggestions<'_>,
    ) -> Result<Document, Vec<ServerError>> {
        text::check(text, &self.limits).map_err(alone)?;
        let places = Places::of(text);
        let source = text::without_descriptions(text);
        // Tokens were counted already, and here also count what is between them.
        let parser = Parser::new()
            .recursion_limit(RECURSION)
            .token_limit(2 * text.len() + 16);
        let ast = { parser }
            .parse_ast(source.as_ref(), "document")
            .map_err(|refused| unparsed(&refused.errors, &places))?;
        if let Some(at) = text::passed_over(&source, &ast.to_string()) {
            return Err(vec![unexpected(places.at(at))]);
        }
        let document = ast
            .to_executable(&self.schema)
            .map_err(|refused| invalid(&refused.errors, &places, suggestions))?;
        let known = Known {
            schema: &self.schema,
            shapes: &self.shapes,
            fragments: &document.fragments,
        };
        let mut faults = Faults::default();
        let outlines = Outlines::of(&document, known, &self.limits, &mut faults);
        let outlines = outlines.map_err(alone)?;
        if !self.introspection {
            outlines.without_questions().map_err(alone)?;
        }
        let document = document
            .validate(&self.schema)
            .map_err(|refused| invalid(&refused.errors, &places, suggestions))?;
        outlines.check_usages(&document, &mut faults);
        faults.none(&places)?;
        Ok(outlines.finish(&document, &places))
    }
}

impl Judged {
    /// The request that the schema takes.
    pub(super) fn request(self) -> Request {
        let operation = &self.document.operations[self.operation];
        let executable = self.document.executable(operation, &self.variables);
        let mut request = Request::new(self.text).variables(self.variables);
        // The executor wants the name of an operation that has one, also of the only one.
        request.operation_name = operation.name.as_ref().map(ToString::to_string);
        request.set_parsed_query(executable);
        request.data(Selected::default())
    }
}

fn alone(error: Error) -> Vec<ServerError> {
    vec![error.into()]
}
