//! SQL statements per operation: as many for a thousand rows as for one.

use crate::{
    support::{Client, Schema, TestApp},
    writes::{Made, operation, sample, sender},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write};

/// Operations and the statements they take, however many rows they find.
const OPERATIONS: [(&str, u64); 16] = [
    (
        "{ projects(first: 200) { nodes { name goals { nodes { title } } } } }",
        2,
    ),
    (
        "{ prds(first: 200) { nodes { title executionPlans { nodes { attempt tickets { nodes { title } } } } } } }",
        3,
    ),
    (
        "{ tickets(first: 200) { nodes { title project { name } parentTicket { title } } } }",
        3,
    ),
    ("{ tickets(first: 200) { totalCount } }", 1),
    ("{ tickets(first: 200) { totalCount nodes { id } } }", 2),
    (
        "{ projects(first: 200) { nodes { tickets { totalCount } goals(first: 3) { totalCount nodes { id } } } } }",
        4,
    ),
    (
        "{ tickets(first: 200) { nodes { description payload } } }",
        1,
    ),
    (
        "{ projects(first: 200) { nodes { a: goals(first: 1) { nodes { id } } b: goals(last: 1) { nodes { id } } } } }",
        3,
    ),
    ("{ viewer { user { name } tenant { name } } feedCursor }", 3),
    (
        "{ viewer { unreadNotificationCount notifications { nodes { title } } } }",
        2,
    ),
    (
        "{ dashboard { meetings { total } briefs { total } tickets { total } jobs { total } } }",
        1,
    ),
    (
        "{ projects(first: 200) { nodes { dashboard { meetings { total } tickets { active } } } } }",
        2,
    ),
    (
        "{ prds(first: 200) { nodes { phase latestExecutionPlan { id } costTotal { costUsd } markdown } } }",
        5,
    ),
    (
        "{ tickets(first: 200) { nodes { latestJob { status } } } }",
        2,
    ),
    (
        "{ activity(first: 200) { nodes { statusFrom statusTo diff { after } } } }",
        1,
    ),
    (
        "{ approvalQueue(first: 200) { totalCount nodes { title preview project { name } } } }",
        3,
    ),
];

