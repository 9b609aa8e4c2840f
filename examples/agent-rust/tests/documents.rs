//! What the agent sends fits the schema.

use apollo_compiler::{ExecutableDocument, Schema};

#[test]
fn every_operation_fits_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema.graphql");
    let schema = std::fs::read_to_string(path).unwrap();
    let schema = Schema::parse_and_validate(schema, "schema.graphql").unwrap();
    let operations = include_str!("../src/operations.graphql");
    let name = "operations.graphql";
    let document = ExecutableDocument::parse_and_validate(&schema, operations, name).unwrap();
    assert_eq!(document.operations.named.len(), 12);
}
