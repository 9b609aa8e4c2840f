//! Links that are mailed: nobody waits for the mail server, and what it does not take is tried again.

use super::{
    ACCEPT, NEW, reason,
    smtp::{MailServer, Mood},
    told,
};
use crate::{
    support::{Client, DEMO, Database, SMTP_PASSWORD, TestApp, Waiting},
    tables::names,
};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::background::run_due;

const INVITE: &str = "mutation($email: String!) { inviteUser(input: { email: $email }) { link invitation { id deliveryStatus } } }";
const AGAIN: &str = "mutation($id: ID!) { resendInvitation(input: { id: $id }) { link invitation { deliveryStatus } } }";
const MINUTE: Duration = Duration::from_secs(60);

/// Invites somebody whose link is mailed, and returns the invitation's id.
async fn invite(app: &TestApp, email: &str) -> Value {
    let admin = app.client(DEMO, "admin").await;
    let made = admin.data(INVITE, json!({ "email": email })).await["inviteUser"].clone();
    assert_eq!(
        (&made["link"], &made["invitation"]["deliveryStatus"]),
        (&Value::Null, &json!("WAITING"))
    );
    made["invitation"]["id"].clone()
}

/// How the link of an invitation stands: its status, how often it was tried, and the last error.
async fn delivery(app: &TestApp, id: &Value) -> (Value, Value, Value) {
    let query = "query($id: ID!) { invitation(id: $id) { deliveryStatus deliveryAttempts deliveryError nextDeliveryAt } }";
    let row = app.owner().await.data(query, json!({ "id": id })).await["invitation"].clone();
    assert_eq!(
        row["nextDeliveryAt"].is_null(),
        row["deliveryStatus"] != "WAITING",
        "{row}"
    );
    (
        row["deliveryStatus"].clone(),
        row["deliveryAttempts"].clone(),
        row["deliveryError"].clone(),
    )
}

/// Lets so much time pass, and does what is due then.
async fn after(app: &TestApp, time: Duration) {
    app.wait(time);
    run_due(&app.store).await.expect("runs");
}

/// From now on the database fails whenever this invitation is written.
async fn break_row(app: &TestApp, id: &str) {
    let when = format!("WHEN (NEW.id = '{id}')");
    match app.database {
        Database::Sqlite => {
            let fails = "BEGIN SELECT RAISE(ABORT, 'a fault of the test'); END";
            app.execute(&format!(
                "CREATE TRIGGER broken BEFORE UPDATE ON invitations {when} {fails}"
            ))
            .await;
        }
        Database::Postgres => {
            app.execute("CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a fault of the test'; END $$").await;
            app.execute(&format!("CREATE TRIGGER broken BEFORE UPDATE ON invitations FOR EACH ROW {when} EXECUTE FUNCTION broken()")).await;
        }
    }
}

async fn accept(app: &TestApp, token: &str) -> String {
    let variables = json!({ "token": token, "name": "Grace", "password": NEW });
    let answer = Client::anonymous(&app.url).send(ACCEPT, variables).await;
    answer
        .body
        .get("errors")
        .map(|_| answer.code())
        .unwrap_or_default()
}

