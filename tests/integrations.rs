//! Other services are asked before they count: a local one behaves as the real ones do.

mod disconnecting;
mod providers;

use crate::{
    support::{Client, DEMO},
    vault::connected,
    writes::{Made, head},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use workgraph::background::run_due;

const TEST: &str = "mutation($input: TestIntegrationInput!) { testIntegration(input: $input) { outcome message shows retryAfterSeconds } }";
const CONNECT: &str = "mutation($input: ConnectIntegrationInput!) { connectIntegration(input: $input) { integrationConnection {
    id name label status metadata lastTestedAt lastError connectedAt connectedBy { role } } } }";
const RETEST: &str = "mutation($id: ID!) { retestIntegration(input: { id: $id }) { integrationConnection { status lastError } } }";
const ADD: &str = "mutation($input: AddAiProviderInput!) { addAiProvider(input: $input) { credential { id name hint health baseUrl } } }";
const PROBE: &str = "mutation($id: ID!) { probeAiProvider(input: { id: $id }) { credential { health lastError } } }";

fn given(service: &str, values: &[(&str, &str)]) -> Value {
    let values: Vec<_> = values
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    json!({ "service": service, "values": values })
}

/// What each service needs, with a secret in it that does as it is called.
fn each(word: &str) -> Vec<(Value, String, &'static str)> {
    let secret = format!("{word}-secret-of-tests");
    let secret = secret.as_str();
    vec![
        (
            given(
                "JIRA",
                &[
                    ("site", "acme"),
                    ("email", "ada@example.com"),
                    ("apiToken", secret),
                ],
            ),
            "GET /rest/api/3/myself ".into(),
            "Basic ",
        ),
        (
            given("SLACK", &[("botToken", secret)]),
            "POST /api/auth.test ".into(),
            "Bearer ",
        ),
        (
            given("GITHUB", &[("token", secret)]),
            "GET /user ".into(),
            "Bearer ",
        ),
        (
            given("LINEAR", &[("apiKey", secret)]),
            "POST /graphql ".into(),
            "",
        ),
        (
            given("NOTION", &[("token", secret)]),
            "GET /v1/users/me ".into(),
            "Bearer ",
        ),
    ]
}

async fn health(client: &Client, id: &Value) -> Value {
    let data = client
        .data(
            "query($id: ID!) { credential(id: $id) { health } }",
            json!({ "id": id }),
        )
        .await;
    data["credential"]["health"].clone()
}

