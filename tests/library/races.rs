//! Several people at once.

use super::send;
use crate::{
    people::removal::blocked,
    support::{Client, DEMO, Database, TestApp, Waiting},
    tables::names,
    writes::{Made, definition},
};
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

/// How many rounds a race has; more of them with `WORKGRAPH_RACE_ROUNDS`.
fn rounds(usual: usize) -> usize {
    let more = std::env::var("WORKGRAPH_RACE_ROUNDS").ok();
    more.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// The codes of refusals among answers.
fn codes(answers: &[Result<Value, Value>]) -> Vec<String> {
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    refused
        .map(|error| {
            error["extensions"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

on_both_databases! {
    async fn those_who_change_a_role_at_once_make_one_and_each_change_is_a_version(app) {
        let admin = app.client(DEMO, "admin").await;
        for round in 0..rounds(12) {
            let change = |n: usize| send(&admin, "overrideAgentRole", "agentRole { id }", json!({ "slug": "architect", "description": format!("{round} {n}") }));
            let answers = join_all((0..6).map(change)).await;
            assert!(codes(&answers).is_empty(), "{answers:?}");
            let ids: Vec<_> = answers.iter().flatten().map(|made| &made["agentRole"]["id"]).collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            let kept = "query($id: ID!) { agentRole(id: $id) { description versions(orderBy: [{ field: VERSION }]) { nodes { version snapshot { description } } } } }";
            let kept = admin.data(kept, json!({ "id": ids[0] })).await["agentRole"].clone();
            let versions = kept["versions"]["nodes"].as_array().expect("versions");
            let numbers: Vec<_> = versions.iter().filter_map(|kept| kept["version"].as_u64()).collect();
            assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
            assert_eq!(versions[5]["snapshot"]["description"], kept["description"]);
            send(&admin, "resetAgentRole", "deletedId", json!({ "id": ids[0] })).await.expect("is reset");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn of_those_who_make_the_same_role_at_once_one_does(app) {
        let admin = app.client(DEMO, "admin").await;
        for round in 0..rounds(8) {
            let make = |_| send(&admin, "createAgentRole", "agentRole { id }", json!({ "displayName": format!("Round {round}"), "slug": format!("round_{round}"), "category": "META", "systemPromptTemplate": "x" }));
            let answers = join_all((0..5).map(make)).await;
            assert_eq!(codes(&answers), ["CONFLICT"; 4], "{answers:?}");
        }
    }

    async fn those_who_import_and_decide_at_once_agree_on_what_was_decided(app) {
        let admin = app.client(DEMO, "admin").await;
        for _ in 0..rounds(8) {
            let text = definition();
            let import = || send(&admin, "importSkillPackage", "skillPackage { id contentHash }", json!({ "text": text }));
            let made = join_all((0..4).map(|_| import())).await;
            let made: Vec<_> = made.into_iter().map(|made| made.expect("is imported")["skillPackage"].clone()).collect();
            assert!(made.iter().all(|one| *one == made[0]), "{made:?}");
            let decide = |n: usize| {
                let decision = if n.is_multiple_of(2) { "APPROVE" } else { "REJECT" };
                send(&admin, "decideSkillPackage", "skillPackage { status }", json!({ "id": made[0]["id"], "expectedContentHash": made[0]["contentHash"], "decision": decision, "reason": "Seen." }))
            };
            let answers = join_all((0..6).map(decide)).await;
            assert_eq!(codes(&answers), ["CONFLICT"; 3], "{answers:?}");
            let kept = "query($id: ID!) { skillPackage(id: $id) { approvals { totalCount } } }";
            assert_eq!(admin.data(kept, json!({ "id": made[0]["id"] })).await["skillPackage"]["approvals"]["totalCount"], 1);
        }
        app.verify_ledger(DEMO).await;
    }

    async fn nothing_is_left_without_its_project_when_that_is_deleted_at_the_same_moment(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let (mut deleted, mut stayed) = (0, 0);
        for round in (0..).take(rounds(40)) {
            let id = made.project().await;
            let ticket = json!({ "projectId": id, "title": "Work", "roleSlug": "dev_agent" });
            // Each comes first now and then.
            let wait = async |waits: bool| if waits {
                tokio::time::sleep(std::time::Duration::from_millis(round / 2 % 8 * 2)).await;
            };
            let (deletes_first, send) = (round % 2 == 0, async |mutation: &str, input: Value| send(&owner, mutation, "feedCursor", input).await);
            let delete = async || {
                wait(!deletes_first).await;
                send("deleteProject", json!({ "id": id })).await
            };
            let begin = async |mutation: &str, input: Value| {
                wait(deletes_first).await;
                send(mutation, input).await
            };
            let brief = async || {
                wait(deletes_first).await;
                prd(&owner, &id).await
            };
            let (gone, ticket, brief, goal) = tokio::join!(
                delete(),
                begin("createTicket", ticket),
                brief(),
                begin("createGoal", json!({ "projectId": id, "title": "A goal" })),
            );
            let begun = [ticket, brief, goal];
            match gone {
                Ok(_) => {
                    deleted += 1;
                    assert_eq!(codes(&begun), ["NOT_FOUND"; 3], "{begun:?}");
                }
                Err(error) => {
                    stayed += 1;
                    assert_eq!(error["extensions"]["code"], "CONFLICT", "{error}");
                    assert!(begun.iter().any(Result::is_ok), "{begun:?}");
                }
            }
        }
        assert!(deleted > 0 && stayed > 0, "{deleted} were deleted and {stayed} stayed");
        let connection = app.connection.across_tenants().await;
        for table in ["tickets", "prds", "goals", "meetings", "agent_jobs", "project_graphs"] {
            let lost = format!("SELECT id AS name FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = t.\"projectId\")");
            assert!(names(&connection, &lost).await.is_empty(), "{table}");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn goals_of_a_tree_that_go_at_once_leave_none_hanging(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let project = made.project().await;
        for _ in 0..rounds(15) {
            let mut chain = Vec::new();
            for place in 0..5 {
                let above = chain.last().cloned().unwrap_or(Value::Null);
                chain.push(made.run("createGoal", json!({ "projectId": project, "title": format!("Goal {place}"), "parentGoalId": above })).await);
            }
            let delete = |id: Value| { let owner = owner.clone(); async move { send(&owner, "deleteGoal", "deletedId", json!({ "id": id })).await } };
            let answers = join_all(chain[1..4].iter().cloned().map(delete)).await;
            assert!(codes(&answers).is_empty(), "{answers:?}");
            let query = "query($id: ID!) { goal(id: $id) { parent { id } } }";
            let left = owner.data(query, json!({ "id": chain[4] })).await;
            assert_eq!(left["goal"]["parent"]["id"], chain[0]);
        }
        app.verify_ledger(DEMO).await;
    }
}

async fn prd(client: &Client, project: &Value) -> Result<Value, Value> {
    let query = "mutation($input: CreatePRDInput!) { createPrd(input: $input) { feedCursor } }";
    let input = json!({ "projectId": project, "title": "A brief" });
    let answer = client.send(query, json!({ "input": input })).await;
    match answer.body.get("errors") {
        Some(errors) => Err(errors[0].clone()),
        None => Ok(answer.body["data"]["createPrd"].clone()),
    }
}

/// On SQLite no mutation runs beside another one.
#[test]
fn a_role_is_not_deleted_while_work_for_it_begins() {
    crate::support::run(async {
        let app = TestApp::start(Database::Postgres).await;
        let owner = app.owner().await;
        let made = Made {
            app: &app,
            client: &owner,
        };
        let tenant = app.tenant(DEMO).await;
        for (round, mutation) in ["createTicket", "retryTicket"].into_iter().enumerate() {
            let project = made.project().await;
            let slug = format!("raced_{round}");
            let role = json!({ "displayName": "Raced", "slug": slug, "category": "META", "systemPromptTemplate": "x" });
            let role = made.run("createAgentRole", role).await;
            let mut work = json!({ "projectId": project, "title": "Work", "roleSlug": slug });
            if mutation == "retryTicket" {
                let id = made.run("createTicket", work).await;
                made.set("tickets", &id, "status = 'failed'").await;
                work = json!({ "id": id });
            }
            // Whoever commits waits for the ledger: one has begun the work, and the other looks whether there is any.
            let beside = app.connection.across_tenants().await;
            let hold = format!(
                "BEGIN; SELECT 1 FROM tenant_feeds WHERE \"tenantId\" = '{tenant}' FOR UPDATE"
            );
            beside.execute_unprepared(&hold).await.expect("holds");
            let mut sent = Vec::new();
            for (mutation, input) in [(mutation, work), ("resetAgentRole", json!({ "id": role }))] {
                let owner = owner.clone();
                sent.push(tokio::spawn(async move {
                    send(&owner, mutation, "feedCursor", input).await
                }));
                let waiting = Waiting::until("it waits");
                while blocked(&app).await < sent.len() as i64 {
                    waiting.a_moment().await;
                }
            }
            beside
                .execute_unprepared("ROLLBACK")
                .await
                .expect("lets go");
            let mut answers = Vec::new();
            for sent in sent {
                answers.push(sent.await.expect("is answered"));
            }
            assert!(answers[0].is_ok(), "{answers:?}");
            assert_eq!(codes(&answers), ["CONFLICT"], "{answers:?}");
        }
        app.verify_ledger(DEMO).await;
    });
}
