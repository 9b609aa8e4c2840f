//! Too much of everything.

use crate::support::{Door, Footprint, Reply};
use serde_json::{Value, json};

/// Sends a document that must be refused for its size before it is executed.
async fn bomb(door: &Door, document: &str, variables: Value) {
    let reply = door.refuses(document, variables, "LIMIT_EXCEEDED").await;
    let extensions = &reply.errors()[0]["extensions"];
    let (limit, actual) = (extensions["limit"].as_u64(), extensions["actual"].as_u64());
    assert!(limit.is_some() && actual > limit, "{:#}", reply.body);
}

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect()
}

on_both_databases! {
    async fn bombs_are_refused_before_they_burst(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let nested = |levels: usize| format!("{{ goals {{ nodes {{ {} id {} }} }} }}", "project { goals { nodes { ".repeat(levels), "} } }".repeat(levels));
        let doubling = |levels: usize, last: &str| {
            let chain = repeated(levels, |n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} }} ", m = n + 1));
            format!("{{ ...f0 }} {chain} fragment f{levels} on Query {{ {last} }}")
        };
        let lists = repeated(5_000, |_| "[".to_owned());
        for document in [
            nested(9),
            nested(500),
            "{".repeat(30_000),
            format!("{{ project(id: {lists} ) {{ id }} }}"),
            format!("query($a: {lists}ID) {{ feedCursor }}"),
            doubling(30, "feedCursor viewer { user { id } }"),
            doubling(60, "a: feedCursor"),
            doubling(40, "feedCursor @skip(if: false)"),
            repeated(150, |n| format!("fragment f{n} on Query {{ feedCursor }} ")) + "{ ...f0 }",
            format!("{{ {} }}", repeated(300, |n| format!("a{n}: feedCursor "))),
            format!("{{ viewer {{ user {{ {} }} }} }}", repeated(300, |n| format!("a{n}: id "))),
            format!("{{ {} }}", repeated(60, |n| format!("a{n}: feedCursor "))),
            format!("{{ {} }}", "feedCursor ".repeat(6_000)),
            format!("{{ feedCursor {} }}", "@skip(if: false) ".repeat(1_000)),
            format!("query {} {{ feedCursor }}", "@nonsense ".repeat(1_000)),
            format!("query({}) {{ feedCursor }}", repeated(150, |n| format!("$v{n}: Int "))),
            format!("mutation {{ {} }}", repeated(60, |n| format!("a{n}: createProject(input: {{ name: \"a{n}\" }}) {{ feedCursor }} "))),
            repeated(200, |n| format!("query q{n} {{ {} }} ", repeated(60, |n| format!("a{n}: feedCursor ")))),
            "a ".repeat(12_000),
            "#".repeat(70_000),
            format!("{{ project(id: \"{}\") {{ id }} }}", "x".repeat(70_000)),
        ] {
            bomb(&door, &document, json!({})).await;
        }
        let types = "types { fields { type { fields { type { fields { type { name } } } } } } }";
        for document in [format!("{{ __schema {{ {types} }} }}"), format!("{{ {} }}", repeated(20, |n| format!("a{n}: __schema {{ types {{ name }} }} ")))] {
            bomb(&door, &document, json!({})).await;
        }
        before.must_be_that_of(&app).await;
    }

    async fn what_would_cost_too_much_is_told_which_lists_to_shorten(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let fixed = "{ projects(first: 200) { nodes { tickets(first: 200) { nodes { jobs(first: 200) { nodes { id } } } } } } }";
        let free = "query($n: Int) { p: projects(first: $n) { nodes { tickets(first: $n) { nodes { jobs(first: $n) { edges { node { id } } } } } } } }";
        let default = "query($n: Int = 200) { projects(last: $n) { nodes { tickets(first: $n) { nodes { jobs(last: $n) { nodes { id } } } } } } }";
        let hidden = "{ ...a } fragment a on Query { projects(first: 200) { nodes { ...b } } } \
            fragment b on Project { tickets(first: 200) { nodes { ... on Ticket { jobs(first: 200) { nodes { id } } } } } }";
        for (document, variables, path) in [
            (fixed, json!({}), "projects.nodes.tickets.nodes.jobs"),
            (free, json!({ "n": 200 }), "p.nodes.tickets.nodes.jobs"),
            (default, json!({}), "projects.nodes.tickets.nodes.jobs"),
            (hidden, json!({}), "projects.nodes.tickets.nodes.jobs"),
        ] {
            let reply = door.refuses(document, variables, "COST_EXCEEDED").await;
            let extensions = &reply.errors()[0]["extensions"];
            assert_eq!(extensions["limit"], 2_000_000);
            assert!(extensions["requested"].as_u64() > Some(8_000_000), "{extensions:#}");
            assert_eq!(extensions["fields"][0], json!({ "path": path, "rows": 8_000_000 }), "{document}");
        }
        door.ask(free, json!({ "n": 20 })).await.data();
        before.must_be_that_of(&app).await;
    }

    async fn huge_lists_are_answered(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let own = app.owner().await.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let ids: Vec<_> = (0..10_000).map(|n| format!("nobody{n:015}")).collect();
        for (query, ids) in [
            ("query($ids: [ID!]!) { projects(filter: { id: { in: $ids } }) { totalCount } }", &ids[..]),
            ("query($ids: [ID!]!) { projects(filter: { id: { nin: $ids } }) { totalCount } }", &ids[..]),
            ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", &ids[..]),
            ("query($ids: [ID!]!) { projects(filter: { id: { in: $ids } }) { totalCount } }", &ids[..201]),
        ] {
            let reply = door.ask(query, json!({ "ids": ids })).await;
            assert_eq!((reply.status, reply.code()), (200, "BAD_USER_INPUT"), "{query}");
            assert!(reply.body.to_string().len() < 2_000, "{reply:#?}");
        }
        let mut some = ids[..199].to_vec();
        some.push(own["projects"]["nodes"][0]["id"].as_str().expect("an id").to_owned());
        let query = "query($ids: [ID!]!) { projects(filter: { id: { in: $ids } }) { totalCount } }";
        assert_eq!(door.ask(query, json!({ "ids": some })).await.data()["projects"]["totalCount"], 1);
        let any: Vec<_> = (0..4_000).map(|n| json!({ "slug": { "eq": format!("nothing-{n}") } })).collect();
        let query = "query($filter: ProjectFilter) { projects(filter: $filter) { totalCount } }";
        for filter in [json!({ "or": any }), json!({ "and": any })] {
            let reply = door.ask(query, json!({ "filter": filter })).await;
            assert_eq!((reply.status, reply.code()), (200, "LIMIT_EXCEEDED"));
        }
        let order: Vec<_> = (0..2_000).map(|_| json!({ "field": "NAME" })).collect();
        let query = "query($order: [ProjectOrder!]) { projects(orderBy: $order) { totalCount nodes { id } } }";
        let reply = door.ask(query, json!({ "order": order })).await;
        assert_eq!((reply.status, reply.code()), (200, "LIMIT_EXCEEDED"));
        before.must_be_that_of(&app).await;
    }

    async fn huge_variables_are_answered(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let long = "x".repeat(250_000);
        let create = "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
        let reply = door.ask(create, json!({ "name": long })).await;
        assert_eq!((reply.code(), reply.body.to_string().len() < 2_000), ("BAD_USER_INPUT", true));
        let unused: Value = (0..10_000).map(|n| (format!("v{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
        door.ask("{ feedCursor }", unused).await.data();
        door.ask("{ feedCursor }", json!({ "unused": long })).await.data();
        let query = "query($w: String!) { search(query: $w) { nodes { title } } projects(filter: { name: { contains: $w } }) { totalCount } }";
        for words in [long, "word ".repeat(50_000), "\u{1f4a3}".repeat(20_000)] {
            let reply = door.ask(query, json!({ "w": words })).await;
            let known = ["", "BAD_USER_INPUT", "LIMIT_EXCEEDED"];
            assert!(reply.status == 200 && known.contains(&reply.code()), "{reply:#?}");
        }
        before.must_be_that_of(&app).await;
    }

    async fn deep_variables_are_answered(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let deep = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        for value in [deep("[", "]", 10_000), deep("{\"a\":", "}", 10_000), deep("[{\"a\":", "}]", 10_000), "[".repeat(200_000)] {
            let body = format!("{{\"query\": \"query($v: ID) {{ node(id: $v) {{ id }} }}\", \"variables\": {{\"v\": {value}}}}}");
            Reply::to(door.post(body)).await.refused(400, "BAD_USER_INPUT", "deep variables");
        }
        // As deep as JSON may be, but no filter.
        let value = deep("{\"not\":", "}", 100);
        let body = format!("{{\"query\": \"query($v: ProjectFilter) {{ projects(filter: $v) {{ totalCount }} }}\", \"variables\": {{\"v\": {value}}}}}");
        let reply = Reply::to(door.post(body)).await;
        assert!(reply.status == 200 && !reply.code().is_empty(), "{reply:#?}");
        let value = deep("{\"not\":", "}", 100).replace('1', "{\"name\": {\"eq\": \"x\"}}");
        let body = format!("{{\"query\": \"query($v: ProjectFilter) {{ projects(filter: $v) {{ totalCount }} }}\", \"variables\": {{\"v\": {value}}}}}");
        let reply = Reply::to(door.post(body)).await;
        assert!(reply.status == 200 && matches!(reply.code(), "" | "LIMIT_EXCEEDED" | "BAD_USER_INPUT"), "{reply:#?}");
        before.must_be_that_of(&app).await;
    }
}
