//! How an attempt to sign in goes: to a page of the dashboard's, in one browser, once, and within bounds.

use super::{
    actions, begun,
    browser::{Browser, why},
    id, person,
    provider::Provider,
    told,
};
use crate::support::{ACME, DEMO};
use serde_json::{Value, json};
use std::time::Duration;
use workgraph::auth::OidcSettings;
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
        let attempt = browser.cookie("__Host-workgraph_oidc");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=600"] {
            assert!(attempt.contains(part), "{attempt}");
        }
        assert_eq!(browser.is().await, "UNAUTHENTICATED");
        let back = browser.knocks(&door).await;
        let page = browser.goes(&back).await;
        assert_eq!(page.as_str(), "https://dashboard.example/tickets?open=1");
        assert_eq!(browser.is().await, email);
        assert_eq!(browser.cookie("__Host-workgraph_oidc"), "", "the attempt is over");
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
        assert_eq!((&*entries[1].0, &*entries[1].1), ("user.logout", "system:oidc"));
        assert_eq!((&*entries[2].0, &*entries[2].1), ("user.identity_linked", "system:oidc"));
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

    async fn an_attempt_is_one_browsers_and_good_once(app) {
        let (provider, server) = begun(&app).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        let (one, other) = (Browser::new(&server), Browser::new(&server));
        let back = one.knocks(&one.start("").await).await;
        assert_eq!(why(&other.goes(&back).await), "ATTEMPT_OVER", "it has no attempt");
        other.start("").await;
        assert_eq!(why(&other.goes(&back).await), "ATTEMPT_OVER", "it has another attempt");
        assert_eq!(other.is().await, "UNAUTHENTICATED");

        let kept = one.cookie("__Host-workgraph_oidc");
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
        let seen = browser.asks("{ viewer { tenant { slug } } }").await;
        assert_eq!(seen["data"]["viewer"]["tenant"]["slug"], DEMO, "{seen}");
    }

    async fn a_dashboard_behind_a_path_keeps_it(app) {
        let provider = Provider::start().await;
        let dashboard = "https://dashboard.example/app".parse().expect("an address");
        let server = app.through(OidcSettings { dashboard, ..provider.settings(&[DEMO]) }).await;
        provider.brings("ada", &app.email(DEMO, "member").await);
        for (query, page) in [
            ("", ""),
            ("returnTo=/tickets%3Fopen%3D1", "/tickets?open=1"),
            ("returnTo=/../admin", "/sign-in?error=WRONG_PAGE"),
            ("workspace=acme", "/sign-in?error=UNKNOWN_WORKSPACE"),
        ] {
            let came = Browser::new(&server).signs_in(query).await;
            assert_eq!(came.as_str(), format!("https://dashboard.example/app{page}"));
        }
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
            assert!(tries < 2_000);
        }
        assert!(tries >= 200, "{tries}");
        assert_eq!(Browser::new(&server).is_refused("").await, "", "others may");
        for path in ["start", "callback"] {
            let url = app.url.replace("/graphql", &format!("/auth/oidc/{path}"));
            let answer = reqwest::get(url).await.expect("an answer");
            assert_eq!(answer.status(), 404);
        }
    }
}
