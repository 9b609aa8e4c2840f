//! What every list can do, tried on every list the schema has.

use crate::support::{Client, Field, Schema, TestApp, Type, limits};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use workgraph::http::Limits;

on_both_databases! {
    async fn every_type_shows_rows_with_all_plain_fields(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            let rows = all(&client, list, &leaves(row), &json!({})).await;
            assert!(!rows.is_empty(), "the demo has no {}", row.name);
        }
    }

    async fn no_answer_is_null_where_the_schema_has_no_null(app) {
        let limits = Limits { operation_cost: 1_000_000_000, ..limits() };
        let app = TestApp::start_with(app.database, limits).await;
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let mut found = BTreeSet::new();
        for (list, row) in schema.lists() {
            let rows = all(&client, list, &all_of(&schema, row, 3), &json!({})).await;
            assert!(!rows.is_empty(), "the demo has no {}", row.name);
            nulls(&schema, row, &Value::Array(rows), &mut found);
        }
        assert!(found.is_empty(), "{found:?}");
    }

    async fn every_order_can_be_paged_in_both_directions(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            for value in &schema.get(&format!("{}OrderField", row.name)).values {
                for direction in ["ASC", "DESC"] {
                    let order = json!({ "orderBy": [{ "field": value.name, "direction": direction }] });
                    let whole = ids(&all(&client, list, "id", &order).await);
                    let distinct: BTreeSet<_> = whole.iter().collect();
                    assert_eq!(distinct.len(), whole.len(), "{} by {}", list.name, value.name);
                    for (size, backward) in [(whole.len() / 3 + 1, false), (whole.len() / 4 + 1, true)] {
                        let pages = paged(&client, list, &order, size.min(200), backward).await;
                        assert_eq!(whole, pages, "{} by {}", list.name, value.name);
                    }
                }
            }
        }
    }

    async fn every_relation_of_every_row_can_be_read_and_counted(app) {
        // Nobody asks for all columns of all rows of all relations.
        let limits = Limits { operation_cost: 1_000_000_000, ..limits() };
        let app = TestApp::start_with(app.database, limits).await;
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            for relation in row.fields.iter().filter(|field| !field.of.is_leaf()) {
                let selection = match schema.row_type(relation) {
                    Some(other) => format!("nodes {{ {} }} totalCount", leaves(other)),
                    None if schema.get(&relation.of.name).is_node() => leaves(schema.get(&relation.of.name)),
                    None => continue,
                };
                let selection = format!("id {} {{ {selection} }}", relation.name);
                let rows = all(&client, list, &selection, &json!({})).await;
                for row in rows {
                    let Some(count) = row[&relation.name]["totalCount"].as_u64() else { continue };
                    let nodes = row[&relation.name]["nodes"].as_array().expect("a list").len();
                    assert_eq!(count.min(50), nodes as u64, "{}.{}", list.name, relation.name);
                }
            }
        }
    }

    async fn a_nested_page_is_cut_for_each_parent(app) {
        let client = app.owner().await;
        let query = "{ projects { nodes {
            first: tickets(first: 2) { nodes { id createdAt } pageInfo { hasNextPage endCursor } totalCount }
            all: tickets(first: 200) { nodes { id } }
            last: tickets(last: 2) { nodes { id } pageInfo { hasPreviousPage } }
        } } }";
        let data = client.data(query, json!({})).await;
        let mut cut = 0;
        for project in data["projects"]["nodes"].as_array().expect("projects") {
            let all = ids(project["all"]["nodes"].as_array().expect("tickets"));
            let first = ids(project["first"]["nodes"].as_array().expect("tickets"));
            let last = ids(project["last"]["nodes"].as_array().expect("tickets"));
            assert_eq!(first, all[..all.len().min(2)]);
            assert_eq!(last, all[all.len().saturating_sub(2)..]);
            assert_eq!(project["first"]["totalCount"], all.len());
            assert_eq!(project["first"]["pageInfo"]["hasNextPage"], all.len() > 2);
            assert_eq!(project["last"]["pageInfo"]["hasPreviousPage"], all.len() > 2);
            cut += usize::from(all.len() > 2);
        }
        assert!(cut > 0, "a project of the demo has more than two tickets");
    }

    async fn every_comparison_finds_the_row_it_was_read_from(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            let rows = all(&client, list, &leaves(row), &json!({})).await;
            for comparison in &schema.get(&format!("{}Filter", row.name)).inputs {
                let Some(field) = row.leaves().find(|field| field.name == comparison.name) else { continue };
                let of = &schema.get(&comparison.of.name).inputs;
                let read = rows.iter().find(|row| !row[&field.name].is_null());
                let Some(read) = read else { continue };
                for operator in of {
                    let value = &read[&field.name];
                    let filter = match operator.name.as_str() {
                        "eq" | "gte" | "lte" | "contains" | "startsWith" => json!({ &operator.name: value }),
                        "in" => json!({ "in": [value] }),
                        "isNull" => json!({ "isNull": false }),
                        "ne" | "nin" | "lt" | "gt" => continue,
                        other => panic!("how is {other} of {} asked?", comparison.of.name),
                    };
                    let filter = json!({ "filter": { &field.name: filter } });
                    let found = ids(&all(&client, list, "id", &filter).await);
                    assert!(found.contains(&text(&read["id"])), "{} {filter}", list.name);
                }
                // What is equal, what is not, and nothing else.
                let count = async |filter: Value| {
                    let filter = json!({ "filter": { &field.name: filter } });
                    all(&client, list, "id", &filter).await.len()
                };
                let value = &read[&field.name];
                let (equal, unequal) = (count(json!({ "eq": value })).await, count(json!({ "ne": value })).await);
                assert_eq!(equal + unequal, rows.len(), "{}.{}", list.name, field.name);
                let (some, none) = (count(json!({ "isNull": false })).await, count(json!({ "isNull": true })).await);
                assert_eq!(some + none, rows.len(), "{}.{}", list.name, field.name);
            }
        }
    }

    async fn filters_reach_through_relations(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            let total = all(&client, list, "id", &json!({})).await.len();
            let count = async |filter: Value| all(&client, list, "id", &json!({ "filter": filter })).await.len();
            for relation in &schema.get(&format!("{}Filter", row.name)).inputs {
                let some_id = json!({ "id": { "isNull": false } });
                if relation.of.name.ends_with("ManyFilter") {
                    let (some, none) = (
                        count(json!({ &relation.name: { "some": some_id } })).await,
                        count(json!({ &relation.name: { "none": some_id } })).await,
                    );
                    assert_eq!(some + none, total, "{}.{}", list.name, relation.name);
                    assert_eq!(count(json!({ &relation.name: { "every": some_id } })).await, total);
                } else if schema.get(&relation.of.name).inputs.iter().any(|input| input.name == "and") && !relation.of.list {
                    if relation.name == "not" {
                        continue;
                    }
                    let (has, lacks) = (
                        count(json!({ &relation.name: some_id })).await,
                        count(json!({ "not": { &relation.name: some_id } })).await,
                    );
                    assert_eq!(has + lacks, total, "{}.{}", list.name, relation.name);
                }
            }
            let nothing = json!({ "or": [] });
            assert_eq!(count(nothing).await, 0, "an empty `or` holds for nothing");
        }
    }

    async fn a_cursor_of_another_order_filter_or_list_is_refused(app) {
        let client = app.owner().await;
        let page = client.data("{ tickets(first: 1) { pageInfo { endCursor } } }", json!({})).await;
        let cursor = json!({ "c": page["tickets"]["pageInfo"]["endCursor"] });
        for list in [
            "tickets(first: 1, after: $c, orderBy: [{ field: TITLE }])",
            "tickets(first: 1, after: $c, filter: { priority: { gt: 1 } })",
            "goals(first: 1, after: $c)",
        ] {
            let query = format!("query($c: Cursor) {{ {list} {{ nodes {{ id }} }} }}");
            assert_eq!(client.code(&query, cursor.clone()).await, "CURSOR_MISMATCH", "{list}");
        }
        let damaged = json!({ "c": "bm8gY3Vyc29y" });
        let query = "query($c: Cursor) { tickets(first: 1, after: $c) { nodes { id } } }";
        assert_eq!(client.code(query, damaged).await, "CURSOR_MISMATCH");
        client.data(query, cursor).await;
    }

    async fn a_page_has_its_limits(app) {
        let client = app.owner().await;
        for (arguments, code) in [
            ("first: 201", "LIMIT_EXCEEDED"),
            ("last: 201", "LIMIT_EXCEEDED"),
            ("first: -1", "BAD_USER_INPUT"),
            ("first: 1, last: 1", "BAD_USER_INPUT"),
            ("before: \"x\"", "BAD_USER_INPUT"),
            ("filter: { title: { eq: null } }", "BAD_USER_INPUT"),
        ] {
            let query = format!("{{ tickets({arguments}) {{ nodes {{ id }} }} }}");
            assert_eq!(client.code(&query, json!({})).await, code, "{arguments}");
        }
        let empty = client.data("{ tickets(first: 0) { nodes { id } pageInfo { hasNextPage } } }", json!({})).await;
        assert_eq!(empty["tickets"], json!({ "nodes": [], "pageInfo": { "hasNextPage": true } }));
    }

    async fn any_row_is_found_by_its_id(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for (list, row) in schema.lists() {
            let rows = all(&client, list, "id", &json!({ "first": 2 })).await;
            let found = client
                .data("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", json!({ "ids": ids(&rows) }))
                .await;
            let expected: Vec<_> =
                rows.iter().map(|found| json!({ "__typename": row.name, "id": found["id"] })).collect();
            assert_eq!(found["nodes"], Value::Array(expected));
        }
        assert_eq!(client.data("{ node(id: \"nobody\") { id } }", json!({})).await["node"], Value::Null);
    }

    async fn a_page_of_segments_is_cut_out_of_a_transcript(app) {
        let client = app.owner().await;
        let query = "query($after: Cursor) { transcripts(first: 1, orderBy: [{ field: WORD_COUNT, direction: DESC }]) { nodes {
            segments(first: 7, after: $after) { totalCount nodes { speaker text } pageInfo { hasNextPage endCursor } }
        } } }";
        let (mut after, mut seen) = (Value::Null, 0);
        loop {
            let data = client.data(query, json!({ "after": after })).await;
            let page = &data["transcripts"]["nodes"][0]["segments"];
            seen += page["nodes"].as_array().expect("segments").len();
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                assert_eq!(page["totalCount"], seen);
                break;
            }
        }
        assert!(seen > 7, "the demo's transcripts have several pages");
        // Neither made by somebody else, nor of another transcript.
        let ends = "{ transcripts(first: 2) { nodes { id segments(first: 1) { pageInfo { endCursor } } } } }";
        let ends = client.data(ends, json!({})).await["transcripts"]["nodes"].clone();
        let of = "query($id: ID!, $after: Cursor) { transcript(id: $id) { segments(after: $after) { totalCount } } }";
        for after in [json!("c2VnbWVudDoyMA"), ends[1]["segments"]["pageInfo"]["endCursor"].clone()] {
            let variables = json!({ "id": ends[0]["id"], "after": after });
            assert_eq!(client.code(of, variables).await, "CURSOR_MISMATCH");
        }
    }
}

