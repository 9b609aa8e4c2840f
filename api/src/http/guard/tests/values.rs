//! What the specification says of documents and variables.

use super::*;

#[test]
fn every_scalar_of_the_schema_is_known() {
    let scalars = GUARD
        .schema
        .types
        .values()
        .filter(|kind| kind.is_scalar() && !kind.is_built_in());
    let mut names: Vec<_> = scalars.map(|kind| kind.name().as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, scalars::KNOWN);
}

#[test]
fn documents_are_judged_by_the_specification() {
    let valid = [
        "{ goals(filter: { title: { contains: \"\\ud83d\\udc69\" } }) { totalCount } }",
        "{ goals(filter: { title: { contains: \"\\u{1F469}\" } }) { totalCount } }",
        "\"Counts.\" query A(\"How many.\" $n: Int = 1, \"\"\"Which.\"\"\" $f: GoalFilter) { goals(first: $n, filter: $f) { ...c } }
            \"A part.\" fragment c on GoalConnection { totalCount }",
        "query($a: Int! = 1) { goals(first: $a) { totalCount } }",
        "query($a: [ID!]!) { nodes(ids: $a) { id } }",
        "query($a: ID!) { nodes(ids: [$a]) { id } nodes(ids: [$a]) { ... on Goal { title } } }",
        "query($a: String) { goals(filter: { title: { in: [\"b\"], eq: $a } }) { totalCount } }",
        "{ goals(orderBy: { field: TITLE }) { totalCount } }",
        "{ goals(filter: { createdAt: { gt: \"2026-05-04T09:30:00Z\" } }) { totalCount } }",
    ];
    for document in valid {
        let sent = match document {
            known if known.contains("$a: [ID!]!") => json!({ "a": ["x"] }),
            known if known.contains("$a: ID!") => json!({ "a": "x" }),
            _ => json!({}),
        };
        judged(document, sent);
    }
    let invalid = [
        (PARSE, "\"Nothing.\" { feedCursor }"),
        (PARSE, "query \"Nothing.\" query { feedCursor }"),
        (
            PARSE,
            "{ goals(filter: { title: { contains: \"\\ud83d\" } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "{ goals(filter: { title: { eq: \"a\", eq: \"b\" } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "{ goals(first: 1) { nodes { x: id } } goals(first: 1) { nodes { x: title } } }",
        ),
        (
            VALIDATE,
            "{ ...F goals { nodes { x: id } } } fragment F on Query { goals { nodes { x: title } } }",
        ),
        (VALIDATE, "query($a: Int!) { goal(id: $a) { id } }"),
        (VALIDATE, "query($a: ID) { goal(id: $a) { id } }"),
        (
            VALIDATE,
            "query($a: String) { goals(filter: { id: { eq: $a } }) { totalCount } }",
        ),
        (VALIDATE, "query($a: ID) { nodes(ids: [$a]) { id } }"),
        (VALIDATE, "query($a: ID = null) { goal(id: $a) { id } }"),
        (
            VALIDATE,
            "query($a: [String]) { goals(filter: { title: { in: $a } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "query($a: String) { goals(filter: { title: { in: [$a] } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "query($a: String!) { goals(filter: { title: { in: $a } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "{ goals(filter: { title: { in: [$a] } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "{ goals(orderBy: [{ field: \"TITLE\" }]) { totalCount } }",
        ),
        (VALIDATE, "{ goals(first: 1.0) { totalCount } }"),
        (VALIDATE, "{ goals(first: 2147483648) { totalCount } }"),
        (
            VALIDATE,
            "{ goals(filter: { createdAt: { gt: \"soon\" } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "query($a: DateTime = \"soon\") { goals(filter: { createdAt: { gt: $a } }) { totalCount } }",
        ),
        (
            VALIDATE,
            "{ activity(filter: { seq: { eq: 99999999999999999999 } }) { totalCount } }",
        ),
        (VALIDATE, "{ goals(after: 1) { totalCount } }"),
        (
            VALIDATE,
            "subscription { a: activity { position } b: activity { position } }",
        ),
        (VALIDATE, "subscription { __typename }"),
        (VALIDATE, "type Query { a: Int }"),
    ];
    for (expected, document) in invalid {
        assert_eq!(code(document, json!({})), expected, "{document}");
    }
}

#[test]
fn mistakes_are_told_with_their_places() {
    let errors = asked("{\n  \u{e9}", json!({})).err().unwrap();
    assert_eq!(
        (errors[0].locations[0].line, errors[0].locations[0].column),
        (2, 3)
    );
    let errors = asked("{\n  feedCursor a\u{2028}\n}", json!({}))
        .err()
        .unwrap();
    assert_eq!(errors[0].locations[0].line, 2);
    let errors = asked(
        "{ # \u{1f469}\u{1f469}\n  a: feedCursor nothing }",
        json!({}),
    )
    .err()
    .unwrap();
    assert_eq!(
        (errors[0].locations[0].line, errors[0].locations[0].column),
        (2, 17)
    );
    let errors = asked(&format!("{{ {} }}", "nothing ".repeat(1_000)), json!({}))
        .err()
        .unwrap();
    assert_eq!(errors.len(), 21);
    assert_eq!(errors[20].message, "And 980 more errors like these.");
}

#[test]
fn variables_become_what_they_are_declared_to_be() {
    let document = "query($id: ID!, $n: Int, $f: TicketFilter, $o: [TicketOrder!], $with: Boolean! = true) {
        goal(id: $id) { id @include(if: $with) } tickets(first: $n, filter: $f, orderBy: $o) { totalCount } }";
    let sent = json!({ "id": 7, "n": 1.0, "unknown": [1], "o": { "field": "CREATED_AT" },
        "f": { "priority": { "in": 2.0 }, "and": { "id": { "eq": 1 } } } });
    let variables = serde_json::to_value(&judged(document, sent).variables).unwrap();
    let coerced = json!({ "id": "7", "n": 1, "o": [{ "field": "CREATED_AT" }], "with": true,
        "f": { "priority": { "in": [2] }, "and": [{ "id": { "eq": "1" } }] } });
    assert_eq!(variables, coerced);
    for (wrong, told) in [
        (json!({}), "$id of the type ID! is required"),
        (json!({ "id": null }), "$id of the type ID! cannot be null"),
        (json!({ "id": 1.5 }), "$id: expected ID"),
        (
            json!({ "id": "x", "with": null }),
            "$with of the type Boolean! cannot be null",
        ),
        (json!({ "id": "x", "n": 1.5 }), "$n: expected Int"),
        (
            json!({ "id": "x", "n": 2_147_483_648_u64 }),
            "$n: expected Int",
        ),
        (json!({ "id": "x", "n": "1" }), "$n: expected Int"),
        (
            json!({ "id": "x", "f": { "priority": { "in": [1, null] } } }),
            "$f.priority.in[1]: expected Int!, not null",
        ),
        (
            json!({ "id": "x", "f": { "nothing": 1 } }),
            "$f: TicketFilter has no field \"nothing\"",
        ),
        (
            json!({ "id": "x", "f": { "createdAt": { "gt": "soon" } } }),
            "$f.createdAt.gt: expected a DateTime: RFC 3339",
        ),
        (
            json!({ "id": "x", "o": [{ "field": "NOTHING" }] }),
            "$o[0].field: expected a value of the enum TicketOrderField",
        ),
        (
            json!({ "id": "x", "o": [{}] }),
            "$o[0]: the field field of TicketOrder is required",
        ),
    ] {
        let errors = asked(document, wrong.clone())
            .err()
            .unwrap_or_else(|| panic!("{wrong}"));
        assert!(
            errors[0].message.contains(told),
            "{wrong}: {}",
            errors[0].message
        );
        assert_eq!(crate::answer::code(&errors[0]).unwrap(), VALIDATE);
    }
    // A nullable variable with a default may stand where null may not; then null may not be sent.
    let document = "query($id: ID = \"x\") { goal(id: $id) { id } }";
    judged(document, json!({}));
    assert_eq!(code(document, json!({ "id": null })), VALIDATE);
}

#[test]
fn who_may_ask_without_a_token_is_read_off_the_document() {
    for (document, public) in [
        ("{ __typename }", true),
        (
            "{ ...a } fragment a on Query { ... { ...b } } fragment b on Query { __schema { description } }",
            true,
        ),
        (
            "{ ...a } fragment a on Query { ... { ...b } } fragment b on Query { __typename feedCursor }",
            false,
        ),
        ("mutation { signOut(input: {}) { signedOut } }", true),
        (
            "mutation { signOut(input: {}) { signedOut } createProject(input: { name: \"a\" }) { feedCursor } }",
            false,
        ),
    ] {
        assert_eq!(judged(document, json!({})).public, public, "{document}");
    }
}

#[test]
fn nothing_is_passed_over() {
    for document in [
        "{ projects(first 1) { nodes { id } } }",
        "{ projects(first: 1, orderBy) { nodes { id } } }",
        "{ viewer { user @include(if) { id } } }",
        "{ goals(filter: {title {contains: \"a\"}}) { totalCount } }",
        "{ goals(filter: {title}) { totalCount } }",
        "query($n Int) { projects(first: $n) { totalCount } }",
    ] {
        assert_eq!(code(document, json!({})), PARSE, "{document}");
    }
    for document in [
        "query { feedCursor }",
        "query query { feedCursor }",
        "{ query: feedCursor }",
        "{ goals(filter: {title: {contains: \"\"\"a\n b\"\"\"}}) { totalCount } }",
        "fragment query on Query { feedCursor } query Q { ...query }",
        "{ nodes(ids: [\"\\u0061\", 17,,,]) { id } } # the end",
    ] {
        assert_eq!(code(document, json!({})), "", "{document}");
    }
}
