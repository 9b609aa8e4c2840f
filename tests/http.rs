//! The door: what is let in, and how what is refused looks.

use crate::support::{ALLOWED_ORIGIN, Client, DEMO, Socket, Waiting};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;
use workgraph::http::graphiql;

on_both_databases! {
    async fn a_token_is_needed_and_must_hold(app) {
        let good = app.token("demo", "owner").await;
        let (head, _) = good.rsplit_once('.').expect("a signed token");
        for token in ["", "x", &format!("{head}.AAAA"), head] {
            let answer = Client::new(&app.url, token).send("{ feedCursor }", json!({})).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHENTICATED"), "{token}");
        }
    }

    async fn a_token_dies_with_its_version(app) {
        let client = app.owner().await;
        client.data("{ feedCursor }", json!({})).await;
        app.execute("UPDATE users SET \"tokenVersion\" = \"tokenVersion\" + 1").await;
        // As another server would have done it, of which this one learns in a moment.
        let waiting = Waiting::until("the token holds no more");
        while client.send("{ feedCursor }", json!({})).await.status == 200 {
            waiting.a_moment().await;
        }
        assert_eq!(client.code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
    }

    async fn what_is_no_operation_is_refused_with_a_code(app) {
        let http = reqwest::Client::new();
        let token = app.token("demo", "owner").await;
        let long = format!("{{\"query\": \"{}\"}}", "x".repeat(300_000));
        for (content_type, body, status, code) in [
            ("text/plain", "{\"query\": \"{ feedCursor }\"}", 415, "BAD_USER_INPUT"),
            ("application/json", "{", 400, "BAD_USER_INPUT"),
            ("application/json", "[]", 400, "BAD_USER_INPUT"),
            ("application/json", "{\"query\": 1}", 400, "BAD_USER_INPUT"),
            ("application/json", "{\"query\": \"{ node(id: \\\"\\u0000\\\") { id } }\"}", 400, "BAD_USER_INPUT"),
            ("application/json", &long, 413, "LIMIT_EXCEEDED"),
            ("application/json", "{\"query\": \"{\"}", 200, "GRAPHQL_PARSE_FAILED"),
            ("application/json", "{\"query\": \"{ nothing }\"}", 200, "GRAPHQL_VALIDATION_FAILED"),
        ] {
            let request = http.post(&app.url).bearer_auth(&token).header("content-type", content_type);
            let response = request.body(body.to_owned()).send().await.expect("an answer");
            let (answered, id) = (response.status().as_u16(), response.headers().contains_key("x-request-id"));
            let answer: Value = response.json().await.expect("JSON");
            assert_eq!((answered, answer["errors"][0]["extensions"]["code"].as_str()), (status, Some(code)));
            assert!(id && answer["errors"][0]["extensions"]["requestId"].is_string());
        }
        let put = http.put(&app.url).send().await.expect("an answer");
        assert_eq!((put.status().as_u16(), put.headers()["allow"].to_str().ok()), (405, Some("GET, POST")));
        let lost = http.get(app.url.replace("/graphql", "/nothing")).send().await.expect("an answer");
        assert_eq!(lost.status(), 404);
    }

    async fn a_get_reads_and_does_not_write(app) {
        let token = app.token("demo", "owner").await;
        let get = async |query: &str| {
            let url = reqwest::Url::parse_with_params(&app.url, [("query", query)]).expect("a URL");
            let response = reqwest::Client::new().get(url).bearer_auth(&token).send().await.expect("an answer");
            (response.status().as_u16(), response.json::<Value>().await.expect("JSON"))
        };
        let (status, before) = get("{ feedCursor }").await;
        assert!(status == 200 && before["data"]["feedCursor"].is_string(), "{before}");
        let (status, refused) = get("mutation { createProject(input: { name: \"By link\" }) { feedCursor } }").await;
        assert_eq!((status, refused["errors"][0]["extensions"]["field"].as_str()), (405, Some("method")));
        assert_eq!(get("{ feedCursor }").await.1, before);
    }

    async fn pages_of_allowed_origins_may_ask_and_no_others(app) {
        let asked = async |origin: &str| {
            let request = reqwest::Client::new().request(reqwest::Method::OPTIONS, &app.url).header("origin", origin);
            let request = request.header("access-control-request-method", "POST");
            request.header("access-control-request-headers", "content-type").send().await.expect("an answer")
        };
        let allowed = asked(ALLOWED_ORIGIN).await;
        assert_eq!(allowed.headers()["access-control-allow-origin"], ALLOWED_ORIGIN);
        assert_eq!(allowed.headers()["access-control-allow-credentials"], "true");
        let other = asked("https://elsewhere.example").await;
        assert!(other.headers().get("access-control-allow-origin").is_none());
    }

    async fn a_large_answer_is_compressed_for_who_takes_it(app) {
        let query = "{ __schema { types { name description fields(includeDeprecated: true) { name description } } } }";
        let ask = async |accept: &str| {
            let door = app.door().await;
            let asked = door.post(json!({ "query": query }).to_string()).header("accept-encoding", accept);
            let response = asked.send().await.expect("an answer");
            let coding = response.headers().get("content-encoding").map(|coding| coding.to_str().expect("text").to_owned());
            let vary = response.headers().get_all("vary").iter().any(|names| names.to_str().expect("text").contains("accept-encoding"));
            (coding, vary, response.bytes().await.expect("a body"))
        };
        let (none, _, plain) = ask("br, gzip;q=0").await;
        assert!(none.is_none() && plain.len() > 100_000);
        let (coding, vary, packed) = ask("br, GZIP;q=0.5").await;
        assert_eq!((coding.as_deref(), vary), (Some("gzip"), true));
        assert!(packed.len() * 2 < plain.len());
        let mut unpacked = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).expect("is gzip");
        assert_eq!(unpacked.as_bytes(), &plain[..]);
    }

    async fn what_an_operation_cost_is_told(app) {
        let answer = app.owner().await.send("{ projects(first: 3) { nodes { id } } }", json!({})).await;
        let cost = &answer.body["extensions"]["cost"];
        assert_eq!((&cost["requested"], &cost["sqlStatements"]), (&json!(7), &json!(1)));
        assert!(cost["limit"].is_u64() && cost["durationMs"].as_f64().is_some_and(|time| time > 0.0), "{cost}");
    }

    async fn the_examples_of_graphiql_run(app) {
        let client = app.owner().await;
        let project = client.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let id = project["projects"]["nodes"][0]["id"].as_str().expect("an id");
        let mut socket = Socket::signed_in(&app.url, &app.token(DEMO, "owner").await).await;
        for example in graphiql::examples(id) {
            let variables = if example.variables.is_empty() { "{}" } else { &example.variables };
            let variables = serde_json::from_str(variables).expect("JSON");
            if example.query.contains("subscription ") {
                socket.subscribe(&example.title, &example.query, variables).await;
                socket.data(&example.title).await;
            } else {
                client.data(&example.query, variables).await;
            }
        }
    }

    async fn graphiql_is_served_to_browsers(app) {
        let http = reqwest::Client::new();
        let page = http.get(&app.url).header("accept", "text/html").send().await.expect("an answer");
        assert_eq!(page.status(), 200);
        let html = page.text().await.expect("a page");
        assert!(html.contains("<title>Workgraph GraphiQL</title>"), "{html}");
    }

    async fn the_deepest_operation_allowed_is_answered(app) {
        let client = app.owner().await;
        let nest = |levels: usize| {
            let (open, close) = ("goals(first: 2) { nodes { project { ".repeat(levels), " } } }".repeat(levels));
            format!("{{ projects(first: 2) {{ nodes {{ {open} id {close} }} }} }}")
        };
        client.data(&nest(7), json!({})).await;
        assert_eq!(client.code(&nest(8), json!({})).await, "LIMIT_EXCEEDED");
    }

    async fn a_bomb_of_fragments_is_refused_at_once(app) {
        let client = app.owner().await;
        let chain: String = (0..30)
            .map(|n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} }} ", m = n + 1))
            .collect();
        let bomb = format!("{{ ...f0 }} {chain} fragment f30 on Query {{ viewer {{ user {{ id }} }} }}");
        assert_eq!(client.code(&bomb, json!({})).await, "LIMIT_EXCEEDED");
    }

    async fn an_operation_sees_one_moment(app) {
        // Aliased fields of one operation agree with each other while others write.
        let client = app.owner().await;
        let writer = {
            let client = client.clone();
            tokio::spawn(async move {
                for turn in 0..20 {
                    let name = json!({ "name": format!("moment {turn}") });
                    client.data("mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }", name).await;
                }
            })
        };
        // Entries that the owner does not see have numbers, too.
        let mut unseen = None;
        while !writer.is_finished() {
            let data = client.data("{ a: feedCursor p: projects { totalCount } q: projects(first: 200) { nodes { id tickets { totalCount } } }
                l: activity(first: 1) { nodes { seq } } t: activity { totalCount } }", json!({})).await;
            assert_eq!(data["p"]["totalCount"], data["q"]["nodes"].as_array().expect("rows").len());
            let newest: i64 = data["l"]["nodes"][0]["seq"].as_str().expect("a number").parse().expect("a number");
            let now = newest - data["t"]["totalCount"].as_i64().expect("a number");
            assert_eq!(*unseen.get_or_insert(now), now);
        }
        writer.await.expect("writes");
    }
}