/// All rows of a list, with a selection of fields; or just its first `first`.
pub async fn all(client: &Client, list: &Field, selection: &str, arguments: &Value) -> Vec<Value> {
    let query = operation(
        list,
        &format!("nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }}"),
    );
    let mut variables = arguments.clone();
    let whole = variables["first"].is_null();
    if whole {
        // Rows with all their large columns cost a lot.
        variables["first"] = json!(10);
    }
    let mut out = Vec::new();
    loop {
        let data = client.data(&query, variables.clone()).await;
        let page = &data[&list.name];
        out.extend(page["nodes"].as_array().expect("a list").iter().cloned());
        if !whole || page["pageInfo"]["hasNextPage"] == false {
            return out;
        }
        variables["after"] = page["pageInfo"]["endCursor"].clone();
    }
}

/// The ids of a list, read page by page.
async fn paged(
    client: &Client,
    list: &Field,
    arguments: &Value,
    size: usize,
    backward: bool,
) -> Vec<String> {
    let (size_name, cursor_name, more, end) = if backward {
        ("last", "before", "hasPreviousPage", "startCursor")
    } else {
        ("first", "after", "hasNextPage", "endCursor")
    };
    let query = operation(
        list,
        "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }",
    );
    let mut variables = arguments.clone();
    variables[size_name] = json!(size);
    let mut out: Vec<String> = Vec::new();
    loop {
        let data = client.data(&query, variables.clone()).await;
        let page = &data[&list.name];
        let ids: Vec<_> = page["edges"]
            .as_array()
            .expect("edges")
            .iter()
            .map(|edge| text(&edge["node"]["id"]))
            .collect();
        if backward {
            out.splice(0..0, ids);
        } else {
            out.extend(ids);
        }
        if page["pageInfo"][more] == false {
            return out;
        }
        variables[cursor_name] = page["pageInfo"][end].clone();
    }
}

