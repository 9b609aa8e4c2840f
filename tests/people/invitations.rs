//! Invitations where no mail is set up: whoever invites passes the link on.

use super::{ACCEPT, NEW, REMOVE, ROLE, actions, reason, sign_in, told};
use crate::{
    support::{Answer, Client, DEMO, TestApp},
    writes::Made,
};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::background::run_due;

const INVITE: &str = "mutation($email: String!, $role: InvitationRole, $key: String) {
    inviteUser(input: { email: $email, role: $role, idempotencyKey: $key }) { link invitation { id email role status deliveryStatus expiresAt } } }";
const AGAIN: &str = "mutation($id: ID!) { resendInvitation(input: { id: $id }) { link invitation { status expiresAt } } }";
const REVOKE: &str =
    "mutation($id: ID!) { revokeInvitation(input: { id: $id }) { invitation { status } } }";
const STATUS: &str = "query($id: ID!) { invitation(id: $id) { status acceptedAt acceptedBy { email role } allowedSteps } }";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What stands behind the `#` of a link.
fn token(link: &Value) -> String {
    let (page, token) = link
        .as_str()
        .expect("a link")
        .split_once('#')
        .expect("a token");
    assert_eq!(page, "/join");
    token.to_owned()
}

async fn accept(app: &TestApp, token: &str) -> Answer {
    let variables = json!({ "token": token, "name": "Grace", "password": NEW });
    Client::anonymous(&app.url).send(ACCEPT, variables).await
}

async fn status(app: &TestApp, id: &Value) -> Value {
    app.owner().await.data(STATUS, json!({ "id": id })).await["invitation"].clone()
}

