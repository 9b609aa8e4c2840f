//! Secrets of a workspace that was deleted: nobody needs them, so nobody waits for them.

use super::keys::{opened, reversed};
use crate::{
    support::{Client, TestApp},
    tables::names,
};
use serde_json::json;
use workgraph::vault::keys;

const DELETE: &str =
    "mutation($slug: String!) { deleteWorkspace(input: { slug: $slug }) { tenant { id } } }";

/// Founds a workspace with more secrets than are tried of a key. Returns its owner and its id.
async fn founded(app: &TestApp) -> (Client, String) {
    workgraph::workspace::found(&app.store, "Gone", Some("gone"), "ada@example.com")
        .await
        .expect("is founded");
    let owner = app.client("gone", "owner").await;
    for place in 0..12 {
        let set = "mutation($name: String!) { setCredential(input: { kind: OTHER, name: $name, value: \"a secret of the tests\" }) { feedCursor } }";
        owner.data(set, json!({ "name": format!("{place}") })).await;
    }
    (owner, app.tenant("gone").await)
}

on_both_databases! {
    async fn a_deleted_workspaces_secrets_keep_no_server_from_starting(app) {
        let (owner, tenant) = founded(&app).await;
        // They are the first that are tried, and open nowhere but where they were.
        app.execute(&format!("UPDATE credential_vault SET id = '0' || id WHERE \"tenantId\" = '{tenant}'")).await;
        let told = app.store.check_keys().await.expect_err("the first of them do not open").cause();
        assert!(told.contains("another key"), "{told}");
        owner.data(DELETE, json!({ "slug": "gone" })).await;
        app.store.check_keys().await.expect("the others open");
        // Their key may be lost.
        app.execute(&format!("UPDATE credential_vault SET \"keyId\" = 'lost' WHERE \"tenantId\" = '{tenant}'")).await;
        app.store.check_keys().await.expect("nobody needs it");
    }

    async fn a_deleted_workspaces_secrets_are_not_sealed_anew(app) {
        let (owner, tenant) = founded(&app).await;
        app.execute(&format!("UPDATE credential_vault SET id = '0' || id WHERE \"tenantId\" = '{tenant}'")).await;
        owner.data(DELETE, json!({ "slug": "gone" })).await;
        let turned = opened(&app, &reversed()).await;
        let some = turned.reseal_some(None).await.expect("seals");
        assert!(some.done > 0 && some.unopened.is_empty(), "{some:?}");
        keys::rotate(&turned, |_| {}).await.expect("rotates");
        let connection = app.connection.across_tenants().await;
        let left = format!("SELECT DISTINCT \"keyId\" AS name FROM credential_vault WHERE \"tenantId\" = '{tenant}'");
        assert_eq!(names(&connection, &left).await, ["tests"]);
        let others = format!("SELECT DISTINCT \"keyId\" AS name FROM credential_vault WHERE \"tenantId\" <> '{tenant}'");
        assert_eq!(names(&connection, &others).await, ["other"]);
    }
}
