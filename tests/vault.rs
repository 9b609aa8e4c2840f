//! Secrets of other services: kept, never told, and opened only where they belong.

pub mod canary;
mod deleted;
mod keys;

use crate::{
    support::{ACME, Client, DEMO, TestApp},
    writes::{Made, head},
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

const CREDENTIAL: &str = "query($id: ID!) { credential(id: $id) { kind name hint health configured rotatedAt baseUrl } }";

/// Connects GitHub with a token, under a label of its own. Returns the connection's id.
pub async fn connected(client: &Client, label: &str, token: &str) -> Value {
    let connect = "mutation($label: String, $token: String!) { connectIntegration(input: {
        service: GITHUB, label: $label, values: [{ key: \"token\", value: $token }] }) { integrationConnection { id status } } }";
    let data = client
        .data(connect, json!({ "label": label, "token": token }))
        .await;
    let connection = &data["connectIntegration"]["integrationConnection"];
    assert_eq!(connection["status"], "CONNECTED");
    connection["id"].clone()
}

const RETEST: &str =
    "mutation($id: ID!) { retestIntegration(input: { id: $id }) { integrationConnection {
    status lastError metadata } } }";

/// What the database has of a row of the vault, by a condition.
async fn sealed(app: &TestApp, condition: &str) -> (Vec<u8>, Vec<u8>, String) {
    let connection = app.connection.across_tenants().await;
    let sql =
        format!("SELECT ciphertext, nonce, \"keyId\" FROM credential_vault WHERE {condition}");
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection
        .query_one_raw(statement)
        .await
        .expect("reads")
        .expect("a row");
    let bytes = |name: &str| row.try_get::<Vec<u8>>("", name).expect("bytes");
    (
        bytes("ciphertext"),
        bytes("nonce"),
        row.try_get("", "keyId").expect("a key"),
    )
}

on_both_databases! {
    async fn a_secret_is_kept_and_only_its_end_is_told(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let secret = "whsec-kept-and-never-told-7Qx2";
        let input = json!({ "kind": "WEBHOOK_SECRET", "name": "stripe", "value": format!("  {secret}\n") });
        let id = made.run("setCredential", input.clone()).await;
        let shown = owner.data(CREDENTIAL, json!({ "id": id })).await["credential"].clone();
        assert_eq!(shown, json!({
            "kind": "WEBHOOK_SECRET", "name": "stripe", "hint": "7Qx2", "health": "UNKNOWN", "configured": true, "rotatedAt": null, "baseUrl": null,
        }));
        let is_it = format!("id = {}", id.to_string().replace('"', "'"));
        let first = sealed(&app, &is_it).await;
        assert_eq!((first.0.len(), first.1.len(), first.2.as_str()), (secret.len() + 16, 12, "tests"));
        assert!(!String::from_utf8_lossy(&first.0).contains("whsec"));
        // The same again is another one in its place, sealed otherwise.
        assert_eq!(made.run("setCredential", input).await, id);
        let again = sealed(&app, &is_it).await;
        assert!(first.0 != again.0 && first.1 != again.1);
        made.run("rotateCredential", json!({ "id": id, "value": "short" })).await;
        let shown = owner.data(CREDENTIAL, json!({ "id": id })).await["credential"].clone();
        assert!(shown["hint"].is_null() && shown["rotatedAt"].is_string(), "{shown}");
        let ledger = owner.data(
            "query($id: ID!) { activity(first: 10, filter: { targetId: { eq: $id } }) { nodes { action diff { before after } } } }",
            json!({ "id": id }),
        ).await["activity"]["nodes"].clone();
        let actions: Vec<_> = ledger.as_array().expect("entries").iter().map(|entry| entry["action"].clone()).collect();
        assert_eq!(actions, ["credential.rotated", "credential.rotated", "credential.created"]);
        assert_eq!(ledger[0]["diff"]["after"]["ciphertext"], "[redacted]");
        made.run("deleteCredential", json!({ "id": id })).await;
        assert!(owner.data(CREDENTIAL, json!({ "id": id })).await["credential"].is_null());
        for (kind, instead) in [("INTEGRATION", "connectIntegration"), ("AI_PROVIDER", "addAiProvider")] {
            let set = "mutation($kind: CredentialKind!) { setCredential(input: { kind: $kind, name: \"x\", value: \"y\" }) { feedCursor } }";
            let refused = owner.send(set, json!({ "kind": kind })).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT");
            assert!(refused.body.to_string().contains(instead), "{}", refused.body);
        }
        app.verify_ledger(DEMO).await;
    }

    async fn a_secret_that_was_moved_does_not_open(app) {
        let (owner, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let (one, other) = (connected(&owner, "One", "token-one").await, connected(&owner, "Other", "token-other").await);
        let theirs = connected(&acme, "One", "token-theirs").await;
        let at = |tenant: &str, label: &str| {
            format!("name = 'github/{label}' AND \"tenantId\" = (SELECT id FROM tenants WHERE slug = '{tenant}')")
        };
        let put = async |whence: &str, to: &str| {
            let copy = |column: &str| format!("{column} = (SELECT v.{column} FROM credential_vault v WHERE {})", whence.replace("name", "v.name").replace("\"tenantId\"", "v.\"tenantId\""));
            app.execute(&format!("UPDATE credential_vault SET {}, {} WHERE {to}", copy("ciphertext"), copy("nonce"))).await;
        };
        let asked = app.outside.heard().len();
        // To another row.
        put(&at(DEMO, "Other"), &at(DEMO, "One")).await;
        let before = head(&owner).await;
        assert_eq!(owner.code(RETEST, json!({ "id": one })).await, "INTERNAL");
        // To another workspace.
        put(&at(DEMO, "Other"), &at(ACME, "One")).await;
        assert_eq!(acme.code(RETEST, json!({ "id": theirs })).await, "INTERNAL");
        // Under another kind.
        app.execute(&format!("UPDATE credential_vault SET kind = 'oauth' WHERE {}", at(DEMO, "Other"))).await;
        assert_eq!(owner.code(RETEST, json!({ "id": other })).await, "INTERNAL");
        app.execute(&format!("UPDATE credential_vault SET kind = 'integration' WHERE {}", at(DEMO, "Other"))).await;
        assert_eq!(app.outside.heard().len(), asked, "nobody was asked with what did not open");
        assert_eq!(head(&owner).await, before);
        let tested = owner.data(RETEST, json!({ "id": other })).await;
        assert_eq!(tested["retestIntegration"]["integrationConnection"]["status"], "CONNECTED");
        assert!(app.outside.heard().last().expect("it was asked").contains("Bearer token-other"));
    }

    async fn the_secrets_of_the_demo_open(app) {
        let owner = app.owner().await;
        app.store.check_keys().await.expect("its keys are here");
        let list = "{ integrationConnections(first: 50, filter: { name: { in: [GITHUB, JIRA, SLACK] }, status: { eq: CONNECTED } }) { nodes { id name } } }";
        let connections = owner.data(list, json!({})).await["integrationConnections"]["nodes"].clone();
        let connections = connections.as_array().expect("connections").clone();
        assert_eq!(connections.len(), 3);
        for connection in connections {
            let tested = owner.data(RETEST, json!({ "id": connection["id"] })).await;
            assert_eq!(tested["retestIntegration"]["integrationConnection"]["status"], "CONNECTED", "{connection}");
            assert!(app.outside.heard().last().expect("it was asked").contains("authorization: "));
        }
    }
}
