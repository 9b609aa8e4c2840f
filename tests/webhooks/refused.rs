//! What is not genuine, and what is too much.

use super::{Delivery, Hook, push};
use crate::{
    support::{ACME, DEMO, Database, PASSWORD, TestApp, limits},
    vault::canary::{Log, logged},
    writes::{Made, head},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use workgraph::http::Limits;

/// What is answered to what is not genuine, but for the name of the request.
async fn refusal(hook: &Hook, delivery: &Delivery) -> Value {
    let (status, mut told) = hook.send(delivery).await;
    assert_eq!(status, 401, "{told}");
    told["errors"][0]["extensions"]["requestId"].take();
    told
}

on_both_databases! {
    async fn all_that_is_not_genuine_is_told_the_same(app) {
        let (owner, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let (hook, theirs) = (Hook::of(&app, &owner, "GITHUB").await, Hook::of(&app, &acme, "GITHUB").await);
        let slack = Hook::of(&app, &owner, "SLACK").await;
        let now = app.now().timestamp();
        let genuine = hook.github("g", "push", push("brackenford/storefront", now).to_string());
        let heads = async || (head(&owner).await, head(&acme).await);
        let before = heads().await;
        let nobody = refusal(&hook.under("/webhooks/github/nobodyhasthisid"), &genuine).await;
        let mut wrong = Vec::new();
        for (at, change) in [(0, b' '), (genuine.body.len() / 2, 1), (genuine.body.len() - 1, 2)] {
            let mut altered = genuine.clone();
            altered.body[at] ^= change;
            wrong.push((hook.clone(), altered));
        }
        let without = |name: &str| Delivery {
            headers: genuine.headers.iter().filter(|(header, _)| *header != name).cloned().collect(),
            body: genuine.body.clone(),
        };
        let with = |value: &str| {
            let mut other = without("x-hub-signature-256");
            other.headers.push(("x-hub-signature-256", value.into()));
            other
        };
        let code = genuine.headers[4].1.clone();
        wrong.push((hook.clone(), without("x-hub-signature-256")));
        for value in ["", "sha256=", "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", &code[..code.len() - 2], &code["sha256=".len()..], &format!("{code}00"), &"f".repeat(5000)] {
            wrong.push((hook.clone(), with(value)));
        }
        let mut twice = genuine.clone();
        twice.headers.push(("x-hub-signature-256", code.clone()));
        wrong.push((hook.clone(), twice));
        // Signed with the secret of another workspace, and for another connection.
        wrong.push((hook.clone(), theirs.github("g", "push", genuine.body.clone())));
        wrong.push((theirs.clone(), genuine.clone()));
        let id = hook.id.as_str().expect("an id");
        for path in [format!("/webhooks/slack/{id}"), format!("/webhooks/generic/{id}"), format!("/webhooks/nothing/{id}"), format!("/webhooks/github/{id}%00"), "/webhooks/github/%FF".into(), format!("/webhooks/github/{}", "x".repeat(3000)), format!("/webhooks/github/{}", id.to_uppercase())] {
            wrong.push((hook.under(&path), genuine.clone()));
        }
        // From another time, into both directions.
        for at in [now - 310, now + 310, 0, i64::MAX] {
            wrong.push((slack.clone(), slack.slack(at, false, r#"{"type":"url_verification","challenge":"x"}"#)));
        }
        let mut moved = slack.slack(now - 310, false, "{}");
        moved.headers[1].1 = now.to_string();
        wrong.push((slack.clone(), moved));
        let generic = Hook::of(&app, &owner, "LINEAR").await;
        for at in [now - 310, now + 310] {
            wrong.push((generic.clone(), generic.generic(at, &json!({ "event": "ping" }))));
        }
        let begun = heads().await;
        for (hook, delivery) in &wrong {
            assert_eq!(refusal(hook, delivery).await, nobody, "{} {:?}", hook.path, delivery.headers);
        }
        assert_eq!(heads().await, begun);
        assert_ne!(begun, before, "connecting was told of");
        assert_eq!(hook.send(&genuine).await.0, 200, "it was genuine all the time");
        // A connection that has no secret, was given up, or is gone.
        let disconnect = Made { app: &app, client: &owner };
        disconnect.run("disconnectIntegration", json!({ "id": hook.id })).await;
        let later = hook.github("h", "ping", "{}");
        assert_eq!(refusal(&hook, &later).await, nobody);
        app.execute(&format!("DELETE FROM integration_connections WHERE id = '{id}'")).await;
        assert_eq!(refusal(&hook, &later).await, nobody);
        app.execute("DELETE FROM credential_vault WHERE kind = 'webhook_secret'").await;
        assert_eq!(refusal(&theirs, &theirs.github("i", "ping", "{}")).await, nobody);
    }

    async fn a_deleted_workspace_hears_nothing(app) {
        let acme = app.client(ACME, "owner").await;
        let hook = Hook::of(&app, &acme, "GITHUB").await;
        assert_eq!(hook.send(&hook.github("a", "ping", "{}")).await.0, 200);
        let delete = "mutation($password: String!) { deleteWorkspace(input: { slug: \"acme\", password: $password }) { __typename } }";
        acme.data(delete, json!({ "password": PASSWORD })).await;
        assert_eq!(hook.send(&hook.github("b", "ping", "{}")).await.0, 401);
    }

    async fn what_is_genuine_and_makes_no_sense_is_ignored(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        let before = head(&owner).await;
        for (number, body) in [
            String::new(), "{".into(), "null".into(), "[]".into(), "\u{feff}{}".into(), "[".repeat(3_000_000),
            format!("{}1{}", "{\"a\":".repeat(500_000), "}".repeat(500_000)),
            push("a/b", 1).to_string().replace("refs/heads/main", "refs/heads/\\u0000"),
            json!({ "ref": 1, "repository": {} }).to_string(),
        ].into_iter().enumerate() {
            let began = Instant::now();
            assert_eq!(hook.tell(&hook.github(&format!("n-{number}"), "push", body)).await, "ignored", "{number}");
            assert!(began.elapsed() < Duration::from_secs(20), "{number}");
        }
        let mut latin = hook.github("n", "push", b"{\"ref\":\"\xff\"}".to_vec());
        assert_eq!(hook.tell(&latin).await, "ignored");
        latin.headers[0].1 = "application/x-www-form-urlencoded".into();
        assert_eq!(hook.tell(&latin).await, "ignored", "a form without a payload");
        assert_eq!(head(&owner).await, before);
    }

    async fn what_is_too_large_or_too_much_is_refused_so_that_it_comes_again(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        let large = hook.github("large", "push", vec![b' '; 5 * 1024 * 1024 + 1]);
        let (status, told) = hook.send(&large).await;
        assert_eq!(status, 413, "{told}");
        assert!(told.to_string().contains("WORKGRAPH_WEBHOOK_BYTES"), "{told}");
        let strict = app.elsewhere_within(Limits { requests_per_minute: 2, ..limits() }).await;
        let hook = hook.at(&strict);
        for (name, status) in [("1", 200), ("2", 200), ("3", 429)] {
            assert_eq!(hook.send(&hook.github(name, "ping", "{}")).await.0, status, "{name}");
        }
        // Another connection has an allowance of its own.
        let other = Hook::of(&app, &owner, "GITHUB").await.at(&strict);
        assert_eq!(other.send(&other.github("1", "ping", "{}")).await.0, 200);
    }

    async fn who_guesses_often_waits_for_it(app) {
        let owner = app.owner().await;
        let strict = app.elsewhere_within(Limits { refusals_per_minute: 2, ..limits() }).await;
        let hook = Hook::of(&app, &owner, "GITHUB").await.at(&strict);
        let wrong = Hook { secret: "a guess".into(), ..hook.clone() };
        for held in [false, false, true] {
            let began = Instant::now();
            assert_eq!(hook.send(&wrong.github("g", "ping", "{}")).await.0, 401);
            assert!(!held || began.elapsed() >= Duration::from_secs(1));
        }
        assert_eq!(hook.send(&hook.github("g", "ping", "{}")).await.0, 200, "who has the secret is let in");
    }

    async fn a_secret_that_could_be_guessed_signs_nothing(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        let kept = owner.data("{ credentials(filter: { kind: { eq: WEBHOOK_SECRET } }, orderBy: [{ field: CREATED_AT, direction: DESC }]) { nodes { id } } }", json!({})).await;
        let rotate = "mutation($id: ID!, $value: String!) { rotateCredential(input: { id: $id, value: $value }) { feedCursor } }";
        for (value, status) in [("fifteen letters", 401), ("sixteen letters.", 200)] {
            owner.data(rotate, json!({ "id": kept["credentials"]["nodes"][0]["id"], "value": value })).await;
            let signed = Hook { secret: value.into(), ..hook.clone() };
            assert_eq!(signed.send(&signed.github(value.split(' ').next().expect("a word"), "ping", "{}")).await.0, status, "{value}");
        }
    }

    async fn a_secret_that_is_replaced_meanwhile_is_the_old_one_or_the_new_one(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        let made = Made { app: &app, client: &owner };
        for round in 0..10 {
            let ping = hook.github(&format!("r-{round}"), "ping", "{}");
            let fresh = json!({ "id": hook.id, "value": hook.secret });
            let other = json!({ "id": hook.id, "value": "another secret of tests" });
            let ((status, _), _) = tokio::join!(hook.send(&ping), made.run("setWebhookSecret", other));
            assert!([200, 401].contains(&status), "{status}");
            assert_eq!(hook.send(&hook.github(&format!("s-{round}"), "ping", "{}")).await.0, 401);
            made.run("setWebhookSecret", fresh).await;
        }
        app.verify_ledger(DEMO).await;
    }
}

#[test]
fn nothing_of_a_delivery_is_logged_on_sqlite() {
    logged(|log| told_nowhere(Database::Sqlite, log));
}

#[test]
fn nothing_of_a_delivery_is_logged_on_postgres() {
    logged(|log| told_nowhere(Database::Postgres, log));
}

async fn told_nowhere(database: Database, log: Log) {
    let app = TestApp::start(database).await;
    let owner = app.owner().await;
    let hook = Hook::of(&app, &owner, "GITHUB").await;
    let mut body = push("brackenford/storefront", app.now().timestamp());
    body["pusher"]["name"] = json!("canary-of-the-body");
    let wrong = Hook {
        secret: "canary-of-a-guess".into(),
        ..hook.clone()
    };
    assert_eq!(
        hook.send(&hook.github("a", "push", body.to_string()))
            .await
            .0,
        200
    );
    assert_eq!(
        hook.send(&wrong.github("b", "push", body.to_string()))
            .await
            .0,
        401
    );
    assert_eq!(
        hook.send(&hook.github("c", "push", "{\"canary-of-the-body"))
            .await
            .0,
        200
    );
    app.stop();
    let told = log.text();
    assert!(
        told.contains("/webhooks/github/"),
        "it is logged that something came"
    );
    for word in ["canary-of", hook.secret.as_str()] {
        assert!(!told.contains(word), "{word} is in the log");
    }
}