on_both_databases! {
    async fn statements_do_not_grow_with_rows(app) {
        let client = app.owner().await;
        let counts = async || {
            let mut counts = Vec::new();
            for (query, _) in OPERATIONS {
                let answer = client.send(query, json!({})).await;
                counts.push((query, answer.statements()));
                answer.data(query);
            }
            counts
        };
        assert_eq!(counts().await, OPERATIONS);
        for rows in [10, 1000] {
            grow(&app, &client, rows).await;
            assert_eq!(counts().await, OPERATIONS, "with {rows} rows more");
        }
    }

    async fn each_mutation_takes_so_many_statements(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let mut table = String::new();
        for mutation in schema.writes() {
            let sender = sender(&app, &client, &mutation.name).await;
            let input = sample(&app, &client, &mutation.name).await;
            let query = operation(mutation);
            // Who asks is known by then.
            sender.data("{ feedCursor }", json!({})).await;
            let answer = sender.send(&query, json!({ "input": input })).await;
            writeln!(table, "{:<24}{:>3}", mutation.name, answer.statements()).expect("writes to a string");
            answer.data(&query);
        }
        insta::assert_snapshot!(format!("statements_{:?}", app.database).to_lowercase(), table);
    }

    async fn a_decision_takes_as_many_statements_however_many_tickets_it_moves(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let made = Made { app: &app, client: &client };
        let mut counts: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for steps in [2, 6] {
            for name in ["approvePlan", "rejectPlan", "redirectPlan", "pausePlan", "resumePlan", "cancelPlan", "replan", "retryPlan", "pausePrd", "approvePrd", "deletePrd", "approveTicket"] {
                let (brief, plan) = planned(&made, steps, name == "approveTicket").await;
                let input = match name {
                    "pausePlan" | "cancelPlan" | "replan" | "pausePrd" | "deletePrd" => {
                        made.run("approvePlan", json!({ "id": plan, "expectedVersion": 1 })).await;
                        let id = if name.ends_with("Prd") { &brief } else { &plan };
                        json!({ "id": id, "reason": "So." })
                    }
                    "resumePlan" => {
                        made.run("approvePlan", json!({ "id": plan, "expectedVersion": 1 })).await;
                        made.run("pausePlan", json!({ "id": plan })).await;
                        json!({ "id": plan })
                    }
                    "retryPlan" => {
                        made.set("execution_plans", &plan, "status = 'failed'").await;
                        json!({ "id": plan })
                    }
                    // A revision, which supersedes the brief with its plan and tickets.
                    "approvePrd" => {
                        made.run("approvePlan", json!({ "id": plan, "expectedVersion": 1 })).await;
                        let revision = made.run("revisePrd", json!({ "id": brief, "title": "Revised" })).await;
                        made.submit(&revision, 1).await;
                        json!({ "id": revision, "expectedVersion": 1 })
                    }
                    // The one that all others wait for.
                    "approveTicket" => {
                        made.run("approvePlan", json!({ "id": plan, "expectedVersion": 1 })).await;
                        let first = "query($id: ID!) { executionPlan(id: $id) { tickets(first: 1, orderBy: [{ field: STEP_INDEX }]) { nodes { id } } } }";
                        let first = client.data(first, json!({ "id": plan })).await["executionPlan"]["tickets"]["nodes"][0]["id"].clone();
                        made.hand_in(&first).await;
                        json!({ "id": first, "expectedVersion": 1 })
                    }
                    _ => json!({ "id": plan, "expectedVersion": 1, "reason": "So." }),
                };
                let field = schema.writes().find(|field| field.name == name).expect("a mutation");
                let mut input = input;
                if name == "deletePrd" {
                    input.as_object_mut().expect("an input").remove("reason");
                }
                client.data("{ feedCursor }", json!({})).await;
                let answer = client.send(&operation(field), json!({ "input": input })).await;
                counts.entry(name).or_default().push(answer.statements());
                answer.data(name);
            }
        }
        for (name, counts) in &counts {
            assert_eq!(counts[0], counts[1], "{name} moves two and six tickets");
        }
        assert_eq!(counts.len(), 12);
    }

    async fn one_row_takes_one_statement_and_any_row_two(app) {
        let client = app.owner().await;
        let data = client.data("{ goals(first: 1) { nodes { id } } }", json!({})).await;
        let id = json!({ "id": data["goals"]["nodes"][0]["id"] });
        let goal = client.send("query($id: ID!) { goal(id: $id) { title project { name } } }", id.clone()).await;
        assert_eq!(goal.statements(), 2);
        let node = client.send("query($id: ID!) { node(id: $id) { id ... on Goal { title } } }", id).await;
        assert_eq!(node.statements(), 2);
    }

    async fn large_columns_come_with_their_rows_whichever_way_these_came(app) {
        let client = app.owner().await;
        let lists = "{ tickets(first: 5, filter: { plan: { status: { eq: ACTIVE } } }) { nodes { id description payload } } }";
        let asked = client.send(lists, json!({})).await;
        assert_eq!(asked.statements(), 1);
        let rows = asked.data(lists)["tickets"]["nodes"].clone();
        assert!(rows.as_array().is_some_and(|rows| rows.len() > 2), "{rows:#}");
        for row in rows.as_array().expect("rows") {
            let id = json!({ "id": row["id"] });
            // By its id, with one large column in one place and another in another.
            let one = "query($id: ID!) { a: ticket(id: $id) { id description } b: ticket(id: $id) { ... on Ticket { payload } } }";
            let one = client.send(one, id.clone()).await;
            assert_eq!(one.statements(), 1);
            let one = one.data("one");
            assert_eq!(json!([one["a"]["description"], one["b"]["payload"]]), json!([row["description"], row["payload"]]));
            // Below another row, twice with other columns, and as any row.
            let plan = "query($id: ID!) { ticket(id: $id) { plan {
                a: tickets(first: 50) { nodes { id description } } b: tickets(first: 50) { edges { node { id payload } } } } }
                node(id: $id) { ... on Ticket { description payload } } }";
            let data = client.data(plan, id).await;
            let (a, b) = (&data["ticket"]["plan"]["a"]["nodes"], &data["ticket"]["plan"]["b"]["edges"]);
            let at = a.as_array().and_then(|rows| rows.iter().position(|other| other["id"] == row["id"]));
            let at = at.expect("is in its plan");
            for (description, payload) in [
                (&a[at]["description"], &b[at]["node"]["payload"]),
                (&data["node"]["description"], &data["node"]["payload"]),
            ] {
                assert_eq!((description, payload), (&row["description"], &row["payload"]));
            }
        }
    }

    async fn equal_questions_are_asked_once(app) {
        let client = app.owner().await;
        let query = "{ goals(first: 200) { nodes { project { name createdBy { name } } createdBy { name } } } }";
        let answer = client.send(query, json!({})).await;
        // Goals, projects, and the people behind both: those of the goals, then those only projects have.
        assert!(answer.statements() <= 4, "{} statements", answer.statements());
    }
}

