//! What is said of a document that is not GraphQL.

use super::*;

fn said(document: &str) -> Vec<String> {
    let Err(errors) = asked(document, json!({})) else {
        panic!("{document:?} is GraphQL")
    };
    errors.into_iter().map(|error| error.message).collect()
}

#[test]
fn a_place_is_told_once_in_a_sentence() {
    for (document, expected) in [
        (
            "{projects{nodes{id}",
            "The document is not GraphQL in line 1, column 20: expected `}`, but the document ends.",
        ),
        (
            "",
            "The document is not GraphQL in line 1, column 1: it holds no operation.",
        ),
        (
            "# nothing",
            "The document is not GraphQL in line 1, column 10: it holds no operation.",
        ),
    ] {
        assert_eq!(said(document), [expected], "{document:?}");
    }
}

#[test]
fn every_place_is_told() {
    let all = said("{ a(: 1) b(: 2) }");
    assert!(all.len() > 1, "{all:?}");
    for message in &all {
        assert!(
            !message.contains("..") && message.ends_with('.'),
            "{message}"
        );
    }
}
