//! Signing in, going on and signing out; the active project.

mod agent_tokens;

use crate::support::{ACME, Client, DEMO, Events, PASSWORD, SECRET, TestApp, Waiting};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) {
    accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt } }";
const REFRESH: &str = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken refreshToken } }";
const SIGN_OUT: &str = "mutation($input: SignOutInput!) { signOut(input: $input) { signedOut } }";
const WHO: &str = "{ viewer { user { id email } } }";

/// Signs the demo's user with this role in.
pub async fn sign_in(app: &TestApp, role: &str) -> Value {
    let nobody = Client::anonymous(&app.url);
    let input =
        json!({ "workspace": DEMO, "email": app.email(DEMO, role).await, "password": PASSWORD });
    nobody.data(SIGN_IN, json!({ "input": input })).await["signIn"].clone()
}

fn client(app: &TestApp, session: &Value) -> Client {
    Client::new(&app.url, session["accessToken"].as_str().expect("a token"))
}

fn refresh(session: &Value) -> Value {
    json!({ "input": { "refreshToken": session["refreshToken"] } })
}

async fn actions(app: &TestApp) -> Vec<String> {
    let feed = "{ activity(first: 5) { nodes { action } } }";
    let data = app.owner().await.data(feed, json!({})).await;
    let nodes = data["activity"]["nodes"].as_array().expect("rows");
    nodes
        .iter()
        .map(|entry| entry["action"].as_str().expect("a word").to_owned())
        .collect()
}

