//! Tokens that do not hold, and headers that claim too much.

use crate::support::{ACME, DEMO, Door, Footprint, PASSWORD, Reply, SECRET, TestApp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};
use std::time::Duration;

const GOOD: &str = "{\"query\": \"{ feedCursor }\"}";
/// `{"alg":"none","typ":"JWT"}`
const UNSIGNED: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
/// `{"alg":"RS256","typ":"JWT"}`
const BY_KEY_PAIR: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";

/// What the owner's token says.
async fn claims(app: &TestApp) -> Value {
    let who = "{ viewer { user { id tokenVersion } tenant { id } } }";
    let viewer = app.owner().await.data(who, json!({})).await["viewer"].clone();
    json!({
        "sub": viewer["user"]["id"], "tid": viewer["tenant"]["id"], "tv": viewer["user"]["tokenVersion"], "jti": "x",
        "iss": "workgraph", "aud": "workgraph-api", "iat": 0, "exp": 32_503_680_000_u64,
    })
}

fn signed(algorithm: Algorithm, key: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).expect("signs")
}

/// A token must be refused, and in the same words as any other.
async fn refused(app: &TestApp, token: &str, what: &str) {
    for accept in ["application/json", "application/graphql-response+json"] {
        let request = Door::new(&app.url, token)
            .post(GOOD)
            .header("accept", accept);
        let reply = Reply::to(request).await;
        reply.refused(401, "UNAUTHENTICATED", what);
        let message = "This token is not valid or has expired. Sign in again.";
        assert_eq!(reply.errors()[0]["message"], message, "{what}");
    }
}

