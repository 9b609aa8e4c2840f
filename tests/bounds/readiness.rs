//! What orchestrators are told.

use serde_json::{Value, json};
use std::time::Duration;

/// What a server says of itself under a path: the status, and the body as JSON.
pub async fn asked(url: &str, path: &str) -> (u16, Value) {
    let address = url.replace("/graphql", path);
    let response = reqwest::get(address).await.expect("an answer");
    let status = response.status().as_u16();
    let body = response.text().await.expect("a body");
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

on_both_databases! {
    async fn a_server_says_whether_it_is_ready(app) {
        let (status, found) = asked(&app.url, "/readyz").await;
        assert_eq!(status, 200, "{found:#}");
        let expected = json!({
            "ready": true,
            "database": { "ok": true },
            "migrations": { "ok": true, "missing": 0 },
            "feed": { "ok": true, "followed": 0, "behind": 0 },
        });
        assert_eq!(found, expected);
        app.execute("DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)").await;
        // What was found holds for a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let (status, found) = asked(&app.url, "/readyz").await;
        assert_eq!((status, &found["ready"], &found["migrations"]), (503, &json!(false), &json!({ "ok": false, "missing": 1 })));
        assert_eq!(found["database"]["ok"], true);
        assert_eq!(asked(&app.url, "/health").await.0, 200, "it lives all the same");
    }
}
