//! What a brief touches in the code, as people say.

use crate::writes::{Made, head};
use serde_json::json;

on_both_databases! {
    async fn a_symbol_is_linked_once_and_unlinked(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let (brief, symbol) = made.brief_and_symbol().await;
        let input = json!({ "prdId": brief, "symbolId": symbol });
        let link = made.run("linkSymbol", input.clone()).await;
        let query = "query($id: ID!) { prd(id: $id) { symbolLinks { nodes { id symbolId symbolName file line source confidence
            symbol { id name file line } } } } }";
        let links = client.data(query, json!({ "id": brief })).await["prd"]["symbolLinks"]["nodes"].clone();
        let (shown, known) = (&links[0], &links[0]["symbol"]);
        assert_eq!((&shown["id"], &shown["symbolId"], &shown["source"]), (&link, &symbol, &json!("MANUAL")));
        assert_eq!((&shown["symbolName"], &shown["file"], &shown["line"]), (&known["name"], &known["file"], &known["line"]));
        let before = head(&client).await;
        assert_eq!(made.run("linkSymbol", input).await, link, "it is linked already");
        assert_eq!(head(&client).await, before);
        assert_eq!(made.run("unlinkSymbol", json!({ "id": link })).await, link);
        let links = client.data(query, json!({ "id": brief })).await["prd"]["symbolLinks"]["nodes"].clone();
        assert_eq!(links, json!([]));
        assert_eq!(made.code("unlinkSymbol", json!({ "id": link })).await, "NOT_FOUND");
        let told = client.data("{ activity(first: 1) { nodes { action prdId } } }", json!({})).await["activity"]["nodes"][0].clone();
        assert_eq!(told, json!({ "action": "brief.symbol_unlinked", "prdId": brief }));
    }

    async fn what_no_map_has_or_no_open_brief_touches_is_not_linked(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let (brief, symbol) = made.brief_and_symbol().await;
        let input = |symbol: &str| json!({ "prdId": brief, "symbolId": symbol });
        assert_eq!(made.code("linkSymbol", input("src/none.rs:function:none")).await, "BAD_USER_INPUT");
        let symbol = symbol.as_str().expect("an id");
        made.run("linkSymbol", input(symbol)).await;
        made.submit(&brief, 1).await;
        made.run("rejectPrd", json!({ "id": brief, "expectedVersion": 1, "reason": "No." })).await;
        assert_eq!(made.code("linkSymbol", input("another")).await, "CONFLICT");
        // A project without a map.
        let project = made.run("createProject", json!({ "name": "No map" })).await;
        let brief = made.run("createPrd", json!({ "projectId": project, "title": "Nowhere" })).await;
        assert_eq!(made.code("linkSymbol", json!({ "prdId": brief, "symbolId": symbol })).await, "CONFLICT");
    }
}