on_both_databases! {
    async fn somebody_is_invited_and_joins(app) {
        let admin = app.client(DEMO, "admin").await;
        let variables = json!({ "email": " Grace@Demo.Example ", "role": "ADMIN", "key": "once" });
        let made = admin.data(INVITE, variables.clone()).await["inviteUser"].clone();
        let invitation = made["invitation"].clone();
        let id = &invitation["id"];
        assert_eq!((&invitation["email"], &invitation["role"], &invitation["status"], &invitation["deliveryStatus"]),
            (&json!("grace@demo.example"), &json!("ADMIN"), &json!("PENDING"), &json!("SHOWN")));
        let again = admin.data(INVITE, variables).await["inviteUser"].clone();
        assert_eq!((&again["link"], &again["invitation"]["id"]), (&Value::Null, id), "the link is shown once");

        let token = token(&made["link"]);
        let session = accept(&app, &token).await.data(ACCEPT)["acceptInvitation"].clone();
        let grace = Client::new(&app.url, session["accessToken"].as_str().expect("a token"));
        let who = grace.data("{ viewer { user { id name email role lastLoginAt } } }", json!({})).await["viewer"]["user"].clone();
        assert_eq!((&who["name"], &who["email"], &who["role"]), (&json!("Grace"), &json!("grace@demo.example"), &json!("ADMIN")));
        assert!(who["lastLoginAt"].is_string());
        sign_in(&app.url, "grace@demo.example", NEW).await.data(ACCEPT);
        let now = status(&app, id).await;
        assert!(now["acceptedAt"].is_string());
        assert_eq!((&now["status"], &now["acceptedBy"]["email"], &now["allowedSteps"]), (&json!("ACCEPTED"), &who["email"], &json!([])));
        assert_eq!(actions(&told(&app, id.as_str().expect("an id")).await), ["invitation.accepted", "user.invited"]);
        let entries = told(&app, who["id"].as_str().expect("an id")).await;
        assert_eq!(actions(&entries), ["user.login", "user.joined"]);
        assert!(!json!(entries).to_string().contains(NEW));
        assert_eq!(accept(&app, &token).await.code(), "CONFLICT", "it is good once");
        app.verify_ledger(DEMO).await;
    }

    async fn nobody_is_invited_twice_or_who_is_here_already(app) {
        let admin = app.client(DEMO, "admin").await;
        let invite = async |email: &str| admin.send(INVITE, json!({ "email": email })).await;
        let first = invite("grace@demo.example").await.data(INVITE)["inviteUser"]["invitation"]["id"].clone();
        assert_eq!(reason(&invite("GRACE@demo.example").await), ("CONFLICT".into(), json!("INVITE_PENDING")));
        let member = app.email(DEMO, "member").await;
        assert_eq!(reason(&invite(&member.to_uppercase()).await), ("CONFLICT".into(), json!("ALREADY_MEMBER")));
        for wrong in ["", "grace", "@demo.example", "grace@", "gra ce@demo.example", "a@b@c", "grace@demo.example\r\nBcc: x@y.example", "<grace@demo.example>"] {
            let answer = invite(wrong).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{wrong}");
            assert_eq!(answer.body["errors"][0]["extensions"]["field"], "email", "{wrong}");
        }
        assert_eq!(app.client(DEMO, "member").await.code(INVITE, json!({ "email": "x@demo.example" })).await, "FORBIDDEN");
        assert_eq!(admin.code(INVITE, json!({ "email": "x@demo.example", "role": "OWNER" })).await, "GRAPHQL_VALIDATION_FAILED");
        // One whose time is up stands in nobody's way, also before it was closed.
        app.wait(DAY * 8);
        let admin = app.client(DEMO, "admin").await;
        admin.data(INVITE, json!({ "email": "grace@demo.example" })).await;
        assert_eq!(status(&app, &first).await["status"], "EXPIRED");
        app.verify_ledger(DEMO).await;
    }

    async fn a_link_that_was_sent_again_replaces_the_old_one(app) {
        let admin = app.client(DEMO, "admin").await;
        let (id, old) = Made { app: &app, client: &admin }.invitation().await;
        app.wait(DAY * 6);
        let admin = app.client(DEMO, "admin").await;
        let again = admin.data(AGAIN, json!({ "id": id })).await["resendInvitation"].clone();
        let new = token(&again["link"]);
        assert_eq!(accept(&app, &old).await.code(), "UNAUTHENTICATED");
        app.wait(DAY * 6);
        accept(&app, &new).await.data(ACCEPT);
        let admin = app.client(DEMO, "admin").await;
        let answer = admin.send(AGAIN, json!({ "id": id })).await;
        assert_eq!(reason(&answer), ("CONFLICT".into(), json!("ALREADY_MEMBER")));
        app.verify_ledger(DEMO).await;
    }

    async fn an_invitation_ends_when_its_time_is_up_or_it_is_taken_back(app) {
        let admin = app.client(DEMO, "admin").await;
        let made = Made { app: &app, client: &admin };
        let ((late, first), (swept, second), (revoked, third)) = (made.invitation().await, made.invitation().await, made.invitation().await);
        admin.data(REVOKE, json!({ "id": revoked })).await;
        assert_eq!(accept(&app, &third).await.code(), "CONFLICT");
        assert_eq!(admin.code(AGAIN, json!({ "id": revoked })).await, "ILLEGAL_TRANSITION");
        run_due(&app.store).await.expect("runs");
        app.wait(DAY * 7 - Duration::from_secs(60));
        run_due(&app.store).await.expect("runs");
        assert_eq!(status(&app, &swept).await["status"], "PENDING");
        app.wait(Duration::from_secs(61));
        assert_eq!(accept(&app, &first).await.code(), "CONFLICT", "nobody need sweep before");
        assert_eq!(status(&app, &late).await["status"], "EXPIRED");
        assert_eq!(status(&app, &swept).await["status"], "PENDING");
        run_due(&app.store).await.expect("runs");
        let now = status(&app, &swept).await;
        assert_eq!((&now["status"], &now["allowedSteps"]), (&json!("EXPIRED"), &json!(["RESEND"])));
        assert_eq!(told(&app, swept.as_str().expect("an id")).await[0]["actor"], "system:invitations");
        assert_eq!(accept(&app, &second).await.code(), "CONFLICT");
        // It can be sent again even so.
        let admin = app.client(DEMO, "admin").await;
        let again = admin.data(AGAIN, json!({ "id": swept })).await["resendInvitation"].clone();
        accept(&app, &token(&again["link"])).await.data(ACCEPT);
        app.verify_ledger(DEMO).await;
    }

    async fn what_somebody_sent_is_taken_back_when_they_may_invite_no_more(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let others = made.invitation().await.1;
        for (mutation, role, is_kept) in [(REMOVE, None, false), (ROLE, Some("MEMBER"), false), (ROLE, Some("VIEWER"), false), (ROLE, Some("OWNER"), true)] {
            let person = made.person("admin").await;
            let theirs = Client::new(&app.url, &app.token_of(&person));
            let by_them = Made { app: &app, client: &theirs };
            let ((id, token), (joined, theirs)) = (by_them.invitation().await, by_them.invitation().await);
            accept(&app, &theirs).await.data(ACCEPT);
            let mut variables = json!({ "id": person.id });
            if let Some(role) = role {
                variables["role"] = json!(role);
            }
            owner.data(mutation, variables).await;
            assert_eq!(status(&app, &joined).await["status"], "ACCEPTED", "who has joined stays");
            let last = told(&app, id.as_str().expect("an id")).await.remove(0);
            if is_kept {
                assert_eq!(last["action"], "user.invited");
                accept(&app, &token).await.data(ACCEPT);
                continue;
            }
            assert_eq!((&last["action"], &status(&app, &id).await["status"]), (&json!("invitation.revoked"), &json!("REVOKED")), "{role:?}");
            assert_eq!(accept(&app, &token).await.code(), "CONFLICT", "{role:?}");
        }
        accept(&app, &others).await.data(ACCEPT);
        app.verify_ledger(DEMO).await;
    }

    async fn what_is_wrong_with_who_joins_leaves_the_invitation(app) {
        let admin = app.client(DEMO, "admin").await;
        let (_, token) = Made { app: &app, client: &admin }.invitation().await;
        let nobody = Client::anonymous(&app.url);
        for (name, password, field) in [("", NEW, "name"), ("Grace", "short", "password"), ("Grace", "workgraph-demo", "password")] {
            let answer = nobody.send(ACCEPT, json!({ "token": token, "name": name, "password": password })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT");
            assert_eq!(answer.body["errors"][0]["extensions"]["field"], field);
        }
        for none in ["", "wgi_", &"x".repeat(200), &format!("wgi_{}", "x".repeat(43)), &token.replace("wgi_", "wgn_")] {
            assert_eq!(accept(&app, none).await.code(), "UNAUTHENTICATED", "{none}");
        }
        accept(&app, &token).await.data(ACCEPT);
    }

    async fn so_many_people_are_invited_at_a_time(app) {
        let admin = app.client(DEMO, "admin").await;
        let (tenant, until) = (app.tenant(DEMO).await, (app.now() + DAY).format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
        app.execute(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO invitations (id, \"tenantId\", email, \
             \"tokenHash\", \"expiresAt\", \"createdAt\", \"updatedAt\") SELECT 'many' || i, '{tenant}', 'many' || i || '@demo.example', \
             'many' || i, '{until}', '{until}', '{until}' FROM n"
        )).await;
        let answer = admin.send(INVITE, json!({ "email": "grace@demo.example" })).await;
        assert_eq!(answer.code(), "CONFLICT");
        let other = app.client(crate::support::ACME, "admin").await;
        other.data(INVITE, json!({ "email": "grace@demo.example" })).await;
    }
}
