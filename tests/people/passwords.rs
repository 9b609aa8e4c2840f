//! New passwords for those who lost theirs.

use super::{
    ENDED, NEW, RESET, actions, left, reset_token, session, sign_in,
    smtp::{MailServer, Mood, Received},
    told,
};
use crate::{
    support::{ACME, Client, DEMO, Database, PASSWORD, TestApp, Waiting},
    tables::names,
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::background::run_due;

const REQUEST: &str = "mutation($workspace: String!, $email: String!) {
    requestPasswordReset(input: { workspace: $workspace, email: $email }) { requested } }";

/// Asks for a link, from an address of its own, and returns the whole answer but for what tells requests apart.
async fn request(app: &TestApp, workspace: &str, email: &str) -> (u16, Value) {
    let variables = json!({ "workspace": workspace, "email": email });
    let mut answer = Client::anonymous(&app.url).send(REQUEST, variables).await;
    answer.body["extensions"]["cost"]["durationMs"].take();
    (answer.status, answer.body)
}

/// Waits until so many letters came in all.
async fn letters(app: &TestApp, server: &MailServer, count: usize) -> Vec<Received> {
    let waiting = Waiting::until("the letters come");
    while server.letters().len() < count {
        // What is written beside the answer may not be there yet.
        app.wait(Duration::from_secs(6));
        run_due(&app.store).await.expect("runs");
        waiting.a_moment().await;
    }
    server.letters()
}

async fn reset(app: &TestApp, token: &str, password: &str) -> String {
    let variables = json!({ "token": token, "password": password });
    let answer = Client::anonymous(&app.url).send(RESET, variables).await;
    answer
        .body
        .get("errors")
        .map(|_| answer.code())
        .unwrap_or_default()
}

