//! Signing in, for those who may not: how often, from where, how fast they are refused, and what they leave behind.

use crate::support::{
    ACME, Client, DEMO, Door, Events, Footprint, PASSWORD, Reply, SIGN_INS, TestApp, limits,
};
use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use workgraph::http::Limits;

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
const FAILURES: &str = "subscription { activity(filter: { actionPrefix: [\"user.login_failed\"] })
    { event { action targetType targetId message } } }";

/// Tries to sign in to the demo, as seen by a proxy that adds these lines.
async fn attempt(app: &TestApp, lines: &[&str], email: &str, password: &str) -> Reply {
    attempt_in(app, lines, DEMO, email, password).await
}

async fn attempt_in(
    app: &TestApp,
    lines: &[&str],
    workspace: &str,
    email: &str,
    password: &str,
) -> Reply {
    Reply::to(request(app, lines, workspace, email, password)).await
}

fn request(
    app: &TestApp,
    lines: &[&str],
    workspace: &str,
    email: &str,
    password: &str,
) -> RequestBuilder {
    let input = json!({ "workspace": workspace, "email": email, "password": password });
    let body = json!({ "query": SIGN_IN, "variables": { "input": input } });
    let mut request = reqwest::Client::new().post(&app.url).json(&body);
    for line in lines {
        request = request.header("x-forwarded-for", *line);
    }
    request
}

/// The next entry of a stream of failures.
async fn told(events: &mut Events) -> Value {
    loop {
        let (_, _, data) = events.next().await.expect("an event");
        let event = data["data"]["activity"]["event"].clone();
        if !event.is_null() {
            return event;
        }
    }
}

