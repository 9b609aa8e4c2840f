//! Decisions: who makes them, what they bring about, and that each is made once.

mod deleted;
mod live;
mod overdue;
mod people;
mod plans;
mod races;
mod replies;
mod rules;
mod story;
mod symbols;
pub mod walk;

use crate::{
    support::{Client, Schema, TestApp},
    writes::{Made, head},
};
use serde_json::{Value, json};

/// What a brief is decided like, and what came of it.
pub async fn brief(client: &Client, id: &Value) -> Value {
    let query = "query($id: ID!) { prd(id: $id) { status version decidedBy { id } allowedSteps
        approvals(orderBy: [{ field: CREATED_AT }]) { nodes { decision subjectVersion subjectDigest ruleMatched actor onBehalfOf { role } } }
        tickets { nodes { id status roleSlug payload } } } }";
    client.data(query, json!({ "id": id })).await["prd"].clone()
}

fn version(id: &Value, version: i32) -> Value {
    json!({ "id": id, "expectedVersion": version })
}

fn because(id: &Value, version: i32) -> Value {
    json!({ "id": id, "expectedVersion": version, "reason": "Not so." })
}

/// The tickets of a brief with this role, each with its status.
fn statuses(brief: &Value, role: &str) -> Vec<String> {
    let tickets = brief["tickets"]["nodes"].as_array().expect("tickets");
    let of_role = tickets.iter().filter(|ticket| ticket["roleSlug"] == role);
    let mut statuses: Vec<_> = of_role
        .map(|ticket| ticket["status"].as_str().expect("a status").to_owned())
        .collect();
    statuses.sort();
    statuses
}

