//! Costs: every figure is the one that the rows themselves give.

use crate::{
    lists::all,
    support::{ACME, Client, DEMO, Schema, TestApp},
};
use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use workgraph::clock::Clock;

const SUMMARY: &str =
    "query($from: DateTime, $to: DateTime, $groupBy: [UsageGroup!]!, $projectId: ID, $first: Int) {
    usageSummary(from: $from, to: $to, groupBy: $groupBy, projectId: $projectId, first: $first) {
        hasMore
        total { calls failedCalls inputTokens outputTokens costMicros costUsd }
        rows {
            keys calls failedCalls inputTokens outputTokens costMicros costUsd
            day model provider roleSlug project { id } ticket { id } prd { id } user { id }
        }
    }
}";

/// What calls took together: calls, failed ones, tokens in and out, micro-USD.
type Sums = [i64; 5];

on_both_databases! {
    async fn usage_figures_are_those_of_the_rows(app) {
        let groupings: [&[&str]; 10] = [
            &["MODEL"], &["PROVIDER"], &["ROLE"], &["PROJECT"], &["TICKET"], &["PRD"], &["USER"], &["DAY", "MODEL"],
            &["PROJECT", "ROLE", "PROVIDER"],
            &["USER", "PRD", "TICKET", "PROJECT", "ROLE", "PROVIDER", "MODEL", "DAY"],
        ];
        for (workspace, zone) in [(DEMO, "Europe/Berlin"), (ACME, "Europe/Dublin")] {
            let client = app.client(workspace, "owner").await;
            let rows = usage_rows(&client).await;
            let (from, to) = (days_from_now(-300), days_from_now(1));
            for groups in groupings {
                let variables = json!({ "from": from, "to": to, "groupBy": groups, "first": 1000 });
                let summary = client.data(SUMMARY, variables).await["usageSummary"].take();
                let expected = grouped(&rows, groups, zone.parse().expect("a timezone"));
                let shown: Vec<_> = array(&summary["rows"]).iter().map(|row| (keys(row), sums(row))).collect();
                assert_eq!(shown, expected, "{workspace} by {groups:?}");
                assert_eq!(sums(&summary["total"]), total(&expected), "{workspace}");
                assert_eq!(summary["hasMore"], false);
                for row in array(&summary["rows"]) {
                    assert_eq!(shown_keys(row, groups), keys(row), "{row}");
                }
            }
        }
    }

    async fn by_day_alone_every_day_of_the_period_is_shown(app) {
        let client = app.owner().await;
        let rows = usage_rows(&client).await;
        let berlin: Tz = "Europe/Berlin".parse().expect("a timezone");
        let (from, to) = (days_from_now(-60), days_from_now(0));
        let mut rows = rows;
        rows.retain(|row| moment(&row["createdAt"]) >= from);
        let variables = json!({ "from": from, "to": to, "groupBy": ["DAY"], "first": 1 });
        let summary = client.data(SUMMARY, variables).await["usageSummary"].take();
        let expected: BTreeMap<_, _> = grouped(&rows, &["DAY"], berlin).into_iter().collect();
        let (mut day, last) = (from.with_timezone(&berlin).date_naive(), to.with_timezone(&berlin).date_naive());
        let mut shown = array(&summary["rows"]).iter();
        while day <= last {
            let row = shown.next().expect("a row for every day");
            assert_eq!(row["day"], day.to_string());
            let key = vec![Some(day.to_string())];
            assert_eq!(sums(row), expected.get(&key).copied().unwrap_or_default(), "{day}");
            day = day + Days::new(1);
        }
        assert!(shown.next().is_none() && summary["hasMore"] == false);
    }

    async fn days_of_usage_follow_the_clocks_of_the_timezone(app) {
        let client = app.owner().await;
        let tenant = app.tenant(DEMO).await;
        for (number, (zone, from, days)) in [
            // An hour is left out on 30 March, and one comes twice on 26 October.
            ("Europe/Berlin", "2025-03-28T00:00:00Z", [92, 96, 92, 96, 8]),
            ("Europe/Berlin", "2025-10-24T00:00:00Z", [88, 96, 100, 96, 4]),
            ("Asia/Kathmandu", "2025-03-01T00:00:00Z", [73, 96, 96, 96, 23]),
            // Midnight itself is left out.
            ("America/Sao_Paulo", "2018-11-03T00:00:00Z", [12, 96, 92, 96, 88]),
        ].into_iter().enumerate() {
            app.execute(&format!("UPDATE tenants SET timezone = '{zone}' WHERE id = '{tenant}'")).await;
            let from: DateTime<Utc> = from.parse().expect("a moment");
            let quarters = (0..96 * 4).map(|quarter| from + TimeDelta::minutes(15 * quarter));
            insert(&app, &tenant, &format!("z{number}"), quarters).await;
            let to = from + TimeDelta::days(4);
            let summary = client.data(SUMMARY, json!({ "from": from, "to": to, "groupBy": ["DAY"] })).await;
            let shown: Vec<_> = array(&summary["usageSummary"]["rows"]).iter().map(|row| row["calls"].clone()).collect();
            assert_eq!(shown, days.map(|calls| json!(calls)), "{zone}");
        }
    }

    async fn the_most_expensive_groups_come_first(app) {
        let client = app.owner().await;
        let ask = async |first: i32| {
            client.data(SUMMARY, json!({ "groupBy": ["MODEL"], "first": first })).await["usageSummary"].take()
        };
        let (whole, cut) = (ask(1000).await, ask(2).await);
        assert!(array(&whole["rows"]).len() > 2, "the demo calls more than two models");
        assert_eq!(array(&cut["rows"]), &array(&whole["rows"])[..2]);
        assert_eq!((&cut["hasMore"], &cut["total"]), (&json!(true), &whole["total"]));
        let none = client.data(SUMMARY, json!({ "groupBy": [] })).await["usageSummary"].take();
        assert_eq!((&none["rows"], &none["total"]), (&json!([]), &whole["total"]));
    }

    async fn a_viewer_reads_no_costs_and_a_member_those_of_one_project(app) {
        let (owner, viewer) = (app.owner().await, app.client(DEMO, "viewer").await);
        let (admin, member) = (app.client(DEMO, "admin").await, app.client(DEMO, "member").await);
        let project = project(&owner).await;
        let (whole, one) = (json!({ "groupBy": ["MODEL"] }), json!({ "groupBy": ["MODEL"], "projectId": project }));
        for variables in [&whole, &one] {
            assert_eq!(viewer.code(SUMMARY, variables.clone()).await, "FORBIDDEN");
        }
        let refused = member.send(SUMMARY, whole.clone()).await;
        assert_eq!(refused.code(), "FORBIDDEN");
        assert!(refused.body["errors"][0]["message"].as_str().expect("a message").contains("`projectId`"));
        assert_eq!(member.data(SUMMARY, one.clone()).await, owner.data(SUMMARY, one.clone()).await);
        assert_eq!(admin.data(SUMMARY, whole.clone()).await, owner.data(SUMMARY, whole).await);
        for client in [&viewer, &member] {
            assert_eq!(client.code("{ spending { costMicros } }", json!({})).await, "FORBIDDEN");
        }
    }

    async fn a_project_has_its_own_costs(app) {
        let client = app.owner().await;
        let project = project(&client).await;
        let mut rows = usage_rows(&client).await;
        rows.retain(|row| row["project"]["id"] == project);
        let variables = json!({ "from": days_from_now(-300), "to": days_from_now(1), "groupBy": ["MODEL"], "projectId": project });
        let summary = client.data(SUMMARY, variables).await;
        let expected = grouped(&rows, &["MODEL"], Tz::UTC);
        assert!(!expected.is_empty());
        assert_eq!(sums(&summary["usageSummary"]["total"]), total(&expected));
    }

    async fn what_is_asked_of_usage_has_its_limits(app) {
        let client = app.owner().await;
        for (variables, code) in [
            (json!({ "groupBy": [], "from": "2024-01-01T00:00:00Z", "to": "2025-02-05T00:00:00Z" }), "LIMIT_EXCEEDED"),
            (json!({ "groupBy": [], "from": "2024-01-02T00:00:00Z", "to": "2024-01-02T00:00:00Z" }), "BAD_USER_INPUT"),
            (json!({ "groupBy": [], "from": "9999-01-01T00:00:00Z" }), "BAD_USER_INPUT"),
            (json!({ "groupBy": ["DAY", "DAY"] }), "BAD_USER_INPUT"),
            (json!({ "groupBy": ["DAY"], "first": 1001 }), "LIMIT_EXCEEDED"),
            (json!({ "groupBy": ["DAY"], "first": -1 }), "BAD_USER_INPUT"),
            (json!({ "groupBy": ["DAY"], "projectId": "nobody" }), "NOT_FOUND"),
        ] {
            assert_eq!(client.code(SUMMARY, variables.clone()).await, code, "{variables}");
        }
        let ancient = json!({ "groupBy": ["DAY", "MODEL"], "from": "0001-01-01T00:00:00Z", "to": "0001-02-01T00:00:00Z" });
        assert_eq!(client.data(SUMMARY, ancient).await["usageSummary"]["rows"], json!([]));
    }

    async fn usage_takes_as_many_statements_for_many_rows(app) {
        let client = app.owner().await;
        let statements = async || {
            let days = client.send("{ usageSummary(groupBy: [DAY]) { rows { calls } total { calls } } }", json!({})).await;
            let projects = "{ usageSummary(groupBy: [PROJECT, USER]) { hasMore rows { project { name } user { name } } } }";
            let projects = client.send(projects, json!({})).await;
            let spending = client.send("{ spending { costMicros tokensToday state } }", json!({})).await;
            [days.statements(), projects.statements(), spending.statements()]
        };
        assert_eq!(statements().await, [3, 3, 2]);
        let now = Clock::system().now().inner();
        insert(&app, &app.tenant(DEMO).await, "many", (0..1000).map(|n| now - TimeDelta::minutes(n))).await;
        assert_eq!(statements().await, [3, 3, 2]);
    }

    async fn spending_counts_the_month_and_the_day_of_the_timezone(app) {
        let tenant = app.tenant(DEMO).await;
        let moments = [
            // In Los Angeles still September; October's first moment; the thirtieth; the thirty-first, twice.
            "2025-10-01T06:59:59.999Z", "2025-10-01T07:00:00Z", "2025-10-31T06:59:00Z", "2025-10-31T07:00:00Z",
            "2025-11-01T06:29:00Z",
        ];
        insert(&app, &tenant, "s", moments.map(|at| at.parse().expect("a moment")).into_iter()).await;
        let client = app.client_at(DEMO, "owner", "2025-11-01T06:30:00Z").await;
        let query = "{ spending {
            timezone monthBeganAt monthEndsAt dayEndsAt costMicros costUsd capMicros percent remainingMicros state
            tokensToday dailyTokenBudget dailyPercent dailyState
        } }";
        for (cap, budget, [cap_shown, percent, remaining, state], [budget_shown, daily_percent, daily_state]) in [
            ("500", "49", [json!("500"), json!(80.0), json!("100"), json!("WARNING")], [json!("49"), json!(61.22), json!("OK")]),
            ("400", "30", [json!("400"), json!(100.0), json!("0"), json!("BLOCKED")], [json!("30"), json!(100.0), json!("BLOCKED")]),
            ("501", "31", [json!("501"), json!(79.84), json!("101"), json!("OK")], [json!("31"), json!(96.77), json!("WARNING")]),
            ("300", "0", [json!("300"), json!(133.33), json!("0"), json!("BLOCKED")], [json!(null), json!(null), json!("UNLIMITED")]),
            ("NULL", "NULL", [json!(null), json!(null), json!(null), json!("UNLIMITED")], [json!(null), json!(null), json!("UNLIMITED")]),
        ] {
            app.execute(&format!(
                "UPDATE tenants SET timezone = 'America/Los_Angeles', \"monthlySpendCapMicros\" = {cap}, \
                 \"dailyTokenBudget\" = {budget} WHERE id = '{tenant}'"
            )).await;
            let spending = client.data(query, json!({})).await["spending"].take();
            assert_eq!(spending, json!({
                "timezone": "America/Los_Angeles", "monthBeganAt": "2025-10-01T07:00:00.000Z",
                "monthEndsAt": "2025-11-01T07:00:00.000Z", "dayEndsAt": "2025-11-01T07:00:00.000Z",
                "costMicros": "400", "costUsd": "0.000400", "capMicros": cap_shown, "percent": percent,
                "remainingMicros": remaining, "state": state, "tokensToday": "30", "dailyTokenBudget": budget_shown,
                "dailyPercent": daily_percent, "dailyState": daily_state,
            }));
        }
    }
}