on_both_databases! {
    async fn a_forged_token_is_refused_whatever_is_wrong_with_it(app) {
        let (claims, before) = (claims(&app).await, Footprint::of(&app).await);
        let good = signed(Algorithm::HS256, SECRET, &claims);
        Reply::to(Door::new(&app.url, &good).post(GOOD)).await.data();
        let parts: Vec<_> = good.split('.').collect();
        let (head, body, signature) = (parts[0], parts[1], parts[2]);
        let theirs = app.token(ACME, "owner").await;
        let their_body = theirs.split('.').nth(1).expect("has claims");
        for (what, token) in [
            ("unsigned", format!("{UNSIGNED}.{body}.")),
            ("unsigned with a signature", format!("{UNSIGNED}.{body}.{signature}")),
            ("of a key pair", format!("{BY_KEY_PAIR}.{body}.{signature}")),
            ("HS512", signed(Algorithm::HS512, SECRET, &claims)),
            ("HS384", signed(Algorithm::HS384, SECRET, &claims)),
            ("another key", signed(Algorithm::HS256, "another secret that only tests know", &claims)),
            ("an empty key", signed(Algorithm::HS256, "", &claims)),
            ("another's claims", format!("{head}.{their_body}.{signature}")),
            ("no signature", format!("{head}.{body}.")),
            ("two parts", format!("{head}.{body}")),
            ("four parts", format!("{good}.{signature}")),
            ("a signature too long", format!("{good}A")),
            ("half", good[..good.len() / 2].to_owned()),
            ("dots", "...".to_owned()),
            ("no token", "x".to_owned()),
            ("8 KB of dots", ".".repeat(8 << 10)),
            ("8 KB of letters", "A".repeat(8 << 10)),
            ("8 KB of signature", format!("{head}.{body}.{}", "A".repeat(8 << 10))),
            ("an agent's that was never made", "wga_nothing".to_owned()),
            ("an agent's, empty", "wga_".to_owned()),
            ("an agent's of 8 KB", format!("wga_{}", "A".repeat(8 << 10))),
            ("an agent's with a quote", "wga_' OR '1'='1".to_owned()),
        ] {
            refused(&app, &token, what).await;
        }
        before.must_be_that_of(&app).await;
    }

    async fn a_token_that_says_something_else_is_refused(app) {
        let (claims, before) = (claims(&app).await, Footprint::of(&app).await);
        let acme = app.tenant(ACME).await;
        for name in claims.as_object().expect("an object").keys() {
            for value in [None, Some(Value::Null), Some(json!({})), Some(json!([])), Some(json!(1e300)), Some(json!("' OR 1=1 --"))] {
                // What a token is called does not matter.
                if name == "jti" && value.as_ref().is_some_and(Value::is_string) {
                    continue;
                }
                let mut other = claims.clone();
                let shown = format!("{name} is {value:?}");
                match value {
                    None => other.as_object_mut().expect("an object").remove(name),
                    Some(value) => other.as_object_mut().expect("an object").insert(name.clone(), value),
                };
                refused(&app, &signed(Algorithm::HS256, SECRET, &other), &shown).await;
            }
        }
        for (name, value) in [
            ("iss", json!("other")), ("aud", json!("other")), ("tid", json!(acme)), ("sub", json!("nobody")), ("tv", json!(99)), ("tv", json!(1_u64 << 40)),
            ("exp", json!(0)), ("exp", json!(-1)), ("exp", json!(u64::MAX)), ("nbf", json!(0)), ("role", json!("owner")),
        ] {
            let mut other = claims.clone();
            other[name] = value;
            refused(&app, &signed(Algorithm::HS256, SECRET, &other), &format!("{name} is {}", other[name])).await;
        }
        before.must_be_that_of(&app).await;
    }

    async fn an_expired_or_revoked_token_is_refused(app) {
        let owner = app.owner().await;
        let (token, member) = (app.token(DEMO, "owner").await, app.token(DEMO, "member").await);
        let create = "mutation { createAgentToken(input: { name: \"Agent\", roleSlugs: [\"dev_agent\"] }) { token agentToken { id } } }";
        let agent = owner.data(create, json!({})).await["createAgentToken"].clone();
        let (agent, id) = (agent["token"].as_str().expect("a token"), &agent["agentToken"]["id"]);
        Reply::to(Door::new(&app.url, agent).post(GOOD)).await.data();
        owner.data("mutation($id: ID!) { revokeAgentToken(input: { id: $id }) { feedCursor } }", json!({ "id": id })).await;
        app.execute("UPDATE users SET \"tokenVersion\" = \"tokenVersion\" + 1 WHERE role = 'member'").await;
        let before = Footprint::of(&app).await;
        refused(&app, agent, "revoked").await;
        refused(&app, &member, "of an older version").await;
        Reply::to(Door::new(&app.url, &token).post(GOOD)).await.data();
        before.must_be_that_of(&app).await;
        app.wait(Duration::from_secs(3601));
        refused(&app, &token, "expired").await;
    }

    async fn what_sql_changed_of_an_account_counts_for_each_mutation_at_once(app) {
        let password = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { accessToken } }";
        let passwords = json!({ "currentPassword": PASSWORD, "newPassword": "a new long password" });
        let project = "mutation($input: CreateProjectInput!) { createProject(input: $input) { feedCursor } }";
        for (mutation, input) in [(password, passwords), (project, json!({ "name": "Too late" }))] {
            for change in ["role = 'viewer'", "\"tokenVersion\" = \"tokenVersion\" + 1"] {
                let admin = app.client(DEMO, "admin").await;
                admin.data("{ viewer { user { id } } }", json!({})).await;
                let email = app.email(DEMO, "admin").await;
                app.execute(&format!("UPDATE users SET {change} WHERE email = '{email}'")).await;
                let before = Footprint::of(&app).await;
                assert_eq!(admin.code(mutation, json!({ "input": input })).await, "UNAUTHENTICATED", "{change}: {mutation}");
                before.must_be_that_of(&app).await;
                app.execute(&format!("UPDATE users SET role = 'admin' WHERE email = '{email}'")).await;
            }
        }
    }

    async fn an_authorization_that_is_none_is_refused(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let bare = Door::new(&app.url, "");
        let post = || reqwest::Client::new().post(&app.url).header("content-type", "application/json").body(GOOD);
        Reply::to(post()).await.refused(401, "UNAUTHENTICATED", "no token");
        Reply::to(bare.post(GOOD)).await.refused(401, "UNAUTHENTICATED", "an empty token");
        for value in [
            &b""[..], b"Bearer", b"Bearer ", b"Basic b3duZXI6d29ya2dyYXBoLWRlbW8=", b"Bearer \xff\xfe", b"\xc3\xa9", b"Bearer a b c", b"Digest username=\"x\"",
        ] {
            let value = HeaderValue::from_bytes(value).expect("a header's value");
            let shown = format!("{value:?}");
            Reply::to(post().header("authorization", value)).await.refused(401, "UNAUTHENTICATED", &shown);
        }
        let both = post().bearer_auth(&door.token).bearer_auth(app.token("acme", "owner").await);
        Reply::to(both).await.refused(401, "UNAUTHENTICATED", "two of them");
        let lone = format!("Token {}", door.token);
        Reply::to(post().header("authorization", lone)).await.refused(401, "UNAUTHENTICATED", "another scheme");
        let get = reqwest::Client::new().get(format!("{}?query=%7BfeedCursor%7D", app.url));
        Reply::to(get).await.refused(401, "UNAUTHENTICATED", "a GET without a token");
        before.must_be_that_of(&app).await;
    }

    async fn a_project_of_another_workspace_is_no_project(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let projects = app.client(ACME, "owner").await.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let foreign = projects["projects"]["nodes"][0]["id"].as_str().expect("an id");
        let mut messages = Vec::new();
        for id in [foreign.as_bytes(), b"c123456789012345678901ab", b"", b"\xff", b"' OR 1=1 --", &[b'x'; 4096]] {
            let value = HeaderValue::from_bytes(id).expect("a header's value");
            let shown = format!("{value:?}");
            let reply = Reply::to(door.post(GOOD).header("x-project-id", value)).await;
            assert_eq!(reply.refused(400, "BAD_USER_INPUT", &shown)["field"], "X-Project-Id");
            messages.push(reply.errors()[0]["message"].clone());
        }
        assert!(messages.iter().all(|message| *message == messages[0]), "{messages:#?}");
        before.must_be_that_of(&app).await;
    }

    async fn a_cookie_from_another_site_is_refused(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = json!({ "query": "mutation { createProject(input: { name: \"Other site\" }) { feedCursor } }" }).to_string();
        let cookie = format!("workgraph_access={}", door.token);
        for origin in ["https://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1.evil.example", "file://", ""] {
            let request = reqwest::Client::new().request(Method::POST, &app.url).header("content-type", "application/json");
            let request = request.header("cookie", &cookie).header("origin", origin).body(create.clone());
            Reply::to(request).await.refused(403, "FORBIDDEN", origin);
        }
        before.must_be_that_of(&app).await;
    }

    async fn what_a_header_claims_changes_nothing(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let acme = app.tenant(ACME).await;
        let cursor = Reply::to(door.post(GOOD)).await.data().clone();
        for (name, value) in [
            ("x-tenant-id", acme.as_str()), ("x-user-id", "owner"), ("x-role", "owner"), ("x-http-method-override", "DELETE"), ("x-forwarded-host", "evil.example"),
            ("x-forwarded-for", "' OR 1=1 --, \u{e9}"), ("x-forwarded-for", "999.999.999.999"), ("x-original-url", "/health"), ("x-request-id", "mine; drop table"),
            ("user-agent", "\u{1f4a3}"), ("accept-language", "xx"), ("accept-charset", "utf-7"), ("x-workgraph-explain", "\u{e9}"), ("if-none-match", "*"),
            ("range", "bytes=0-1"), ("te", "trailers"), ("upgrade", "h2c"), ("x-long", &"x".repeat(8 << 10)),
        ] {
            let reply = Reply::to(door.post(GOOD).header(name, value.as_bytes())).await;
            assert_eq!(*reply.data(), cursor, "{name}: {value:.60}");
        }
        before.must_be_that_of(&app).await;
    }
}
