//! Who is asking: their notifications, and what they still have to set up.

use crate::support::{DEMO, TestApp};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

on_both_databases! {
    async fn people_see_notifications_for_them_and_for_everyone_only(app) {
        let query = "query($filter: NotificationFilter) { viewer { user { id } notifications(first: 200, filter: $filter) {
            totalCount nodes { userId channel readAt dismissedAt } } unreadNotificationCount } }";
        let owner = app.owner().await.data(query, json!({})).await["viewer"]["user"]["id"].clone();
        for role in ["owner", "admin", "member", "viewer"] {
            let client = app.client(DEMO, role).await;
            let data = client.data(query, json!({})).await;
            let (me, notifications) = (&data["viewer"]["user"]["id"], &data["viewer"]["notifications"]);
            let nodes = notifications["nodes"].as_array().expect("a list");
            let (own, rest): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node["userId"] == *me);
            assert!(!own.is_empty() && !rest.is_empty(), "{role}");
            assert!(rest.iter().all(|node| node["userId"].is_null()), "{role}");
            let unread = |node: &&Value| {
                node["channel"] == "IN_APP" && node["readAt"].is_null() && node["dismissedAt"].is_null()
            };
            // What is for everyone is in the bell of those who can put it away.
            let counts = |node: &&Value| unread(node) && (["owner", "admin"].contains(&role) || !node["userId"].is_null());
            let count = nodes.iter().filter(counts).count();
            let put_away = "mutation($ids: [ID!]) { markNotificationsRead(input: { ids: $ids }) { user { id } } }";
            if ["member", "viewer"].contains(&role) {
                let shared = client.data("{ viewer { notifications(first: 200, filter: { userId: { isNull: true } }) { nodes { id } } } }", json!({})).await["viewer"]["notifications"]["nodes"][0]["id"].clone();
                assert_eq!(client.code(put_away, json!({ "ids": [shared] })).await, "FORBIDDEN", "{role}");
            }
            assert_eq!(data["viewer"]["unreadNotificationCount"], count, "{role}");
            // No filter widens the list.
            let wide = json!({ "filter": { "or": [{ "userId": { "eq": owner } }, { "userId": { "isNull": true } }] } });
            let found = client.data(query, wide).await;
            let expected = if role == "owner" { nodes.len() } else { rest.len() };
            assert_eq!(found["viewer"]["notifications"]["totalCount"], expected, "{role}");
        }
    }

    async fn a_new_workspace_is_led_through_its_setup(app) {
        found(&app, "unnamed").await;
        assert_eq!(setup(&app, "unnamed").await, json!({ "completed": false, "nextStep": "WORKSPACE_NAME" }));
        found(&app, "Newcomers").await;
        let tenant = app.store.system().workspace("newcomers").await.expect("reads").expect("was founded").id;
        let standard = "id, \"tenantId\", \"createdAt\", \"updatedAt\", name";
        let values = format!("'{tenant}', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00'");
        let connection = app.connection.across_tenants().await;
        let provider = format!(
            "INSERT INTO credential_vault ({standard}, kind, ciphertext, nonce, \"keyId\") \
             VALUES ('cred', {values}, 'anthropic', 'ai_provider', 'ab', 'ab', 'key')"
        );
        let integration = format!(
            "INSERT INTO integration_connections ({standard}, status) VALUES ('conn', {values}, 'slack', 'connected')"
        );
        let done = "UPDATE tenants SET settings = '{\"setup\": {\"completed\": true}}' WHERE slug = 'newcomers'";
        for (statement, completed, next) in [
            ("SELECT 1", false, json!("AI_PROVIDER")),
            (&provider, false, json!("FIRST_INTEGRATION")),
            (&integration, false, json!("FINISH")),
            (done, true, Value::Null),
        ] {
            connection.execute_unprepared(statement).await.expect("executes");
            assert_eq!(setup(&app, "newcomers").await, json!({ "completed": completed, "nextStep": next }));
        }
    }
}

async fn found(app: &TestApp, name: &str) {
    let founded = workgraph::workspace::found(&app.store, name, None, "ada@example.com").await;
    founded.expect("is founded");
}

async fn setup(app: &TestApp, workspace: &str) -> Value {
    let client = app.client(workspace, "owner").await;
    let query = "{ viewer { setup { completed nextStep } } }";
    client.data(query, json!({})).await["viewer"]["setup"].clone()
}
