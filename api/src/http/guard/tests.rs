use super::*;
use serde_json::{Value, json};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

static GUARD: LazyLock<Guard> =
    LazyLock::new(|| Guard::new(&crate::graph::sdl(), Limits::default(), true).unwrap());

fn asked(document: &str, variables: Value) -> Result<Judged, Vec<ServerError>> {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let parameters = Parameters::from_body(body.as_bytes()).unwrap();
    GUARD.judge(parameters)
}

fn judged(document: &str, variables: Value) -> Judged {
    asked(document, variables).unwrap_or_else(|errors| panic!("{document:.200}\n{errors:#?}"))
}

fn code(document: &str, variables: Value) -> String {
    let Err(errors) = asked(document, variables) else {
        return String::new();
    };
    crate::answer::code(&errors[0]).unwrap()
}

/// The limit that a document passes.
fn limit(document: &str) -> Option<String> {
    let errors = asked(document, json!({})).err()?;
    if crate::answer::code(&errors[0]).unwrap() != "LIMIT_EXCEEDED" {
        return None;
    }
    let message = errors[0].message.split(" is at most").next()?;
    Some(message.split(" (").next()?.to_owned())
}

const PARSE: &str = "GRAPHQL_PARSE_FAILED";
const VALIDATE: &str = "GRAPHQL_VALIDATION_FAILED";

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
            (0..1_500)
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
        // Each id, as a literal or in a variable.
        ("{ nodes(ids: [1, 2, 3]) { id } }", json!({}), 6),
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            json!({ "ids": ["a", "b"] }),
            4,
        ),
        // One group of usage for each row asked for.
        (
            "{ usageSummary(first: 7) { rows { keys } } }",
            json!({}),
            1_000 + 1 + 7 * (1 + 6),
        ),
        // A large column.
        ("{ transcript(id: 1) { fullText } }", json!({}), 2_002),
        // A condition, a text that is looked into, related rows, and a filter for each of two lists.
        (
            "{ projects(first: 0, filter: { slug: { eq: \"a\" } }) { nodes { id } } }",
            json!({}),
            2,
        ),
        (
            "{ projects(first: 0, filter: { slug: { contains: \"a\" } }) { totalCount } }",
            json!({}),
            22,
        ),
        (
            "{ projects(first: 0, filter: { goals: { some: { title: { contains: \"a\" } } } }) { totalCount } }",
            json!({}),
            2 + 50 * 20,
        ),
        (
            "query($f: ProjectFilter) { projects(first: 0, filter: { and: [$f, { id: { eq: 1 } }] }) { totalCount } }",
            json!({ "f": { "goals": { "some": { "title": { "in": ["a", "b"] } } } } }),
            2 + 50 * 2 + 1,
        ),
        (
            "{ projects(first: 2) { nodes { goals(first: 0, filter: { title: { startsWith: \"a\" } }) { totalCount } } } }",
            json!({}),
            1 + 2 * (1 + 1 + 20 + 1),
        ),
    ] {
        assert_eq!(judged(document, variables).cost, cost, "{document}");
    }
}

#[test]
fn what_costs_too_much_is_refused() {
    let aliases = |count: usize, field: &str| -> String {
        (0..count).map(|n| format!("a{n}: {field} ")).collect()
    };
    let texts = aliases(199, "fullText");
    let ids = "1 ".repeat(200);
    let filter = |levels: usize| {
        let (open, close) = (
            "project: { goals: { some: { ".repeat(levels),
            "} } } ".repeat(levels),
        );
        format!(
            "{{ goals(filter: {{ {open} title: {{ contains: \"z\" }} {close} }}) {{ totalCount }} }}"
        )
    };
    let fields = aliases(
        189,
        "fields(includeDeprecated: true) { name type { name kind } }",
    );
    for document in [
        format!("{{ transcripts(first: 8) {{ nodes {{ {texts} }} }} }}"),
        format!(
            "{{ nodes(ids: [{ids}]) {{ ... on Transcript {{ {} }} }} }}",
            aliases(10, "fullText")
        ),
        filter(3),
        filter(5),
        format!("{{ __schema {{ types {{ {fields} }} }} }}"),
        format!(
            "{{ __type(name: \"Query\") {{ {} }} }}",
            aliases(
                189,
                "fields { name type { name fields { name description args { name description } } } }"
            )
        ),
    ] {
        assert_eq!(
            code(&document, json!({})),
            "COST_EXCEEDED",
            "{document:.100}"
        );
    }
    judged(&filter(1), json!({}));
    let document = "{ projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } } }";
    let errors = asked(document, json!({})).err().unwrap();
    let told = serde_json::to_value(&errors[0]).unwrap();
    assert!(told["extensions"]["requested"].as_u64() > Some(8_000_000));
    let largest = json!({ "path": "projects.nodes.tickets.nodes.jobs", "rows": 8_000_000 });
    assert_eq!(told["extensions"]["fields"][0], largest);
}

