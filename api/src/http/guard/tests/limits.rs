//! What is too much.

use super::*;
use std::time::{Duration, Instant};

#[test]
fn each_limit_is_named() {
    let chain = |count: usize, last: &str| -> String {
        let chain: String = (0..count)
            .map(|n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} }} ", m = n + 1))
            .collect();
        format!("{{ ...f0 }} {chain} fragment f{count} on Query {{ {last} }}")
    };
    let deep = |levels: usize| {
        let within = "goals { nodes { project { ".repeat(levels);
        format!(
            "{{ projects {{ nodes {{ {within} id {}",
            "}".repeat(levels * 3 + 3)
        )
    };
    let nested: String = (0..9)
        .map(|n| {
            let (open, close) = ("... on Query { ".repeat(20), "}".repeat(20));
            format!("fragment f{n} on Query {{ {open} ...f{} {close} }} ", n + 1)
        })
        .collect();
    let refusals = [
        (
            chain(40, "feedCursor"),
            "The number of fields in the operation",
        ),
        (
            format!("{{ {} }}", "feedCursor ".repeat(5_001)),
            "The number of fields in the operation",
        ),
        (
            format!("{{ {} }}", "b: feedCursor ".repeat(201)),
            "The number of aliases in the operation",
        ),
        (
            format!("{{ feedCursor {} }}", "@skip(if: true) ".repeat(101)),
            "The number of directives in the operation",
        ),
        (
            format!("{{ {}: feedCursor }}", "a".repeat(257)),
            "The length of a name in the document",
        ),
        (deep(9), "The depth of the operation"),
        (
            format!("{{ ...f0 }} {nested} fragment f9 on Query {{ feedCursor }}"),
            "The nesting of selections in the operation",
        ),
        (
            (0..101)
                .map(|n| format!("fragment f{n} on Query {{ feedCursor }} "))
                .collect(),
            "The number of fragments in the document",
        ),
        (
            (0..51).fold("{ ".to_owned(), |text, n| {
                format!("{text} a{n}: feedCursor")
            }) + "}",
            "The number of root fields in the operation",
        ),
        (
            format!(
                "query({}) {{ feedCursor }}",
                (0..101).map(|n| format!("$v{n}: Int ")).collect::<String>()
            ),
            "The number of variables of the operation",
        ),
        (
            (0..1_200)
                .map(|n| format!("query q{n} {{ ...f }} "))
                .collect::<String>()
                + &format!("fragment f on Query {{ {} }}", "feedCursor ".repeat(40)),
            "The number of fields in all operations together",
        ),
        (
            (0..900)
                .map(|n| format!("query q{n} {{ ...f }} "))
                .collect::<String>()
                + &format!(
                    "fragment f on Query {{ nodes(ids: [{}]) {{ id }} }}",
                    "1 ".repeat(900)
                ),
            "The number of fields and values in all operations together",
        ),
        ("{".repeat(61), "The nesting of brackets in the document"),
        ("a ".repeat(10_001), "The number of tokens in the document"),
        (" ".repeat(70_000), "The document's length in bytes"),
    ];
    for (document, name) in refusals {
        assert_eq!(limit(&document).as_deref(), Some(name), "{document:.60}");
    }
}

#[test]
fn strings_and_comments_are_no_brackets() {
    let brackets = "{".repeat(100);
    for document in [
        format!("{{ node(id: \"{brackets}\") {{ id }} }}"),
        format!("{{ node(id: \"\"\"{brackets} \\\"\"\" {brackets}\"\"\") {{ id }} }}"),
        format!("{{ feedCursor }} # {brackets}"),
        format!("{{ node(id: \"\\\"{brackets}\") {{ id }} }}"),
    ] {
        judged(&document, json!({}));
    }
}

#[test]
fn any_cut_of_a_document_is_judged() {
    let document = "\"\"\"\u{1f469} \\\"\"\" d\"\"\" query Q(\"e\" $a: [ID!] = [\"x\"]) { nodes(ids: $a) @skip(if: false) { ...h } } \
                    \"f\" fragment h on Node { id } # i";
    judged(document, json!({}));
    for (end, _) in document.char_indices() {
        assert_eq!(limit(&document[..end]), None);
    }
}

#[test]
fn fragments_that_spread_each_other_in_a_circle_are_refused_at_once() {
    let circle = |count: usize, spreads: &str| -> String {
        let fragments = (0..count).map(|n| {
            let next = format!("...f{} ", (n + 1) % count);
            format!("fragment f{n} on Query {{ {} {spreads} }} ", next.repeat(2))
        });
        format!("{{ ...f0 }} {}", fragments.collect::<String>())
    };
    for document in [circle(1, ""), circle(26, ""), circle(90, "feedCursor")] {
        let begun = Instant::now();
        assert_eq!(code(&document, json!({})), VALIDATE);
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
    }
    let dear = "{ projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } } ...f }
        fragment f on Query { ...f }";
    assert_eq!(code(dear, json!({})), VALIDATE);
}

const USUAL_QUESTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations
    args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf fields(includeDeprecated: true) { name description
    args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[test]
fn the_schema_can_be_asked_for_but_not_without_end() {
    let cost = judged(USUAL_QUESTION, json!({})).cost;
    assert!(cost < 1_000_000, "it takes {cost}");
    let deep = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(
        limit(deep).unwrap(),
        "The depth of lists in a question about the schema"
    );
    let many: String = (0..9)
        .map(|n| format!("a{n}: __schema {{ description }} "))
        .collect();
    assert_eq!(
        limit(&format!("{{ {many} }}")).unwrap(),
        "The number of questions about the schema"
    );
    let closed = Guard::new(&crate::graph::sdl(), Limits::default(), false).unwrap();
    for question in [
        "{ __schema { description } }",
        "{ ...f } fragment f on Query { __type(name: \"A\") { name } }",
    ] {
        let refused = closed
            .verdict(json!({ "query": question }).to_string().as_bytes())
            .unwrap_err();
        assert_eq!(crate::answer::code(&refused[0]).unwrap(), VALIDATE);
    }
    closed
        .verdict(json!({ "query": "{ __typename }" }).to_string().as_bytes())
        .unwrap();
}
