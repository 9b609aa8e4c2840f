//! What a document may be, judged in time linear in its length and before the library looks at it.
//!
//! The library walks a fragment as often as it is spread, in its validation and in its own limits, so a document of
//! under a kilobyte whose fragments spread each other twice could keep it busy for minutes. Here each fragment is looked
//! at once.

mod cost;
mod document;
mod introspection;
mod shapes;
mod text;
mod variables;

pub(crate) use shapes::Shapes;

use super::Limits;
use crate::error::{Error, Result};
use async_graphql::{
    Request,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};

/// What was found out about an operation that may run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    /// Whether it reads, writes or subscribes.
    pub(super) kind: OperationType,
    /// How many values its answer can hold at most.
    pub(super) cost: u64,
}

/// Parses a request's document and judges it. Completes what may be left out: the defaults of its variables, and the name
/// of an operation that is the only one.
///
/// # Errors
/// [`Error::ParseFailed`], [`Error::ValidationFailed`], [`Error::LimitExceeded`] or [`Error::CostExceeded`].
pub(super) fn judge(request: &mut Request, limits: &Limits, shapes: &Shapes) -> Result<Judged> {
    text::check(&request.query, limits)?;
    let mut variables = std::mem::take(&mut request.variables);
    let name = request.operation_name.clone();
    let document = request
        .parsed_query()
        .map_err(|error| Error::parse_failed(&error))?;
    document::check(document, limits)?;
    let operation = operation(document, name.as_deref())?;
    variables::complete(operation, &mut variables)?;
    let cost = cost::check(document, operation, &variables, shapes, limits)?;
    let kind = operation.ty;
    let only = match &document.operations {
        DocumentOperations::Multiple(operations) => operations.keys().next(),
        DocumentOperations::Single(_) => None,
    };
    request.operation_name = name.or(only.map(ToString::to_string));
    request.variables = variables;
    Ok(Judged { kind, cost })
}

/// The operation that is asked for.
///
/// # Errors
/// [`Error::ValidationFailed`] when the document has none of that name, or several and no name was sent.
pub(super) fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or_else(|| unknown(name)),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), None) => {
            let mut operations = operations.values();
            match (operations.next(), operations.next()) {
                (Some(only), None) => Ok(&only.node),
                _ => Err(Error::ValidationFailed(
                    "The document holds several operations. Say in operationName which one to run."
                        .to_owned(),
                )),
            }
        }
    }
}

