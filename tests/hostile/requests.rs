//! Requests that are no operation.

use crate::support::{Door, Footprint, Reply, Wire};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const GOOD: &str = "{\"query\": \"{ feedCursor }\"}";

/// Sends a request that must be refused as wrong input, naming what is wrong with it.
async fn wrong(request: RequestBuilder, status: u16, field: &str, asked: &str) -> Reply {
    let reply = Reply::to(request).await;
    let extensions = reply.refused(status, "BAD_USER_INPUT", asked);
    assert_eq!(extensions["field"], field, "{asked}");
    reply
}

on_both_databases! {
    async fn a_body_that_is_no_request_is_refused_with_the_part_that_is_wrong(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let nested = "[".repeat(200_000);
        let batch = format!("[{GOOD}, {GOOD}]");
        for (body, field) in [
            ("", "body"),
            ("{", "body"),
            ("null", "body"),
            ("17", "body"),
            ("\"{ feedCursor }\"", "body"),
            ("query={feedCursor}", "body"),
            ("{\"query\": \"{ feedCursor }\"} trailing", "body"),
            ("{'query': '{ feedCursor }'}", "body"),
            ("{\"query\": \"\\ud800\"}", "body"),
            ("{\"query\": \"\\x41\"}", "body"),
            ("{\"query\": \"{ feedCursor }\", \"variables\": {\"a\": 1e999}}", "body"),
            ("{\"query\": \"\0\"}", "body"),
            (&nested, "body"),
            ("[]", "body"),
            (&batch, "body"),
            ("{}", "query"),
            ("{\"query\": null}", "query"),
            ("{\"query\": 1}", "query"),
            ("{\"query\": {\"feedCursor\": true}}", "query"),
            ("{\"query\": [\"{ feedCursor }\"]}", "query"),
            ("{\"variables\": {}}", "query"),
            ("{\"query\": \"{ feedCursor }\", \"variables\": []}", "variables"),
            ("{\"query\": \"{ feedCursor }\", \"variables\": \"{}\"}", "variables"),
            ("{\"query\": \"{ feedCursor }\", \"operationName\": 1}", "operationName"),
            ("{\"query\": \"{ feedCursor }\", \"extensions\": 1}", "extensions"),
        ] {
            wrong(door.post(body.to_owned()), 400, field, body).await;
        }
        before.must_be_that_of(&app).await;
    }

    async fn bytes_that_are_no_text_are_refused(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        for bytes in [
            &b"{\"query\": \"{ feedCursor \xff }\"}"[..],
            b"{\"query\": \"{ feedCursor }\", \"variables\": {\"a\": \"\xc3\x28\"}}",
            b"{\"query\": \"{ feedCursor }\", \"operationName\": \"\xed\xa0\x80\"}",
            b"\xff\xfe{\x00}\x00",
            b"\x00",
        ] {
            wrong(door.post(bytes), 400, "body", &String::from_utf8_lossy(bytes)).await;
        }
        before.must_be_that_of(&app).await;
    }

    async fn a_nul_is_refused_wherever_it_stands(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
        for body in [
            json!({ "query": "{ feed\0Cursor }" }),
            json!({ "query": "mutation { createProject(input: { name: \"a\\u0000b\" }) { feedCursor } }" }),
            json!({ "query": "mutation { createProject(input: { name: \"a\\u{0}b\" }) { feedCursor } }" }),
            json!({ "query": "mutation { createProject(input: { name: \"a\\u{00}b\" }) { feedCursor } }" }),
            json!({ "query": "mutation { createProject(input: { name: \"a\\u{000000}b\" }) { feedCursor } }" }),
            json!({ "query": "mutation { createProject(input: { name: \"a\0b\" }) { feedCursor } }" }),
            json!({ "query": create, "variables": { "name": "a\0b" } }),
            json!({ "query": create, "variables": { "name": "a", "more": { "deep": [["\0"]] } } }),
            json!({ "query": create, "variables": { "name": "a", "a\0b": 1 } }),
            json!({ "query": "query a { feedCursor }", "operationName": "a\0" }),
        ] {
            let reply = Reply::to(door.post(body.to_string())).await;
            let known = [(400, "BAD_USER_INPUT"), (200, "GRAPHQL_PARSE_FAILED")];
            // The parser knows no `\u{…}`, so that nothing can be written with it.
            let known = if body.to_string().contains("u{0") { &known[..] } else { &known[..1] };
            assert!(known.contains(&(reply.status, reply.code())), "{body}\nanswered {reply:#?}");
        }
        for parameters in ["query=%7B%00feedCursor%7D", "query=%7BfeedCursor%7D&operationName=%00",
            "query=%7BfeedCursor%7D&variables=%7B%22a%22%3A%22%5Cu0000%22%7D"] {
            Reply::to(door.get(parameters)).await.refused(400, "BAD_USER_INPUT", parameters);
        }
        before.must_be_that_of(&app).await;
    }

    async fn only_json_is_taken(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = json!({ "query": "mutation { createProject(input: { name: \"Form\" }) { feedCursor } }" }).to_string();
        for media in [
            "text/plain",
            "text/plain; application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/graphql",
            "application/jsonp",
            "application/json-patch+json",
            "text/json",
            "application/json; charset=iso-8859-1",
            "application/json; charset=\"utf-16\"",
            "application/json; charset=utf-7",
            "*/*",
            "application/*",
            "json",
            "",
        ] {
            let request = door.request(Method::POST).header("content-type", media).body(create.clone());
            wrong(request, 415, "Content-Type", media).await;
        }
        wrong(door.request(Method::POST).body(create.clone()), 415, "Content-Type", "no media type").await;
        wrong(door.post(create.clone()).header("content-encoding", "gzip"), 415, "Content-Encoding", "compressed").await;
        before.must_be_that_of(&app).await;
        for media in ["application/json", "Application/JSON", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\""] {
            let request = door.request(Method::POST).header("content-type", media).body(GOOD);
            Reply::to(request).await.data();
        }
    }

    async fn the_answer_is_of_a_type_that_the_client_takes(app) {
        let door = app.door().await;
        let (plain, strict) = ("application/json", "application/graphql-response+json");
        for (accept, media) in [
            ("*/*", plain),
            ("application/*", plain),
            ("application/json", plain),
            ("APPLICATION/JSON", plain),
            ("application/graphql-response+json", strict),
            ("application/graphql-response+json, application/json;q=0.9", strict),
            ("application/graphql-response+json;q=0.5, application/json", plain),
            ("application/json;q=0, */*", strict),
            ("text/html, application/graphql-response+json;q=0.1", strict),
            ("text/html;q=0.9, */*;q=0.1", plain),
        ] {
            let reply = Reply::to(door.post(GOOD).header("accept", accept)).await;
            reply.data();
            let given = reply.header("content-type").split(';').next().unwrap_or_default().to_owned();
            assert_eq!(given, media, "{accept}");
        }
        for accept in ["text/html", "image/png, text/*", "application/xml", "application/json;q=0", "*/*;q=0", "nonsense"] {
            wrong(door.post(GOOD).header("accept", accept), 406, "Accept", accept).await;
            let get = door.get("query=%7BfeedCursor%7D").header("accept", accept);
            wrong(get, 406, "Accept", accept).await;
        }
    }

    async fn other_methods_are_refused_and_told_which_there_are(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let body = json!({ "query": "mutation { createProject(input: { name: \"Method\" }) { feedCursor } }" }).to_string();
        for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE,
            Method::from_bytes(b"PROPFIND").expect("a method")] {
            let request = door.request(method.clone()).header("content-type", "application/json").body(body.clone());
            let reply = wrong(request, 405, "method", method.as_str()).await;
            assert_eq!(reply.header("allow"), "GET, POST", "{method}");
        }
        before.must_be_that_of(&app).await;
    }

    async fn nothing_is_changed_by_a_get(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let create = "mutation%7BcreateProject(input%3A%7Bname%3A%22Get%22%7D)%7BfeedCursor%7D%7D";
        for parameters in [
            format!("query={create}"),
            format!("query=query%20a%7BfeedCursor%7D%20{}&operationName=b", create.replacen("mutation", "mutation%20b", 1)),
        ] {
            for accept in ["application/json", "application/graphql-response+json"] {
                let reply = Reply::to(door.get(&parameters).header("accept", accept)).await;
                reply.refused(405, "BAD_USER_INPUT", &parameters);
                assert_eq!(reply.header("allow"), "POST", "{parameters}");
            }
        }
        let both = "query=query%20a%7BfeedCursor%7D%20mutation%20b%7BcreateProject(input%3A%7Bname%3A%22b%22%7D)%7BfeedCursor%7D%7D";
        Reply::to(door.get(&format!("{both}&operationName=a"))).await.data();
        before.must_be_that_of(&app).await;
    }

    async fn damaged_parameters_of_a_get_are_refused(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let good = "query=%7BfeedCursor%7D";
        for (parameters, field) in [
            (String::new(), "query"),
            ("operationName=a".to_owned(), "query"),
            (format!("{good}&variables=%7B"), "variables"),
            (format!("{good}&variables=%5B%5D"), "variables"),
            (format!("{good}&variables=1"), "variables"),
            (format!("{good}&variables=%22%7B%7D%22"), "variables"),
            (format!("{good}&variables={}", "%5B".repeat(10_000)), "variables"),
            (format!("{good}&extensions=%7B"), "extensions"),
            (format!("{good}&extensions=%5B%5D"), "extensions"),
        ] {
            wrong(door.get(&parameters), 400, field, &parameters).await;
        }
        for parameters in [
            "query=%FF".to_owned(),
            "query=%7BfeedCursor%7D%C3%28".to_owned(),
            "query=%zz".to_owned(),
            "query=%7B".to_owned(),
            "query=%7Bnothing%7D".to_owned(),
            format!("{good}&operationName=nothing"),
            format!("query={}", "%7BfeedCursor%7D".repeat(3_000)),
        ] {
            let reply = Reply::to(door.get(&parameters)).await;
            assert!(matches!(reply.status, 200 | 400) && !reply.code().is_empty(), "{parameters}\nanswered {reply:#?}");
        }
        Reply::to(door.get(&format!("{good}&variables=%7B%7D&extensions=%7B%7D"))).await.data();
        before.must_be_that_of(&app).await;
    }

    async fn there_is_nothing_beside_the_api(app) {
        let token = app.token("demo", "owner").await;
        let root = app.url.replace("/graphql", "");
        for path in ["/", "/nothing", "/graphql/", "/graphql/x", "/graphql/assets/../../x", "/graphql/assets/%2e%2e%2fx", "/%00", "/%ff"] {
            let reply = Reply::to(Door::new(&format!("{root}{path}"), &token).post(GOOD)).await;
            assert!(matches!(reply.status, 404 | 405), "{path}\nanswered {reply:#?}");
        }
        let reply = Reply::to(Door::new(&format!("{root}/nothing"), &token).request(Method::GET)).await;
        assert_eq!(reply.refused(404, "BAD_USER_INPUT", "/nothing")["field"], "path");
        // Whoever opens the address that was printed without its path is led to the API.
        let led = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let led = led.get(&root).send().await.expect("an answer");
        assert_eq!((led.status().as_u16(), led.headers()["location"].as_bytes()), (307, &b"/graphql"[..]));
    }

    async fn a_body_of_ten_megabytes_is_refused_and_the_answer_arrives(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let body = format!("{{\"query\": \"{{ feedCursor }}\", \"extensions\": {{\"x\": \"{}\"}}}}", "x".repeat(10 << 20));
        let (announced, chunked) = (format!("content-length: {}", body.len()), "transfer-encoding: chunked");
        for header in [announced.as_str(), chunked] {
            let Wire { mut reading, mut writing } = Wire::open(&app.url, &door.token).await;
            let sent = match header == chunked {
                true => format!("{}{:x}\r\n{body}\r\n0\r\n\r\n", writing.head(header), body.len()),
                false => writing.head(header) + &body,
            };
            // The server need not take it all.
            let writing = tokio::spawn(async move {
                writing.send(sent).await;
                writing
            });
            let reply = reading.answer().await.expect("an answer");
            let extensions = reply.refused(413, "LIMIT_EXCEEDED", header);
            assert_eq!(extensions["limit"], 262_144);
            assert!(extensions["actual"].as_u64() > Some(262_144), "{extensions}");
            writing.abort();
        }
        let within = format!("{GOOD}{}", " ".repeat(262_144 - GOOD.len()));
        Reply::to(door.post(within.clone())).await.data();
        Reply::to(door.post(within + " ")).await.refused(413, "LIMIT_EXCEEDED", "one byte more");
        before.must_be_that_of(&app).await;
    }
}
