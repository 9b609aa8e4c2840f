//! What people are when they come through a provider, and for how long.

use super::{begun, browser::Browser, id, person, provider::Provider, told};
use crate::support::{DEMO, TestApp, Waiting};
use entity::user::UserRole;
use serde_json::{Value, json};
use workgraph::auth::OidcSettings;

const ROLE: &str = "mutation($id: ID!, $role: UserRole!) { changeUserRole(input: { userId: $id, role: $role }) { user { id } } }";
const REMOVE: &str = "mutation($id: ID!) { removeUser(input: { userId: $id }) { deletedId } }";

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

/// Waits until nobody is signed in any more: another server hears of it within two seconds.
async fn until_ended(browser: &Browser) {
    let waiting = Waiting::until("the session ends");
    while browser.is().await != "UNAUTHENTICATED" {
        waiting.a_moment().await;
    }
}

on_both_databases! {
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
}
