//! The library as it counts: a workspace's own row hides the global one with the same slug, and no other workspace's.

use crate::{
    lists::{all, ids},
    support::{ACME, Client, DEMO, Schema, TestApp},
    usage::{array, insert, moment, number, usage_rows},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The lists: root field, the field of the row, the plain list of the same rows, and its table.
const LISTS: [[&str; 4]; 3] = [
    ["effectiveAgentRoles", "role", "agentRoles", "agent_roles"],
    [
        "effectiveSkillPackages",
        "skillPackage",
        "skillPackages",
        "skill_packages",
    ],
    [
        "effectiveSubagents",
        "subagent",
        "subagentDefinitions",
        "subagent_definitions",
    ],
];

on_both_databases! {
    async fn an_own_row_takes_the_place_of_the_global_one(app) {
        let (mine, theirs) = (app.owner().await, app.client(ACME, "viewer").await);
        for [root, field, list, table] in LISTS {
            let slug = global_slug(&mine, &theirs, list).await;
            override_global(&app, table, &slug, "").await;
            for (client, other) in [(&mine, &theirs), (&theirs, &mine)] {
                let expected = expected(client, other, list).await;
                let shown = effective(client, root, field, "").await;
                assert_eq!(shown, expected, "{root}");
            }
            let overridden = |rows: Vec<Row>| rows.into_iter().find(|row| row.slug == slug).expect("the slug");
            let (own, global) = (
                overridden(effective(&mine, root, field, "").await),
                overridden(effective(&theirs, root, field, "").await),
            );
            assert_eq!((own.id.as_str(), own.overrides.as_ref()), (format!("own-{table}").as_str(), Some(&global.id)));
            assert_eq!((global.overrides, global.is_override), (None, false));
        }
    }

    async fn a_hidden_row_does_not_come_back_when_its_successor_is_filtered_out(app) {
        let (mine, theirs) = (app.owner().await, app.client(ACME, "owner").await);
        for ([root, field, list, table], (column, filter)) in LISTS.into_iter().zip([
            ("\"isActive\" = false", "(filter: { isActive: { eq: true } })"),
            ("status = 'disabled'", "(filter: { status: { eq: ACTIVE } })"),
            ("status = 'disabled'", "(filter: { status: { eq: ACTIVE } })"),
        ]) {
            let slug = global_slug(&mine, &theirs, list).await;
            override_global(&app, table, &slug, column).await;
            let shown = effective(&mine, root, field, filter).await;
            assert!(shown.iter().all(|row| row.slug != slug), "{root} shows the hidden {slug}");
            let whole = effective(&mine, root, field, "").await;
            assert!(shown.len() < whole.len() && whole.iter().any(|row| row.slug == slug));
        }
    }

    async fn the_library_that_counts_can_be_read_in_parts(app) {
        let client = app.owner().await;
        for [root, field, ..] in LISTS {
            let whole = effective(&client, root, field, "").await;
            let (mut parts, mut after) = (Vec::new(), String::new());
            loop {
                let part = effective(&client, root, field, &format!("(first: 2, afterSlug: \"{after}\")")).await;
                let Some(last) = part.last() else { break };
                after = last.slug.clone();
                parts.extend(part);
            }
            assert_eq!(parts, whole, "{root}");
            for (first, code) in [(501, "LIMIT_EXCEEDED"), (-1, "BAD_USER_INPUT")] {
                assert_eq!(client.code(&format!("{{ {root}(first: {first}) {{ isOverride }} }}"), json!({})).await, code);
            }
        }
    }

    async fn a_role_is_held_against_its_budget(app) {
        let now = "2025-11-01T06:30:00Z";
        let tenant = app.tenant(DEMO).await;
        app.execute(&format!("UPDATE tenants SET timezone = 'America/Los_Angeles' WHERE id = '{tenant}'")).await;
        app.execute("UPDATE agent_roles SET \"monthlyBudgetTokens\" = 50 WHERE slug = 'dev_agent'").await;
        // In Los Angeles still September; then three in October.
        let moments = ["2025-10-01T06:59:59Z", "2025-10-01T07:00:00Z", "2025-10-15T00:00:00Z", "2025-11-01T06:29:00Z"];
        insert(&app, &tenant, "r", moments.map(|at| at.parse().expect("a moment")).into_iter()).await;
        let query = "{ effectiveAgentRoles {
            role { slug } usedThisMonth { tokens costMicros calls percent remainingTokens state }
        } }";
        let data = app.client_at(DEMO, "admin", now).await.data(query, json!({})).await;
        let used = |slug: &str| {
            let roles = array(&data["effectiveAgentRoles"]);
            roles.iter().find(|role| role["role"]["slug"] == slug).expect("the role")["usedThisMonth"].clone()
        };
        let expected = json!({
            "tokens": "45", "costMicros": "300", "calls": 3, "percent": 90.0, "remainingTokens": "5", "state": "WARNING",
        });
        assert_eq!(used("dev_agent"), expected);
        assert_eq!((&used("supervisor")["tokens"], &used("supervisor")["calls"]), (&json!("0"), &json!(0)));
        for role in ["member", "viewer"] {
            let data = app.client_at(DEMO, role, now).await.data(query, json!({})).await;
            assert!(array(&data["effectiveAgentRoles"]).iter().all(|role| role["usedThisMonth"].is_null()), "{role}");
        }
    }

    async fn what_roles_have_used_is_what_their_calls_took(app) {
        let client = app.owner().await;
        let query = "{ spending { monthBeganAt } effectiveAgentRoles {
            role { slug } usedThisMonth { tokens costMicros calls }
        } }";
        let data = client.data(query, json!({})).await;
        let began: DateTime<Utc> = moment(&data["spending"]["monthBeganAt"]);
        let mut used: BTreeMap<String, [i64; 3]> = BTreeMap::new();
        for row in usage_rows(&client).await {
            if moment(&row["createdAt"]) >= began {
                let sums = used.entry(row["roleSlug"].as_str().expect("a slug").to_owned()).or_default();
                sums[0] += number(&row["inputTokens"]) + number(&row["outputTokens"]);
                sums[1] += number(&row["costMicros"]);
                sums[2] += 1;
            }
        }
        assert!(!used.is_empty(), "the demo has calls of this month");
        for role in array(&data["effectiveAgentRoles"]) {
            let shown = ["tokens", "costMicros", "calls"].map(|name| number(&role["usedThisMonth"][name]));
            let slug = role["role"]["slug"].as_str().expect("a slug");
            assert_eq!(shown, used.get(slug).copied().unwrap_or_default(), "{slug}");
        }
    }

    async fn the_library_that_counts_takes_as_many_statements_for_many_rows(app) {
        let (client, theirs) = (app.owner().await, app.client(ACME, "owner").await);
        for [.., list, table] in LISTS {
            let slug = global_slug(&client, &theirs, list).await;
            override_global(&app, table, &slug, "").await;
        }
        for (query, statements) in [
            ("{ effectiveAgentRoles { isOverride role { slug } } }", 1),
            ("{ effectiveSkillPackages { overrides { slug } skillPackage { slug } } }", 2),
            ("{ effectiveSubagents { subagent { slug systemPrompt } } }", 2),
            ("{ effectiveAgentRoles { usedThisMonth { tokens state } } }", 3),
        ] {
            let answer = client.send(query, json!({})).await;
            assert_eq!(answer.statements(), statements, "{query}");
            answer.data(query);
        }
    }
}

