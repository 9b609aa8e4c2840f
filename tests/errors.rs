//! Every error as a client sees it: an example of each code, provoked over HTTP.

use crate::{
    hostile::deadlines::{hold, release},
    support::{ACME, DEMO, Database, Door, Events, Reply, TestApp, must_tell_nothing},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use workgraph::http::Limits;

/// The errors, so that their codes can be read off the source.
const SOURCE: &str = include_str!("../api/src/error.rs");

/// The examples gathered so far.
#[derive(Default)]
struct Examples(Vec<Value>);

impl Examples {
    /// Adds the one error of an answer, without what differs from run to run.
    fn add(&mut self, of: &str, reply: &Reply) {
        let [error] = reply.errors() else {
            panic!("{of} has not one error: {:#}", reply.body)
        };
        self.add_error(of, reply.status, error);
    }

    fn add_error(&mut self, of: &str, status: u16, error: &Value) {
        let mut extensions = error["extensions"].clone();
        assert!(extensions["requestId"].is_string(), "{error:#}");
        extensions["requestId"] = json!("[requestId]");
        if extensions["cursor"].is_string() {
            extensions["cursor"] = json!("[cursor]");
        }
        let mut message = error["message"].as_str().expect("text").to_owned();
        if !extensions["retryAfterMs"].is_null() {
            extensions["retryAfterMs"] = json!("[milliseconds]");
            message = message.replace(|letter: char| letter.is_ascii_digit(), "n");
        }
        self.0.push(json!({
            "example": of, "status": status, "message": message, "path": error["path"], "extensions": extensions,
        }));
    }
}

on_both_databases! {
    async fn every_error_looks_like_this(app) {
        let mut examples = Examples::default();
        operations(&app, &mut examples).await;
        requests(&app, &mut examples).await;
        streams(&app, &mut examples).await;
        troubles(app.database, &mut examples).await;
        let shown: BTreeSet<_> = examples.0.iter().map(|example| example["extensions"]["code"].as_str().expect("a code").to_owned()).collect();
        assert_eq!(shown, codes(), "an example of each code");
        insta::assert_json_snapshot!("errors", examples.0);
    }
}

/// The codes that there are.
fn codes() -> BTreeSet<String> {
    let from = SOURCE
        .find("pub fn code(")
        .expect("the codes are given there");
    let part = &SOURCE[from..];
    let part = &part[..part.find("\n    }\n").expect("it ends")];
    let codes: BTreeSet<_> = part
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert!(codes.len() > 10, "{codes:?}");
    codes
}

/// What an operation does wrong.
async fn operations(app: &TestApp, examples: &mut Examples) {
    let owner = app.door().await;
    let viewer = Door::new(&app.url, &app.token(DEMO, "viewer").await);
    let create = "mutation($name: String!, $key: String, $color: String) {
        createProject(input: { name: $name, slug: \"twice\", color: $color, idempotencyKey: $key }) { project { id } } }";
    let first = json!({ "name": "Once", "key": "k" });
    let project = owner.ask(create, first).await.data()["createProject"]["project"]["id"].clone();
    let goal = "mutation($project: ID!) { createGoal(input: { projectId: $project, title: \"Done\" }) { goal { id } } }";
    let goal = owner.ask(goal, json!({ "project": project })).await;
    let goal = &goal.data()["createGoal"]["goal"]["id"];
    let update = "mutation($id: ID!, $status: GoalStatus) { updateGoal(input: { id: $id, status: $status }) { goal { status } } }";
    let achieved = json!({ "id": goal, "status": "ACHIEVED" });
    owner.ask(update, achieved).await.data();
    let page = "query($after: Cursor, $first: Int) { tickets(first: $first, after: $after) { nodes { id } } }";
    let (open, close) = ("goals { nodes { project { ".repeat(9), " } } }".repeat(9));
    let deep = format!("{{ projects {{ nodes {{ {open} id {close} }} }} }}");
    let dear = "{ projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } } }";
    let required = "query($id: ID!) { project(id: $id) { id } }";
    let sign_in = "mutation { signIn(input: {
        workspace: \"demo\", email: \"nobody@demo.example\", password: \"wrong password\" }) { accessToken } }";
    let asked = [
        (
            "a key used again",
            create,
            json!({ "name": "Other", "key": "k" }),
        ),
        ("a name taken", create, json!({ "name": "Twice" })),
        (
            "a wrong field",
            create,
            json!({ "name": "Red", "color": "red" }),
        ),
        (
            "a step that is none",
            update,
            json!({ "id": goal, "status": "ABANDONED" }),
        ),
        ("a row that is not there", update, json!({ "id": "nobody" })),
        ("a damaged cursor", page, json!({ "after": "bm8gY3Vyc29y" })),
        ("too large a page", page, json!({ "first": 201 })),
        (
            "a variable of another type",
            page,
            json!({ "first": "many" }),
        ),
        ("a variable that was not sent", required, json!({})),
        ("too deep a document", &deep, json!({})),
        ("too dear a document", dear, json!({})),
        ("no GraphQL", "{ feedCursor", json!({})),
        ("no such field", "{ nothing }", json!({})),
        ("a wrong password", sign_in, json!({})),
    ];
    for (of, query, variables) in asked {
        examples.add(of, &owner.ask(query, variables).await);
    }
    let low = viewer.ask(create, json!({ "name": "Viewer's" })).await;
    examples.add("a role too low", &low);
    let unknown = json!({ "query": "query a { feedCursor }", "operationName": "b" });
    let unknown = Reply::to(owner.post(unknown.to_string())).await;
    examples.add("no such operation", &unknown);
}

/// What a request does wrong.
async fn requests(app: &TestApp, examples: &mut Examples) {
    const GOOD: &str = "{\"query\": \"{ feedCursor }\"}";
    let door = app.door().await;
    let theirs = app.client(ACME, "owner").await;
    let theirs = theirs
        .data("{ projects(first: 1) { nodes { id } } }", json!({}))
        .await;
    let theirs = theirs["projects"]["nodes"][0]["id"]
        .as_str()
        .expect("an id");
    let nowhere = app.url.replace("/graphql", "/nothing");
    let mutation = "query=mutation%7BsignOut(input%3A%7B%7D)%7BsignedOut%7D%7D";
    let cookie = format!("workgraph_access={}", door.token);
    let foreign_page = reqwest::Client::new().post(&app.url);
    let foreign_page = foreign_page
        .header("cookie", cookie)
        .header("origin", "https://evil.example");
    let foreign_page = foreign_page
        .header("content-type", "application/json")
        .body(GOOD);
    for (of, request) in [
        (
            "no token",
            reqwest::Client::new()
                .post(&app.url)
                .json(&json!({ "query": "{ feedCursor }" })),
        ),
        (
            "a token that does not hold",
            Door::new(&app.url, "x").post(GOOD),
        ),
        ("a cookie sent by another site's page", foreign_page),
        (
            "another workspace's project",
            door.post(GOOD).header("x-project-id", theirs),
        ),
        ("no JSON", door.post("{")),
        ("a batch", door.post("[]")),
        ("no query", door.post("{}")),
        (
            "only the hash of a query",
            door.post("{\"extensions\": {\"persistedQuery\": {\"version\": 1, \"sha256Hash\": \"ecf4\"}}}"),
        ),
        (
            "variables that are no object",
            door.post("{\"query\": \"{ feedCursor }\", \"variables\": 1}"),
        ),
        (
            "a NUL",
            door.post("{\"query\": \"{ feedCursor }\", \"variables\": {\"a\": \"\\u0000\"}}"),
        ),
        ("no media type", door.request(Method::POST).body(GOOD)),
        (
            "a media type that there is not",
            door.post(GOOD).header("accept", "image/png"),
        ),
        ("a method that there is not", door.request(Method::PUT)),
        ("a mutation by GET", door.get(mutation)),
        (
            "an address that there is not",
            Door::new(&nowhere, &door.token).request(Method::GET),
        ),
        ("too large a body", door.post(" ".repeat(262_145))),
        (
            "an id of a document that there is not",
            door.post("{\"documentId\": \"unknown\"}"),
        ),
        (
            "a document that is not trusted where only trusted ones run",
            Door::new(&app.trusting_only().await, &door.token).post(GOOD),
        ),
    ] {
        examples.add(of, &Reply::to(request).await);
    }
}

/// What ends a stream that had begun.
async fn streams(app: &TestApp, examples: &mut Examples) {
    let owner = app.owner().await;
    let page = owner.data("{ feedCursor }", json!({})).await;
    for name in ["forgotten", "kept"] {
        let create =
            "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
        owner.data(create, json!({ "name": name })).await;
    }
    app.connection
        .tamper("DELETE FROM audit_logs WHERE \"targetTitle\" = 'forgotten'")
        .await;
    let follow = "subscription { activity { position } }";
    let after = page["feedCursor"].as_str();
    let mut events = Events::open(&app.url, &app.token(DEMO, "owner").await, follow, after).await;
    let ended = loop {
        let (_, _, data) = events.next().await.expect("an event");
        if data["errors"].is_array() {
            break data;
        }
    };
    must_tell_nothing(&ended["errors"][0]);
    examples.add_error(
        "what a stream would show next is gone",
        200,
        &ended["errors"][0],
    );
}

/// What goes wrong though the client does nothing wrong, each on a server that has the trouble.
async fn troubles(database: Database, examples: &mut Examples) {
    let limits = Limits {
        operation_seconds: 1,
        ..Limits::default()
    };
    let app = TestApp::start_with(database, limits).await;
    let door = app.door().await;
    let create = "mutation { createProject(input: { name: \"Late\" }) { feedCursor } }";
    let lock = hold(&app).await;
    examples.add("an operation too slow", &door.ask(create, json!({})).await);
    release(lock).await;
    let app = TestApp::start(database).await;
    let door = app.door().await;
    app.execute("DROP TABLE channel_routes").await;
    let fault = "{ channelRoutes { totalCount } }";
    examples.add("a fault of ours", &door.ask(fault, json!({})).await);
    app.store.close().await;
    let away = "{ projects { totalCount } }";
    examples.add("no database", &door.ask(away, json!({})).await);
    let limits = Limits {
        requests_per_minute: 1,
        ..Limits::default()
    };
    let app = TestApp::start_with(database, limits).await;
    let door = app.door().await;
    door.ask("{ feedCursor }", json!({})).await.data();
    let reply = door.ask("{ feedCursor }", json!({})).await;
    let wait: Option<u64> = reply.header("retry-after").parse().ok();
    assert!(
        wait.is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{reply:#?}"
    );
    examples.add("too many requests", &reply);
}