/// Every call of the workspace, read through the API.
pub async fn usage_rows(client: &Client) -> Vec<Value> {
    let schema = Schema::of(client).await;
    let list = schema
        .queries()
        .iter()
        .find(|field| field.name == "apiUsages");
    let selection = "createdAt model provider roleSlug project { id } ticket { id } prd { id } user { id } success
        inputTokens outputTokens costMicros";
    all(client, list.expect("a list"), selection, &json!({})).await
}

/// A project that calls were made for.
async fn project(client: &Client) -> Value {
    let rows = usage_rows(client).await;
    let row = rows.iter().find(|row| !row["project"].is_null());
    row.expect("a call for a project")["project"]["id"].clone()
}

pub fn days_from_now(days: i64) -> DateTime<Utc> {
    Clock::system().now().inner() + TimeDelta::days(days)
}

pub fn number(value: &Value) -> i64 {
    match value {
        Value::String(text) => text.parse().expect("a number"),
        value => value.as_i64().expect("a number"),
    }
}

pub fn array(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("a list, not {value}"))
}

fn sums(row: &Value) -> Sums {
    let names = [
        "calls",
        "failedCalls",
        "inputTokens",
        "outputTokens",
        "costMicros",
    ];
    let sums = names.map(|name| number(&row[name]));
    let dollars = format!("{}.{:06}", sums[4] / 1_000_000, sums[4] % 1_000_000);
    assert_eq!(row["costUsd"], dollars);
    sums
}

