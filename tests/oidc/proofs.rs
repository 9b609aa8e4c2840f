//! What a provider says must hold, and it must say it in time.

use super::{
    begun,
    browser::Browser,
    person,
    provider::{CLIENT, Provider, Signed},
};
use crate::support::{Client, DEMO};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use workgraph::auth::OidcSettings;
on_both_databases! {
    async fn what_the_provider_says_must_hold(app) {
        let (provider, server) = begun(&app).await;
        let email = app.email(DEMO, "member").await;
        provider.brings("ada", &email);
        let now = app.now().timestamp();
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
}
