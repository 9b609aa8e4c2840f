//! Signing in through a provider of identities.

mod browser;
mod provider;

use crate::support::{ACME, Client, DEMO, PASSWORD, TestApp, Waiting};
use browser::{Browser, why};
use entity::user::UserRole;
use provider::{CLIENT, Provider, Signed};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use workgraph::auth::{Newcomers, OidcSettings};

const ROLE: &str = "mutation($id: ID!, $role: UserRole!) { changeUserRole(input: { userId: $id, role: $role }) { user { id } } }";
const REMOVE: &str = "mutation($id: ID!) { removeUser(input: { userId: $id }) { deletedId } }";
const INVITE: &str = "mutation($email: String!) { inviteUser(input: { email: $email, role: MEMBER }) { invitation { id } } }";
const SIGN_IN: &str = "mutation($email: String!, $password: String!) { signIn(input: { workspace: \"demo\", email: $email, password: $password }) { accessToken } }";

/// A provider, and a server of the demo whose people come from there.
async fn begun(app: &TestApp) -> (Provider, String) {
    let provider = Provider::start().await;
    let server = provider.server(app, &[DEMO]).await;
    (provider, server)
}

/// A provider that says which roles people have, and such a server.
async fn begun_with_roles(app: &TestApp) -> (Provider, String) {
    let provider = Provider::start().await;
    let role = |value: &str, role| (value.to_owned(), role);
    let settings = OidcSettings {
        role_claim: Some("/realm/roles".to_owned()),
        roles: vec![
            role("staff", UserRole::Member),
            role("leads", UserRole::Admin),
            role("boss", UserRole::Owner),
        ],
        ..provider.settings(&[DEMO])
    };
    let server = app.through(settings).await;
    (provider, server)
}

