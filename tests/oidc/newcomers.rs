//! Who is let in, and whose account is theirs.

use super::{
    actions, begun,
    browser::{Browser, why},
    id, person,
    provider::Provider,
    told,
};
use crate::support::{Client, DEMO, PASSWORD};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::auth::{Newcomers, OidcSettings};

const INVITE: &str = "mutation($email: String!) { inviteUser(input: { email: $email, role: MEMBER }) { invitation { id } } }";
const SIGN_IN: &str = "mutation($email: String!, $password: String!) { signIn(input: { workspace: \"demo\", email: $email, password: $password }) { accessToken } }";

on_both_databases! {
    async fn only_those_are_let_in_whom_the_operator_lets_in(app) {
        let (provider, server) = begun(&app).await;
        let refused = async |server: &str| Browser::new(server).is_refused("").await;
        provider.brings("grace", "grace@demo.example");
        assert_eq!(refused(&server).await, "UNKNOWN_PERSON");
        let member = app.email(DEMO, "member").await;
        provider.brings("ada", &member);
        for verified in [json!(false), Value::Null, json!("false")] {
            provider.says().claims = json!({ "email_verified": verified });
            assert_eq!(refused(&server).await, "EMAIL_NOT_VERIFIED", "{verified}");
        }
        provider.says().claims = json!({});
        let strict = OidcSettings { newcomers: Newcomers::None, ..provider.settings(&[DEMO]) };
        let strict = app.through(strict).await;
        assert_eq!(refused(&strict).await, "UNKNOWN_PERSON", "an address alone links nothing there");
        assert_eq!(refused(&server).await, "");
        assert_eq!(refused(&strict).await, "", "who is linked comes in");

        // An invitation lets in, as what it says.
        app.owner().await.data(INVITE, json!({ "email": "grace@demo.example" })).await;
        provider.brings("grace", "grace@demo.example");
        assert_eq!(refused(&server).await, "");
        let grace = person(&app, "grace@demo.example").await;
        assert_eq!((&grace["role"], &grace["name"]), (&json!("MEMBER"), &json!("Ada")));
        assert_eq!(actions(&app, id(&grace)).await, ["user.login", "user.joined"]);
        let pending = app.owner().await.data("{ invitations(filter: { email: { eq: \"grace@demo.example\" } }) { nodes { status acceptedBy { id } } } }", json!({})).await;
        assert_eq!(pending["invitations"]["nodes"][0], json!({ "status": "ACCEPTED", "acceptedBy": { "id": grace["id"] } }));

        // Others get an account where everybody does.
        let open = OidcSettings { newcomers: Newcomers::Anyone, ..provider.settings(&[DEMO]) };
        let open = app.through(open).await;
        provider.brings("mary", "mary@demo.example");
        assert_eq!(refused(&open).await, "");
        let mary = person(&app, "mary@demo.example").await;
        assert_eq!(mary["role"], "VIEWER");
        assert_eq!(told(&app, id(&mary)).await[1].1, "system:oidc");
        assert_eq!(actions(&app, id(&mary)).await, ["user.login", "user.created"]);
        for password in ["", PASSWORD] {
            let variables = json!({ "email": "mary@demo.example", "password": password });
            let answer = Client::anonymous(&server).send(SIGN_IN, variables).await;
            assert_eq!(answer.code(), "UNAUTHENTICATED", "she has no password");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn an_account_is_whose_the_provider_says_and_not_whose_address(app) {
        let (provider, server) = begun(&app).await;
        let (member, viewer) = (app.email(DEMO, "member").await, app.email(DEMO, "viewer").await);
        provider.brings("ada", &member);
        Browser::new(&server).signs_in("").await;
        // Their address changes, also to somebody else's.
        for email in ["ada.new@demo.example", &viewer] {
            provider.brings("ada", email);
            let browser = Browser::new(&server);
            assert_eq!(why(&browser.signs_in("").await), "");
            assert_eq!(browser.is().await, member);
        }
        provider.says().claims = json!({ "email": null, "email_verified": null });
        assert_eq!(Browser::new(&server).is_refused("").await, "", "it is not needed any more");
        provider.says().claims = json!({});
        provider.brings("eve", &member);
        assert_eq!(Browser::new(&server).is_refused("").await, "OTHER_IDENTITY");
        assert_eq!(person(&app, &viewer).await["identity"], Value::Null);
    }

    async fn whoever_had_the_account_until_then_has_it_no_longer(app) {
        let (provider, server) = begun(&app).await;
        let member = app.email(DEMO, "member").await;
        let nobody = Client::anonymous(&server);
        let variables = json!({ "email": member, "password": PASSWORD });
        let session = nobody.data(SIGN_IN, variables.clone()).await["signIn"]["accessToken"].clone();
        let before = Client::new(&server, session.as_str().expect("a token"));
        before.data("{ feedCursor }", json!({})).await;
        provider.brings("ada", &member);
        let browser = Browser::new(&server);
        browser.signs_in("").await;
        assert_eq!(browser.is().await, member);
        assert_eq!(before.code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
        assert_eq!(nobody.code(SIGN_IN, variables).await, "UNAUTHENTICATED");
        Browser::new(&server).signs_in("").await;
        assert_eq!(browser.is().await, member, "who is known ends nothing");
    }

    async fn a_name_that_is_nobodys_in_small_letters_finds_nobody(app) {
        let (provider, server) = begun(&app).await;
        app.execute("UPDATE users SET email = 'kim@demo.example' WHERE role = 'viewer'").await;
        provider.brings("kim", "\u{212A}im@demo.example");
        assert_eq!(Browser::new(&server).is_refused("").await, "EMAIL_NOT_VERIFIED");
        provider.brings("kim", "Kim@demo.example");
        assert_eq!(Browser::new(&server).is_refused("").await, "");
    }

    async fn the_slug_of_a_company_is_kept_for_it(app) {
        let server = Provider::start().await.server(&app, &["hill-dale"]).await;
        let sign_up = "mutation($slug: String) { signUp(input: { workspaceName: \"Hill Dale\", workspaceSlug: $slug, name: \"Eve\", email: \"eve@demo.example\", password: \"a password of hers\" }) { accessToken } }";
        let nobody = Client::anonymous(&server);
        assert_eq!(nobody.code(sign_up, json!({ "slug": "hill-dale" })).await, "BAD_USER_INPUT");
        let session = nobody.data(sign_up, json!({})).await["signUp"]["accessToken"].clone();
        let eve = Client::new(&server, session.as_str().expect("a token"));
        let slug = eve.data("{ viewer { tenant { slug } } }", json!({})).await["viewer"]["tenant"]["slug"].clone();
        assert!(slug.as_str().is_some_and(|slug| slug.starts_with("hill-dale-")), "{slug}");
    }

    async fn who_has_no_password_proves_who_they_are_by_signing_in(app) {
        let (provider, server) = begun(&app).await;
        provider.brings("boss", &app.email(DEMO, "owner").await);
        let browser = Browser::new(&server);
        browser.signs_in("").await;
        let refused = async || {
            let delete = "mutation { deleteWorkspace(input: { slug: \"another\" }) { feedCursor } }";
            browser.asks(delete).await["errors"][0]["extensions"]["field"].clone()
        };
        assert_eq!(refused().await, "slug", "who it is was proved");
        app.wait(Duration::from_secs(601));
        assert_eq!(refused().await, "password");
    }

    async fn another_provider_in_its_place_finds_people_anew(app) {
        let (before, server) = begun(&app).await;
        let (member, viewer) = (app.email(DEMO, "member").await, app.email(DEMO, "viewer").await);
        before.brings("ada", &member);
        assert_eq!(Browser::new(&server).is_refused("").await, "");
        let after = Provider::start().await;
        let strict = OidcSettings { newcomers: Newcomers::None, ..after.settings(&[DEMO]) };
        let (server, strict) = (after.server(&app, &[DEMO]).await, app.through(strict).await);
        // What the one before called somebody is nobody here, and an address that is not verified still finds nobody.
        after.brings("ada", "grace@demo.example");
        assert_eq!(Browser::new(&server).is_refused("").await, "UNKNOWN_PERSON");
        after.brings("a-17", &member);
        assert_eq!(Browser::new(&strict).is_refused("").await, "UNKNOWN_PERSON", "nobody is newly linked there");
        after.says().claims = json!({ "email_verified": false });
        assert_eq!(Browser::new(&server).is_refused("").await, "EMAIL_NOT_VERIFIED");
        assert_eq!(person(&app, &member).await["identity"]["issuer"], before.url);
        after.says().claims = json!({});
        let browser = Browser::new(&server);
        browser.signs_in("").await;
        assert_eq!(browser.is().await, member);
        let ada = person(&app, &member).await;
        assert_eq!(ada["identity"], json!({ "issuer": after.url, "subject": "a-17" }));
        let entries = told(&app, id(&ada)).await;
        let linked = entries.iter().filter(|(action, actor, _)| action == "user.identity_linked" && actor == "system:oidc");
        assert_eq!(linked.count(), 2);
        // Once is once: from then on the address is nobody else's, and need not stay.
        after.brings("eve", &member);
        assert_eq!(Browser::new(&server).is_refused("").await, "OTHER_IDENTITY");
        after.brings("a-17", &viewer);
        assert_eq!(Browser::new(&server).is_refused("").await, "");
        assert_eq!(person(&app, &viewer).await["identity"], Value::Null);
        app.verify_ledger(DEMO).await;
    }
}
