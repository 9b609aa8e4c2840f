//! The web dashboard, page by page: the one operation each page sends, what comes back, the statements it takes and
//! what it costs.
//!
//! Each operation is a file of `operations/`. Both databases are held to the same snapshot, so they answer alike.

use crate::support::{Client, TestApp};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::PathBuf};
use workgraph::clock::Clock;

/// When the world of these tests is seeded and asked.
const NOW: &str = "2026-05-04T09:30:00Z";

/// A page: the name of its file, and the variables it sends.
struct Page {
    name: &'static str,
    variables: Value,
}

on_both_databases! {
    async fn every_page_is_one_operation_with_a_constant_number_of_statements(app) {
        let app = TestApp::start_at(app.database, clock()).await;
        let client = app.owner().await;
        let pages = pages(&client).await;
        let mut files = operations();
        let mut statements = Vec::new();
        for Page { name, variables } in pages {
            let query = files.remove(name).unwrap_or_else(|| panic!("there is no operations/{name}.graphql"));
            let answer = client.send(&query, variables).await;
            statements.push(format!("{name} {} {}", answer.statements(), answer.cost()));
            let mut ids = Map::new();
            insta::assert_json_snapshot!(name, steady(&answer.data(&query), &mut ids));
        }
        assert!(files.is_empty(), "no variables are known for {:?}", files.keys());
        insta::assert_snapshot!("statements", statements.join("\n"));
    }

    async fn a_page_of_another_tenants_project_is_not_found(app) {
        let client = app.owner().await;
        let foreign = app.client(crate::support::ACME, "owner").await;
        let foreign = id(&foreign, "projects", json!({ "slug": { "eq": "default" } })).await;
        for name in ["dashboard", "briefs", "approvals", "activity", "agent_jobs", "analytics"] {
            let code = client.code(&operations()[name], json!({ "projectId": foreign })).await;
            assert_eq!(code, "NOT_FOUND", "{name}");
        }
    }
}

/// The pages, with variables as they would send them, about rows of the demo.
async fn pages(client: &Client) -> Vec<Page> {
    let titled = |title: &str| json!({ "title": { "eq": title } });
    let project = id(
        client,
        "projects",
        json!({ "slug": { "eq": "storefront" } }),
    )
    .await;
    let meeting = id(
        client,
        "meetings",
        json!({ "prds": { "some": titled("Guest checkout without an account") } }),
    )
    .await;
    let brief = id(client, "prds", titled("Guest checkout without an account")).await;
    let job = id(client, "agentJobs", json!({ "prUrl": { "isNull": false } })).await;
    let entry = json!({ "targetType": { "eq": "AgentJob" }, "action": { "eq": "job.done" } });
    let entry = id(client, "activity", entry).await;
    let in_project = json!({ "projectId": { "eq": project } });
    let work = json!({ "projectId": { "eq": project }, "targetType": { "in": ["Meeting", "PRD", "ExecutionPlan", "Ticket", "AgentJob"] } });
    let page = |name, variables| Page { name, variables };
    vec![
        page("shell", json!({})),
        page(
            "dashboard",
            json!({ "projectId": project, "meetings": in_project, "briefs": in_project }),
        ),
        page("projects", json!({})),
        page("goals", json!({ "filter": in_project })),
        page("meetings", json!({ "filter": in_project })),
        page("meeting", json!({ "id": meeting, "segments": 5 })),
        page(
            "briefs",
            json!({ "filter": { "status": { "in": ["PENDING_APPROVAL", "NEEDS_CLARIFICATION", "APPROVED"] } } }),
        ),
        page(
            "brief",
            json!({ "id": brief, "withCouncil": true, "asDownload": true }),
        ),
        page("approvals", json!({})),
        page(
            "activity",
            json!({ "projectId": project, "filter": work, "first": 12 }),
        ),
        page("activity_item", json!({ "id": entry })),
        page("agent_jobs", json!({})),
        page("agent_job", json!({ "id": job, "withPayload": true })),
        page("library", json!({})),
        page(
            "code_graph",
            json!({
                "projectId": project, "symbol": "src/checkout/cart.ts:function:priceOf",
                "from": "src/checkout/order.ts:method:Order.place", "to": "src/account/session.ts:interface:Session",
            }),
        ),
        page("schedules", json!({})),
        page("analytics", json!({})),
        page("team", json!({})),
        page("roles", json!({})),
        page("skills", json!({})),
        page("settings", json!({})),
    ]
}

/// The id of the first row of a list that satisfies a filter, by age.
async fn id(client: &Client, list: &str, filter: Value) -> String {
    let of = match list {
        "projects" => "ProjectFilter",
        "meetings" => "MeetingFilter",
        "prds" => "PRDFilter",
        "activity" => "AuditLogFilter",
        _ => "AgentJobFilter",
    };
    let query = format!(
        "query($filter: {of}) {{ {list}(first: 1, filter: $filter) {{ nodes {{ id }} }} }}"
    );
    let data = client.data(&query, json!({ "filter": filter })).await;
    let id = data[list]["nodes"][0]["id"].as_str();
    id.unwrap_or_else(|| panic!("the demo has no such row in {list}"))
        .to_owned()
}

/// Every operation by the name of its file.
pub fn operations() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("operations");
    let files = std::fs::read_dir(folder).expect("is a folder");
    let read = files.map(|file| {
        let path = file.expect("a file").path();
        let name = path
            .file_stem()
            .expect("has a name")
            .to_string_lossy()
            .into_owned();
        (name, std::fs::read_to_string(path).expect("is text"))
    });
    read.collect()
}

fn clock() -> Clock {
    let now: entity::Timestamp = serde_json::from_value(json!(NOW)).expect("a moment");
    Clock::new(move || now.inner())
}

/// The same for every seeding: ids, which are random, are numbered as they appear, and cursors left out.
fn steady(value: &Value, ids: &mut Map<String, Value>) -> Value {
    match value {
        Value::Object(fields) => {
            let steady = fields.iter().map(|(name, value)| {
                let is_cursor = ["cursor", "endCursor", "feedCursor"].contains(&name.as_str());
                let shown = match is_cursor && !value.is_null() {
                    true => json!("[cursor]"),
                    false => steady(value, ids),
                };
                (name.clone(), shown)
            });
            Value::Object(steady.collect())
        }
        Value::Array(items) => items.iter().map(|item| steady(item, ids)).collect(),
        Value::String(text) => json!(numbered(text, ids)),
        other => other.clone(),
    }
}

/// A text in which each id has become a number.
fn numbered(text: &str, ids: &mut Map<String, Value>) -> String {
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    let shown = words.map(|word| {
        let id = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let is_id = id.len() == 24
            && id.starts_with(|first: char| first.is_ascii_lowercase())
            && !id.contains(|letter: char| letter.is_ascii_uppercase());
        if !is_id {
            return word.to_owned();
        }
        let next = format!("[id {}]", ids.len() + 1);
        let number = ids.entry(id).or_insert(json!(next));
        word.replace(id, number.as_str().expect("text"))
    });
    shown.collect()
}