on_both_databases! {
    async fn an_approved_brief_has_a_ticket_for_the_chief_of_staff_and_the_decision_in_one(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.submitted().await;
        let before = head(&client).await;
        made.run("approvePrd", version(&id, 1)).await;
        let brief = brief(&client, &id).await;
        assert_eq!(brief["status"], "APPROVED");
        assert!(brief["decidedBy"]["id"].is_string());
        assert_eq!(statuses(&brief, "chief_of_staff"), ["READY"]);
        let approval = &brief["approvals"]["nodes"][0];
        assert_eq!((&approval["decision"], &approval["subjectVersion"]), (&json!("APPROVED"), &json!(1)));
        assert_eq!(approval["subjectDigest"].as_str().map(str::len), Some(64));
        let life = client.data(
            "query($id: ID!, $after: BigInt!) { prd(id: $id) { activity(first: 20, filter: { seq: { gt: $after } }, orderBy: [{ field: SEQ }]) { nodes { action targetType } } } }",
            json!({ "id": id, "after": before.to_string() }),
        ).await;
        let actions: Vec<_> = life["prd"]["activity"]["nodes"].as_array().expect("entries").iter().map(|entry| entry["action"].as_str().expect("text")).collect();
        assert_eq!(actions, ["approval.created", "brief.approved", "ticket.created"]);
    }

    async fn the_same_decision_again_is_answered_and_another_is_told_of_the_first(app) {
        let owner = app.owner().await;
        let admin = app.client(crate::support::DEMO, "admin").await;
        let made = Made { app: &app, client: &owner };
        let again = Made { app: &app, client: &admin };
        for (first, other, state) in [("approvePrd", "rejectPrd", "APPROVED"), ("rejectPrd", "approvePrd", "REJECTED")] {
            let id = made.submitted().await;
            made.run(first, because(&id, 1)).await;
            let before = head(&owner).await;
            for who in [&made, &again] {
                who.run(first, because(&id, 1)).await;
                let query = format!("mutation($input: {}{}Input!) {{ {other}(input: $input) {{ feedCursor }} }}", other[..1].to_uppercase(), other[1..].replace("Prd", "PRD"));
                let answer = who.client.send(&query, json!({ "input": because(&id, 1) })).await;
                assert_eq!(answer.code(), "CONFLICT", "{other} after {first}");
                let said = answer.body["errors"][0]["message"].as_str().expect("text");
                let email = app.email(crate::support::DEMO, "owner").await;
                assert!(said.contains(&email) && said.contains(&state.to_lowercase()), "{said}");
                let told = &answer.body["errors"][0]["extensions"];
                assert_eq!((&told["decision"], &told["decidedBy"]), (&json!(state), &json!(email)));
                assert!(told["decidedAt"].is_string());
            }
            assert_eq!(head(&owner).await, before, "nothing was done again");
            let brief = brief(&owner, &id).await;
            assert_eq!(brief["status"], state);
            assert_eq!(brief["approvals"]["nodes"].as_array().map(Vec::len), Some(1));
        }
    }

    async fn a_redirected_brief_is_a_draft_of_the_next_version_that_somebody_drafts(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.submitted().await;
        made.run("redirectPrd", because(&id, 1)).await;
        let before = head(&client).await;
        // Again, by who saw the same version.
        made.run("redirectPrd", because(&id, 1)).await;
        assert_eq!(head(&client).await, before);
        let now = brief(&client, &id).await;
        assert_eq!((&now["status"], &now["version"]), (&json!("DRAFT"), &json!(2)));
        assert_eq!(statuses(&now, "ba_agent"), ["READY"]);
        let payload = &now["tickets"]["nodes"][0]["payload"];
        assert_eq!((&payload["redirect"], &payload["version"]), (&json!("Not so."), &json!(2)), "{payload}");
        for late in ["approvePrd", "rejectPrd"] {
            assert_eq!(made.code(late, because(&id, 1)).await, "CONFLICT", "{late}");
        }
        // Who changes it by hand and hands it in needs no agent.
        made.run("updatePrd", json!({ "id": id, "expectedVersion": 2, "title": "By hand" })).await;
        made.submit(&id, 3).await;
        let now = brief(&client, &id).await;
        assert_eq!(statuses(&now, "ba_agent"), ["SUPERSEDED"]);
        made.run("regeneratePrd", json!({ "id": id, "expectedVersion": 3, "reason": "Shorter." })).await;
        let now = brief(&client, &id).await;
        assert_eq!((&now["status"], &now["version"]), (&json!("DRAFT"), &json!(4)));
        assert_eq!(statuses(&now, "ba_agent"), ["READY", "SUPERSEDED"]);
        // A draft that is drafted anew is another version too, so that the second click is told of the first.
        made.run("regeneratePrd", json!({ "id": id, "expectedVersion": 4 })).await;
        assert_eq!(brief(&client, &id).await["version"], 5);
        assert_eq!(made.code("regeneratePrd", json!({ "id": id, "expectedVersion": 4 })).await, "CONFLICT");
        // What was handed in is handed in.
        made.submit(&id, 5).await;
        let before = head(&client).await;
        made.submit(&id, 5).await;
        assert_eq!(head(&client).await, before);
    }

    async fn an_approved_brief_is_changed_by_no_door(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.approved().await;
        let content = "query($id: ID!) { prd(id: $id) { title summary version status objectives requirements { title } } }";
        let before = client.data(content, json!({ "id": id })).await;
        for (mutation, input) in [
            ("updatePrd", json!({ "id": id, "expectedVersion": 1, "title": "Other" })),
            ("submitPrd", version(&id, 1)),
            ("redirectPrd", because(&id, 1)),
            ("regeneratePrd", version(&id, 1)),
            ("rejectPrd", because(&id, 1)),
            ("askClarification", json!({ "prdId": id, "question": "Which?", "routeTo": "QA" })),
        ] {
            let code = made.code(mutation, input).await;
            assert!(["ILLEGAL_TRANSITION", "CONFLICT"].contains(&code.as_str()), "{mutation}: {code}");
        }
        assert_eq!(client.data(content, json!({ "id": id })).await, before);
    }

    async fn a_step_that_is_not_there_says_which_are(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.draft().await;
        let reject = "mutation($input: RejectPRDInput!) { rejectPrd(input: $input) { feedCursor } }";
        let answer = client.send(reject, json!({ "input": because(&id, 1) })).await;
        assert_eq!(answer.code(), "ILLEGAL_TRANSITION");
        let told = &answer.body["errors"][0]["extensions"];
        assert_eq!(told["step"], "REJECT");
        assert_eq!((&told["from"], &told["to"]), (&json!("DRAFT"), &json!("REJECTED")));
        assert_eq!(told["allowed"], json!(["NEEDS_CLARIFICATION", "PENDING_APPROVAL", "APPROVED"]));
    }

    async fn a_revision_takes_the_place_of_what_it_revises(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let plan = made.plan().await;
        made.run("approvePlan", version(&plan, 1)).await;
        let of = client.data("query($id: ID!) { executionPlan(id: $id) { prd { id title } } }", json!({ "id": plan })).await;
        let old = of["executionPlan"]["prd"]["id"].clone();
        let revision = made.run("revisePrd", json!({ "id": old, "summary": "Anew." })).await;
        let other = made.run("revisePrd", json!({ "id": old })).await;
        let third = made.run("revisePrd", json!({ "id": old })).await;
        let copied = client.data("query($id: ID!) { prd(id: $id) { status version title summary supersedes { id } } }", json!({ "id": revision })).await;
        assert_eq!(copied["prd"], json!({ "status": "DRAFT", "version": 1, "title": of["executionPlan"]["prd"]["title"], "summary": "Anew.", "supersedes": { "id": old } }));
        for id in [&revision, &other] {
            made.submit(id, 1).await;
        }
        made.run("approvePrd", version(&revision, 1)).await;
        let was = brief(&client, &old).await;
        assert_eq!(was["status"], "SUPERSEDED");
        assert_eq!(statuses(&was, "dev_agent"), ["SUPERSEDED"]);
        assert_eq!(statuses(&was, "qa_agent"), ["SUPERSEDED"]);
        let was = client.data("query($id: ID!) { executionPlan(id: $id) { status allowedSteps } }", json!({ "id": plan })).await;
        assert_eq!(was["executionPlan"], json!({ "status": "SUPERSEDED", "allowedSteps": [] }));
        assert_eq!(made.code("approvePrd", version(&other, 1)).await, "CONFLICT", "the brief that it revises is superseded");
        assert_eq!(brief(&client, &other).await["status"], "PENDING_APPROVAL");
        // Nobody is asked about it in vain.
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;
        assert_eq!(made.code("approvePrd", version(&other, 1)).await, "CONFLICT", "not as the first of two either");
        assert_eq!(made.code("submitPrd", version(&third, 1)).await, "CONFLICT");
        for id in [&other, &third] {
            let steps = brief(&client, id).await["allowedSteps"].clone();
            let steps = steps.as_array().expect("steps");
            assert!(!steps.contains(&json!("APPROVE")) && !steps.contains(&json!("SUBMIT")), "{steps:?}");
        }
    }

    async fn what_is_paused_hands_nothing_out(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        for (pause, resume) in [("pausePrd", "resumePrd"), ("pausePlan", "resumePlan")] {
            let plan = made.plan().await;
            let query = "query($id: ID!) { executionPlan(id: $id) { prdId pausedBy { role } tickets(orderBy: [{ field: STEP_INDEX }]) { nodes { status } } } }";
            let state = async || client.data(query, json!({ "id": plan })).await["executionPlan"].clone();
            let held = if pause == "pausePrd" { state().await["prdId"].clone() } else { plan.clone() };
            made.run(pause, json!({ "id": held, "reason": "Wait." })).await;
            made.run(pause, json!({ "id": held })).await;
            made.run("approvePlan", version(&plan, 1)).await;
            let tickets = |first: &str| json!([{ "status": first }, { "status": "BLOCKED" }]);
            assert_eq!(state().await["tickets"]["nodes"], tickets("BLOCKED"), "{pause}");
            made.run(resume, json!({ "id": held })).await;
            let now = state().await;
            assert_eq!(now["tickets"]["nodes"], tickets("READY"), "{resume}");
            assert!(now["pausedBy"].is_null());
            made.run(resume, json!({ "id": held })).await;
            // What is ready and nobody works on is held back as well.
            made.run(pause, json!({ "id": held })).await;
            assert_eq!(state().await["tickets"]["nodes"], tickets("BLOCKED"), "{pause} once more");
            made.run("replan", json!({ "id": plan, "reason": "Otherwise." })).await;
            let chief = client.data("query($id: ID!) { executionPlan(id: $id) { parentTicket { status } } }", json!({ "id": plan })).await;
            let expected = if pause == "pausePrd" { "BLOCKED" } else { "READY" };
            assert_eq!(chief["executionPlan"]["parentTicket"]["status"], expected);
        }
    }

    async fn a_question_holds_a_brief_up_until_it_is_answered(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let id = made.draft().await;
        let ask = json!({ "prdId": id, "question": "Which format?", "options": ["CSV", "PDF"], "routeTo": "PRODUCT_LEAD" });
        for round in 1..=3 {
            let first = made.run("askClarification", ask.clone()).await;
            let second = made.run("askClarification", ask.clone()).await;
            assert_eq!(made.code("askClarification", ask.clone()).await, "CONFLICT", "a third at once");
            assert_eq!(brief(&client, &id).await["status"], "NEEDS_CLARIFICATION");
            assert_eq!(made.code("submitPrd", version(&id, round)).await, "ILLEGAL_TRANSITION");
            assert_eq!(made.code("answerClarification", json!({ "id": first, "response": "XML" })).await, "BAD_USER_INPUT");
            made.run("answerClarification", json!({ "id": first, "response": "CSV" })).await;
            assert_eq!(brief(&client, &id).await["status"], "NEEDS_CLARIFICATION", "one is open still");
            made.run("answerClarification", json!({ "id": second, "response": "PDF" })).await;
            let now = brief(&client, &id).await;
            assert_eq!((&now["status"], &now["version"]), (&json!("DRAFT"), &json!(round + 1)));
            let drafting = now["tickets"]["nodes"].as_array().expect("tickets").iter().find(|ticket| ticket["status"] == "READY").expect("one");
            assert_eq!(drafting["payload"]["answers"][0]["answer"], "CSV", "{drafting}");
            // The same again is answered, another one is too late.
            let before = head(&client).await;
            made.run("answerClarification", json!({ "id": first, "response": "CSV" })).await;
            assert_eq!(made.code("answerClarification", json!({ "id": first, "response": "PDF" })).await, "CONFLICT");
            assert_eq!(head(&client).await, before);
        }
        assert!(!brief(&client, &id).await["allowedSteps"].as_array().expect("steps").contains(&json!("ASK")));
        assert_eq!(made.code("askClarification", ask).await, "CONFLICT", "a fourth round");
    }

    async fn what_one_may_do_is_what_is_done(app) {
        let owner = app.owner().await;
        let schema = Schema::of(&owner).await;
        let mut steps = 0;
        for kind in schema.types().filter(|kind| kind.fields.iter().any(|field| field.name == "allowedSteps" && field.of.name.ends_with("Step"))) {
            // Goals move by their status, which one mutation sets.
            for step in schema.get(&format!("{}Step", kind.name)).values.iter().filter(|_| kind.name != "Goal") {
                let mutation = mutation_of(&kind.name, &step.name);
                assert!(schema.writes().any(|field| field.name == mutation), "there is no {mutation} for {}.{}", kind.name, step.name);
                steps += 1;
            }
        }
        assert!(steps > 20, "only {steps}");
    }
}

