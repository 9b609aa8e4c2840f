//! Providers of models that fail, move, or are where nobody may ask.

use super::ADD;
use serde_json::json;

on_both_databases! {
    async fn names_of_the_servers_own_network_are_told_from_no_others(app) {
        let owner = app.owner_elsewhere_asking_the_public().await;
        let told = async |host: &str| {
            let input = json!({ "provider": "CUSTOM", "apiKey": "good-custom-key", "baseUrl": format!("https://{host}/v1") });
            let refused = owner.send(ADD, json!({ "input": input })).await;
            let error = refused.body["errors"][0].clone();
            (error["message"].clone(), error["extensions"]["code"].clone(), error["extensions"]["field"].clone())
        };
        // No name has a part as long as this, which nobody need be asked for.
        let nowhere = format!("{}.internal", "x".repeat(64));
        assert_eq!(told("localhost").await, told(&nowhere).await);
        assert!(app.outside.heard().is_empty());
    }
}
