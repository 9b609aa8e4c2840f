//! What may have been meant by a name that the schema does not have.

use super::*;

/// What a guard says of a document.
fn told_by(guard: &Guard, document: &str, variables: Value) -> Vec<String> {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let errors = guard.judge_body(body.as_bytes()).err().unwrap();
    errors.into_iter().map(|error| error.message).collect()
}

fn told(document: &str, variables: Value) -> String {
    told_by(&GUARD, document, variables).remove(0)
}

const ORDERED: &str = "query($o: [GoalOrder!]) { goals(orderBy: $o) { totalCount } }";

#[test]
fn each_kind_of_name_is_suggested() {
    for (document, message) in [
        (
            "{ golas { totalCount } }",
            r#"Cannot query field "golas" on type "Query". Did you mean "goals", "goal" or "nodes"?"#,
        ),
        (
            "{ FEEDCURSOR }",
            r#"Cannot query field "FEEDCURSOR" on type "Query". Did you mean "feedCursor"?"#,
        ),
        (
            "{ nodes(ids: [1]) { typename } }",
            r#"Cannot query field "typename" on type "Node". Did you mean "__typename"?"#,
        ),
        (
            "{ goals(frist: 1) { totalCount } }",
            r#"Unknown argument "frist" on field "Query.goals". Did you mean "first" or "last"?"#,
        ),
        (
            "{ feedCursor @skip(if: false, fi: true) }",
            r#"Unknown argument "fi" on field "@skip". Did you mean "if"?"#,
        ),
        (
            "{ goals(filter: { titel: { eq: \"a\" } }) { totalCount } }",
            r#"Field "titel" is not defined by type "GoalFilter". Did you mean "title"?"#,
        ),
        (
            "query($f: GoalFitler) { goals(filter: $f) { totalCount } }",
            r#"Unknown type "GoalFitler". Did you mean "GoalFilter", "FloatFilter" or "GoalOrder"?"#,
        ),
        (
            "query($n: Itn) { goals(first: $n) { totalCount } }",
            r#"Unknown type "Itn". Did you mean "Int" or "ID"?"#,
        ),
        (
            "{ node(id: 1) { ... on Gaol { title } } }",
            r#"Unknown type "Gaol". Did you mean "Goal"?"#,
        ),
        (
            "{ node(id: 1) { ...f } } fragment f on Gaol { title }",
            r#"Unknown type "Gaol". Did you mean "Goal"?"#,
        ),
        (
            "{ goals(orderBy: { field: titel }) { totalCount } }",
            r#"Value "titel" does not exist in "GoalOrderField" enum. Did you mean "TITLE"?"#,
        ),
        (
            "{ goals(orderBy: { field: \"title\" }) { totalCount } }",
            "GoalOrderField cannot represent value: \"title\". Did you mean TITLE? Values of an enum are written without \
             quotes.",
        ),
    ] {
        assert_eq!(told(document, json!({})), message, "{document}");
    }
    for (document, variables, message) in [
        (
            ORDERED,
            json!({ "o": { "field": "created-at" } }),
            "The variable $o.field: expected a value of the enum GoalOrderField. Did you mean \"CREATED_AT\" or \
             \"UPDATED_AT\"?",
        ),
        (
            ORDERED,
            json!({ "o": [{ "feild": "TITLE", "field": "TITLE" }] }),
            "The variable $o[0]: GoalOrder has no field \"feild\". Did you mean \"field\"?",
        ),
    ] {
        assert_eq!(told(document, variables), message);
    }
}

#[test]
fn where_nothing_is_near_what_there_is_is_told() {
    for (document, message) in [
        (
            "{ goals { title } }",
            r#"Cannot query field "title" on type "GoalConnection". The fields are edges, nodes, pageInfo and totalCount."#,
        ),
        (
            "{ goals(filter: { children: { title: { eq: \"a\" } } }) { totalCount } }",
            r#"Field "title" is not defined by type "GoalManyFilter". The fields are some, none and every."#,
        ),
        (
            "{ goals(filter: { status: DONE }) { totalCount } }",
            "GoalStatusFilter cannot represent value: DONE. It is an object with the fields eq, ne, in, nin and isNull.",
        ),
        (
            "{ tickets(orderBy: { field: PRIO }) { totalCount } }",
            r#"Value "PRIO" does not exist in "TicketOrderField" enum. Did you mean "PRIORITY"?"#,
        ),
    ] {
        assert_eq!(told(document, json!({})), message, "{document}");
    }
    let filter = "query($f: GoalFilter) { goals(filter: $f) { totalCount } }";
    assert_eq!(
        told(filter, json!({ "f": { "status": "DONE" } })),
        "The variable $f.status: expected GoalStatusFilter, not a string. It is an object with the fields eq, ne, in, nin \
         and isNull."
    );
}