on_both_databases! {
    async fn a_person_signs_in_and_the_ledger_knows(app) {
        let session = sign_in(&app, "member").await;
        let who = client(&app, &session).data(WHO, json!({})).await;
        assert_eq!(who["viewer"]["user"]["email"], app.email(DEMO, "member").await);
        assert_eq!(actions(&app).await[0], "user.login");
        let metadata = "{ activity(first: 1) { nodes { metadata } } }";
        let entry = app.owner().await.data(metadata, json!({})).await;
        assert!(entry["activity"]["nodes"][0]["metadata"]["requestId"].is_string());
        app.verify_ledger(DEMO).await;
    }

    async fn whatever_is_wrong_with_a_sign_in_is_answered_alike(app) {
        let nobody = Client::anonymous(&app.url);
        let right = app.email(DEMO, "member").await;
        let mut answers = Vec::new();
        for (workspace, email, password) in [
            (DEMO, right.as_str(), "wrong password"),
            (DEMO, "stranger@demo.example", PASSWORD),
            (ACME, right.as_str(), PASSWORD),
            ("nowhere", right.as_str(), PASSWORD),
            (DEMO, right.as_str(), ""),
            (DEMO, right.as_str(), &"x".repeat(100_000)),
        ] {
            let input = json!({ "workspace": workspace, "email": email, "password": password });
            let mut answer = nobody.send(SIGN_IN, json!({ "input": input })).await;
            assert_eq!(answer.code(), "UNAUTHENTICATED");
            answer.body["errors"][0]["extensions"]["requestId"].take();
            answer.body["extensions"].take();
            answers.push((answer.status, answer.body));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    }

    async fn a_refresh_token_works_once_and_its_copy_ends_the_session(app) {
        let nobody = Client::anonymous(&app.url);
        let first = sign_in(&app, "member").await;
        let second = nobody.data(REFRESH, refresh(&first)).await["refreshSession"].clone();
        client(&app, &second).data(WHO, json!({})).await;
        // Two tabs of one browser may send it in the same moment.
        assert_eq!(nobody.code(REFRESH, refresh(&first)).await, "CONFLICT");
        app.wait(Duration::from_secs(60));
        let third = nobody.data(REFRESH, refresh(&second)).await["refreshSession"].clone();
        assert_eq!(nobody.code(REFRESH, refresh(&first)).await, "UNAUTHENTICATED");
        assert_eq!(nobody.code(REFRESH, refresh(&third)).await, "UNAUTHENTICATED", "nothing came in exchange");
        assert_eq!(actions(&app).await[0], "session.reuse_detected");
    }

    async fn of_two_refreshes_at_once_one_wins(app) {
        let session = sign_in(&app, "member").await;
        let tries = (0..8).map(|_| {
            let (nobody, variables) = (Client::anonymous(&app.url), refresh(&session));
            tokio::spawn(async move { nobody.send(REFRESH, variables).await.body["errors"].is_null() })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            won += u32::from(attempt.await.expect("runs"));
        }
        assert_eq!(won, 1);
    }

    async fn an_access_token_dies_after_a_quarter_of_an_hour_and_a_session_after_a_week(app) {
        let session = sign_in(&app, "member").await;
        app.wait(Duration::from_secs(16 * 60));
        assert_eq!(client(&app, &session).code(WHO, json!({})).await, "UNAUTHENTICATED");
        // A client that always sends its last token can still refresh.
        let renewed = client(&app, &session).data(REFRESH, refresh(&session)).await["refreshSession"].clone();
        client(&app, &renewed).data(WHO, json!({})).await;
        app.wait(Duration::from_secs(8 * 24 * 3600));
        assert_eq!(Client::anonymous(&app.url).code(REFRESH, refresh(&renewed)).await, "UNAUTHENTICATED");
    }

    async fn signing_out_ends_one_session_and_everywhere_ends_all(app) {
        let nobody = Client::anonymous(&app.url);
        let (phone, laptop) = (sign_in(&app, "member").await, sign_in(&app, "member").await);
        nobody.data(SIGN_OUT, refresh(&phone)).await;
        assert_eq!(nobody.code(REFRESH, refresh(&phone)).await, "UNAUTHENTICATED");
        let laptop = nobody.data(REFRESH, refresh(&laptop)).await["refreshSession"].clone();
        let everywhere = "mutation { signOutEverywhere(input: {}) { user { id } } }";
        client(&app, &laptop).data(everywhere, json!({})).await;
        assert_eq!(client(&app, &laptop).code(WHO, json!({})).await, "UNAUTHENTICATED");
        app.wait(Duration::from_secs(60));
        assert_eq!(nobody.code(REFRESH, refresh(&laptop)).await, "UNAUTHENTICATED");
        nobody.data(SIGN_OUT, json!({ "input": { "refreshToken": "wgr_nothing" } })).await;
    }

    async fn a_session_that_ended_ends_at_once_here_and_soon_elsewhere_and_writes_nothing(app) {
        let everywhere = "mutation { signOutEverywhere(input: {}) { user { id } } }";
        let elsewhere = app.elsewhere().await;
        let project = app.owner().await.data("{ projects(first: 1) { nodes { id } } }", json!({})).await["projects"]["nodes"][0]["id"].clone();
        let create = "mutation($project: ID!) { createGoal(input: { projectId: $project, title: \"Late\" }) { goal { id } } }";
        for writes in [true, false] {
            let session = sign_in(&app, "member").await;
            let here = client(&app, &session);
            let there = Client::new(&elsewhere, session["accessToken"].as_str().expect("a token"));
            for known in [&here, &there] {
                known.data(WHO, json!({})).await;
            }
            here.data(everywhere, json!({})).await;
            let ended = Instant::now();
            assert_eq!(here.code(WHO, json!({})).await, "UNAUTHENTICATED");
            if writes {
                assert_eq!(there.code(create, json!({ "project": project })).await, "UNAUTHENTICATED");
                assert_eq!(there.code(WHO, json!({})).await, "UNAUTHENTICATED", "it has learnt of it");
            }
            let waiting = Waiting::until("it is known elsewhere");
            while there.send(WHO, json!({})).await.status != 401 {
                assert!(ended.elapsed() < Duration::from_secs(3), "it still answers");
                waiting.a_moment().await;
            }
        }
    }

    async fn what_a_server_follows_counts_there_at_once(app) {
        let elsewhere = app.elsewhere().await;
        let owner = app.token(DEMO, "owner").await;
        let mut events = Events::open(&elsewhere, &owner, "subscription { activity { event { action } } }", None).await;
        events.next().await.expect("the first frame");
        let session = sign_in(&app, "member").await;
        let there = Client::new(&elsewhere, session["accessToken"].as_str().expect("a token"));
        there.data(WHO, json!({})).await;
        client(&app, &session).data("mutation { signOutEverywhere(input: {}) { user { id } } }", json!({})).await;
        let read = Instant::now();
        loop {
            let (_, _, frame) = events.next().await.expect("a frame");
            if frame.to_string().contains("user.logout") {
                break;
            }
        }
        assert_eq!(there.code(WHO, json!({})).await, "UNAUTHENTICATED");
        assert!(read.elapsed() < Duration::from_secs(2), "sooner than it is forgotten anyway");
    }

    async fn a_role_that_was_taken_away_writes_nothing_more(app) {
        let member = app.client(DEMO, "member").await;
        let create = "mutation { createGoal(input: { projectId: \"none\", title: \"Late\" }) { goal { id } } }";
        assert_eq!(member.code(create, json!({})).await, "NOT_FOUND");
        let email = app.email(DEMO, "member").await;
        // As another server would.
        app.execute(&format!("UPDATE users SET role = 'viewer' WHERE email = '{email}'")).await;
        assert_eq!(member.code(create, json!({})).await, "UNAUTHENTICATED");
        assert_eq!(member.code(create, json!({})).await, "FORBIDDEN");
    }

    async fn an_admin_ends_a_members_sessions_but_not_an_owners(app) {
        let everywhere = "mutation($id: ID) { signOutEverywhere(input: { userId: $id }) { user { id } } }";
        let admin = app.client(DEMO, "admin").await;
        for (role, allowed) in [("member", true), ("owner", false)] {
            let session = client(&app, &sign_in(&app, role).await);
            let id = session.data(WHO, json!({})).await["viewer"]["user"]["id"].clone();
            let answer = admin.send(everywhere, json!({ "id": id })).await;
            assert_eq!(answer.body["errors"].is_null(), allowed, "{role}");
            assert_eq!(session.send(WHO, json!({})).await.status == 401, allowed, "{role}");
            let refused = app.client(DEMO, "viewer").await.code(everywhere, json!({ "id": id })).await;
            assert_eq!(refused, "FORBIDDEN");
        }
    }

    async fn a_password_is_changed_with_the_old_one_and_ends_other_sessions(app) {
        let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { accessToken } }";
        let (here, there) = (sign_in(&app, "member").await, sign_in(&app, "member").await);
        let here = client(&app, &here);
        let input = |old: &str, new: &str| json!({ "input": { "currentPassword": old, "newPassword": new } });
        for (old, new, field) in [("wrong password", "a new long password", "currentPassword"), (PASSWORD, "short", "newPassword"), (PASSWORD, PASSWORD, "newPassword")] {
            let answer = here.send(change, input(old, new)).await;
            assert_eq!(answer.body["errors"][0]["extensions"]["field"], field);
        }
        let session = here.data(change, input(PASSWORD, "a new long password")).await["changePassword"].clone();
        client(&app, &session).data(WHO, json!({})).await;
        for old in [here, client(&app, &there)] {
            assert_eq!(old.code(WHO, json!({})).await, "UNAUTHENTICATED");
        }
        let input = json!({ "workspace": DEMO, "email": app.email(DEMO, "member").await.to_uppercase(), "password": "a new long password" });
        Client::anonymous(&app.url).data(SIGN_IN, json!({ "input": input })).await;
        let shown = app.owner().await.data("{ activity(first: 20) { nodes { diff { before after } } } }", json!({})).await;
        assert!(!shown.to_string().contains("argon2"), "a hash is in the ledger");
    }

    async fn a_dashboard_signs_in_with_cookies_that_other_sites_cannot_use(app) {
        let input = json!({ "workspace": DEMO, "email": app.email(DEMO, "member").await, "password": PASSWORD, "cookies": true });
        let own = app.url.trim_end_matches("/graphql").to_owned();
        let send = async |query: &str, input: Value, origin: Option<&str>, cookies: &str| {
            let mut request = reqwest::Client::new().post(&app.url).header("cookie", cookies);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let body = json!({ "query": query, "variables": { "input": input } });
            let response = request.json(&body).send().await.expect("an answer");
            let set: Vec<_> = response.headers().get_all("set-cookie").iter().map(|value| value.to_str().expect("text").to_owned()).collect();
            (response.json::<Value>().await.expect("JSON"), set)
        };
        let (refused, set) = send(SIGN_IN, input.clone(), Some("https://evil.example"), "").await;
        assert_eq!((refused["errors"][0]["extensions"]["code"].as_str(), set.len()), (Some("FORBIDDEN"), 0));
        let (session, set) = send(SIGN_IN, input, Some(&own), "").await;
        assert_eq!((&session["data"]["signIn"]["accessToken"], &session["data"]["signIn"]["refreshToken"]), (&Value::Null, &Value::Null));
        assert_eq!(set.len(), 2);
        for cookie in &set {
            assert!(cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/graphql"), "{cookie}");
        }
        let jar = |set: &[String]| set.iter().filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
        for (origin, code) in [(Some(own.as_str()), None), (Some("https://evil.example"), Some("FORBIDDEN")), (None, Some("FORBIDDEN"))] {
            let (answer, _) = send(WHO, json!({}), origin, &jar(&set)).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"].as_str(), code, "{origin:?}");
            let (answer, _) = send(SIGN_OUT, json!({}), origin.filter(|_| code.is_some()), &jar(&set)).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{origin:?}");
        }
        let (answer, renewed) = send(REFRESH, json!({}), Some(&own), &jar(&set)).await;
        assert!(answer["errors"].is_null() && renewed.len() == 2, "{answer}");
        let (answer, cleared) = send(SIGN_OUT, json!({}), Some(&own), &jar(&renewed)).await;
        assert!(answer["errors"].is_null() && cleared.iter().all(|cookie| cookie.contains("1970")), "{cleared:?}");
        let (answer, _) = send(REFRESH, json!({}), Some(&own), &jar(&renewed)).await;
        assert!(!answer["errors"].is_null());
    }

    async fn the_active_project_narrows_lists_and_not_single_reads(app) {
        let owner = app.owner().await;
        let data = owner.data("{ projects { nodes { id tickets { totalCount } } } tickets(first: 200) { nodes { id project { id } } } }", json!({})).await;
        let tickets = data["tickets"]["nodes"].as_array().expect("rows");
        let project = &tickets[0]["project"]["id"];
        let other = tickets.iter().find(|ticket| ticket["project"]["id"] != *project).expect("another project's");
        let narrowed = owner.in_project(project.as_str().expect("an id"));
        let query = "query($id: ID!, $project: ID!) { tickets(first: 200) { totalCount nodes { project { id } } } projects { totalCount }
            ticket(id: $id) { id } project(id: $project) { tickets { totalCount } } }";
        let answer = narrowed.data(query, json!({ "id": other["id"], "project": other["project"]["id"] })).await;
        let shown = answer["tickets"]["nodes"].as_array().expect("rows");
        assert!(shown.iter().all(|ticket| ticket["project"]["id"] == *project));
        assert_eq!(answer["tickets"]["totalCount"], shown.len());
        assert!(shown.len() < tickets.len());
        assert_eq!(answer["ticket"]["id"], other["id"], "a deep link leads into any project");
        assert!(answer["project"]["tickets"]["totalCount"].as_u64() > Some(0));
        assert_eq!(answer["projects"]["totalCount"], data["projects"]["nodes"].as_array().expect("rows").len());
        let cursor = narrowed.data("{ tickets(first: 1) { pageInfo { endCursor } } }", json!({})).await["tickets"]["pageInfo"]["endCursor"].clone();
        let page = "query($after: Cursor) { tickets(first: 1, after: $after) { nodes { id } } }";
        assert_eq!(owner.code(page, json!({ "after": cursor })).await, "CURSOR_MISMATCH");
        let acme = app.client(ACME, "owner").await.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        for id in [acme["projects"]["nodes"][0]["id"].as_str().expect("an id"), "nothing"] {
            let answer = owner.in_project(id).send("{ feedCursor }", json!({})).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_USER_INPUT"));
        }
    }

    async fn a_token_with_a_claim_missing_unknown_or_wrong_is_refused(app) {
        let who = app.client(DEMO, "owner").await.data("{ viewer { user { id tokenVersion } tenant { id } } }", json!({})).await;
        let viewer = &who["viewer"];
        let claims = json!({
            "sub": viewer["user"]["id"], "tid": viewer["tenant"]["id"], "tv": viewer["user"]["tokenVersion"], "jti": "x",
            "iss": "workgraph", "aud": "workgraph-api", "iat": 0, "exp": 32_503_680_000_u64,
        });
        let send = async |header: Header, key: &str, claims: &Value| {
            let token = jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.as_bytes())).expect("signs");
            Client::new(&app.url, &token).send(WHO, json!({})).await.status
        };
        let good = || Header::new(Algorithm::HS256);
        assert_eq!(send(good(), SECRET, &claims).await, 200);
        for name in claims.as_object().expect("an object").keys() {
            let mut less = claims.clone();
            less.as_object_mut().expect("an object").remove(name);
            assert_eq!(send(good(), SECRET, &less).await, 401, "without {name}");
        }
        for (name, value) in [
            ("iss", json!("other")), ("aud", json!("other")), ("exp", json!(1)), ("tv", json!(99)),
            ("sub", json!("other")), ("tid", json!("other")), ("role", json!("owner")), ("nbf", json!(0)),
        ] {
            let mut other = claims.clone();
            other[name] = value;
            assert_eq!(send(good(), SECRET, &other).await, 401, "{name}");
        }
        assert_eq!(send(Header::new(Algorithm::HS512), SECRET, &claims).await, 401);
        assert_eq!(send(good(), "another secret that only tests know", &claims).await, 401);
        let typ = Header { typ: Some("refresh".to_owned()), ..good() };
        assert_eq!(send(typ, SECRET, &claims).await, 401);
    }
}