on_both_databases! {
    async fn an_invitation_is_mailed_once_and_accepted(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let id = invite(&app, "grace@home.example").await;
        after(&app, MINUTE).await;
        after(&app, MINUTE).await;
        assert_eq!(delivery(&app, &id).await, (json!("SENT"), json!(1), Value::Null));
        let [letter] = &server.letters()[..] else { panic!("one letter: {:?}", server.letters()) };
        assert!(letter.to.contains("<grace@home.example>"), "{}", letter.to);
        assert_eq!(letter.head("From"), "Workgraph <workgraph@dashboard.example>");
        assert!(letter.head("Subject").starts_with("You are invited to "));
        assert!(letter.text.contains(&app.email(DEMO, "admin").await), "it says who invites");
        let token = letter.token("/join");
        let entries = told(&app, id.as_str().expect("an id")).await;
        assert_eq!(super::actions(&entries), ["invitation.mailed", "user.invited"]);
        assert_eq!(entries[0]["actor"], "system:mail");
        assert!(!json!(entries).to_string().contains(&token));
        assert_eq!(accept(&app, &token).await, "");
        app.verify_ledger(DEMO).await;
    }

    async fn what_a_mail_server_that_is_down_does_not_take_it_takes_later(plain) {
        let mut down = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, down.address).await;
        let address = down.address;
        down.go_down().await;
        let id = invite(&app, "grace@home.example").await;
        for tried in 1..=3 {
            after(&app, MINUTE * 5).await;
            let (status, attempts, error) = delivery(&app, &id).await;
            assert_eq!((status, attempts), (json!("WAITING"), json!(tried)));
            assert_eq!(error, "The mail server cannot be reached.");
        }
        // Between the tries it has its peace.
        after(&app, Duration::from_secs(6)).await;
        assert_eq!(delivery(&app, &id).await.1, json!(3));
        let up = MailServer::at(address, Mood::Taking).await;
        after(&app, MINUTE * 5).await;
        assert_eq!(delivery(&app, &id).await, (json!("SENT"), json!(4), Value::Null));
        assert_eq!(accept(&app, &up.letters()[0].token("/join")).await, "");
    }

    async fn what_a_mail_server_refuses_for_now_is_tried_again_and_for_good_is_not(plain) {
        let server = MailServer::start(Mood::Refusing(450)).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let id = invite(&app, "grace@home.example").await;
        after(&app, MINUTE).await;
        let refused = |code: u16| json!(format!("The mail server refuses it, with the code {code}."));
        assert_eq!(delivery(&app, &id).await, (json!("WAITING"), json!(1), refused(450)));
        server.turn(Mood::Refusing(550));
        after(&app, MINUTE).await;
        assert_eq!(delivery(&app, &id).await, (json!("FAILED"), json!(2), refused(550)));
        let visits = server.visits();
        after(&app, MINUTE * 90).await;
        assert_eq!(server.visits(), visits, "it is not tried any more");
        let entries = told(&app, id.as_str().expect("an id")).await;
        assert_eq!(super::actions(&entries), ["invitation.undelivered", "user.invited"]);
        // Whoever invited sends it again once the server takes it.
        server.turn(Mood::Taking);
        let admin = app.client(DEMO, "admin").await;
        let again = admin.data(AGAIN, json!({ "id": id })).await["resendInvitation"].clone();
        assert_eq!((&again["link"], &again["invitation"]["deliveryStatus"]), (&Value::Null, &json!("WAITING")));
        assert_eq!(admin.code(AGAIN, json!({ "id": id })).await, "RATE_LIMITED", "nobody is flooded with letters");
        after(&app, MINUTE).await;
        assert_eq!(delivery(&app, &id).await, (json!("SENT"), json!(1), Value::Null));
        app.verify_ledger(DEMO).await;
    }

    async fn only_what_is_said_of_an_address_for_good_ends_the_tries(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let mut ids = Vec::new();
        // Of the others somebody may mend the cause: a full mailbox, a password, a policy of the server.
        for (code, is_for_good) in [
            (550, true), (551, true), (553, true), (556, true), (450, false), (454, false), (530, false), (535, false), (552, false), (554, false),
        ] {
            server.turn(Mood::Refusing(code));
            let id = invite(&app, &format!("grace{code}@home.example")).await;
            after(&app, MINUTE).await;
            let (status, attempts, error) = delivery(&app, &id).await;
            assert_eq!((status, attempts), (json!(if is_for_good { "FAILED" } else { "WAITING" }), json!(1)), "{code}: {error}");
            ids.push((id, is_for_good));
        }
        server.turn(Mood::Taking);
        after(&app, MINUTE * 20).await;
        for (id, is_for_good) in ids {
            assert_eq!(delivery(&app, &id).await.0, json!(if is_for_good { "FAILED" } else { "SENT" }));
        }
    }

    async fn a_letter_that_fails_holds_up_no_other(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let mut ids = Vec::new();
        for place in 0..12 {
            let id = invite(&app, &format!("grace{place}@home.example")).await;
            ids.push(id.as_str().expect("an id").to_owned());
        }
        let ask = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { requested } }";
        let input = json!({ "workspace": DEMO, "email": app.email(DEMO, "member").await });
        Client::anonymous(&app.url).data(ask, json!({ "input": input })).await;
        let connection = app.connection.across_tenants().await;
        let waiting = Waiting::until("the link for a new password is written");
        while names(&connection, "SELECT id AS name FROM auth_tokens WHERE \"nextDeliveryAt\" IS NOT NULL").await.is_empty() {
            waiting.a_moment().await;
        }
        // The first that is looked at.
        ids.sort();
        break_row(&app, &ids[0]).await;
        after(&app, MINUTE).await;
        let letters = server.letters();
        let passwords = letters.iter().filter(|letter| letter.text.contains("/new-password#")).count();
        assert_eq!((letters.len(), passwords), (12, 1), "all but one went out");
        assert_eq!(delivery(&app, &json!(ids[0])).await, (json!("WAITING"), json!(0), Value::Null));
    }

    async fn what_was_taken_back_is_not_to_be_mailed(plain) {
        let server = MailServer::start(Mood::Refusing(450)).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let id = invite(&app, "grace@home.example").await;
        after(&app, MINUTE).await;
        let revoke = "mutation($id: ID!) { revokeInvitation(input: { id: $id }) { invitation { status nextDeliveryAt } } }";
        let admin = app.client(DEMO, "admin").await;
        let revoked = admin.data(revoke, json!({ "id": id })).await["revokeInvitation"]["invitation"].clone();
        assert_eq!(revoked, json!({ "status": "REVOKED", "nextDeliveryAt": null }));
        assert_eq!(admin.data(revoke, json!({ "id": id })).await["revokeInvitation"]["invitation"], revoked, "once more changes nothing");
        let entries = told(&app, id.as_str().expect("an id")).await;
        assert_eq!(super::actions(&entries), ["invitation.revoked", "user.invited"]);
    }

    async fn strangers_are_not_sent_letters_without_end(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let revoke = "mutation($id: ID!) { revokeInvitation(input: { id: $id }) { feedCursor } }";
        let id = invite(&app, "grace@home.example").await;
        let admin = app.client(DEMO, "admin").await;
        admin.data(revoke, json!({ "id": id })).await;
        // What was taken back was sent all the same.
        assert_eq!(admin.code(INVITE, json!({ "email": "grace@home.example" })).await, "RATE_LIMITED");
        invite(&app, "ada@home.example").await;
        app.wait(MINUTE);
        invite(&app, "grace@home.example").await;
        let (tenant, now) = (app.tenant(DEMO).await, app.now().format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string());
        app.execute(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO invitations (id, \"tenantId\", email, \
             status, \"tokenHash\", \"expiresAt\", \"createdAt\", \"updatedAt\") SELECT 'many' || i, '{tenant}', 'many' || i || '@home.example', \
             'revoked', 'many' || i, '{now}', '{now}', '{now}' FROM n"
        )).await;
        assert_eq!(admin.code(INVITE, json!({ "email": "bob@home.example" })).await, "CONFLICT");
        app.wait(MINUTE * 60);
        invite(&app, "bob@home.example").await;
    }

    async fn nobody_waits_for_a_mail_server_that_says_nothing(plain) {
        let mut silent = MailServer::start(Mood::Silent).await;
        let app = TestApp::start_mailing(plain.database, silent.address).await;
        let first = invite(&app, "grace@home.example").await;
        let mailing = tokio::spawn({
            let store = app.store.clone();
            async move { run_due(&store).await.expect("runs") }
        });
        let waiting = Waiting::until("the mail server is asked");
        while silent.visits() == 0 {
            waiting.a_moment().await;
        }
        // Meanwhile others write, the same invitation is changed, and more is to be mailed.
        invite(&app, "ada@home.example").await;
        let admin = app.client(DEMO, "admin").await;
        let revoke = "mutation($id: ID!) { revokeInvitation(input: { id: $id }) { invitation { status } } }";
        admin.data(revoke, json!({ "id": first })).await;
        assert!(!mailing.is_finished(), "it still waits");
        silent.go_down().await;
        mailing.await.expect("ends");
        let (status, attempts, _) = delivery_of_ended(&app, &first).await;
        assert_eq!((status, attempts), (json!("REVOKED"), json!(1)));
        app.verify_ledger(DEMO).await;
    }

    async fn a_letter_that_may_have_come_comes_again_under_the_same_name(plain) {
        let server = MailServer::start(Mood::HangingUp).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let id = invite(&app, "grace@home.example").await;
        after(&app, MINUTE).await;
        server.turn(Mood::Taking);
        after(&app, MINUTE * 2).await;
        assert_eq!(delivery(&app, &id).await.0, json!("SENT"));
        let letters = server.letters();
        let [first, second] = &letters[..] else { panic!("two letters: {letters:?}") };
        assert_eq!(first.head("Message-ID"), second.head("Message-ID"));
        assert_eq!(first.token("/join"), second.token("/join"));
    }

    async fn an_old_link_dies_with_the_letter_that_brings_the_new_one(plain) {
        let server = MailServer::start(Mood::Taking).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let id = invite(&app, "grace@home.example").await;
        after(&app, MINUTE * 2).await;
        let admin = app.client(DEMO, "admin").await;
        admin.data(AGAIN, json!({ "id": id })).await;
        after(&app, MINUTE).await;
        let letters = server.letters();
        assert_ne!(letters[0].head("Message-ID"), letters[1].head("Message-ID"));
        assert_eq!(accept(&app, &letters[0].token("/join")).await, "UNAUTHENTICATED");
        assert_eq!(accept(&app, &letters[1].token("/join")).await, "");
        assert_eq!(reason(&admin.send(INVITE, json!({ "email": "grace@home.example" })).await).1, "ALREADY_MEMBER");
    }

    async fn what_mail_is_sent_with_is_shown_nowhere(plain) {
        let server = MailServer::start(Mood::Refusing(550)).await;
        let app = TestApp::start_mailing(plain.database, server.address).await;
        let id = invite(&app, "grace@home.example").await;
        after(&app, MINUTE).await;
        let all = "{ invitations { nodes { deliveryError } } activity(first: 20) { nodes { message diff { before after } metadata } }
            backgroundTasks { name lastError } }";
        let all = app.owner().await.data(all, json!({})).await.to_string();
        assert!(!all.contains(SMTP_PASSWORD) && !all.contains("wgi_") && !all.contains("RCPT"), "{all}");
        assert_eq!(delivery(&app, &id).await.0, json!("FAILED"));
    }
}

/// The status of an invitation that has ended, how often it was tried to mail it, and the last error.
async fn delivery_of_ended(app: &TestApp, id: &Value) -> (Value, Value, Value) {
    let query = "query($id: ID!) { invitation(id: $id) { status deliveryAttempts deliveryError } }";
    let row = app.owner().await.data(query, json!({ "id": id })).await["invitation"].clone();
    (
        row["status"].clone(),
        row["deliveryAttempts"].clone(),
        row["deliveryError"].clone(),
    )
}
