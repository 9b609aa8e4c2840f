//! An answer is bounded while it is made, in bytes and in time.

use crate::support::{Client, DEMO, Door, TestApp};
use serde_json::json;
use std::{fmt::Write, time::Instant};
use workgraph::http::Limits;

const BYTES: u64 = 10_000;

/// The largest value in these answers: an answer is stopped when it is one value over the limit at most.
const LARGEST: u64 = 40_000;

/// The same field under so many names.
fn often(field: &str, times: usize) -> String {
    (0..times).fold(String::new(), |mut fields, n| {
        let _ = write!(fields, "a{n}: {field} ");
        fields
    })
}

/// Operations that few rows suffice for to answer with a lot, each by another kind of value.
async fn large(app: &TestApp, owner: &Client) -> Vec<(&'static str, String)> {
    // As a meeting's transcript and a brief's description may be.
    let text = "word, \" and \\ ".repeat(2_000);
    let description = &text[..4_900];
    app.connection
        .tamper(&format!("UPDATE transcripts SET \"fullText\" = '{text}'"))
        .await;
    app.execute(&format!("UPDATE goals SET description = '{description}'"))
        .await;
    let ids = owner
        .data("{ goals(first: 3) { nodes { id } } }", json!({}))
        .await;
    let ids: Vec<_> = ids["goals"]["nodes"]
        .as_array()
        .expect("goals")
        .iter()
        .map(|goal| goal["id"].to_string())
        .collect();
    let ids = vec![ids.join(" "); 10].join(" ");
    vec![
        (
            "a large column",
            format!(
                "{{ transcripts(first: 1) {{ nodes {{ {} }} }} }}",
                often("fullText", 150)
            ),
        ),
        (
            "an ordinary column",
            format!(
                "{{ goals(first: 1) {{ nodes {{ {} }} }} }}",
                often("description", 150)
            ),
        ),
        (
            "ids",
            format!(
                "{{ nodes(ids: [{ids}]) {{ ... on Goal {{ {} }} }} }}",
                often("description", 20)
            ),
        ),
        (
            "small values",
            format!("{{ goals {{ nodes {{ {} }} }} }}", often("id", 190)),
        ),
        (
            "short lists",
            format!(
                "{{ tickets(first: 200) {{ nodes {{ {} }} }} }}",
                often("skills", 190)
            ),
        ),
        (
            "names of types",
            format!("{{ goals {{ nodes {{ {} }} }} }}", often("__typename", 190)),
        ),
        (
            "the schema",
            format!("{{ __schema {{ types {{ {} }} }} }}", often("name", 100)),
        ),
    ]
}