/// An approved brief with a plan of so many steps, perhaps all after the first, that waits for approval.
async fn planned(made: &Made<'_>, steps: usize, after_first: bool) -> (Value, Value) {
    let brief = made.approved().await;
    let steps: Vec<_> = (0..steps)
        .map(|n| {
            let waits: &[u8] = if n > 0 && after_first { &[0] } else { &[] };
            json!({ "title": format!("Step {n}"), "roleSlug": "dev_agent", "dependsOn": waits })
        })
        .collect();
    let input = json!({ "prdId": brief, "channelSummary": "So", "steps": steps });
    let plan = made.run("createExecutionPlan", input).await;
    (brief, plan)
}

/// Adds projects with goals and briefs with plans and tickets, beside the server.
async fn grow(app: &TestApp, client: &Client, rows: usize) {
    let data = client
        .data(
            "{ viewer { tenant { id } } projects(first: 1) { nodes { id } } }",
            json!({}),
        )
        .await;
    let (tenant, project) = (
        &data["viewer"]["tenant"]["id"],
        &data["projects"]["nodes"][0]["id"],
    );
    let (tenant, project) = (
        tenant.as_str().expect("an id"),
        project.as_str().expect("an id"),
    );
    let connection = app.connection.across_tenants().await;
    let standard = "\"tenantId\", \"createdAt\", \"updatedAt\"";
    let values = format!("'{tenant}', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00'");
    let insert = |table: &str, columns: &str, row: &dyn Fn(usize) -> String| {
        let rows: Vec<_> = (0..rows)
            .map(|n| format!("({values}, {})", row(n)))
            .collect();
        format!(
            "INSERT INTO {table} ({standard}, {columns}) VALUES {}",
            rows.join(", ")
        )
    };
    let id = |kind: &str, n: usize| format!("{kind}{rows}x{n}");
    let statements = [
        insert("projects", "id, name, slug", &|n| {
            format!("'{0}', 'p{n}', 'grown-{rows}-{n}'", id("p", n))
        }),
        insert("goals", "id, \"projectId\", title", &|n| {
            format!("'{}', '{}', 'g{n}'", id("g", n), id("p", n % 7))
        }),
        insert("prds", "id, \"projectId\", title, summary", &|n| {
            format!("'{}', '{project}', 'b{n}', ''", id("b", n))
        }),
        insert(
            "tickets",
            "id, \"projectId\", \"prdId\", \"roleSlug\", title, \"createdBy\"",
            &|n| {
                format!(
                    "'{}', '{project}', '{}', 'chief_of_staff', 't{n}', 'test'",
                    id("c", n),
                    id("b", n)
                )
            },
        ),
        insert(
            "execution_plans",
            "id, \"projectId\", \"prdId\", \"parentTicketId\", steps, \"stepCount\", \"channelSummary\"",
            &|n| {
                format!(
                    "'{}', '{project}', '{}', '{}', '[]', 1, ''",
                    id("e", n),
                    id("b", n),
                    id("c", n)
                )
            },
        ),
        insert(
            "tickets",
            "id, \"projectId\", \"prdId\", \"planId\", \"parentTicketId\", \"roleSlug\", title, \"createdBy\"",
            &|n| {
                let (brief, plan, parent) = (id("b", n), id("e", n), id("c", n));
                format!(
                    "'{}', '{project}', '{brief}', '{plan}', '{parent}', 'dev_agent', 't{n}', 'test'",
                    id("t", n)
                )
            },
        ),
    ];
    for statement in statements {
        connection
            .execute_unprepared(&statement)
            .await
            .expect("inserts");
    }
}