/// The mutation by which a type's rows take a step.
fn mutation_of(kind: &str, step: &str) -> String {
    let short = match kind {
        "PRD" => "Prd",
        "ExecutionPlan" => "Plan",
        "ClarificationRequest" => "Clarification",
        kind => kind,
    };
    match (kind, step) {
        ("ExecutionPlan", "REPLAN") => "replan".to_owned(),
        ("AgentJob", "CANCEL") => "cancelJob".to_owned(),
        ("PRD", "ASK") => "askClarification".to_owned(),
        ("SkillPackage", "APPROVE" | "REJECT") => "decideSkillPackage".to_owned(),
        ("SkillPackage", _) => "setSkillPackageStatus".to_owned(),
        ("SubagentDefinition", "APPROVE" | "REJECT") => "decideSubagent".to_owned(),
        ("SubagentDefinition", _) => "setSubagentStatus".to_owned(),
        _ => format!("{}{short}", step.to_lowercase()),
    }
}

/// Tells who may do what with a row, by role.
async fn allowed(app: &TestApp, role: &str, field: &str, id: &Value) -> Value {
    let client = app.client(crate::support::DEMO, role).await;
    let query = format!("query($id: ID!) {{ {field}(id: $id) {{ allowedSteps }} }}");
    client.data(&query, json!({ "id": id })).await[field]["allowedSteps"].clone()
}
