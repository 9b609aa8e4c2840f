//! The judge of documents, over HTTP: what the specification refuses is refused before anything runs, and what is hostile
//! is refused soon and leaves the server alive. Most of it is sent without a token, as a stranger would.

use crate::support::{Client, Door, Footprint, Reply};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the judge may take for the worst document, in a build that is not optimised, on a machine that does other
/// things as well.
const SOON: Duration = Duration::from_secs(2);

const VALIDATE: &str = "GRAPHQL_VALIDATION_FAILED";

/// Sends a document without a token, and says how it was refused. It must be refused soon, and the server must live.
async fn stranger(url: &str, document: &str, variables: Value) -> String {
    let client = Client::anonymous(url);
    let begun = Instant::now();
    let answer = client.send(document, variables).await;
    let taken = begun.elapsed();
    assert!(taken < SOON, "{taken:?} for {document:.200}");
    assert_eq!(
        client.data("{ __typename }", json!({})).await,
        json!({ "__typename": "Query" })
    );
    assert!(answer.body.get("data").is_none(), "{document:.200} ran");
    answer.code()
}

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect()
}

on_both_databases! {
    async fn nothing_runs_when_a_variable_or_a_literal_does_not_fit(app) {
        let (door, owner) = (app.door().await, app.owner().await);
        let project = owner.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let project = &project["projects"]["nodes"][0]["id"];
        let before = Footprint::of(&app).await;
        let two = |declared: &str, field: &str| {
            format!("mutation($p: ID!{declared}) {{
                a: createGoal(input: {{ projectId: $p, title: \"first of two\" }}) {{ goal {{ id }} }}
                b: createGoal(input: {{ projectId: $p, title: \"second\", {field} }}) {{ goal {{ id }} }} }}")
        };
        for (declared, field, value) in [
            (", $v: DateTime", "targetDate: $v", json!("soon")),
            (", $v: DateTime", "targetDate: $v", json!(1)),
            (", $v: Boolean", "parentGoalId: $v", json!(true)),
            (", $v: CreateGoalInput", "title: \"third\"", json!({ "title": "x", "targetDate": "soon" })),
            ("", "targetDate: \"soon\"", json!(null)),
            ("", "targetDate: 5", json!(null)),
            ("", "title: \"given twice\"", json!(null)),
            ("", "priority: 2147483648", json!(null)),
        ] {
            let document = two(declared, field);
            let reply = door.refuses(&document, json!({ "p": project, "v": value }), VALIDATE).await;
            assert!(reply.body.get("data").is_none(), "{:#}", reply.body);
        }
        let beyond = "query($n: Int) { feedCursor goals(first: $n) { totalCount } }";
        for number in [json!(2_147_483_648_u64), json!(1.5), json!("1"), json!(1e300)] {
            door.refuses(beyond, json!({ "n": number }), VALIDATE).await;
        }
        let big = "query($n: BigInt) { feedCursor activity(filter: { seq: { eq: $n } }) { totalCount } }";
        for number in [json!("9223372036854775808"), json!(1.5), json!("")] {
            door.refuses(big, json!({ "n": number }), VALIDATE).await;
        }
        before.must_be_that_of(&app).await;
    }

    async fn fields_of_one_name_are_one_field_variables_fit_their_places_and_enums_are_no_strings(app) {
        let door = app.door().await;
        for (document, variables) in [
            ("{ goals(first: 1) { nodes { x: id } } goals(first: 1) { nodes { x: title } } }", json!({})),
            ("{ ...F goals { nodes { x: id } } } fragment F on Query { goals { nodes { x: title } } }", json!({})),
            ("{ goals(first: 1) { totalCount } goals(first: 2) { totalCount } }", json!({})),
            ("query($a: Int!) { goal(id: $a) { id } }", json!({ "a": 1 })),
            ("query($a: ID) { goal(id: $a) { id } }", json!({ "a": "x" })),
            ("query($a: String) { goals(filter: { id: { eq: $a } }) { totalCount } }", json!({ "a": "x" })),
            ("query($a: ID) { nodes(ids: [$a]) { id } }", json!({ "a": "x" })),
            ("query($a: [GoalOrder]) { goals(orderBy: $a) { totalCount } }", json!({ "a": [] })),
            ("{ goals(orderBy: [{ field: \"TITLE\" }]) { totalCount } }", json!({})),
            ("{ goals(filter: { title: { eq: \"a\", eq: \"b\" } }) { totalCount } }", json!({})),
        ] {
            let reply = door.refuses(document, variables, VALIDATE).await;
            assert!(reply.errors()[0]["locations"][0]["line"].is_u64(), "{document} is wrong at no place: {:#}", reply.body);
        }
        // In variables an enum's value is a string: JSON has no other.
        let order = json!({ "a": [{ "field": "TITLE", "direction": "DESC" }] });
        door.ask("query($a: [GoalOrder!]) { goals(orderBy: $a) { totalCount } }", order).await.data();
    }

    async fn escapes_descriptions_and_whole_numbers_mean_what_the_specification_says(app) {
        let (door, owner) = (app.door().await, app.owner().await);
        let project = owner.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let create = "mutation($p: ID!) { createGoal(input: { projectId: $p, title: \"Send an astronaut \\ud83d\\udc69\\u200d\\u{1F680}\" }) { goal { title } } }";
        let made = owner.data(create, json!({ "p": project["projects"]["nodes"][0]["id"] })).await;
        assert_eq!(made["createGoal"]["goal"]["title"], "Send an astronaut \u{1f469}\u{200d}\u{1f680}");
        for escaped in ["\\ud83d\\udc69", "\\u{1F469}", "\\u{0001f469}", "\u{1f469}"] {
            let document = format!("{{ goals(filter: {{ title: {{ contains: \"{escaped}\" }} }}) {{ totalCount }} }}");
            assert_eq!(owner.data(&document, json!({})).await["goals"]["totalCount"], 1, "{document}");
        }
        let described = "\"Counts.\" query Q(\"So many.\" $n: Int) { goals(first: $n) { ...c } } \"\"\"A part.\"\"\" fragment c on GoalConnection { nodes { id } }";
        let body = format!("{{\"query\": {}, \"variables\": {{\"n\": 1.0}}}}", json!(described));
        let reply = Reply::to(door.post(body)).await;
        assert_eq!(reply.data()["goals"]["nodes"].as_array().map(Vec::len), Some(1));
        for nul in ["\\u0000", "\\u{0}", "\\u{0000}"] {
            let body = json!({ "query": format!("{{ node(id: \"{nul}\") {{ id }} }}") });
            Reply::to(door.post(body.to_string())).await.refused(400, "BAD_USER_INPUT", nul);
        }
    }

    async fn what_a_stranger_sends_does_not_keep_the_server_busy(app) {
        let url = &app.url;
        let circle = |count: usize, more: &str| {
            let circle = repeated(count, |n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} {more} }} ", m = (n + 1) % count));
            format!("{{ ...f0 }} {circle}")
        };
        let pages = "projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } }";
        let deep = |open: &str, close: &str| {
            let fragments = repeated(80, |n| format!("fragment f{n} on Node {{ {} ...f{} {} }} ", open.repeat(25), n + 1, close.repeat(25)));
            format!("{{ node(id: 1) {{ ...f0 }} }} {fragments} fragment f80 on Node {{ id }}")
        };
        let shared = "feedCursor ".repeat(4_000);
        for document in [
            circle(26, ""),
            circle(99, ""),
            circle(3, "feedCursor"),
            format!("{{ {pages} ...f }} fragment f on Query {{ ...f }}"),
            format!("{{ {pages} ...f }} fragment f on Query {{ {pages} ...g }} fragment g on Query {{ ... {{ ...f }} }}"),
            "{ feedCursor ...f } fragment f on Query { ...g ...g } fragment g on Query { ...f }".to_owned(),
            deep("... on Node { ", "} "),
            deep("... { ", "} "),
            format!("{} fragment f on Query {{ {shared} }}", repeated(800, |n| format!("query q{n} {{ ...f }} "))),
            format!("{{ {} }} fragment f on ProjectConnection {{ nodes {{ {} }} }}", repeated(700, |n| format!("a{n}: projects {{ ...f }} ")), "id ".repeat(3_000)),
            format!("query($a: ID!) {{ node(id: $a) {{ id }} }} {}", repeated(1_000, |n| format!("query q{n} {{ feedCursor }} "))),
        ] {
            let code = stranger(url, &document, json!({})).await;
            assert!([VALIDATE, "LIMIT_EXCEEDED"].contains(&code.as_str()), "{code} for {document:.100}");
        }
        // The variables are looked through once, too.
        let filter = "query($f: GoalFilter) { goals(filter: $f) { totalCount } }";
        let mut nested = json!({ "id": { "eq": "x" } });
        for _ in 0..40 {
            nested = json!({ "and": [nested, { "id": { "in": ["a", "b", "c"] } }] });
        }
        assert_eq!(stranger(url, filter, json!({ "f": nested })).await, "UNAUTHENTICATED");
    }

    async fn what_takes_much_to_answer_is_refused(app) {
        let url = &app.url;
        let fields = repeated(189, |n| format!("a{n}: fields(includeDeprecated: true) {{ name description type {{ name kind }} }} "));
        let texts = repeated(199, |n| format!("a{n}: fullText "));
        let ids = repeated(200, |n| format!("\"id{n}\" "));
        let related = |levels: usize| {
            let (open, close) = ("project: { goals: { some: { ".repeat(levels), "} } } ".repeat(levels));
            format!("{{ goals(filter: {{ {open} title: {{ contains: \"z\" }} {close} }}) {{ totalCount }} }}")
        };
        for document in [
            format!("{{ __schema {{ types {{ {fields} }} }} }}"),
            format!("{{ transcripts(first: 8) {{ nodes {{ {texts} }} }} }}"),
            format!("{{ nodes(ids: [{ids}]) {{ ... on Transcript {{ {} }} }} }}", repeated(10, |n| format!("a{n}: fullText "))),
            related(5),
            "{ projects(first: 200) { nodes { goals(first: 200, filter: { tickets: { some: { jobs: { some: { prUrl: { contains: \"z\" } } } } } }) { totalCount } } } }".to_owned(),
        ] {
            assert_eq!(stranger(url, &document, json!({})).await, "COST_EXCEEDED", "{document:.100}");
        }
        let ids = (0..200).map(|n| format!("id{n}")).collect::<Vec<_>>();
        let nodes = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Transcript {{ {} }} }} }}", repeated(10, |n| format!("a{n}: fullText ")));
        assert_eq!(stranger(url, &nodes, json!({ "ids": ids })).await, "COST_EXCEEDED");
    }

    async fn a_document_that_is_kept_is_asked_with_other_variables(app) {
        let door = Door::new(&app.url, &app.token("demo", "owner").await);
        let document = "query($n: Int, $with: Boolean! = false) { projects(first: $n) { nodes { id name @include(if: $with) } } }";
        for round in 0..3 {
            for (variables, rows) in [(json!({ "n": 1 }), 1), (json!({ "n": 2, "with": true }), 2)] {
                let reply = door.ask(document, variables.clone()).await;
                let nodes = reply.data()["projects"]["nodes"].as_array().expect("rows").clone();
                assert_eq!((nodes.len(), nodes[0].get("name").is_some()), (rows, variables.get("with").is_some()), "round {round}");
            }
            assert_eq!(door.ask(document, json!({ "n": "x" })).await.code(), VALIDATE);
            // A variable that was not sent leaves its argument to its default.
            let search = "query($n: Int) { search(query: \"checkout\", first: $n) { nodes { title } } }";
            door.ask(search, json!({})).await.data();
            assert_eq!(door.ask(document, json!({ "n": 201 })).await.code(), "LIMIT_EXCEEDED");
        }
    }
}
