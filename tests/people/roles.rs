//! Roles: who gives them to whom, and what does not change with them.

use super::{ENDED, REMOVE, ROLE, actions, left, reason, session, told};
use crate::{
    support::{ACME, Client, DEMO},
    writes::Made,
};
use serde_json::json;

const TRANSFER: &str = "mutation($id: ID!, $key: String) { transferOwnership(input: { userId: $id, idempotencyKey: $key }) { user { id role } } }";

on_both_databases! {
    async fn admins_give_roles_and_owners_alone_make_owners(app) {
        let (owner, admin) = (app.owner().await, app.client(DEMO, "admin").await);
        let made = Made { app: &app, client: &owner };
        let person = made.person("member").await;
        let of = |role: &str| json!({ "id": person.id, "role": role });
        let changed = admin.data(ROLE, of("VIEWER")).await;
        assert_eq!(changed["changeUserRole"]["user"]["role"], "VIEWER");
        admin.data(ROLE, of("VIEWER")).await;
        let entries = told(&app, &person.id).await;
        assert_eq!(actions(&entries), ["user.role_changed"], "who has the role already stays as they are");
        assert_eq!(entries[0]["diff"]["before"]["role"], "member");
        assert_eq!(entries[0]["diff"]["after"]["role"], "viewer");

        let unasked = app.client(DEMO, "member").await;
        assert_eq!(unasked.code(ROLE, of("ADMIN")).await, "FORBIDDEN");
        assert_eq!(admin.code(ROLE, of("OWNER")).await, "FORBIDDEN");
        owner.data(ROLE, of("OWNER")).await;
        assert_eq!(admin.code(ROLE, of("ADMIN")).await, "FORBIDDEN");
        assert_eq!(admin.code(REMOVE, json!({ "id": person.id })).await, "FORBIDDEN");
        owner.data(ROLE, of("ADMIN")).await;
        let theirs = json!({ "id": app.user(ACME, "member").await.id, "role": "VIEWER" });
        assert_eq!(owner.code(ROLE, theirs).await, "NOT_FOUND");
        app.verify_ledger(DEMO).await;
    }

    async fn another_role_ends_the_sessions(app) {
        let admin = app.client(DEMO, "admin").await;
        let person = Made { app: &app, client: &admin }.person("member").await;
        let before = session(&app.url, &person.email).await;
        admin.data(ROLE, json!({ "id": person.id, "role": "VIEWER" })).await;
        assert_eq!(left(&app.url, &before).await, ENDED);
        let after = session(&app.url, &person.email).await;
        let viewer = Client::new(&app.url, after["accessToken"].as_str().expect("a token"));
        assert_eq!(viewer.code("mutation { createProject(input: { name: \"x\" }) { feedCursor } }", json!({})).await, "FORBIDDEN");
    }

    async fn the_last_owner_stays_one(app) {
        let owner = app.owner().await;
        let id = app.user(DEMO, "owner").await.id;
        let last = ("CONFLICT".to_owned(), json!("LAST_OWNER"));
        assert_eq!(reason(&owner.send(ROLE, json!({ "id": id, "role": "ADMIN" })).await), last);
        assert_eq!(reason(&owner.send(REMOVE, json!({ "id": id })).await), last);
        Made { app: &app, client: &owner }.person("owner").await;
        owner.data(ROLE, json!({ "id": id, "role": "ADMIN" })).await;
        assert_eq!(owner.code("{ viewer { user { id } } }", json!({})).await, "UNAUTHENTICATED");
        app.verify_ledger(DEMO).await;
    }

    async fn a_workspace_is_handed_over(app) {
        let admin = app.client(DEMO, "admin").await;
        let owner = Made { app: &app, client: &admin }.person("owner").await;
        let heir = Made { app: &app, client: &admin }.person("viewer").await;
        let client = Client::new(&app.url, &app.token_of(&owner));
        assert_eq!(admin.code(TRANSFER, json!({ "id": heir.id })).await, "FORBIDDEN");
        assert_eq!(client.code(TRANSFER, json!({ "id": owner.id })).await, "BAD_USER_INPUT");
        assert_eq!(client.code(TRANSFER, json!({ "id": "nobody" })).await, "NOT_FOUND");
        let key = json!({ "id": heir.id, "key": "once" });
        let handed = client.data(TRANSFER, key.clone()).await;
        assert_eq!(handed["transferOwnership"]["user"], json!({ "id": heir.id, "role": "OWNER" }));
        assert_eq!(client.data(TRANSFER, key).await, handed, "who was an owner is answered again");
        assert_eq!(client.code(TRANSFER, json!({ "id": heir.id })).await, "FORBIDDEN");
        let now = admin.data("query($id: ID!) { user(id: $id) { role } }", json!({ "id": owner.id })).await;
        assert_eq!(now["user"]["role"], "ADMIN");
        let tenant = app.tenant(DEMO).await;
        assert_eq!(told(&app, &tenant).await[0]["action"], "workspace.transferred");
        app.verify_ledger(DEMO).await;
    }
}