on_both_databases! {
    async fn each_service_is_asked_in_its_own_way_and_connected_once(app) {
        let owner = app.owner().await;
        for (mut input, line, scheme) in each("good") {
            input["label"] = json!("Tried");
            let before = head(&owner).await;
            let tested = owner.data(TEST, json!({ "input": { "service": input["service"], "values": input["values"] } })).await["testIntegration"].clone();
            assert_eq!((&tested["outcome"], &tested["message"]), (&json!("ACCEPTED"), &Value::Null), "{input}");
            assert_eq!(head(&owner).await, before, "a test writes nothing");
            let connected = owner.data(CONNECT, json!({ "input": input })).await["connectIntegration"]["integrationConnection"].clone();
            assert_eq!((&connected["status"], &connected["connectedBy"]["role"]), (&json!("CONNECTED"), &json!("OWNER")));
            assert!(connected["lastTestedAt"].is_string() && !connected.to_string().contains("secret"), "{connected}");
            let shown = connected["metadata"].as_object().expect("an object");
            assert!(shown.values().any(|value| ["Ada", "ada", "Acme", "ada@example.com", "Workgraph"].iter().any(|name| value == name)), "{connected}");
            let asked = app.outside.heard().pop().expect("it was asked");
            assert!(asked.starts_with(&line), "{asked}");
            // Base64 of the address and the token for Jira, the secret itself elsewhere.
            let sent = if scheme == "Basic " { "YWRhQGV4YW1wbGUuY29tOmdvb2Qtc2VjcmV0LW9mLXRlc3Rz" } else { "good-secret-of-tests" };
            assert!(asked.contains(&format!("authorization: {scheme}{sent}\r\n")), "{asked}");
            assert!(asked.contains("user-agent: workgraph/"), "{asked}");
            let entries = owner.data(
                "query($after: BigInt!) { activity(first: 10, filter: { seq: { gt: $after } }) { nodes { action } } }",
                json!({ "after": before.to_string() }),
            ).await;
            assert_eq!(entries["activity"]["nodes"], json!([{ "action": "integration.connected" }, { "action": "credential.created" }]));
        }
    }

    async fn what_a_service_does_not_take_writes_nothing(app) {
        let owner = app.owner().await;
        let saved = connected(&owner, "Saved", "good-saved-token").await;
        let before = head(&owner).await;
        let rows = async || owner.data("{ integrationConnections { totalCount } credentials { totalCount } }", json!({})).await;
        let counted = rows().await;
        for (word, outcome, code, told) in [
            ("wrong", "REJECTED", "BAD_USER_INPUT", "does not take this"),
            ("broken", "UNREACHABLE", "UNAVAILABLE", "answered 500"),
            ("redirect", "UNREACHABLE", "UNAVAILABLE", "not followed"),
            ("busy", "UNREACHABLE", "UNAVAILABLE", "in 30 s"),
            ("garbled", "UNREACHABLE", "UNAVAILABLE", "does not speak HTTP"),
            ("huge", "UNREACHABLE", "UNAVAILABLE", "more than it should"),
        ] {
            // What Jira is given is not to be read in what it is sent.
            for (input, ..) in each(word).into_iter().skip(1) {
                let tested = owner.data(TEST, json!({ "input": input })).await["testIntegration"].clone();
                assert_eq!(tested["outcome"], outcome, "{word} {tested}");
                assert!(tested["message"].as_str().is_some_and(|message| message.contains(told)), "{word} {tested}");
                assert_eq!(tested["retryAfterSeconds"], if word == "busy" { json!(30) } else { Value::Null });
            }
            let mut input = given("GITHUB", &[("token", &format!("{word}-secret-of-tests"))]);
            input["label"] = json!("Saved");
            let refused = owner.send(CONNECT, json!({ "input": input })).await;
            assert_eq!(refused.code(), code, "{word}: {}", refused.body);
            assert!(refused.body.to_string().contains(told) && !refused.body.to_string().contains("secret"), "{}", refused.body);
        }
        assert_eq!((head(&owner).await, rows().await), (before, counted));
        let followed = app.outside.heard().iter().filter(|request| request.contains("/elsewhere")).count();
        assert_eq!(followed, 0, "a redirect is not followed with a secret");
        // What was saved is still what it was.
        owner.data(RETEST, json!({ "id": saved })).await;
        assert!(app.outside.heard().pop().expect("it was asked").contains("good-saved-token"));
        for (values, told) in [
            (given("GITHUB", &[]), ""),
            (given("GITHUB", &[("token", "x"), ("token", "x")]), "twice"),
            (given("GITHUB", &[("password", "x")]), "something else"),
            (given("JIRA", &[("apiToken", "x"), ("email", "a@b.c")]), "lacks `site`"),
            (given("JIRA", &[("apiToken", "x"), ("email", "a@b.c"), ("site", "evil.example/")]), "site"),
            (given("TWILIO", &[("token", "x")]), "cannot be connected here yet"),
        ] {
            let refused = owner.send(TEST, json!({ "input": values })).await;
            assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&refused.code().as_str()) && refused.body.to_string().contains(told), "{}", refused.body);
        }
    }

    async fn a_slow_service_holds_up_nobody_else(app) {
        let owner = app.owner().await;
        let slow = given("GITHUB", &[("token", "slow-secret-of-tests")]);
        let asked = (0..6).map(|_| owner.send(TEST, json!({ "input": slow.clone() })));
        let quick = async {
            for _ in 0..20 {
                connected(&app.client("acme", "owner").await, "Quick", "good-token").await;
            }
        };
        let (slow, ()) = tokio::join!(join_all(asked), quick);
        let told: Vec<_> = slow.iter().map(|answer| match answer.body.get("errors") {
            Some(_) => answer.code(),
            None => answer.body["data"]["testIntegration"]["message"].as_str().expect("a message").to_owned(),
        }).collect();
        let silent = told.iter().filter(|told| told.contains("did not answer in time")).count();
        let refused = told.iter().filter(|told| *told == "UNAVAILABLE").count();
        assert!(silent > 0 && silent <= 4 && silent + refused == 6, "{told:?}");
    }

    async fn a_connection_is_as_its_service_says(app) {
        let owner = app.owner().await;
        let id = connected(&owner, "Watched", "good-watched-token").await;
        let retest = async || {
            let tested = owner.data(RETEST, json!({ "id": id })).await;
            tested["retestIntegration"]["integrationConnection"].clone()
        };
        assert_eq!(retest().await, json!({ "status": "CONNECTED", "lastError": null }));
        app.outside.breaks(true);
        let lost = retest().await;
        assert_eq!(lost["status"], "ERROR");
        assert!(lost["lastError"].as_str().is_some_and(|error| error.contains("GitHub answered 500")), "{lost}");
        app.outside.breaks(false);
        assert_eq!(retest().await["status"], "CONNECTED");
        // It goes back on its token.
        app.outside.rejects(true);
        assert_eq!(retest().await["status"], "ACTION_NEEDED");
        app.outside.rejects(false);
        app.outside.breaks(true);
        assert_eq!(retest().await["status"], "ACTION_NEEDED", "nobody knows better");
        app.outside.breaks(false);
        assert_eq!(retest().await["status"], "CONNECTED");
        let disconnect = "mutation($id: ID!) { disconnectIntegration(input: { id: $id }) { integrationConnection { status metadata } } }";
        let gone = owner.data(disconnect, json!({ "id": id })).await;
        assert_eq!(gone["disconnectIntegration"]["integrationConnection"], json!({ "status": "DISCONNECTED", "metadata": {} }));
        let credentials = "{ credentials(filter: { name: { eq: \"github/Watched\" } }) { totalCount } }";
        assert_eq!(owner.data(credentials, json!({})).await["credentials"]["totalCount"], 0);
        assert_eq!(owner.code(RETEST, json!({ "id": id })).await, "CONFLICT");
        let before = head(&owner).await;
        owner.data(disconnect, json!({ "id": id })).await;
        assert_eq!(head(&owner).await, before, "it stays as it is");
        assert_eq!(connected(&owner, "Watched", "good-other-token").await, id);
        app.verify_ledger(DEMO).await;
    }

    async fn slack_takes_its_token_back(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        for (broken, told) in [(false, "has taken its token back"), (true, "has not taken its token back")] {
            let mut input = given("SLACK", &[("botToken", "good-slack-token")]);
            input["label"] = json!("Given up");
            let id = made.run("connectIntegration", input).await;
            app.outside.breaks(broken);
            made.run("disconnectIntegration", json!({ "id": id })).await;
            app.outside.breaks(false);
            let asked = app.outside.heard().pop().expect("it was asked");
            assert!(asked.starts_with("POST /api/auth.revoke ") && asked.contains("Bearer good-slack-token"), "{asked}");
            let entry = owner.data(
                "query($id: ID!) { activity(first: 1, filter: { targetId: { eq: $id } }) { nodes { action message } } }", json!({ "id": id }),
            ).await["activity"]["nodes"][0].clone();
            assert_eq!(entry["action"], "integration.disconnected");
            assert!(entry["message"].as_str().is_some_and(|message| message.contains(told)), "{entry}");
        }
    }

    async fn a_provider_of_models_is_counted_on_while_it_answers(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let add = json!({ "provider": "GOOGLE", "apiKey": "good-google-key-Ab3d" });
        let added = owner.data(ADD, json!({ "input": add })).await["addAiProvider"]["credential"].clone();
        assert_eq!((&added["name"], &added["hint"], &added["health"]), (&json!("google"), &json!("Ab3d"), &json!("HEALTHY")));
        assert!(app.outside.heard().pop().expect("it was asked").contains("x-goog-api-key: good-google-key-Ab3d"));
        assert_eq!(owner.code(ADD, json!({ "input": add })).await, "CONFLICT");
        let id = &added["id"];
        // Another key, if it is taken.
        let rotate = "mutation($id: ID!, $key: String!) { rotateAiProvider(input: { id: $id, apiKey: $key }) { credential { hint rotatedAt } } }";
        assert_eq!(owner.code(rotate, json!({ "id": id, "key": "wrong-google-key" })).await, "BAD_USER_INPUT");
        let rotated = owner.data(rotate, json!({ "id": id, "key": "good-google-key-Zz9z" })).await;
        assert_eq!(rotated["rotateAiProvider"]["credential"]["hint"], "Zz9z");
        let probe = async || owner.data(PROBE, json!({ "id": id })).await["probeAiProvider"]["credential"]["health"].clone();
        assert_eq!(probe().await, "HEALTHY");
        assert!(app.outside.heard().pop().expect("it was asked").contains("good-google-key-Zz9z"));
        app.outside.breaks(true);
        assert_eq!(probe().await, "HEALTHY", "one failure says little");
        assert_eq!(probe().await, "DEGRADED");
        run_due(&app.store).await.expect("runs");
        assert_eq!(health(&owner, id).await, "DEGRADED");
        app.outside.breaks(false);
        app.wait(std::time::Duration::from_secs(121));
        let before = head(&owner).await;
        run_due(&app.store).await.expect("runs");
        assert_eq!(health(&owner, id).await, "HEALTHY");
        let entry = owner.data(
            "query($id: ID!, $after: BigInt!) { activity(first: 5, filter: { targetId: { eq: $id }, seq: { gt: $after } }) { nodes { action actor } } }",
            json!({ "id": id, "after": before.to_string() }),
        ).await;
        assert_eq!(entry["activity"]["nodes"], json!([{ "action": "ai_provider.probed", "actor": "system:integrations" }]));
        app.outside.rejects(true);
        assert_eq!(probe().await, "FAILING");
        // Nobody is asked with a key that was rejected until somebody sees to it.
        app.wait(std::time::Duration::from_secs(61));
        let asked = app.outside.heard().len();
        run_due(&app.store).await.expect("runs");
        assert_eq!(app.outside.heard().len(), asked);
        app.outside.rejects(false);
        made.run("removeAiProvider", json!({ "id": id })).await;
        assert_eq!(owner.code(PROBE, json!({ "id": id })).await, "NOT_FOUND");
        app.verify_ledger(DEMO).await;
    }

    async fn a_workspace_cannot_have_the_servers_own_network_asked(app) {
        let owner = app.owner_elsewhere_asking_the_public().await;
        let port = app.outside.url.rsplit(':').next().expect("a port").to_owned();
        let before = head(&owner).await;
        for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0", "169.254.169.254", "10.0.0.1", "[fd00:ec2::254]"] {
            for scheme in ["https", "http"] {
                let input = json!({ "provider": "CUSTOM", "apiKey": "good-custom-key", "baseUrl": format!("{scheme}://{host}:{port}/v1") });
                let refused = owner.send(ADD, json!({ "input": input })).await;
                assert_eq!(refused.code(), "BAD_USER_INPUT", "{host}: {}", refused.body);
                assert_eq!(refused.body["errors"][0]["extensions"]["field"], "baseUrl", "{host}");
            }
        }
        assert!(app.outside.heard().is_empty(), "nobody was asked");
        assert_eq!(head(&owner).await, before);
        // Where the operator allows it, it is.
        let input = json!({ "provider": "CUSTOM", "apiKey": "good-custom-key", "baseUrl": format!("{}/v1/", app.outside.url) });
        let added = app.owner().await.data(ADD, json!({ "input": input })).await["addAiProvider"]["credential"].clone();
        assert_eq!(added["baseUrl"], format!("{}/v1", app.outside.url));
        assert!(app.outside.heard().pop().expect("it was asked").starts_with("GET /v1/models "));
        // And what was added then is not asked by a server that may not.
        assert_eq!(owner.code(PROBE, json!({ "id": added["id"] })).await, "BAD_USER_INPUT");
        for (provider, url) in [("CUSTOM", None), ("OPENAI", Some("https://example.com")), ("CUSTOM", Some("ftp://example.com")), ("CUSTOM", Some("https://user:pass@example.com"))] {
            let input = json!({ "provider": provider, "apiKey": "good-key", "baseUrl": url });
            assert_eq!(owner.code(ADD, json!({ "input": input })).await, "BAD_USER_INPUT", "{url:?}");
        }
    }

    async fn what_was_replaced_while_it_was_asked_is_not_judged(app) {
        let owner = app.owner().await;
        for round in 0..30 {
            let id = connected(&owner, "Raced", "good-start").await;
            let token = format!("good-{round}");
            let (tested, again) = tokio::join!(
                owner.send(RETEST, json!({ "id": id })),
                connected(&owner, "Raced", &token),
            );
            assert_eq!(again, id);
            if tested.body.get("errors").is_some() {
                assert_eq!(tested.code(), "CONFLICT");
            }
        }
        app.verify_ledger(DEMO).await;
    }
}