on_both_databases! {
    async fn a_lost_password_is_replaced(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let email = app.email(DEMO, "member").await;
        let before = session(&app.url, &email).await;
        request(&app, DEMO, &email.to_uppercase()).await;
        let letter = letters(&app, &server, 1).await.remove(0);
        assert!(letter.to.contains(&format!("<{email}>")));
        let token = letter.token("/new-password");
        assert_eq!(reset(&app, &token, "short").await, "BAD_USER_INPUT", "the link stays good");
        assert_eq!(reset(&app, &token, NEW).await, "");
        assert_eq!(left(&app.url, &before).await, ENDED);
        assert_eq!(sign_in(&app.url, &email, PASSWORD).await.code(), "UNAUTHENTICATED");
        sign_in(&app.url, &email, NEW).await.data(super::SIGN_IN);
        assert_eq!(reset(&app, &token, "another long password").await, "UNAUTHENTICATED", "it is good once");
        let id = app.user(DEMO, "member").await.id;
        let entries = told(&app, &id).await;
        assert!(["user.password_reset", "user.reset_requested"].iter().all(|action| actions(&entries).contains(action)));
        let entries = json!(entries).to_string();
        assert!(!entries.contains(NEW) && !entries.contains(&token));
        app.verify_ledger(DEMO).await;
    }

    async fn an_address_that_nobody_has_is_answered_alike(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let email = app.email(DEMO, "member").await;
        app.execute(&format!("UPDATE users SET \"passwordHash\" = NULL WHERE email = '{}'", app.email(DEMO, "viewer").await)).await;
        let known = request(&app, DEMO, &email).await;
        assert_eq!(known.1["data"], json!({ "requestPasswordReset": { "requested": true } }));
        for (workspace, email) in [
            (DEMO, "nobody@demo.example"), (ACME, email.as_str()), ("nowhere", email.as_str()), (DEMO, ""), (DEMO, &"x".repeat(10_000)),
            // Who signs in through another provider has no password to lose.
            (DEMO, &app.email(DEMO, "viewer").await),
        ] {
            assert_eq!(request(&app, workspace, email).await, known, "{workspace} {email}");
        }
        let came = letters(&app, &server, 1).await;
        app.wait(Duration::from_secs(60));
        run_due(&app.store).await.expect("runs");
        assert_eq!((came.len(), server.letters().len()), (1, 1));
    }

    async fn a_mailbox_is_not_filled_and_links_die_after_an_hour(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let email = app.email(DEMO, "member").await;
        for asked in 1..=5 {
            request(&app, DEMO, &email).await;
            letters(&app, &server, asked.min(3)).await;
        }
        // Links are written one after the other, and this one is the last.
        request(&app, DEMO, &app.email(DEMO, "viewer").await).await;
        let mut came = letters(&app, &server, 4).await;
        came.retain(|letter| letter.to.contains(&email));
        assert_eq!(came.len(), 3);
        app.wait(Duration::from_secs(3600));
        run_due(&app.store).await.expect("runs");
        assert_eq!(server.letters().len(), 4);
        assert_eq!(reset(&app, &came[2].token("/new-password"), NEW).await, "UNAUTHENTICATED");
        request(&app, DEMO, &email).await;
        let last = letters(&app, &server, 5).await.remove(4);
        assert_eq!(reset(&app, &last.token("/new-password"), NEW).await, "");
    }

    async fn who_asks_again_while_their_link_waits_to_be_written_takes_no_other_place(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let (impatient, other) = (app.user(DEMO, "member").await, app.user(DEMO, "viewer").await);
        // Nobody writes these, and so no link, until it is let go.
        let beside = app.connection.across_tenants().await;
        let hold = match app.database {
            Database::Sqlite => "BEGIN IMMEDIATE".to_owned(),
            Database::Postgres => format!("BEGIN; SELECT 1 FROM users WHERE id = '{}' FOR UPDATE", impatient.id),
        };
        beside.execute_unprepared(&hold).await.expect("holds");
        for _ in 0..6 {
            request(&app, DEMO, &impatient.email).await;
        }
        request(&app, DEMO, &other.email).await;
        beside.execute_unprepared("ROLLBACK").await.expect("lets go");
        let written = async |user: &entity::user::Model| {
            let sql = format!("SELECT id AS name FROM auth_tokens WHERE \"linkNonce\" IS NOT NULL AND \"userId\" = '{}'", user.id);
            names(&beside, &sql).await.len()
        };
        // Links are written one after the other, and this one is the last.
        let waiting = Waiting::until("the last link is written");
        while written(&other).await == 0 {
            waiting.a_moment().await;
        }
        let links = written(&impatient).await;
        assert!(links == 1 || links == 2, "one that was being written, and one that waited: {links}");
    }

    async fn links_that_came_to_nobody_stand_in_no_ones_way(plain) {
        let server = MailServer::start(Mood::Refusing(550)).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let email = app.email(DEMO, "member").await;
        let connection = app.connection.across_tenants().await;
        for asked in 1..=3 {
            request(&app, DEMO, &email).await;
            let waiting = Waiting::until("the mail server refuses it");
            let failed = "SELECT id AS name FROM auth_tokens WHERE \"deliveryError\" IS NOT NULL AND \"nextDeliveryAt\" IS NULL";
            while names(&connection, failed).await.len() < asked {
                app.wait(Duration::from_secs(6));
                run_due(&app.store).await.expect("runs");
                waiting.a_moment().await;
            }
        }
        server.turn(Mood::Taking);
        request(&app, DEMO, &email).await;
        let letter = letters(&app, &server, 1).await.remove(0);
        assert_eq!(reset(&app, &letter.token("/new-password"), NEW).await, "");
    }

    async fn one_new_password_ends_the_other_links(app) {
        let member = app.user(DEMO, "member").await;
        let (one, other) = (reset_token(&app, &member).await, reset_token(&app, &member).await);
        assert_eq!(reset(&app, &one, NEW).await, "");
        assert_eq!(reset(&app, &other, "another long password").await, "UNAUTHENTICATED");
        for none in ["", "wgn_", &"x".repeat(300), &format!("wgn_{}", "x".repeat(43))] {
            assert_eq!(reset(&app, none, NEW).await, "UNAUTHENTICATED");
        }
    }

    async fn nobody_asks_for_a_link_where_no_mail_is_sent(app) {
        let (status, body) = request(&app, DEMO, &app.email(DEMO, "member").await).await;
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (200, &json!("FORBIDDEN")));
    }

    async fn an_address_asks_for_a_few_links_a_minute(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let client = Client::anonymous(&app.url);
        let variables = json!({ "workspace": DEMO, "email": "nobody@demo.example" });
        for _ in 0..crate::support::SIGN_INS {
            client.data(REQUEST, variables.clone()).await;
        }
        assert_eq!(client.code(REQUEST, variables).await, "RATE_LIMITED");
    }
}