/// An operation on a list that passes all its arguments as variables.
pub fn operation(list: &Field, selection: &str) -> String {
    let argument_type = |argument: &Field| match (argument.of.list, argument.of.required) {
        (true, _) => format!("[{}!]", argument.of.name),
        (false, true) => format!("{}!", argument.of.name),
        (false, false) => argument.of.name.clone(),
    };
    let declared: Vec<_> = list
        .args
        .iter()
        .map(|argument| format!("${}: {}", argument.name, argument_type(argument)))
        .collect();
    let passed: Vec<_> = list
        .args
        .iter()
        .map(|argument| format!("{0}: ${0}", argument.name))
        .collect();
    format!(
        "query({}) {{ {}({}) {{ {selection} }} }}",
        declared.join(", "),
        list.name,
        passed.join(", ")
    )
}

pub fn leaves(row: &Type) -> String {
    row.leaves()
        .map(|field| field.name.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

pub fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(&row["id"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Everything of a type that takes no arguments and is no row of its own, so deep.
fn all_of(schema: &Schema, of: &Type, depth: usize) -> String {
    let objects = parts(schema, of).filter(|_| depth > 0);
    let objects = objects.map(|(field, part)| {
        let inner = all_of(schema, part, depth - 1);
        format!("{} {{ {inner} }}", field.name)
    });
    let leaves = of.leaves().map(|field| field.name.clone());
    let all: Vec<_> = leaves.chain(objects).collect();
    format!("__typename {}", all.join(" "))
}

/// The fields that hold objects, each with its type.
fn parts<'s>(schema: &'s Schema, of: &'s Type) -> impl Iterator<Item = (&'s Field, &'s Type)> {
    let objects = of.fields.iter().filter(|field| field.of.kind == "OBJECT");
    let plain = objects.filter(|field| field.args.is_empty());
    let typed = plain.map(|field| (field, schema.get(&field.of.name)));
    typed.filter(|(_, of)| !of.is_node() && !of.name.ends_with("Connection"))
}

/// The fields that are null where the type has no null.
fn nulls(schema: &Schema, of: &Type, value: &Value, found: &mut BTreeSet<String>) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| nulls(schema, of, item, found));
    }
    let Value::Object(fields) = value else { return };
    for field in &of.fields {
        match fields.get(&field.name) {
            Some(Value::Null) if field.of.required => {
                found.insert(format!("{}.{}", of.name, field.name));
            }
            Some(value) if field.of.kind == "OBJECT" => {
                nulls(schema, schema.get(&field.of.name), value, found);
            }
            _ => {}
        }
    }
}