on_both_databases! {
    async fn an_answer_that_would_be_too_large_is_never_whole(app) {
        let limits = |answer_bytes| Limits {
            answer_bytes, operation_cost: 1_000_000_000, ..crate::support::limits()
        };
        let database = app.database;
        let bounded = TestApp::start_with(database, limits(BYTES)).await;
        let free = TestApp::start_with(database, limits(1 << 30)).await;
        for (app, is_bounded) in [(bounded, true), (free, false)] {
            let (door, owner) = (app.door().await, app.owner().await);
            for (what, query) in large(&app, &owner).await {
                let reply = door.ask(&query, json!({})).await;
                if !is_bounded {
                    reply.data();
                    let size = reply.body.to_string().len();
                    assert!(size as u64 > BYTES, "{what} has {size} bytes");
                    continue;
                }
                let [error] = reply.errors() else { panic!("{what}: {:#}", reply.body) };
                let extensions = &error["extensions"];
                assert_eq!(extensions["code"], "LIMIT_EXCEEDED", "{what}: {error:#}");
                assert!(reply.body.get("data").is_none_or(serde_json::Value::is_null), "{what}");
                let limit = extensions["limit"].as_u64().expect("a number");
                assert!([BYTES, 4 * BYTES].contains(&limit), "{what}: {error:#}");
                let actual = extensions["actual"].as_u64().expect("a number");
                assert!(actual > limit && actual < limit + LARGEST, "{what} was stopped at {actual}");
                let message = error["message"].as_str().expect("text");
                assert!(message.contains("WORKGRAPH_ANSWER_BYTES") && message.contains("smaller pages"), "{message}");
            }
            // The server goes on.
            door.ask("{ viewer { user { name } } }", json!({})).await.data();
        }
    }

    async fn what_an_operation_reads_is_bounded_too(app) {
        let app = TestApp::start_with(app.database, Limits { answer_bytes: 2_000, ..crate::support::limits() }).await;
        let text = "x".repeat(4_900);
        app.execute(&format!("UPDATE goals SET description = '{text}'")).await;
        // Nothing of the descriptions is answered, but they are read: columns are chosen for the whole operation.
        let query = "{ goals { nodes { id } } goal(id: \"none\") { description } }";
        let reply = app.door().await.ask(query, json!({})).await;
        let [error] = reply.errors() else { panic!("{:#}", reply.body) };
        assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED");
        assert_eq!(error["extensions"]["limit"], 8_000);
        assert!(error["message"].as_str().expect("text").contains("four times WORKGRAPH_ANSWER_BYTES"), "{error:#}");
    }

    async fn a_mutation_whose_answer_is_too_large_has_been_made(app) {
        let app = TestApp::start_with(app.database, Limits { answer_bytes: 5_000, ..crate::support::limits() }).await;
        let name = "n".repeat(60);
        let create = format!(
            "mutation {{
                small: createProject(input: {{ name: \"Small\" }}) {{ project {{ name }} }}
                large: createProject(input: {{ name: \"{name}\", idempotencyKey: \"once\" }}) {{ project {{ id {} }} }}
                never: createProject(input: {{ name: \"Never\" }}) {{ project {{ name }} }}
            }}",
            often("name", 150),
        );
        let owner = app.door().await;
        let reply = owner.ask(&create, json!({})).await;
        let answered = json!({ "small": { "project": { "name": "Small" } }, "large": null, "never": null });
        assert_eq!(reply.body["data"], answered, "{:#}", reply.body);
        let [large, never] = reply.errors() else { panic!("{:#}", reply.body) };
        assert_eq!((&large["path"][0], &never["path"]), (&json!("large"), &json!(["never"])));
        let of = |error: &serde_json::Value| (error["extensions"]["code"].clone(), error["extensions"].get("committed").cloned());
        assert_eq!((of(large), of(never)), ((json!("LIMIT_EXCEEDED"), Some(json!(true))), (json!("LIMIT_EXCEEDED"), None)));
        let message = large["message"].as_str().expect("text");
        assert!(message.ends_with("What the mutation wrote is committed."), "{message}");
        let never = "{ projects(filter: { name: { eq: \"Never\" } }) { totalCount } }";
        assert_eq!(owner.ask(never, json!({})).await.data()["projects"]["totalCount"], 0);
        let count = format!("{{ projects(filter: {{ name: {{ eq: \"{name}\" }} }}) {{ totalCount }} }}");
        assert_eq!(owner.ask(&count, json!({})).await.data()["projects"]["totalCount"], 1);
        app.verify_ledger(DEMO).await;
    }

    async fn the_fields_that_are_answered_at_once_are_bounded(app) {
        let app = TestApp::start_with(app.database, Limits { pending_fields: 300, ..crate::support::limits() }).await;
        let owner = app.door().await;
        // The rows wait for two relations each, whose rows are read together.
        let rows = |first: usize| format!("{{ activity(first: {first}) {{ nodes {{ a: project {{ id }} b: project {{ name }} }} }} }}");
        let reply = owner.ask(&rows(200), json!({})).await;
        let [error] = reply.errors() else { panic!("{:#}", reply.body) };
        assert_eq!((&error["extensions"]["code"], &error["extensions"]["limit"]), (&json!("LIMIT_EXCEEDED"), &json!(300)));
        let message = error["message"].as_str().expect("text");
        assert!(message.contains("WORKGRAPH_PENDING_FIELDS") && message.contains("smaller pages"), "{message}");
        assert!(reply.body.get("data").is_none());
        // Columns of rows that are there wait for nothing, however many there are.
        let columns = format!("{{ activity(first: 100) {{ nodes {{ {} }} }} }}", often("action", 190));
        owner.ask(&columns, json!({})).await.data();
        owner.ask(&rows(50), json!({})).await.data();
    }

    async fn of_many_errors_a_few_are_told_and_how_many_more_there_are(app) {
        let viewer = Door::new(&app.url, &app.token(DEMO, "viewer").await);
        let name = |n: usize| format!("{}{n:03}", "a".repeat(253));
        let fields: String = (0..50).map(|n| format!("{}: apiUsages {{ totalCount }} ", name(n))).collect();
        let reply = viewer.ask(&format!("{{ projects(first: 1) {{ nodes {{ {fields} }} }} }}"), json!({})).await;
        let errors = reply.errors();
        assert_eq!(errors.len(), 21);
        assert!(errors[..20].iter().all(|error| error["extensions"]["code"] == "FORBIDDEN"), "{:#}", errors[0]);
        assert_eq!(errors[20]["message"], "And 30 more errors like these.");
        assert_eq!((&errors[20]["extensions"]["limit"], &errors[20]["extensions"]["actual"]), (&json!(20), &json!(50)));
        // What became of each mutation is told all the same.
        let member = Door::new(&app.url, &app.token(DEMO, "member").await);
        let project = member.ask("{ projects(first: 1) { nodes { id } } }", json!({})).await.data()["projects"]["nodes"][0]["id"].clone();
        let nested: String = (0..25).map(|n| format!("a{n}: connectedIntegrations {{ totalCount }} ")).collect();
        let mutations = format!(
            "mutation($project: ID!) {{
                made: createGoal(input: {{ projectId: $project, title: \"One\" }}) {{ goal {{ createdBy {{ {nested} }} }} }}
                refused: createAgentToken(input: {{ name: \"x\", roleSlugs: [\"dev_agent\"] }}) {{ token }}
            }}"
        );
        let reply = member.ask(&mutations, json!({ "project": project })).await;
        assert_eq!(reply.body["data"]["refused"], json!(null));
        assert!(reply.errors().iter().any(|error| error["path"] == json!(["refused"])), "{:#}", reply.body);
        let longer = format!("{{ a{}: feedCursor }}", name(0));
        viewer.refuses(&longer, json!({}), "LIMIT_EXCEEDED").await;
    }

    async fn the_clock_stops_an_operation_that_waits_for_nothing(app) {
        let limits = Limits {
            operation_seconds: 1,
            answer_bytes: 1 << 30,
            operation_cost: 1_000_000_000,
            operation_fields: 500_000,
            operation_aliases: 5_000,
            document_bytes: 1 << 20,
            document_tokens: 100_000,
            ..crate::support::limits()
        };
        let app = TestApp::start_with(app.database, limits).await;
        let fields = "fields(includeDeprecated: true) { name description args { name description defaultValue type { name kind ofType { name } } } }";
        let query = format!("{{ __schema {{ types {{ {} }} }} }}", often(fields, 800));
        let columns = format!("{{ activity(first: 200) {{ nodes {{ {} }} }} }}", "seq ".repeat(60_000));
        let door = Door::new(&app.url, &app.token(DEMO, "owner").await);
        for query in [query, columns] {
            let begun = Instant::now();
            let reply = door.ask(&query, json!({})).await;
            reply.refused(504, "DEADLINE_EXCEEDED", "what waits for nothing");
            assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
        }
    }
}
