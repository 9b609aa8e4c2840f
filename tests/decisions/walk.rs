//! Whoever tries whatever: no status moves but by a step of its machine, what is allowed is done, what is not changes
//! nothing, and the ledger alone tells each status.

use super::mutation_of;
use crate::{
    support::{Client, DEMO, Schema},
    writes::{Made, head},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many steps are tried.
const TRIES: usize = 400;

/// The page of all machines: kind, step, from, to, the ledger's action.
const MACHINES: &str = include_str!("../../docs/STATE_MACHINES.md");

/// Numbers that look random, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, number: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % number
    }
}

/// What may be in the ledger: for each kind and action, where it leads from and to.
pub fn moves() -> BTreeSet<(String, String, String, String)> {
    let mut moves = BTreeSet::new();
    let mut kind = "";
    for line in MACHINES.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            kind = title;
        }
        let cells: Vec<_> = line
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [_, from, to, _, action] = cells[..] else {
            continue;
        };
        let from = from.split(" for ").next().unwrap_or_default();
        for from in from.split(", ") {
            moves.insert((
                kind.to_owned(),
                action.to_owned(),
                from.to_owned(),
                to.to_owned(),
            ));
        }
    }
    moves
}

/// Everything that moves in a project.
async fn rows(client: &Client, project: &Value) -> Vec<(&'static str, Value)> {
    let all = client.data(
        "query($p: ID!) { PRD: prds(first: 100, filter: { projectId: { eq: $p } }) { nodes { id status version } }
            ExecutionPlan: executionPlans(first: 100, filter: { projectId: { eq: $p } }) { nodes { id status version: attempt } }
            Ticket: tickets(first: 200, filter: { projectId: { eq: $p } }) { nodes { id status version: attemptCount } }
            ClarificationRequest: clarificationRequests(first: 100, filter: { prd: { projectId: { eq: $p } } }) { nodes { id status } } }",
        json!({ "p": project }),
    ).await;
    let of = |kind: &'static str| {
        all[kind]["nodes"]
            .as_array()
            .expect("rows")
            .iter()
            .map(move |row| (kind, row.clone()))
            .collect::<Vec<_>>()
    };
    ["PRD", "ExecutionPlan", "Ticket", "ClarificationRequest"]
        .into_iter()
        .flat_map(of)
        .collect()
}

fn input(mutation: &str, row: &Value) -> Value {
    let (id, version) = (&row["id"], &row["version"]);
    match mutation {
        "updatePrd" => {
            json!({ "id": id, "expectedVersion": version, "title": format!("Title after {version}") })
        }
        "updateTicket" => json!({ "id": id, "title": format!("Title after {version}") }),
        "submitPrd" => json!({ "id": id, "expectedVersion": version }),
        "revisePrd" | "deletePrd" => json!({ "id": id }),
        "askClarification" => json!({ "prdId": id, "question": "Which?", "routeTo": "QA" }),
        "answerClarification" => json!({ "id": id, "response": "That one." }),
        "pausePrd" | "resumePrd" | "pausePlan" | "resumePlan" | "cancelPlan" | "replan"
        | "retryPlan" | "cancelTicket" | "requeueTicket" | "retryTicket" => {
            json!({ "id": id, "reason": "So." })
        }
        _ => json!({ "id": id, "expectedVersion": version, "reason": "So." }),
    }
}