on_both_databases! {
    async fn every_address_has_few_tries_wherever_it_stands_in_the_headers(app) {
        let number = AtomicU64::new(0);
        for lines in [
            // The server's own machine.
            &[][..],
            // What the client made up stands before what the proxy saw.
            &["198.51.100.*, 203.0.113.2"],
            &["198.51.100.*, 198.51.100.*", "192.0.2.*, 203.0.113.4"],
            &["\u{e9}*, 203.0.113.5"],
            // One network.
            &["2001:db8::*"],
        ] {
            let mut tries = 0;
            loop {
                let number = number.fetch_add(1, Ordering::Relaxed).to_string();
                let lines: Vec<_> = lines.iter().map(|line| line.replace('*', &number)).collect();
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                let reply = attempt(&app, &lines, &format!("nobody{number}@demo.example"), "wrong").await;
                if reply.code() == "RATE_LIMITED" {
                    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
                    assert!((1..=60).contains(&wait), "{wait}");
                    break;
                }
                assert_eq!(reply.code(), "UNAUTHENTICATED", "{lines:?}");
                tries += 1;
                assert!(tries < 3 * SIGN_INS, "{lines:?} is tried without end");
            }
            assert!(tries >= SIGN_INS, "{lines:?} had {tries}");
        }
    }

    async fn what_is_no_address_was_not_the_proxys(app) {
        // So that it is the proxy which asks, always the same.
        let mut tries = 0;
        while attempt(&app, &[&format!("192.0.2.{tries}, unknown")], "nobody@demo.example", "wrong").await.code() != "RATE_LIMITED" {
            tries += 1;
            assert!(tries < 3 * SIGN_INS);
        }
        attempt(&app, &["192.0.2.1"], &app.email(DEMO, "member").await, PASSWORD).await.data();
    }

    async fn strangers_with_many_addresses_do_not_lock_a_user_out(app) {
        let email = app.email(DEMO, "member").await;
        let (home, away) = ("2001:db8:1:1::5", "2001:db8:2:2::5");
        attempt(&app, &[home], &email, PASSWORD).await.data();
        let mut tries = 0;
        let strangers = async |tries: u64| {
            let stranger = format!("192.0.2.{}", tries % 250);
            attempt(&app, &[&stranger], &email.to_uppercase(), "wrong").await
        };
        while strangers(tries).await.code() != "RATE_LIMITED" {
            tries += 1;
            assert!(tries < 12 * SIGN_INS, "strangers try an account without end");
        }
        // What came back in the meantime is used up, too.
        while strangers(tries).await.code() != "RATE_LIMITED" {
            tries += 1;
        }
        assert_eq!(attempt(&app, &[away], &email, PASSWORD).await.code(), "RATE_LIMITED");
        attempt(&app, &["2001:db8:1:1::77"], &email, PASSWORD).await.data();
        // Another account is not concerned.
        attempt(&app, &[away], &app.email(DEMO, "viewer").await, PASSWORD).await.data();
    }

    async fn failed_tries_are_told_once_and_then_as_a_number(app) {
        let mut events = Events::open(&app.url, &app.token(DEMO, "owner").await, FAILURES, None).await;
        let email = app.email(DEMO, "member").await;
        let before = Footprint::of(&app).await;
        attempt_in(&app, &["192.0.2.1"], "nowhere", &email, "wrong").await;
        before.must_be_that_of(&app).await;
        attempt(&app, &["192.0.2.1"], &email, "wrong").await;
        let first = told(&mut events).await;
        assert_eq!((&first["targetType"], &first["message"]), (&json!("User"), &Value::Null));
        attempt(&app, &["192.0.2.1"], "stranger@demo.example", "wrong").await;
        let second = told(&mut events).await;
        assert_eq!((&second["targetType"], &second["message"]), (&json!("Tenant"), &Value::Null));
        let before = Footprint::of(&app).await;
        for number in 0..16 {
            let from = format!("192.0.2.{}", number % 8);
            attempt(&app, &[&from], &email, "wrong").await;
            attempt(&app, &[&from], &format!("stranger{number}@demo.example"), "wrong").await;
        }
        before.must_be_that_of(&app).await;
        app.wait(Duration::from_secs(11 * 60));
        attempt(&app, &["192.0.2.9"], &email, "wrong").await;
        let mut later = [told(&mut events).await, told(&mut events).await];
        later.sort_by_key(|entry| entry["targetType"].to_string());
        let [strangers, member] = later;
        assert_eq!(strangers["message"], "16 tries failed since the last entry.");
        assert_eq!((&member["message"], &member["targetId"]), (&json!("17 tries failed since the last entry."), &first["targetId"]));
        app.verify_ledger(DEMO).await;
    }

    async fn whatever_is_wrong_is_refused_as_slowly(app) {
        let email = app.email(DEMO, "member").await;
        let owner = app.email(DEMO, "owner").await;
        app.execute("UPDATE users SET \"passwordHash\" = NULL WHERE role = 'owner'").await;
        // From here on their password is hashed as it is today.
        attempt(&app, &["198.51.100.1"], &email, PASSWORD).await.data();
        let long = "x".repeat(5_000);
        let mut kinds = [
            (DEMO, email.as_str(), "wrong password"),
            (DEMO, "stranger@demo.example", "wrong password"),
            (DEMO, owner.as_str(), PASSWORD),
            (ACME, email.as_str(), PASSWORD),
            ("nowhere", email.as_str(), PASSWORD),
            (DEMO, email.as_str(), long.as_str()),
            (DEMO, long.as_str(), PASSWORD),
            (long.as_str(), email.as_str(), PASSWORD),
        ].map(|kind| (kind, Duration::MAX));
        let differs = |usual: Duration, time: Duration| time * 2 <= usual || time >= usual * 2;
        // On a busy machine it takes more rounds until each was once undisturbed.
        for round in 0..25 {
            for (place, ((workspace, email, password), fastest)) in kinds.iter_mut().enumerate() {
                let from = format!("192.0.2.{}", round * 10 + place);
                let started = Instant::now();
                let reply = attempt_in(&app, &[&from], workspace, email, password).await;
                *fastest = started.elapsed().min(*fastest);
                assert_eq!(reply.code(), "UNAUTHENTICATED");
            }
            if round >= 8 && !kinds.iter().any(|(_, time)| differs(kinds[0].1, *time)) {
                break;
            }
        }
        let usual = kinds[0].1;
        for ((workspace, email, password), time) in kinds {
            assert!(
                !differs(usual, time),
                "{workspace:.20} {email:.20} {password:.20}: {time:?}, not {usual:?}"
            );
        }
    }

    async fn many_who_sign_in_at_once_are_refused_at_once_and_hold_nobody_up(app) {
        let limits = Limits { wait_seconds: 1, ..limits() };
        let app = TestApp::start_with(app.database, limits).await;
        let door = app.door().await;
        let flood = join_all((0..400).map(|number: u32| {
            let app = &app;
            async move {
                let from = format!("10.1.{}.{}", number / 250, number % 250);
                let email = format!("nobody{number}@demo.example");
                // So many connections take their time.
                let response = request(app, &[&from], DEMO, &email, "wrong").send().await.expect("an answer");
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                Reply::new(status, headers, &response.bytes().await.expect("a body"))
            }
        }));
        let others = async {
            let mut slowest = Duration::ZERO;
            for _ in 0..50 {
                let started = Instant::now();
                door.ask("{ viewer { user { id } } }", json!({})).await.data();
                slowest = slowest.max(started.elapsed());
            }
            slowest
        };
        let (replies, slowest) = tokio::join!(flood, others);
        let refused: Vec<_> = replies.iter().filter(|reply| reply.code() == "UNAVAILABLE").collect();
        let tried = replies.iter().filter(|reply| reply.code() == "UNAUTHENTICATED").count();
        assert_eq!(tried + refused.len(), replies.len());
        assert!(tried > 0 && refused.len() > 100, "{tried} were tried");
        assert!(refused.iter().all(|reply| reply.header("retry-after") == "1"));
        assert!(slowest < Duration::from_secs(4), "another one's query took {slowest:?}");
        // And afterwards it is as before.
        attempt(&app, &["10.2.0.1"], &app.email(DEMO, "member").await, PASSWORD).await.data();
    }

    async fn a_password_is_not_guessed_with_somebodys_session(app) {
        let member = app.client(DEMO, "member").await;
        let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { accessToken } }";
        let input = json!({ "input": { "currentPassword": "wrong password", "newPassword": "another long password" } });
        let mut tries = 0;
        while member.code(change, input.clone()).await == "BAD_USER_INPUT" {
            tries += 1;
            assert!(tries < 3 * SIGN_INS);
        }
        assert!(tries >= SIGN_INS);
        assert_eq!(member.code(change, input).await, "RATE_LIMITED");
    }

    async fn refresh_tokens_are_not_tried_without_end(app) {
        let nobody = Client::anonymous(&app.url);
        let before = Footprint::of(&app).await;
        let document = |token: &str| {
            let fields = (0..50).map(|number| {
                let (field, answer) = if number % 2 == 0 { ("refreshSession", "accessToken") } else { ("signOut", "signedOut") };
                format!("f{number}: {field}(input: {{ refreshToken: \"{token}{number:0>10}\" }}) {{ {answer} }}")
            });
            format!("mutation {{ {} }}", fields.collect::<String>())
        };
        // What cannot be a token is not looked up, however often it comes.
        for token in ["", "wgr_", "wga_000000000000000000000000000000000", "wgr_ééééééééééééééééé"] {
            for _ in 0..30 {
                assert_eq!(nobody.send(&document(token), json!({})).await.code(), "UNAUTHENTICATED");
            }
        }
        let known = document("wgr_000000000000000000000000000000000");
        assert_eq!(nobody.code(&known, json!({})).await, "UNAUTHENTICATED");
        let mut requests = 0;
        while !nobody.send(&known, json!({})).await.body.to_string().contains("RATE_LIMITED") {
            requests += 1;
            assert!(requests < 100, "tokens are tried without end");
        }
        before.must_be_that_of(&app).await;
    }

    async fn cookies_without_end_are_answered_soon(app) {
        let bare = Door::new(&app.url, "");
        let refresh = json!({ "query": "mutation { refreshSession(input: {}) { accessToken } }" }).to_string();
        let own = app.url.trim_end_matches("/graphql").to_owned();
        for cookie in [
            "a=b; ".repeat(10_000), "workgraph_refresh; ".repeat(2_000), ";".repeat(50_000), "workgraph_refresh=%".repeat(2_000),
            format!("workgraph_refresh={}", "x".repeat(50_000)), format!("workgraph_access={}", "x.".repeat(20_000)),
        ] {
            let request = reqwest::Client::new().post(&bare.url).header("content-type", "application/json");
            let request = request.header("cookie", &cookie).header("origin", &own).body(refresh.clone());
            let reply = Reply::to(request).await;
            assert!(["UNAUTHENTICATED", "BAD_USER_INPUT"].contains(&reply.code()), "{cookie:.30}: {:#}", reply.body);
        }
    }
}