#[test]
fn every_list_of_the_schema_has_a_limit() {
    assert_eq!(shapes::without_a_limit(&GUARD.schema), Vec::<String>::new());
}

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
    assert_eq!(errors.len(), 20);
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
fn what_was_judged_is_kept_within_its_memory() {
    let limits = Limits {
        kept_document_bytes: 1 << 20,
        ..Limits::default()
    };
    let guard = Guard::new(&crate::graph::sdl(), limits, true).unwrap();
    let judge = |document: &str| {
        let body = json!({ "query": document }).to_string();
        guard
            .judge(Parameters::from_body(body.as_bytes()).unwrap())
            .unwrap()
    };
    assert!(
        judge("{ feedCursor }").new && judge("{ feedCursor }").new,
        "nobody asked to keep it"
    );
    guard.keep(&judge("{ feedCursor }"));
    for _ in 0..5 {
        assert!(!judge("{ feedCursor }").new);
    }
    for n in 0..2_000 {
        let flood = format!("{{ feedCursor }} # {n} {}", "x".repeat(2_000));
        guard.keep(&judge(&flood));
        assert!(guard.kept.bytes() <= 1 << 20);
    }
    assert!(
        !judge("{ feedCursor }").new,
        "a flood pushed out what is in use"
    );
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

/// Documents of a kind that grow with a number.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 9] = [
    ("fields", |n| format!("{{ {} }}", "feedCursor ".repeat(n))),
    ("fragments in a chain", |n| {
        let chain = (0..90).map(|at| {
            format!(
                "fragment f{at} on Query {{ {} ...f{} }} ",
                "feedCursor ".repeat(n / 90),
                at + 1
            )
        });
        format!(
            "{{ ...f0 }} {} fragment f90 on Query {{ feedCursor }}",
            chain.collect::<String>()
        )
    }),
    ("fragments in a fan", |n| {
        let fan = (0..90).map(|at| {
            format!(
                "fragment f{at} on Query {{ {} }} ",
                "feedCursor ".repeat(n / 90)
            )
        });
        let spreads: String = (0..90).map(|at| format!("...f{at} ")).collect();
        format!("{{ {spreads} }} {}", fan.collect::<String>())
    }),
    ("a bomb of fragments", |n| {
        let chain = (0..(n / 50).min(95))
            .map(|at| format!("fragment f{at} on Query {{ ...f{m} ...f{m} }} ", m = at + 1));
        format!("{{ ...f0 }} {}", chain.collect::<String>())
    }),
    ("operations that share a fragment", |n| {
        let operations: String = (0..n / 2)
            .map(|at| format!("query q{at} {{ ...f }} "))
            .collect();
        format!(
            "{operations} fragment f on Query {{ {} }}",
            "feedCursor ".repeat(n / 2)
        )
    }),
    ("aliases that share a fragment", |n| {
        let aliases: String = (0..n / 8)
            .map(|at| format!("a{at}: projects {{ ...f }} "))
            .collect();
        format!(
            "{{ {aliases} }} fragment f on ProjectConnection {{ nodes {{ {} }} }}",
            "id ".repeat(n / 2)
        )
    }),
    ("directives", |n| {
        format!("{{ feedCursor {} }}", "@skip(if: false) ".repeat(n / 2))
    }),
    ("values in lists", |n| {
        format!(
            "query($a: ID!) {{ nodes(ids: [{}]) {{ id }} }}",
            "$a ".repeat(n)
        )
    }),
    ("deep inputs", |n| {
        let filter = "{ and: ".repeat(25) + "{ id: { in: [\"a\"] } }" + &"}".repeat(25);
        format!(
            "{{ {} }}",
            format!("projects(filter: {filter}) {{ totalCount }} ").repeat(n / 60)
        )
    }),
];

#[test]
fn the_work_of_judging_grows_with_the_document() {
    let time = |document: &str| {
        let tries = (0..3).map(|_| {
            let begun = Instant::now();
            let _ = asked(document, json!({ "a": "x" }));
            begun.elapsed()
        });
        tries.min().unwrap()
    };
    time("{ feedCursor }");
    for (name, shape) in SHAPES {
        let (small, large) = (shape(1_000), shape(4_000));
        let (short, long) = (time(&small), time(&large));
        // Four times as much may take four times as long; a machine that is busy with other things, some more.
        let allowed = short.max(Duration::from_millis(2)) * 16;
        assert!(
            long < allowed,
            "{name}: {short:?} for {}, {long:?} for {} bytes",
            small.len(),
            large.len()
        );
        assert!(long < Duration::from_secs(2), "{name}: {long:?}");
    }
}