/// A row of the library as it counts.
#[derive(Debug, PartialEq)]
struct Row {
    slug: String,
    id: String,
    is_override: bool,
    overrides: Option<String>,
}

async fn effective(client: &Client, root: &str, field: &str, arguments: &str) -> Vec<Row> {
    let query = format!(
        "{{ {root}{arguments} {{ isOverride overrides {{ id }} {field} {{ id slug }} }} }}"
    );
    let data = client.data(&query, json!({})).await;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let row = |row: &Value| Row {
        slug: text(&row[field]["slug"]).expect("a slug"),
        id: text(&row[field]["id"]).expect("an id"),
        is_override: row["isOverride"] == true,
        overrides: text(&row["overrides"]["id"]),
    };
    array(&data[root]).iter().map(row).collect()
}

/// All rows that a workspace sees, and the ids of those that the other one sees too: they are global.
async fn seen(client: &Client, other: &Client, list: &str) -> (Vec<(String, String)>, Vec<String>) {
    let schema = Schema::of(client).await;
    let list = schema.queries().iter().find(|field| field.name == list);
    let list = list.expect("a list");
    let others = ids(&all(other, list, "id", &json!({})).await);
    let rows = all(client, list, "id slug", &json!({})).await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (text(&row["slug"]), text(&row["id"])))
        .collect();
    let global = rows
        .iter()
        .map(|(_, id)| id.clone())
        .filter(|id| others.contains(id));
    let global = global.collect();
    (rows, global)
}

/// What counts, by the plain lists: own rows over global ones.
async fn expected(client: &Client, other: &Client, list: &str) -> Vec<Row> {
    let (rows, global) = seen(client, other, list).await;
    let mut out: BTreeMap<String, Row> = BTreeMap::new();
    let (shared, own): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, id)| global.contains(id));
    for (slug, id) in shared.into_iter().chain(own) {
        let replaced = out.remove(&slug).map(|row| row.id);
        let row = Row {
            slug: slug.clone(),
            id,
            is_override: replaced.is_some(),
            overrides: replaced,
        };
        out.insert(slug, row);
    }
    out.into_values().collect()
}

/// The slug of a global row that neither workspace has replaced.
async fn global_slug(client: &Client, other: &Client, list: &str) -> String {
    let (rows, global) = seen(client, other, list).await;
    let (others, _) = seen(other, client, list).await;
    let alone = |slug: &str| {
        [&rows, &others]
            .iter()
            .all(|rows| rows.iter().filter(|row| row.0 == slug).count() == 1)
    };
    let found = rows
        .iter()
        .find(|(slug, id)| global.contains(id) && alone(slug));
    found.expect("a global row that nobody replaced").0.clone()
}

/// Gives the demo a row of its own with a global one's slug; `change` is SQL.
async fn override_global(app: &TestApp, table: &str, slug: &str, change: &str) {
    let (tenant, at) = (app.tenant(DEMO).await, "'2026-01-01T00:00:00+00:00'");
    let (columns, values) = match table {
        "agent_roles" => (
            "\"displayName\", category, \"systemPromptTemplate\"",
            "'Own', 'meta', ''",
        ),
        "skill_packages" => ("\"contentHash\", description, body", "'', '', ''"),
        _ => (
            "\"contentHash\", description, \"systemPrompt\"",
            "'', '', ''",
        ),
    };
    app.execute(&format!(
        "INSERT INTO {table} (id, \"tenantId\", \"createdAt\", \"updatedAt\", slug, {columns}) \
         VALUES ('own-{table}', '{tenant}', {at}, {at}, '{slug}', {values})"
    ))
    .await;
    if !change.is_empty() {
        app.execute(&format!(
            "UPDATE {table} SET {change} WHERE id = 'own-{table}'"
        ))
        .await;
    }
}