fn unknown(name: &str) -> Error {
    let name: String = name.chars().take(100).collect();
    Error::ValidationFailed(format!("The document holds no operation named \"{name}\"."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::Variables;
    use serde_json::{Value, json};
    use std::sync::LazyLock;

    static SHAPES: LazyLock<Shapes> =
        LazyLock::new(|| Shapes::new(&crate::graph::schema()).unwrap());

    fn judged(document: &str, variables: Value) -> Result<Judged> {
        let mut request = Request::new(document).variables(Variables::from_json(variables));
        judge(&mut request, &Limits::default(), &SHAPES)
    }

    fn refused(document: &str) -> Option<&'static str> {
        match judged(document, json!({})) {
            Err(Error::LimitExceeded { name, .. }) => name.split(" (").next(),
            _ => None,
        }
    }

    #[test]
    fn each_limit_is_named() {
        let bomb: String = (0..40)
            .map(|n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} }} ", m = n + 1))
            .collect();
        let bomb =
            format!("{{ ...f0 }} {bomb} fragment f40 on Query {{ viewer {{ user {{ id }} }} }}");
        let refusals = [
            (bomb.as_str(), "The number of fields in the operation"),
            (
                &format!("{{ {} }}", "a ".repeat(5_001)),
                "The number of fields in the operation",
            ),
            (
                &format!("{{ {} }}", "b: a ".repeat(201)),
                "The number of aliases in the operation",
            ),
            (
                &format!("{{ a {} }}", "@skip(if: true) ".repeat(101)),
                "The number of directives in the operation",
            ),
            (
                &format!("{}{}", "{ a ".repeat(26), "}".repeat(26)),
                "The depth of the operation",
            ),
            (&"{".repeat(61), "The nesting of brackets in the document"),
            (&"a ".repeat(10_001), "The number of tokens in the document"),
            (&" ".repeat(70_000), "The document's length in bytes"),
        ];
        for (document, limit) in refusals {
            assert_eq!(refused(document), Some(limit), "{:.60}", document);
        }
    }

    #[test]
    fn strings_and_comments_are_no_brackets() {
        let brackets = "{".repeat(100);
        for document in [
            format!("{{ a(b: \"{brackets}\") }}"),
            format!("{{ a(b: \"\"\"{brackets} \\\"\"\" {brackets}\"\"\") }}"),
            format!("{{ a }} # {brackets}"),
            format!("{{ a(b: \"\\\"{brackets}\") }}"),
        ] {
            assert_eq!(refused(&document), None, "{document}");
        }
    }

    #[test]
    fn a_fragment_that_spreads_itself_ends() {
        assert_eq!(
            refused("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"),
            None
        );
    }

    #[test]
    fn any_cut_of_a_document_is_judged() {
        let document = "query Q($a: [ID!] = [\"x\"]) { a(b: \"\"\"c \\\"\"\" d\"\"\", e: \"\\\"f\") @g { ...h } } # i";
        for end in 0..=document.len() {
            assert_eq!(refused(&document[..end]), None);
        }
    }

    #[test]
    fn an_operation_costs_what_its_pages_can_hold() {
        for (document, variables, cost) in [
            ("{ feedCursor }", json!({}), 1),
            // The connection, its page, and ten rows of two values.
            (
                "{ projects(first: 10) { pageInfo { hasNextPage } nodes { id name } } }",
                json!({}),
                33,
            ),
            ("{ projects { nodes { id } } }", json!({}), 101),
            (
                "query($n: Int) { projects(last: $n) { nodes { id } } }",
                json!({ "n": 3 }),
                7,
            ),
            (
                "query($n: Int = 4) { projects(first: $n) { nodes { id } } }",
                json!({}),
                9,
            ),
            (
                "{ projects(first: 2) { edges { node { ...p } } } } fragment p on Project { goals(first: 5) { nodes { id } } }",
                json!({}),
                1 + 2 * (1 + 1 + 1 + 5 * 2),
            ),
        ] {
            assert_eq!(
                judged(document, variables).unwrap().cost,
                cost,
                "{document}"
            );
        }
    }

    #[test]
    fn what_costs_too_much_is_told_where() {
        let document = "{ projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } } }";
        let Err(Error::CostExceeded {
            requested, fields, ..
        }) = judged(document, json!({}))
        else {
            panic!("eight million jobs are too many")
        };
        assert!(requested > 8_000_000);
        assert_eq!(
            fields[0],
            ("projects.nodes.tickets.nodes.jobs".to_owned(), 8_000_000)
        );
    }

    #[test]
    fn graphiql_may_ask_about_the_schema_but_not_without_end() {
        let kind = "type { kind name ofType { kind name ofType { kind name } } }";
        let usual = format!("{{ __schema {{ queryType {{ name }} types {{ name fields(includeDeprecated: true) {{ name
            args {{ name {kind} }} {kind} }} inputFields {{ name {kind} }} enumValues {{ name }} }} directives {{ args {{ name }} }} }} }}");
        assert_eq!(refused(&usual), None);
        let deep =
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
        assert_eq!(
            refused(deep),
            Some("The depth of lists in a question about the schema")
        );
        let many = format!(
            "{{ {} }}",
            (0..9)
                .map(|n| format!("a{n}: __schema {{ description }} "))
                .collect::<String>()
        );
        assert_eq!(
            refused(&many),
            Some("The number of questions about the schema")
        );
    }

    #[test]
    fn variables_are_completed_and_missing_ones_refused() {
        let document = "query($id: ID!, $with: Boolean = true) { project(id: $id) { id @include(if: $with) } }";
        for variables in [json!({}), json!({ "id": null })] {
            assert!(matches!(
                judged(document, variables),
                Err(Error::ValidationFailed(_))
            ));
        }
        let mut request =
            Request::new(document).variables(Variables::from_json(json!({ "id": "x" })));
        judge(&mut request, &Limits::default(), &SHAPES).unwrap();
        assert_eq!(request.variables.get("with"), Some(&true.into()));
    }
}
