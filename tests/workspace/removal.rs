//! The removal of deleted workspaces goes on, whatever stands in the way of one.

use super::{DELETE, number, remove, texts};
use crate::support::TestApp;
use serde_json::json;
use workgraph::background::run_due;

/// Founds a workspace and returns its id.
async fn founded(app: &TestApp, slug: &str) -> String {
    let founded = workgraph::workspace::found(&app.store, "Some", Some(slug), "ada@example.com");
    founded.await.expect("is founded");
    app.tenant(slug).await
}

/// Has a workspace's owner delete it; nothing of it is removed yet.
async fn delete(app: &TestApp, slug: &str) {
    let owner = app.client(slug, "owner").await;
    let proof = json!({ "slug": slug, "password": null });
    owner.data(DELETE, proof).await;
}

async fn is_gone(app: &TestApp, tenant: &str) -> bool {
    let connection = app.connection.across_tenants().await;
    let sql = format!("SELECT count(*) AS n FROM tenants WHERE id = '{tenant}'");
    number(&connection, &sql).await == 0
}

on_both_databases! {
    async fn a_workspace_whose_slug_is_anothers_id_holds_up_no_removal(app) {
        run_due(&app.store).await.expect("runs");
        let (old, other) = (founded(&app, "old").await, founded(&app, "other").await);
        let named = founded(&app, &old).await;
        delete(&app, "old").await;
        delete(&app, "other").await;
        // The slug is free at once.
        founded(&app, "old").await;
        remove(&app).await;
        assert!(is_gone(&app, &old).await && is_gone(&app, &other).await);
        assert!(!is_gone(&app, &named).await);
        app.client(&old, "owner").await.data("{ feedCursor }", json!({})).await;
    }

    async fn a_workspace_that_cannot_be_removed_holds_up_no_other(app) {
        run_due(&app.store).await.expect("runs");
        let mut both = [founded(&app, "one").await, founded(&app, "two").await];
        let third = founded(&app, "third").await;
        both.sort();
        for slug in ["one", "two"] {
            delete(&app, slug).await;
        }
        // By nobody's choice another one has the slug that the first is to get.
        let [first, second] = &both;
        let call = async |tenant: &str, slug: &str| app.execute(&format!("UPDATE tenants SET slug = '{slug}' WHERE id = '{tenant}'")).await;
        call(first, "stuck").await;
        call(&third, &format!("deleted:{first}")).await;
        remove(&app).await;
        assert!(!is_gone(&app, first).await && is_gone(&app, second).await);
        let connection = app.connection.across_tenants().await;
        let failed = texts(&connection, "SELECT coalesce(\"lastError\", '') AS t FROM background_tasks WHERE name = 'deleted_workspaces'").await;
        assert_ne!(failed, [""], "it is told that one is left");
        call(&third, "third").await;
        remove(&app).await;
        assert!(is_gone(&app, first).await);
    }
}
