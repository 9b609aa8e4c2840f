//! Questions about a project's code graph, answered without its megabytes.

use crate::support::{ACME, Client};
use serde_json::{Value, json};

const PLACE: &str = "src/checkout/order.ts:method:Order.place";

async fn ask(client: &Client, question: &str) -> Value {
    let query = format!(
        "{{ projects(filter: {{ slug: {{ eq: \"storefront\" }} }}) {{ nodes {{ graph {{ {question} }} }} }} }}"
    );
    client.data(&query, json!({})).await["projects"]["nodes"][0]["graph"].clone()
}

fn names(list: &Value, at: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| {
            item.pointer(at)
                .and_then(Value::as_str)
                .expect("a name")
                .to_owned()
        })
        .collect()
}

on_both_databases! {
    async fn a_symbol_is_found_with_what_calls_it_and_what_it_calls(app) {
        let client = app.owner().await;
        let found = ask(&client, "languages stale findSymbols(name: \"place\") { id name kind file line degree }").await;
        assert_eq!(found["languages"], json!(["typescript"]));
        assert_eq!(found["stale"], false);
        assert_eq!(found["findSymbols"][0]["id"], PLACE);
        let around = ask(&client, &format!(
            "symbol(id: \"{PLACE}\") {{ name community }} callees(symbol: \"{PLACE}\") {{ symbol {{ name }} kind tag }}
             callers(symbol: \"src/checkout/cart.ts:function:priceOf\") {{ symbol {{ name }} kind }}
             community(symbol: \"{PLACE}\", first: 2) {{ label size members {{ name }} }}"
        )).await;
        assert_eq!(around["symbol"]["name"], "Order.place");
        assert_eq!(names(&around["callees"], "/symbol/name"), ["currentCustomer", "Cart.total", "SlotCalendar.reserve"]);
        assert_eq!(names(&around["callers"], "/symbol/name"), ["Cart.total", "Cart.add"]);
        assert_eq!(around["community"]["label"], around["symbol"]["community"]);
        assert_eq!(around["community"]["members"].as_array().map(Vec::len), Some(2));
        assert!(around["community"]["size"].as_u64() > Some(2));
    }

    async fn the_edges_at_a_symbol_are_what_it_calls_what_calls_it_and_where_it_stands(app) {
        let client = app.owner().await;
        let total = "src/checkout/cart.ts:method:Cart.total";
        let around = ask(&client, &format!(
            "edges(symbol: \"{total}\", first: 200) {{ from {{ id name }} to {{ id name }} kind tag }}
             one: edges(symbol: \"{total}\", first: 1) {{ kind }}
             callees(symbol: \"{total}\", first: 200) {{ symbol {{ name }} kind }} callers(symbol: \"{total}\", first: 200) {{ symbol {{ name }} kind }}"
        )).await;
        let edges = around["edges"].as_array().expect("edges");
        assert!(edges.iter().all(|edge| (edge["from"]["id"] == total) != (edge["to"]["id"] == total)), "{edges:#?}");
        let within: Vec<_> = edges.iter().filter(|edge| edge["kind"] == "CONTAINS").collect();
        assert_eq!((within.len(), &within[0]["to"]["id"]), (1, &json!(total)), "its file or type contains it");
        for (list, end) in [("callees", "to"), ("callers", "from")] {
            let other = if end == "to" { "from" } else { "to" };
            let mut seen: Vec<_> = { edges.iter() }
                .filter(|edge| edge["kind"] != "CONTAINS" && edge[other]["id"] == total)
                .map(|edge| edge[end]["name"].clone().to_string())
                .collect();
            let mut listed: Vec<_> = around[list].as_array().expect("symbols").iter().map(|one| one["symbol"]["name"].to_string()).collect();
            seen.sort();
            listed.sort();
            assert_eq!(seen, listed, "{list}");
            assert!(!seen.is_empty(), "{list}");
        }
        assert_eq!(around["one"].as_array().map(Vec::len), Some(1));
    }

    async fn a_path_leads_from_one_symbol_to_another_or_is_null(app) {
        let client = app.owner().await;
        let session = "src/account/session.ts:interface:Session";
        let paths = ask(&client, &format!(
            "there: path(from: \"{PLACE}\", to: \"{session}\") {{ symbol {{ name }} kind }} back: path(from: \"{session}\", to: \"{PLACE}\") {{ kind }}"
        )).await;
        assert_eq!(names(&paths["there"], "/symbol/name"), ["Order.place", "currentCustomer", "signIn", "Session"]);
        assert_eq!(paths["there"][0]["kind"], Value::Null);
        assert_eq!(paths["there"][1]["kind"], "CALLS");
        assert_eq!(paths["back"], Value::Null);
    }

    async fn the_most_connected_symbols_need_no_graph_and_more_read_it_once(app) {
        let client = app.owner().await;
        let query = |question: &str| format!(
            "{{ projects(filter: {{ slug: {{ eq: \"storefront\" }} }}) {{ nodes {{ graph {{ {question} }} }} }} }}"
        );
        let few = client.send(&query("godNodes(first: 3) { name degree }"), json!({})).await;
        assert_eq!(few.statements(), 2, "the project and the graph's row");
        let several = query("godNodes(first: 12) { name degree } a: findSymbols(name: \"cart\") { id } b: findSymbols(name: \"o\") { id }");
        let first = client.send(&several, json!({})).await;
        assert_eq!(first.statements(), 3, "and the graph, once for all questions");
        assert_eq!(client.send(&several, json!({})).await.statements(), 2, "it is kept");
        let (few, many) = (few.data(""), first.data(""));
        let graph = |data: &Value| data["projects"]["nodes"][0]["graph"]["godNodes"].as_array().expect("a list").clone();
        assert_eq!(graph(&few)[..], graph(&many)[..3]);
    }

    async fn a_graph_that_was_built_anew_answers_anew(app) {
        let client = app.owner().await;
        let names_of = async || names(&ask(&client, "findSymbols(name: \"\u{65}\", first: 200) { name }").await["findSymbols"], "/name").len();
        assert!(names_of().await > 2);
        let one = json!({ "nodes": [{ "id": "e", "name": "e", "kind": "function", "file": "e.ts" }], "edges": [] });
        app.execute(&format!("UPDATE project_graphs SET \"graphJson\" = '{one}', \"contentHash\" = 'anew'")).await;
        assert_eq!(names_of().await, 1);
        app.execute("UPDATE project_graphs SET \"graphJson\" = '[]', \"contentHash\" = 'nonsense'").await;
        let query = "{ projectGraphs(first: 1) { nodes { contentHash findSymbols(name: \"e\") { id } } } }";
        let answer = client.send(query, json!({})).await;
        assert_eq!(answer.code(), "CONFLICT");
        let graph = &answer.body["data"]["projectGraphs"]["nodes"][0];
        assert_eq!(graph, &json!({ "contentHash": "nonsense", "findSymbols": null }), "{:#}", answer.body);
    }

    async fn what_is_not_in_the_graph_is_refused_with_a_way_out(app) {
        let client = app.owner().await;
        let graph = |question: &str| format!("{{ projectGraphs(first: 1) {{ nodes {{ {question} }} }} }}");
        for (question, code, field) in [
            ("symbol(id: \"x\") { id }", "BAD_USER_INPUT", json!("id")),
            ("callers(symbol: \"x\") { kind }", "BAD_USER_INPUT", json!("symbol")),
            ("path(from: \"x\", to: \"x\") { kind }", "BAD_USER_INPUT", json!("from")),
            ("findSymbols(name: \"\") { id }", "BAD_USER_INPUT", json!("name")),
            ("godNodes(first: 201) { id }", "LIMIT_EXCEEDED", Value::Null),
            ("godNodes(first: -1) { id }", "BAD_USER_INPUT", json!("first")),
        ] {
            let answer = client.send(&graph(question), json!({})).await;
            assert_eq!((answer.code().as_str(), &answer.body["errors"][0]["extensions"]["field"]), (code, &field), "{question}");
        }
    }

    async fn no_symbol_of_another_tenant_is_answered(app) {
        let (mine, theirs) = (app.owner().await, app.client(ACME, "owner").await);
        let all = "{ projectGraphs { nodes { id findSymbols(name: \"e\", first: 200) { id } } } }";
        let (mine_has, theirs_has) = (mine.data(all, json!({})).await, theirs.data(all, json!({})).await);
        let graph = &mine_has["projectGraphs"]["nodes"][0];
        let own = names(&graph["findSymbols"], "/id");
        for foreign in theirs_has["projectGraphs"]["nodes"].as_array().expect("rows") {
            let symbols = names(&foreign["findSymbols"], "/id");
            assert!(!symbols.is_empty());
            for symbol in symbols.iter().filter(|symbol| !own.contains(symbol)) {
                let query = "query($graph: ID!, $symbol: String!) { projectGraph(id: $graph) { symbol(id: $symbol) { id } } }";
                let code = mine.code(query, json!({ "graph": graph["id"], "symbol": symbol })).await;
                assert_eq!(code, "BAD_USER_INPUT");
                let absent = mine.data(query, json!({ "graph": foreign["id"], "symbol": symbol })).await;
                assert_eq!(absent["projectGraph"], Value::Null);
            }
        }
    }

    async fn a_plan_made_on_another_graph_is_stale(app) {
        let client = app.owner().await;
        let query = "{ executionPlans(filter: { graphContentHash: { isNull: false } }) { nodes { graphContentHash graphStale project { graph { contentHash } } } } }";
        let plans = async || client.data(query, json!({})).await["executionPlans"]["nodes"].as_array().expect("rows").clone();
        let before = plans().await;
        assert!(!before.is_empty());
        for plan in before {
            let same = plan["graphContentHash"] == plan["project"]["graph"]["contentHash"];
            assert_eq!(plan["graphStale"], if plan["project"]["graph"].is_null() { Value::Null } else { json!(!same) });
        }
        app.execute("UPDATE project_graphs SET \"contentHash\" = 'anew'").await;
        assert!(plans().await.iter().all(|plan| plan["graphStale"] != false));
    }
}