on_both_databases! {
    async fn nothing_moves_but_by_steps_and_the_ledger_tells_all(app) {
        let owner = app.owner().await;
        let schema = Schema::of(&owner).await;
        let made = Made { app: &app, client: &owner };
        made.run("setDelegate", json!({ "userId": null })).await;
        let project = made.run("createProject", json!({ "name": "Walk" })).await;
        let mut clients = Vec::new();
        for role in ["owner", "admin", "member", "viewer"] {
            clients.push(app.client(DEMO, role).await);
        }
        let (mut chance, mut done, mut refused) = (Chance(20_261_130), 0, 0);
        for turn in 0..TRIES {
            if turn % 10 == 0 {
                made.run("createPrd", json!({ "projectId": project, "title": format!("Brief {turn}") })).await;
            }
            let client = &clients[chance.below(clients.len())];
            let rows = rows(&owner, &project).await;
            if rows.is_empty() {
                continue;
            }
            let (kind, row) = &rows[chance.below(rows.len())];
            // An approved brief is planned now and then.
            if *kind == "PRD" && row["status"] == "APPROVED" && chance.below(3) == 0 {
                let plan = json!({ "prdId": row["id"], "channelSummary": "x", "steps": [{ "title": "a", "roleSlug": "dev_agent" },
                    { "title": "b", "roleSlug": "qa_agent", "dependsOn": [0] }] });
                let code = made.code("createExecutionPlan", plan).await;
                assert!(["", "CONFLICT"].contains(&code.as_str()), "{code}");
                continue;
            }
            let field = match *kind {
                "PRD" => "prd",
                "ExecutionPlan" => "executionPlan",
                "Ticket" => "ticket",
                _ => "clarificationRequest",
            };
            // Now and then nothing can begin, since the project is archived, and now and then two must approve.
            let (is_archived, are_two) = (chance.below(4) == 0, chance.below(4) == 0);
            let around = async |is_archived: bool, required: i32| {
                let put = if is_archived { "archiveProject" } else { "restoreProject" };
                made.run(put, json!({ "id": project })).await;
                made.run("updateApprovalRules", json!({ "requiredBriefApprovals": required })).await;
            };
            around(is_archived, 1 + i32::from(are_two)).await;
            let query = format!("query($id: ID!) {{ {field}(id: $id) {{ allowedSteps }} }}");
            let allowed = client.data(&query, json!({ "id": row["id"] })).await;
            let allowed: Vec<_> = allowed[field]["allowedSteps"].as_array().expect("steps").iter()
                .map(|step| step.as_str().expect("a step").to_owned()).collect();
            let all: Vec<_> = schema.get(&format!("{kind}Step")).values.iter().map(|step| step.name.clone()).collect();
            let tried = if allowed.is_empty() || chance.below(3) == 0 { &all } else { &allowed };
            let step = &tried[chance.below(tried.len())];
            let is_allowed = allowed.contains(step);
            let mutation = mutation_of(kind, step);
            let before = head(&owner).await;
            let code = Made { app: &app, client }.code(&mutation, input(&mutation, row)).await;
            let what = format!("{mutation} of {row}: {code}");
            if is_allowed {
                assert_eq!(code, "", "{what}");
                done += 1;
            } else {
                assert!(["", "FORBIDDEN", "CONFLICT", "ILLEGAL_TRANSITION"].contains(&code.as_str()), "{what}");
                assert_eq!(head(&owner).await, before, "{what} changed something");
                refused += 1;
            }
            around(false, 1).await;
        }
        assert!(done > TRIES / 8 && refused > TRIES / 8, "{done} done, {refused} refused");

        let (known, mut told) = (moves(), BTreeMap::new());
        let mut after = Value::Null;
        loop {
            let page = owner.data(
                "query($p: ID!, $after: Cursor) { activity(first: 200, after: $after, filter: { projectId: { eq: $p } }, orderBy: [{ field: SEQ }]) {
                    nodes { action targetType targetId statusFrom statusTo } pageInfo { hasNextPage endCursor } } }",
                json!({ "p": project, "after": after }),
            ).await;
            for entry in page["activity"]["nodes"].as_array().expect("entries") {
                let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                if text("action").ends_with(".deleted") {
                    told.remove(&text("targetId"));
                    continue;
                }
                let (from, to) = (text("statusFrom"), text("statusTo"));
                if !from.is_empty() {
                    let step = (text("targetType"), text("action"), from, to.clone());
                    assert!(known.contains(&step), "no machine has {step:?}");
                }
                if !to.is_empty() {
                    told.insert(text("targetId"), to);
                }
            }
            if page["activity"]["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["activity"]["pageInfo"]["endCursor"].clone();
        }
        for (kind, row) in &rows(&owner, &project).await {
            assert_eq!(told.get(row["id"].as_str().expect("an id")).map(String::as_str), row["status"].as_str(), "{kind} {row}");
        }
        app.verify_ledger(DEMO).await;
    }
}
