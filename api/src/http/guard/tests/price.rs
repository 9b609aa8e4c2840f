//! What costs how much.

use super::*;
use apollo_compiler::schema::ExtendedType;

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
            1_000 + 1 + 7 * (1 + 10),
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
        // One that holds for everything is asked all the same.
        (
            "{ projects(first: 0, filter: { goals: { every: {} } }) { totalCount } }",
            json!({}),
            2 + 50,
        ),
        (
            "query($f: ProjectFilter!) { projects(first: 0, filter: $f) { totalCount } }",
            json!({ "f": { "or": [{ "goals": { "none": {} } }, { "slug": { "in": [] } }] } }),
            2 + 50 + 1,
        ),
        (
            "query($f: ProjectFilter!) { projects(first: 0, filter: { and: [$f, { id: { eq: 1 } }] }) { totalCount } }",
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
    let arguments = "fields { args { type { fields { name description type { name } } } } }";
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
            aliases(189, arguments)
        ),
    ] {
        assert_eq!(
            code(&document, json!({})),
            "COST_EXCEEDED",
            "{document:.100}"
        );
    }
    judged(&filter(1), json!({}));
    // A brief's page with the usual sizes is not among them.
    let page = "{ prd(id: \"x\") { title executionPlans { nodes { steps { title } tickets { nodes { title description } } } } } }";
    judged(page, json!({}));
    let texts = "{ prds(first: 200) { nodes { tickets(first: 100) { nodes { description } } } } }";
    let told = serde_json::to_value(&asked(texts, json!({})).err().unwrap()[0]).unwrap();
    let dearest = json!({ "path": "prds.nodes.tickets.nodes.description", "values": 4_000_000 });
    assert_eq!(told["extensions"]["fields"][0], dearest);
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
fn a_list_costs_as_many_as_may_be_written() {
    let inputs = GUARD.schema.types.values();
    let inputs = inputs.filter_map(ExtendedType::as_input_object);
    let mut compared = 0;
    for field in inputs.flat_map(|input| input.fields.values()) {
        let Some(size) = field.directives.get("size") else {
            continue;
        };
        let most = size.specified_argument_by_name("max");
        let most = most.and_then(|most| most.to_i32()).unwrap();
        // Lists of one name are not all of one type.
        let lengths = shapes::lengths(&field.name);
        let most = u64::from(most.unsigned_abs());
        assert!(
            lengths.is_empty() || lengths.contains(&most),
            "{}: {most}",
            field.name
        );
        compared += lengths.len();
    }
    assert!(compared > 5, "{compared} were compared");
}

/// How many values an answer holds.
fn values(answer: &async_graphql::Value) -> u64 {
    use async_graphql::Value;
    match answer {
        Value::List(items) => items.iter().map(values).sum(),
        Value::Object(fields) => fields.values().map(|field| 1 + values(field)).sum(),
        _ => 0,
    }
}

#[tokio::test]
async fn a_question_about_the_schema_costs_what_it_makes() {
    let everything = "fields(includeDeprecated: true) { name args { name type { kind ofType { name } } } type { name kind } }
        inputFields { name type { name } } enumValues(includeDeprecated: true) { name } possibleTypes { name } interfaces { name }";
    let nested = "fields(includeDeprecated: true) { type { ofType { fields { name args { name } } inputFields { name } } } }";
    let types = GUARD.schema.types.keys();
    let mut documents: Vec<_> = types
        .flat_map(|of| {
            [everything, nested].map(|asked| format!("{{ __type(name: \"{of}\") {{ {asked} }} }}"))
        })
        .collect();
    documents.push(format!("{{ __schema {{ types {{ {everything} }} directives {{ name locations args {{ name }} }} }} }}"));
    let schema = crate::graph::schema();
    for document in documents {
        let cost = judged(&document, json!({})).cost;
        let answer = schema.execute(&document).await;
        assert_eq!(answer.errors, []);
        let made = values(&answer.data);
        assert!(cost >= made, "{document}: {cost} for {made} values");
    }
}