/// What the ledger tells of a person, the newest first: what, who did it, and what was said of it.
async fn told(app: &TestApp, id: &str) -> Vec<(String, String, String)> {
    let query = "query($id: ID!) { activity(first: 20, filter: { targetId: { eq: $id } }) { nodes { action actor message } } }";
    let data = app.owner().await.data(query, json!({ "id": id })).await;
    let nodes = data["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone();
    let text = |node: &Value, name: &str| node[name].as_str().unwrap_or_default().to_owned();
    nodes
        .iter()
        .map(|node| {
            (
                text(node, "action"),
                text(node, "actor"),
                text(node, "message"),
            )
        })
        .collect()
}

async fn actions(app: &TestApp, id: &str) -> Vec<String> {
    told(app, id)
        .await
        .into_iter()
        .map(|(action, ..)| action)
        .collect()
}

/// The person of the demo with this address: who they are, and what.
async fn person(app: &TestApp, email: &str) -> Value {
    let query = "query($email: String!) { users(filter: { email: { eq: $email } }) { nodes { id name role identity { issuer subject } } } }";
    let data = app
        .owner()
        .await
        .data(query, json!({ "email": email }))
        .await;
    data["users"]["nodes"][0].clone()
}

/// Waits until nobody is signed in any more: another server hears of it within two seconds.
async fn until_ended(browser: &Browser) {
    let waiting = Waiting::until("the session ends");
    while browser.is().await != "UNAUTHENTICATED" {
        waiting.a_moment().await;
    }
}

fn id(person: &Value) -> &str {
    person["id"].as_str().expect("an id")
}

on_both_databases! {
    async fn somebody_signs_in_and_comes_to_the_page_they_wanted(app) {
        let (provider, server) = begun(&app).await;
        let email = app.email(DEMO, "member").await;
        provider.brings("ada", &email.to_uppercase());
        let browser = Browser::new(&server);
        let door = browser.start("returnTo=/tickets%3Fopen%3D1").await;
        let asked: Vec<_> = door.query_pairs().map(|(name, _)| name.into_owned()).collect();
        for name in ["state", "nonce", "code_challenge", "scope", "redirect_uri"] {
            assert!(asked.iter().any(|asked| asked == name), "{name}");
        }
        let attempt = browser.cookie("workgraph_oidc");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/auth/oidc", "Max-Age=600"] {
            assert!(attempt.contains(part), "{attempt}");
        }
        assert_eq!(browser.is().await, "UNAUTHENTICATED");
        let back = browser.knocks(&door).await;
        let page = browser.goes(&back).await;
        assert_eq!(page.as_str(), "https://dashboard.example/tickets?open=1");
        assert_eq!(browser.is().await, email);
        assert_eq!(browser.cookie("workgraph_oidc"), "", "the attempt is over");
        for name in ["workgraph_access", "workgraph_refresh"] {
            let cookie = browser.cookie(name);
            for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/graphql"] {
                assert!(cookie.contains(part), "{cookie}");
            }
        }
        let refreshed = browser.asks("mutation { refreshSession(input: {}) { accessToken accessTokenExpiresAt } }").await;
        assert!(refreshed["data"]["refreshSession"]["accessTokenExpiresAt"].is_string(), "{refreshed}");
        let ada = person(&app, &email).await;
        assert_eq!(ada["identity"], json!({ "issuer": provider.url, "subject": "ada" }));
        let entries = told(&app, id(&ada)).await;
        assert_eq!(entries[0], ("user.login".into(), format!("user:{email}"), format!("Through {}.", provider.url)));
        assert_eq!((&*entries[1].0, &*entries[1].1), ("user.identity_linked", "system:oidc"));
        // Once they are known nothing is linked again, and without a page they come to the dashboard.
        let again = Browser::new(&server).signs_in("workspace=demo").await;
        assert_eq!(again.as_str(), "https://dashboard.example/");
        assert_eq!(actions(&app, id(&ada)).await.iter().filter(|action| *action == "user.identity_linked").count(), 1);
        assert_eq!(provider.says().asked, 1, "what it is is asked once");
        let viewer = app.client(DEMO, "viewer").await;
        let query = "query($id: ID!) { user(id: $id) { name identity { subject } } }";
        assert_eq!(viewer.data(query, json!({ "id": id(&ada) })).await["user"]["identity"], Value::Null);
        app.verify_ledger(DEMO).await;
    }

    async fn what_the_provider_says_must_hold(app) {
        let (provider, server) = begun(&app).await;
        let email = app.email(DEMO, "member").await;
        provider.brings("ada", &email);
        let now = chrono::Utc::now().timestamp();
        for claims in [
            json!({ "nonce": "of another attempt" }),
            json!({ "nonce": null }),
            json!({ "aud": "another-client" }),
            json!({ "aud": [CLIENT, "another-client"] }),
            json!({ "aud": null }),
            json!({ "azp": "another-client" }),
            json!({ "iss": "https://login.example" }),
            json!({ "iss": format!("{}/", provider.url) }),
            json!({ "exp": now - 1 }),
            json!({ "at_hash": "bm90IG9mIHRoYXQ" }),
            json!({ "sub": "" }),
        ] {
            provider.says().claims = claims.clone();
            let browser = Browser::new(&server);
            assert_eq!(browser.is_refused("").await, "NOT_PROVEN", "{claims}");
            assert_eq!(browser.is().await, "UNAUTHENTICATED", "{claims}");
        }
        provider.says().claims = json!({});
        for signed in [Signed::None, Signed::WithPublicKey, Signed::WithClientSecret, Signed::ByAnother] {
            provider.says().signed = signed;
            let why = Browser::new(&server).is_refused("").await;
            assert!(["NOT_PROVEN", "PROVIDER_UNAVAILABLE"].contains(&&*why), "{signed:?}: {why}");
            assert_eq!(person(&app, &email).await["identity"], Value::Null);
        }
        provider.says().signed = Signed::Right;
        assert_eq!(Browser::new(&server).is_refused("").await, "", "what is right is let in");
    }

    async fn a_new_key_is_looked_up_and_not_too_often(app) {
        let (provider, server) = begun(&app).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        assert_eq!(Browser::new(&server).is_refused("").await, "");
        provider.says().key = 2;
        assert_eq!(Browser::new(&server).is_refused("").await, "");
        assert_eq!(Browser::new(&server).is_refused("").await, "");
        assert_eq!(provider.says().asked, 2);
        (provider.says().key, provider.says().publishes) = (3, false);
        for _ in 0..10 {
            let why = Browser::new(&server).is_refused("").await;
            assert!(["NOT_PROVEN", "PROVIDER_UNAVAILABLE"].contains(&&*why), "{why}");
        }
        assert!(provider.says().asked <= 7, "{}", provider.says().asked);
    }

    async fn an_attempt_is_one_browsers_and_good_once(app) {
        let (provider, server) = begun(&app).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        let (one, other) = (Browser::new(&server), Browser::new(&server));
        let back = one.knocks(&one.start("").await).await;
        assert_eq!(why(&other.goes(&back).await), "ATTEMPT_OVER", "it has no attempt");
        other.start("").await;
        assert_eq!(why(&other.goes(&back).await), "ATTEMPT_OVER", "it has another attempt");
        assert_eq!(other.is().await, "UNAUTHENTICATED");

        let kept = one.cookie("workgraph_oidc");
        assert_eq!(why(&one.goes(&back).await), "");
        let copy = Browser::new(&server);
        copy.keeps(&kept);
        assert_eq!(why(&copy.goes(&back).await), "ATTEMPT_OVER", "it was used");
        assert_eq!(copy.is().await, "UNAUTHENTICATED");

        let late = Browser::new(&server);
        let back = late.knocks(&late.start("").await).await;
        app.wait(Duration::from_secs(601));
        assert_eq!(why(&late.goes(&back).await), "ATTEMPT_OVER");
        for (error, why) in [("access_denied", "DENIED"), ("invalid_scope", "PROVIDER_UNAVAILABLE"), ("%0A%C3%A9", "PROVIDER_UNAVAILABLE")] {
            provider.says().refuses = Some(error);
            assert_eq!(Browser::new(&server).is_refused("").await, why, "{error}");
        }
    }

    async fn nobody_comes_back_to_a_foreign_page_or_another_workspace(app) {
        let (provider, server) = begun(&app).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        for page in ["https://elsewhere.example/", "//elsewhere.example", "/%5Celsewhere.example", "/%09/elsewhere.example", "tickets", "javascript:alert(1)"] {
            let page = Browser::new(&server).start(&format!("returnTo={page}")).await;
            assert_eq!(why(&page), "WRONG_PAGE");
        }
        assert_eq!(Browser::new(&server).is_refused("workspace=acme").await, "UNKNOWN_WORKSPACE");
        assert_eq!(Browser::new(&server).is_refused("workspace=nowhere").await, "UNKNOWN_WORKSPACE");
        assert_eq!(Browser::new(&server).is_refused("workspace=demo").await, "");

        // Who is known in one workspace is nobody in another.
        let both = provider.server(&app, &[DEMO, ACME]).await;
        assert_eq!(Browser::new(&both).is_refused("").await, "UNKNOWN_WORKSPACE", "which one must be said");
        assert_eq!(Browser::new(&both).is_refused("workspace=acme").await, "UNKNOWN_PERSON");
        let browser = Browser::new(&both);
        browser.signs_in("workspace=demo").await;
        let seen = browser.asks("{ viewer { workspace { slug } } }").await;
        assert_eq!(seen["data"]["viewer"]["workspace"]["slug"], DEMO, "{seen}");
    }

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

    async fn roles_follow_the_provider(app) {
        let (provider, server) = begun_with_roles(&app).await;
        let email = app.email(DEMO, "member").await;
        provider.brings("ada", &email);
        let refused = async |roles: Value| {
            provider.says().claims = json!({ "realm": { "roles": roles } });
            Browser::new(&server).is_refused("").await
        };
        for none in [json!([]), json!(["guests"]), json!("guests"), json!(7), Value::Null] {
            assert_eq!(refused(none).await, "NO_ROLE");
        }
        assert_eq!(refused(json!(["guests", "staff", "leads"])).await, "");
        let ada = person(&app, &email).await;
        assert_eq!(ada["role"], "ADMIN");
        let entries = told(&app, id(&ada)).await;
        let role_changed = entries.iter().find(|(action, ..)| action == "user.role_changed");
        assert_eq!(role_changed.expect("an entry").1, "system:oidc");

        let before = Browser::new(&server);
        before.signs_in("").await;
        assert_eq!(before.is().await, email);
        assert_eq!(refused(json!("staff")).await, "");
        assert_eq!(person(&app, &email).await["role"], "MEMBER");
        assert_eq!(before.is().await, "UNAUTHENTICATED", "what they were before ends");
        assert_eq!(refused(json!(["guests"])).await, "NO_ROLE", "also for who is known");

        // The last owner stays one.
        let owner = app.email(DEMO, "owner").await;
        provider.brings("boss", &owner);
        assert_eq!(refused(json!("staff")).await, "");
        assert_eq!(person(&app, &owner).await["role"], "OWNER");
        provider.brings("ada", &email);
        assert_eq!(refused(json!("boss")).await, "");
        assert_eq!(person(&app, &email).await["role"], "OWNER");
        assert_eq!(refused(json!("staff")).await, "", "there is another owner");
        assert_eq!(person(&app, &email).await["role"], "MEMBER");
        app.verify_ledger(DEMO).await;
    }

    async fn such_sessions_end_as_others_do(app) {
        let (provider, server) = begun(&app).await;
        let member = app.user(DEMO, "member").await;
        provider.brings("ada", &member.email);
        let browser = Browser::new(&server);
        browser.signs_in("").await;
        assert_eq!(browser.is().await, member.email);
        let owner = app.owner().await;
        owner.data(ROLE, json!({ "id": member.id, "role": "VIEWER" })).await;
        until_ended(&browser).await;
        browser.signs_in("").await;
        assert_eq!(browser.is().await, member.email);
        assert_eq!(person(&app, &member.email).await["role"], "VIEWER", "no claim says what they are");
        owner.data(REMOVE, json!({ "id": member.id })).await;
        until_ended(&browser).await;
        assert_eq!(Browser::new(&server).is_refused("").await, "UNKNOWN_PERSON");
    }

    async fn a_provider_that_is_away_keeps_nobody_waiting(app) {
        let nowhere = Provider::start().await;
        let settings = OidcSettings { issuer: "http://127.0.0.1:1".to_owned(), ..nowhere.settings(&[DEMO]) };
        let server = app.through(settings).await;
        assert_eq!(Browser::new(&server).is_refused("").await, "PROVIDER_UNAVAILABLE");
        Client::new(&server, &app.token(DEMO, "owner").await).data("{ viewer { user { id } } }", json!({})).await;

        let (provider, server) = begun(&app).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        provider.says().hangs = true;
        let (began, browser) = (Instant::now(), Browser::new(&server));
        assert_eq!(browser.is_refused("").await, "PROVIDER_UNAVAILABLE");
        assert!(began.elapsed() < Duration::from_secs(15));
        provider.says().hangs = false;
        assert_eq!(browser.is_refused("").await, "");
    }

    async fn an_address_tries_a_few_times_a_minute_and_without_a_provider_there_is_no_door(app) {
        let (provider, server) = begun(&app).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        let browser = Browser::new(&server);
        let mut tries = 0;
        loop {
            let page = browser.start("").await;
            if page.host_str() == Some("dashboard.example") {
                assert_eq!(why(&page), "RATE_LIMITED");
                break;
            }
            tries += 1;
            assert!(tries < 100);
        }
        assert!(tries >= 5, "{tries}");
        assert_eq!(Browser::new(&server).is_refused("").await, "", "others may");
        for path in ["start", "callback"] {
            let url = app.url.replace("/graphql", &format!("/auth/oidc/{path}"));
            let answer = reqwest::get(url).await.expect("an answer");
            assert_eq!(answer.status(), 404);
        }
    }
}