#[test]
fn where_nothing_is_near_the_values_of_an_enum_are_told() {
    let few = "The values are ACTIVE, ACHIEVED and ABANDONED.";
    let many = "The values are ID, PROJECT_ID, GOAL_ID, MEETING_ID, PRD_ID, PLAN_ID, STEP_INDEX, PARENT_TICKET_ID, \
                ROLE_SLUG, SUBAGENT_SLUG, TITLE, STATUS and 27 more.";
    let tickets = "query($o: [TicketOrder!]) { tickets(orderBy: $o) { totalCount } }";
    for (document, variables, message) in [
        (
            "{ goals(filter: { status: { eq: DONE } }) { totalCount } }",
            json!({}),
            format!(r#"Value "DONE" does not exist in "GoalStatus" enum. {few}"#),
        ),
        (
            "query($s: GoalStatus) { goals(filter: { status: { eq: $s } }) { totalCount } }",
            json!({ "s": "DONE" }),
            format!("The variable $s: expected a value of the enum GoalStatus. {few}"),
        ),
        (
            "query($s: GoalStatus) { goals(filter: { status: { eq: $s } }) { totalCount } }",
            json!({ "s": 1 }),
            format!("The variable $s: expected a value of the enum GoalStatus. {few}"),
        ),
        (
            tickets,
            json!({ "o": [{ "field": "NOTHING" }] }),
            format!(
                "The variable $o[0].field: expected a value of the enum TicketOrderField. {many}"
            ),
        ),
    ] {
        assert_eq!(told(document, variables), message);
    }
    assert_eq!(
        told("{ nothing }", json!({})),
        r#"Cannot query field "nothing" on type "Query"."#
    );
}

#[test]
fn names_are_looked_for_a_few_times_and_within_a_length() {
    let document = format!("{{ {} }}", "golas ".repeat(1_000));
    let told = told_by(&GUARD, &document, json!({}));
    let helped = told.iter().filter(|told| told.contains("Did you mean"));
    assert_eq!((helped.count(), told.len()), (5, 21));

    let variables: String = (0..50).map(|n| format!("$v{n}: [GoalOrder!] ")).collect();
    let orders: String = (0..50)
        .map(|n| format!("a{n}: goals(orderBy: $v{n}) {{ totalCount }} "))
        .collect();
    let sent: serde_json::Map<_, _> = (0..50)
        .map(|n| (format!("v{n}"), json!({ "field": "TITEL" })))
        .collect();
    let document = format!("query({variables}) {{ {orders} }}");
    let told = told_by(&GUARD, &document, sent.into());
    let helped = told.iter().filter(|told| told.contains("Did you mean"));
    assert_eq!(helped.count(), 5);

    // A long name is like none.
    let long = "TITLE".repeat(20_000);
    let told = told_by(&GUARD, ORDERED, json!({ "o": { "field": long } }));
    assert!(told[0].contains("The values are"), "{}", told[0]);
}

#[test]
fn nothing_is_suggested_where_the_schema_is_not_to_be_asked_for() {
    let closed = Guard::new(&crate::graph::sdl(), Limits::default(), false).unwrap();
    for (document, variables) in [
        ("{ golas { totalCount } }", json!({})),
        ("{ goals(frist: 1) { totalCount } }", json!({})),
        (
            "{ goals(filter: { titel: { eq: \"a\" } }) { totalCount } }",
            json!({}),
        ),
        (
            "query($f: GoalFitler) { goals(filter: $f) { totalCount } }",
            json!({}),
        ),
        (
            "{ goals(filter: { status: { eq: DONE } }) { totalCount } }",
            json!({}),
        ),
        (
            "{ goals(orderBy: { field: \"TITLE\" }) { totalCount } }",
            json!({}),
        ),
        (ORDERED, json!({ "o": { "field": "NOTHING" } })),
        (ORDERED, json!({ "o": { "field": "TITEL" } })),
        (
            ORDERED,
            json!({ "o": { "feild": "TITLE", "field": "TITLE" } }),
        ),
    ] {
        let told = told_by(&closed, document, variables).remove(0);
        assert!(
            !told.contains("Did you mean") && !told.contains("The values are"),
            "{told}"
        );
    }
}
