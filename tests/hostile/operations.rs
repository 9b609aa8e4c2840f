//! Well-formed requests for what is not there, belongs to others, or makes no sense.

use crate::support::{ACME, Client, Footprint, Reply};
use serde_json::{Value, json};

on_both_databases! {
    async fn what_is_no_operation_is_refused_before_it_runs(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let (parse, validate) = ("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED");
        for (query, variables, code) in [
            ("", json!({}), parse),
            ("   # nothing", json!({}), parse),
            ("{", json!({}), parse),
            ("{ }", json!({}), parse),
            ("}{", json!({}), parse),
            ("feedCursor", json!({}), parse),
            ("{ feedCursor } }", json!({}), parse),
            ("{ feedCursor(: 1) }", json!({}), parse),
            ("{ project(id: \"x) { id } }", json!({}), parse),
            ("{ feedCursor } { feedCursor }", json!({}), validate),
            ("\u{feff}\u{202e}{ feedCursor", json!({}), parse),
            ("{ nothing }", json!({}), validate),
            ("{ feedCursor { x } }", json!({}), validate),
            ("{ viewer }", json!({}), validate),
            ("{ project { id } }", json!({}), validate),
            ("{ project(id: [1]) { id } }", json!({}), validate),
            ("{ project(id: \"x\", other: 1) { id } }", json!({}), validate),
            ("{ ...f } fragment f on Query { ...f }", json!({}), validate),
            ("{ ...nowhere }", json!({}), validate),
            ("{ feedCursor @nonsense }", json!({}), validate),
            ("{ feedCursor @skip }", json!({}), validate),
            ("query($a: Nonsense) { feedCursor }", json!({}), validate),
            ("query($id: ID!) { project(id: $id) { id } }", json!({}), validate),
            ("query($id: ID!) { project(id: $id) { id } }", json!({ "id": null }), validate),
            ("query($id: ID!) { project(id: $id) { id } }", json!({ "id": {} }), validate),
            ("query($n: Int) { projects(first: $n) { totalCount } }", json!({ "n": "7" }), validate),
            ("query($n: Int) { projects(first: $n) { totalCount } }", json!({ "n": 1.5 }), validate),
            ("query($f: ProjectFilter) { projects(filter: $f) { totalCount } }", json!({ "f": { "nothing": 1 } }), validate),
            ("mutation { createProject(input: { name: \"x\" }) { nothing } }", json!({}), validate),
            ("mutation { createProject(input: {}) { feedCursor } }", json!({}), validate),
            ("query a { feedCursor } query b { feedCursor }", json!({}), validate),
            ("query a { feedCursor } query a { feedCursor }", json!({}), validate),
        ] {
            let reply = door.refuses(query, variables, code).await;
            assert!(reply.errors()[0].to_string().len() < 2_000, "{query} is repeated at length: {reply:#?}");
        }
        for (query, name) in [("query a { feedCursor }", "b"), ("{ feedCursor }", "b"), ("query a { feedCursor } query c { feedCursor }", "b"),
            ("query a { feedCursor }", &"b".repeat(200_000))] {
            let body = json!({ "query": query, "operationName": name });
            let reply = Reply::to(door.post(body.to_string())).await;
            reply.refused(200, validate, query);
            assert!(reply.body.to_string().len() < 2_000);
        }
        before.must_be_that_of(&app).await;
    }

    async fn another_workspaces_row_is_as_absent_as_one_that_never_was(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let theirs = app.client(ACME, "owner").await;
        let page = "{ projects(first: 1) { nodes { id } } tickets(first: 1) { nodes { id } } goals(first: 1) { nodes { id } } }";
        let foreign = theirs.data(page, json!({})).await;
        let own = app.owner().await.data(page, json!({})).await;
        for (kind, list, update) in [
            ("project", "projects", "updateProject"),
            ("ticket", "tickets", ""),
            ("goal", "goals", "updateGoal"),
        ] {
            let other = if kind == "ticket" { "goals" } else { "tickets" };
            let ids = [
                &foreign[list]["nodes"][0]["id"],
                &json!("c123456789012345678901ab"),
                &own[other]["nodes"][0]["id"],
                &json!(""),
                &json!("' OR 1=1 --"),
                &json!("%"),
                &json!("\u{202e}\u{1f4a3}\u{fdd0}"),
                &json!("x".repeat(200_000)),
            ];
            let mut asked = vec![format!("query($id: ID!) {{ {kind}(id: $id) {{ id }} }}"),
                format!("query($id: ID!) {{ {list}(filter: {{ id: {{ eq: $id }} }}) {{ totalCount nodes {{ id }} }} }}")];
            if !update.is_empty() {
                asked.push(format!("mutation($id: ID!) {{ {update}(input: {{ id: $id }}) {{ feedCursor }} }}"));
            }
            for query in asked {
                let mut first = None;
                for id in ids {
                    let answer = nameless(door.ask(&query, json!({ "id": id })).await);
                    let first = first.get_or_insert_with(|| answer.clone());
                    assert_eq!(answer, *first, "{query} of {id:.100}");
                }
            }
            let query = "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }";
            for id in [ids[0], ids[1], ids[3], ids[4]] {
                assert_eq!(door.ask(query, json!({ "id": id })).await.data(), &json!({ "node": null, "nodes": [null] }));
            }
        }
        before.must_be_that_of(&app).await;
    }

    async fn a_cursor_is_good_only_where_it_was_given_out(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let end = async |client: Client| {
            let page = client.data("{ tickets(first: 1) { pageInfo { endCursor } } }", json!({})).await;
            page["tickets"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned()
        };
        let (own, foreign) = (end(app.owner().await).await, end(app.client(ACME, "owner").await).await);
        let query = "query($c: Cursor) { tickets(first: 1, after: $c) { nodes { id } } }";
        door.ask(query, json!({ "c": own })).await.data();
        let half = &own[..own.len() / 2];
        let mut turned: Vec<u8> = own.clone().into_bytes();
        turned.reverse();
        for cursor in [
            foreign.as_str(), half, &own.to_lowercase(), &String::from_utf8_lossy(&turned), &format!("{own}="), &format!("{own}AAAA"),
            "", " ", "AAAA", "bm8gY3Vyc29y", "null", "-1", "\u{1f4a3}", "' OR 1=1 --", &"A".repeat(200_000),
        ] {
            let reply = door.ask(query, json!({ "c": cursor })).await;
            assert_eq!((reply.status, reply.code()), (200, "CURSOR_MISMATCH"), "{cursor:.100}");
            assert!(reply.body.to_string().len() < 2_000, "{cursor:.100} is repeated at length");
        }
        before.must_be_that_of(&app).await;
    }

    async fn numbers_out_of_range_are_refused(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        let page = "query($n: Int) { projects(first: $n) { nodes { id } } }";
        let priority = "query($n: Int) { tickets(filter: { priority: { eq: $n } }) { totalCount } }";
        let seq = "query($n: BigInt) { activity(filter: { seq: { eq: $n } }) { totalCount } }";
        for (query, number) in [
            (page, json!(-1)), (page, json!(201)), (page, json!(2_147_483_647)), (page, json!(2_147_483_648_u64)), (page, json!(1_u64 << 40)),
            (page, json!(i64::MIN)), (page, json!(u64::MAX)), (page, json!(1e300)), (page, json!(true)), (page, json!([1])),
            (priority, json!(2_147_483_648_u64)), (priority, json!(-2_147_483_649_i64)), (priority, json!(u64::MAX)), (priority, json!(0.5)),
            (seq, json!("9223372036854775808")), (seq, json!("-9223372036854775809")), (seq, json!("1e3")), (seq, json!("")), (seq, json!("0x10")),
            (seq, json!(" 1")), (seq, json!("9".repeat(100_000))), (seq, json!(u64::MAX)), (seq, json!(1.5)), (seq, json!("NaN")),
        ] {
            let reply = door.ask(query, json!({ "n": number })).await;
            let known = ["BAD_USER_INPUT", "LIMIT_EXCEEDED", "COST_EXCEEDED", "GRAPHQL_VALIDATION_FAILED"];
            assert!(reply.status == 200 && known.contains(&reply.code()), "{query} of {number:.100}\nanswered {reply:#?}");
            assert!(reply.body.to_string().len() < 2_000, "{number:.100} is repeated at length");
        }
        // The same in the document itself.
        for query in [
            "{ projects(first: 2147483648) { nodes { id } } }",
            "{ projects(first: 99999999999999999999999999) { nodes { id } } }",
            "{ projects(first: -99999999999999999999999999) { nodes { id } } }",
            "{ projects(first: 1e400) { nodes { id } } }",
            "{ tickets(filter: { priority: { eq: 2147483648 } }) { totalCount } }",
            "{ activity(filter: { seq: { eq: 99999999999999999999999999 } }) { totalCount } }",
        ] {
            let reply = door.ask(query, json!({})).await;
            assert!(reply.status == 200 && !reply.code().is_empty(), "{query}\nanswered {reply:#?}");
        }
        for edge in ["9223372036854775807", "-9223372036854775808"] {
            assert_eq!(door.ask(seq, json!({ "n": edge })).await.data(), &json!({ "activity": { "totalCount": 0 } }));
        }
        for edge in [i32::MAX, i32::MIN] {
            assert_eq!(door.ask(priority, json!({ "n": edge })).await.data(), &json!({ "tickets": { "totalCount": 0 } }));
        }
        before.must_be_that_of(&app).await;
    }

    async fn words_that_mean_something_to_a_database_mean_nothing(app) {
        let (door, before) = (app.door().await, Footprint::of(&app).await);
        for word in ["'", "\"", "'; DROP TABLE projects; --", "\\", "%", "_", "$1", "?", "{}", "NEAR(", "a AND", "\"a", "*", "a*b*", ":", "((((", "\u{1f4a3}",
            "\u{202e}", "\r\n", "\t"] {
            let query = "query($w: String!) { search(query: $w) { nodes { title } }
                projects(filter: { name: { contains: $w }, slug: { startsWith: $w }, description: { eq: $w } }) { totalCount } }";
            let reply = door.ask(query, json!({ "w": word })).await;
            assert!(reply.code().is_empty() || reply.code() == "BAD_USER_INPUT", "{word:?}\nanswered {reply:#?}");
        }
        before.must_be_that_of(&app).await;
    }
}

/// An answer without what names the request.
fn nameless(mut reply: Reply) -> (u16, Value) {
    for error in reply.body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"].take();
    }
    (reply.status, reply.body)
}