fn total(groups: &[(Vec<Option<String>>, Sums)]) -> Sums {
    groups.iter().fold(Sums::default(), |mut total, (_, sums)| {
        for (total, sum) in total.iter_mut().zip(sums) {
            *total += sum;
        }
        total
    })
}

fn keys(row: &Value) -> Vec<Option<String>> {
    let keys = array(&row["keys"]).iter();
    keys.map(|key| key.as_str().map(str::to_owned)).collect()
}

/// The keys as the row's other fields show them, whether it is a row of usage or of the summary.
fn shown_keys(row: &Value, groups: &[&str]) -> Vec<Option<String>> {
    let key = |group: &&str| {
        let value = match *group {
            "DAY" => &row["day"],
            "MODEL" => &row["model"],
            "PROVIDER" => &row["provider"],
            "ROLE" => &row["roleSlug"],
            relation => &row[relation.to_lowercase()]["id"],
        };
        value.as_str().map(str::to_owned)
    };
    groups.iter().map(key).collect()
}

/// What the summary must say: the most expensive group first, then by keys, those without one last.
fn grouped(rows: &[Value], groups: &[&str], zone: Tz) -> Vec<(Vec<Option<String>>, Sums)> {
    let mut out: BTreeMap<Vec<Option<String>>, Sums> = BTreeMap::new();
    for row in rows {
        let mut row = row.clone();
        let at = moment(&row["createdAt"]).with_timezone(&zone);
        row["day"] = json!(at.date_naive().to_string());
        let sums = out.entry(shown_keys(&row, groups)).or_default();
        sums[0] += 1;
        sums[1] += i64::from(row["success"] == false);
        sums[2] += number(&row["inputTokens"]);
        sums[3] += number(&row["outputTokens"]);
        sums[4] += number(&row["costMicros"]);
    }
    let mut out: Vec<_> = out.into_iter().collect();
    let place = |(keys, sums): &(Vec<Option<String>>, Sums)| {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| (key.is_none(), key.clone()))
            .collect();
        (-sums[4], keys)
    };
    out.sort_by_key(place);
    out
}

/// Adds calls of 10 tokens in and 5 out for 100 micro-USD.
pub async fn insert(
    app: &TestApp,
    tenant: &str,
    prefix: &str,
    moments: impl Iterator<Item = DateTime<Utc>>,
) {
    let rows: Vec<_> = moments
        .enumerate()
        .map(|(n, at)| {
            let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false);
            format!("('{prefix}{n}', '{tenant}', '{at}', 'dev_agent', 'custom', 'm', 'embed', 10, 5, 100)")
        })
        .collect();
    app.execute(&format!(
        "INSERT INTO api_usage (id, \"tenantId\", \"createdAt\", \"roleSlug\", provider, model, operation, \
         \"inputTokens\", \"outputTokens\", \"costMicros\") VALUES {}",
        rows.join(", ")
    ))
    .await;
}

pub fn moment(at: &Value) -> DateTime<Utc> {
    let text = at.as_str().expect("a moment");
    text.parse().expect("a moment")
}
