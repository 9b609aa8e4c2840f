//! Moments that can be sent: each can be shown, sorted and paged past, and the others are refused, on both databases.

use serde_json::{Value, json};

/// Moments that no answer could show.
const REFUSED: [&str; 9] = [
    "9999-12-31T23:59:59.999-01:00",
    "0000-01-01T00:00:00+01:00",
    "0001-01-01T00:00:00+00:01",
    "0000-12-31T23:59:59.999Z",
    "+10000-01-01T00:59:59.999Z",
    "-0001-01-01T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-05-04T09:30:60.5+02:00",
    "2026-02-30T00:00:00Z",
];

on_both_databases! {
    async fn a_moment_beyond_the_years_is_refused_wherever_it_is_sent(app) {
        let client = app.owner().await;
        let project = client.data("{ projects(first: 1) { nodes { id } } }", json!({})).await["projects"]["nodes"][0]["id"].clone();
        for moment in REFUSED {
            for (query, variables) in [
                (
                    "mutation($p: ID!, $t: DateTime) { createGoal(input: { projectId: $p, title: \"for ever\", targetDate: $t }) { goal { id } } }",
                    json!({ "p": project, "t": moment }),
                ),
                ("query($t: DateTime) { goals(filter: { targetDate: { lt: $t } }) { totalCount } }", json!({ "t": moment })),
                ("query($t: [DateTime!]) { goals(filter: { createdAt: { in: $t } }) { totalCount } }", json!({ "t": [moment] })),
                ("query($f: GoalFilter) { goals(filter: $f) { totalCount } }", json!({ "f": { "not": { "targetDate": { "gte": moment } } } })),
                ("query($t: DateTime) { usageSummary(from: $t) { total { calls } } }", json!({ "t": moment })),
            ] {
                let answer = client.send(query, variables).await;
                assert_ne!(answer.body["errors"], Value::Null, "{moment} {query}");
                let code = answer.code();
                assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&code.as_str()), "{moment} {query} {code}");
            }
            let literal = format!("{{ goals(filter: {{ targetDate: {{ eq: \"{moment}\" }} }}) {{ totalCount }} }}");
            let answer = client.send(&literal, json!({})).await;
            assert_ne!(answer.body["errors"], Value::Null, "{literal}");
        }
    }

    async fn every_moment_that_is_taken_is_shown_sorted_and_paged_past(app) {
        let client = app.owner().await;
        let project = client.data("{ projects(first: 1) { nodes { id } } }", json!({})).await["projects"]["nodes"][0]["id"].clone();
        let create = "mutation($p: ID!, $t: DateTime) { createGoal(input: { projectId: $p, title: \"edge\", targetDate: $t }) { goal { targetDate } } }";
        let moments = [
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("0001-01-01T00:00:00.001-00:30", "0001-01-01T00:30:00.001Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2026-05-04T09:30:00+02:00", "2026-05-04T07:30:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ];
        for (sent, shown) in moments {
            let made = client.data(create, json!({ "p": project, "t": sent })).await;
            assert_eq!(made["createGoal"]["goal"]["targetDate"], shown);
        }
        let page = "query($c: Cursor, $d: Direction!) { goals(first: 1, after: $c, filter: { title: { eq: \"edge\" } }, orderBy: [{ field: TARGET_DATE, direction: $d }]) {
            nodes { targetDate } pageInfo { hasNextPage endCursor } } }";
        for (direction, expected) in [
            ("ASC", moments.iter().map(|(_, shown)| *shown).collect::<Vec<_>>()),
            ("DESC", moments.iter().rev().map(|(_, shown)| *shown).collect()),
        ] {
            let (mut cursor, mut seen) = (Value::Null, Vec::new());
            loop {
                let data = client.data(page, json!({ "c": cursor, "d": direction })).await;
                seen.push(data["goals"]["nodes"][0]["targetDate"].clone());
                cursor = data["goals"]["pageInfo"]["endCursor"].clone();
                if data["goals"]["pageInfo"]["hasNextPage"] == false {
                    break;
                }
            }
            assert_eq!(seen, expected, "{direction}");
        }
        let early = "{ goals(filter: { title: { eq: \"edge\" }, targetDate: { lt: \"1970-01-01T00:00:00Z\" } }) { totalCount } }";
        assert_eq!(client.data(early, json!({})).await["goals"]["totalCount"], 3);
        // Periods at either end are computed with, and nothing overflows.
        for (from, to) in [
            ("0001-01-01T00:00:00Z", "0001-01-05T00:00:00Z"),
            ("9999-12-01T00:00:00Z", "9999-12-31T23:59:59.999Z"),
        ] {
            let query = format!("{{ usageSummary(from: \"{from}\", to: \"{to}\", groupBy: [DAY]) {{ total {{ calls }} rows {{ day }} }} }}");
            assert_eq!(client.data(&query, json!({})).await["usageSummary"]["total"]["calls"], 0, "{query}");
        }
    }

    async fn numbers_have_the_same_bounds_on_both_databases(app) {
        let client = app.owner().await;
        for (filter, works) in [
            ("confidence: { lt: -0.0 }", true),
            ("confidence: { gte: 1e308 }", true),
            ("confidence: { gte: 5e-324 }", true),
            ("confidence: { gte: 1e400 }", false),
            ("priority: { lte: 2147483647 }", true),
            ("priority: { gte: -2147483648 }", true),
            ("priority: { lte: 2147483648 }", false),
        ] {
            let query = format!("{{ tickets(filter: {{ {filter} }}) {{ totalCount }} }}");
            let answer = client.send(&query, json!({})).await;
            assert_eq!(answer.body["errors"].is_null(), works, "{filter} {}", answer.body);
        }
        for (value, works) in [
            (json!("9223372036854775807"), true),
            (json!("-9223372036854775808"), true),
            (json!(9_223_372_036_854_775_807_i64), true),
            (json!("9223372036854775808"), false),
            (json!(1e30), false),
            (json!("1.5"), false),
            (json!(" 1"), false),
            (json!(""), false),
        ] {
            let query = "query($v: BigInt) { activity(filter: { seq: { lte: $v } }) { totalCount } }";
            let answer = client.send(query, json!({ "v": value })).await;
            assert_eq!(answer.body["errors"].is_null(), works, "{value} {}", answer.body);
        }
    }
}