/// What the routes of a workspace say of a message.
async fn resolved(client: &Client, project: &Value, role: Option<&str>, kind: &str) -> Value {
    let query = "query($project: ID, $role: String, $kind: RouteMessageType!) { resolveChannel(projectId: $project, roleSlug: $role, messageType: $kind) { target isDm } }";
    let data = client
        .data(
            query,
            json!({ "project": project, "role": role, "kind": kind }),
        )
        .await;
    data["resolveChannel"]["target"].clone()
}

on_both_databases! {
    async fn a_message_takes_the_most_specific_route(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        app.execute("DELETE FROM channel_routes").await;
        let projects = owner.data("{ projects(first: 2) { nodes { id } } }", json!({})).await["projects"]["nodes"].clone();
        let (here, there) = (&projects[0]["id"], &projects[1]["id"]);
        let set = async |target: &str, more: Value| {
            let mut input = json!({ "channel": "EMAIL", "target": format!("{target}@example.com") });
            input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            made.run("setChannelRoute", input).await
        };
        let takes = async |project: &Value, role: Option<&str>, kind: &str, target: &str| {
            let found = resolved(&owner, project, role, kind).await;
            let expected = if target.is_empty() { Value::Null } else { json!(format!("{target}@example.com")) };
            assert_eq!(found, expected, "{project} {role:?} {kind}");
        };
        takes(here, None, "DIGEST", "").await;
        let all = set("all", json!({})).await;
        set("role", json!({ "roleSlug": "ba_agent" })).await;
        set("project", json!({ "projectId": here })).await;
        set("both", json!({ "projectId": here, "roleSlug": "ba_agent" })).await;
        set("questions", json!({ "messageType": "CLARIFICATION" })).await;
        set("here.questions", json!({ "projectId": here, "messageType": "CLARIFICATION" })).await;
        takes(&Value::Null, None, "DIGEST", "all").await;
        takes(there, None, "DIGEST", "all").await;
        takes(there, Some("ba_agent"), "DIGEST", "role").await;
        takes(here, Some("dev_agent"), "DIGEST", "project").await;
        takes(here, Some("ba_agent"), "DIGEST", "both").await;
        takes(there, None, "CLARIFICATION", "questions").await;
        takes(here, None, "CLARIFICATION", "here.questions").await;
        takes(here, Some("ba_agent"), "CLARIFICATION", "both").await;
        // The same one again is changed, and one that is off takes nothing.
        assert_eq!(set("everyone", json!({})).await, all);
        takes(there, None, "DIGEST", "everyone").await;
        assert_eq!(set("everyone", json!({ "enabled": false })).await, all);
        takes(there, None, "DIGEST", "").await;
        made.run("deleteChannelRoute", json!({ "id": all })).await;
        let slack = "{ integrationConnections(filter: { name: { eq: SLACK } }) { nodes { id } } }";
        let slack = owner.data(slack, json!({})).await["integrationConnections"]["nodes"][0]["id"].clone();
        for (input, field) in [
            (json!({ "channel": "SLACK", "target": "C0" }), "connectionId"),
            (json!({ "channel": "EMAIL", "target": "a@example.com", "connectionId": slack }), "connectionId"),
            (json!({ "channel": "EMAIL", "target": "nobody" }), "target"),
            (json!({ "channel": "SMS", "target": "12" }), "target"),
            (json!({ "channel": "EMAIL", "target": "a@example.com", "roleSlug": "nobody" }), "roleSlug"),
        ] {
            let set = "mutation($input: SetChannelRouteInput!) { setChannelRoute(input: $input) { feedCursor } }";
            let refused = owner.send(set, json!({ "input": input })).await;
            assert_eq!((refused.code().as_str(), refused.body["errors"][0]["extensions"]["field"].as_str()), ("BAD_USER_INPUT", Some(field)), "{input}");
        }
        let id = made.run("setChannelRoute", json!({ "channel": "SLACK", "target": "U0ADA", "connectionId": slack, "messageType": "ESCALATION" })).await;
        let shown = owner.data("query($id: ID!) { channelRoute(id: $id) { isDm } }", json!({ "id": id })).await;
        assert_eq!(shown["channelRoute"]["isDm"], true, "what somebody must answer goes to a person");
        let twice = json!({ "channel": "EMAIL", "target": "twice@example.com" });
        let ids = join_all((0..10).map(|_| made.run("setChannelRoute", twice.clone()))).await;
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "two that set the same route set one: {ids:?}");
    }
}
