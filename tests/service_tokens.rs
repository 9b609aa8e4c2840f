//! Service tokens: programs of the company's own, which have a role and are nobody.

use crate::{
    people::removal::{RENAME, must_be_overtaken},
    support::{ACME, Client, DEMO, Database, Socket, TestApp, Waiting},
    writes::{Made, head},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout};

const CREATE: &str =
    "mutation($input: CreateServiceTokenInput!) { createServiceToken(input: $input) {
    token serviceToken { id tokenHint role expiresAt createdAt revokedAt createdById } } }";
const REVOKE: &str = "mutation($id: ID!) { revokeServiceToken(input: { id: $id }) { feedCursor serviceToken { revokedAt } } }";
const PROJECT: &str = "mutation($name: String!) { createProject(input: { name: $name }) { project { id createdById } feedCursor } }";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A service of the demo, and its token's id.
async fn service(app: &TestApp, owner: &Client, name: &str, role: &str) -> (Client, Value) {
    let input = json!({ "name": name, "role": role });
    let made = owner.data(CREATE, json!({ "input": input })).await["createServiceToken"].clone();
    let token = made["token"].as_str().expect("it is shown");
    (
        Client::new(&app.url, token),
        made["serviceToken"]["id"].clone(),
    )
}

/// What the entries of the ledger about what a service did say.
async fn told(owner: &Client, id: &Value) -> Vec<Value> {
    let entries = "query($id: ID!) { activity(first: 200, filter: { serviceTokenId: { eq: $id } }, orderBy: { field: SEQ }) {
        nodes { seq action actor actorType userId agentTokenId serviceToken { id } } } }";
    let found = owner.data(entries, json!({ "id": id })).await;
    found["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone()
}

on_both_databases! {
    async fn a_service_token_is_shown_once_and_acts_with_its_role(app) {
        let owner = app.owner().await;
        let input = json!({ "input": { "name": "Pipeline", "role": "MEMBER", "idempotencyKey": "once" } });
        let made = owner.data(CREATE, input.clone()).await["createServiceToken"].clone();
        let token = made["token"].as_str().expect("it is shown").to_owned();
        assert!(token.starts_with("wgs_") && token.ends_with(made["serviceToken"]["tokenHint"].as_str().expect("a hint")));
        let again = owner.data(CREATE, input).await["createServiceToken"].clone();
        assert_eq!((&again["token"], &again["serviceToken"]["id"]), (&Value::Null, &made["serviceToken"]["id"]));
        let service = Client::new(&app.url, &token);
        let seen = "{ viewer { user { id } agentToken { id } serviceToken { id name role lastUsedAt } tenant { slug } setup { nextStep } } projects { totalCount } }";
        let waiting = Waiting::until("its use is noted");
        let mut viewer = service.data(seen, json!({})).await;
        while viewer["viewer"]["serviceToken"]["lastUsedAt"].is_null() {
            waiting.a_moment().await;
            viewer = service.data(seen, json!({})).await;
        }
        let used = viewer["viewer"]["serviceToken"]["lastUsedAt"].clone();
        let id = &made["serviceToken"]["id"];
        assert_eq!(viewer["viewer"], json!({
            "user": null, "agentToken": null, "serviceToken": { "id": id, "name": "Pipeline", "role": "MEMBER", "lastUsedAt": used },
            "tenant": { "slug": DEMO }, "setup": { "nextStep": null },
        }));
        assert_ne!(viewer["projects"]["totalCount"], 0);
        // Not with every request.
        for _ in 0..5 {
            service.data(seen, json!({})).await;
        }
        assert_eq!(service.data(seen, json!({})).await["viewer"]["serviceToken"]["lastUsedAt"], used);
        let project = service.data(PROJECT, json!({ "name": "By a program" })).await["createProject"]["project"].clone();
        assert_eq!(project["createdById"], Value::Null);
        let entries = told(&owner, id).await;
        let hint = made["serviceToken"]["tokenHint"].as_str().expect("a hint");
        assert_eq!(entries, [json!({
            "seq": entries[0]["seq"], "action": "project.created", "actor": format!("service:Pipeline#{hint}"), "actorType": "SERVICE",
            "userId": null, "agentTokenId": null, "serviceToken": { "id": id },
        })]);
        app.verify_ledger(DEMO).await;
    }

    async fn a_service_repeats_a_request_under_its_own_keys(app) {
        let owner = app.owner().await;
        let ((one, _), (other, _)) = (service(&app, &owner, "One", "MEMBER").await, service(&app, &owner, "Other", "MEMBER").await);
        let create = "mutation { createProject(input: { name: \"Once\", idempotencyKey: \"k\" }) { project { id } feedCursor } }";
        let first = one.data(create, json!({})).await;
        assert_eq!(one.data(create, json!({})).await, first);
        assert_ne!(other.data(create, json!({})).await["createProject"]["project"]["id"], first["createProject"]["project"]["id"]);
    }

    async fn a_service_token_outlives_who_made_it(app) {
        let admin = app.client(DEMO, "admin").await;
        let (service, id) = service(&app, &admin, "Orphan", "VIEWER").await;
        let email = app.email(DEMO, "admin").await;
        app.execute(&format!("DELETE FROM users WHERE email = '{email}'")).await;
        let made = service.data("query($id: ID!) { serviceToken(id: $id) { createdById createdBy { id } revokedAt } }", json!({ "id": id })).await;
        assert_eq!(made["serviceToken"], json!({ "createdById": null, "createdBy": null, "revokedAt": null }));
    }

    async fn a_service_token_ends_after_a_year_unless_it_is_told_otherwise(app) {
        let owner = app.owner().await;
        let now = app.now();
        let input = |expires: Option<Duration>| {
            let expires = expires.map(|after| (now + after).to_rfc3339());
            json!({ "input": { "name": "x", "role": "VIEWER", "expiresAt": expires } })
        };
        let made = owner.data(CREATE, input(None)).await["createServiceToken"].clone();
        let moment = |field: &str| {
            let text = made["serviceToken"][field].as_str().expect("a moment");
            text.parse::<chrono::DateTime<chrono::Utc>>().expect("a moment")
        };
        assert_eq!(moment("expiresAt") - moment("createdAt"), chrono::TimeDelta::days(365));
        for (wrong, value) in [
            ("expiresAt", json!("2020-01-01T00:00:00Z")), ("expiresAt", json!("2999-01-01T00:00:00Z")), ("name", json!("")),
        ] {
            let mut input = input(None);
            input["input"][wrong] = value;
            let answer = owner.send(CREATE, input).await;
            assert_eq!((answer.code().as_str(), &answer.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!(wrong)));
        }
        let short = owner.data(CREATE, input(Some(DAY))).await["createServiceToken"]["token"].clone();
        let clients = [&made["token"], &short].map(|token| Client::new(&app.url, token.as_str().expect("a token")));
        for client in &clients {
            client.data("{ feedCursor }", json!({})).await;
        }
        app.wait(DAY);
        assert_eq!(clients[1].code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
        clients[0].data("{ feedCursor }", json!({})).await;
        app.wait(DAY * 364);
        assert_eq!(clients[0].code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
    }

    async fn what_needs_a_person_no_service_does(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let (service, _) = service(&app, &owner, "Admin", "ADMIN").await;
        let brief = made.submitted().await;
        let refused = [
            ("approvePrd", json!({ "id": brief, "expectedVersion": 1 }), "needs a person"),
            ("updateApprovalRules", json!({ "autoApproval": true }), "needs a person"),
            ("createServiceToken", json!({ "name": "x", "role": "VIEWER" }), "decided by people"),
            ("startJob", json!({ "jobId": "x", "attempt": 1 }), "for agents"),
        ];
        for (mutation, input, why) in refused {
            let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]).replace("Prd", "PRD");
            let query = format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ feedCursor }} }}");
            let answer = service.send(&query, json!({ "input": input })).await;
            let message = answer.body["errors"][0]["message"].as_str().expect("a message");
            assert!(answer.code() == "FORBIDDEN" && message.contains(why), "{mutation}: {message}");
        }
        let steps = service.data("query($id: ID!) { prd(id: $id) { allowedSteps } }", json!({ "id": brief })).await;
        let steps = steps["prd"]["allowedSteps"].to_string();
        assert!(!steps.contains("APPROVE") && !steps.contains("REJECT"), "{steps}");
        // The tools are for agents.
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
        let request = reqwest::Client::new().post(app.url.replace("/graphql", "/mcp")).bearer_auth(service.token());
        let answer = request.header("accept", "application/json, text/event-stream").json(&message).send().await.expect("an answer");
        assert_eq!(answer.status(), 403);
        let text = answer.text().await.expect("text");
        assert!(text.contains("createAgentToken") && text.contains("/graphql"), "{text}");
    }

    async fn a_rule_takes_no_services_word(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let approved = made.approved().await;
        made.run("updateApprovalRules", json!({ "autoApproval": true, "autoApproveAbove": 0.9, "mostPlanCostMicros": "1000" })).await;
        let (service, _) = service(&app, &owner, "Sure", "ADMIN").await;
        let by_service = Made { app: &app, client: &service };
        // How sure a model was says nothing of what a service wrote afterwards.
        let draft = made.draft().await;
        made.set("prds", &draft, "confidence = 0.99").await;
        by_service.run("updatePrd", json!({ "id": draft, "expectedVersion": 1, "content": { "objectives": ["Something else"] } })).await;
        by_service.submit(&draft, 2).await;
        let status = owner.data("query($id: ID!) { prd(id: $id) { status } }", json!({ "id": draft })).await;
        assert_eq!(status["prd"]["status"], "PENDING_APPROVAL");
        // Nor is a cost that it states.
        let roles = owner.data("{ agentRoles(first: 1, filter: { autoApprove: { eq: true } }) { nodes { slug } } }", json!({})).await;
        let role = &roles["agentRoles"]["nodes"][0]["slug"];
        let input = json!({ "prdId": approved, "channelSummary": "x", "estimatedCostMicros": "0", "steps": [{ "title": "x", "roleSlug": role }] });
        let plan = by_service.run("createExecutionPlan", input).await;
        let status = owner.data("query($id: ID!) { executionPlan(id: $id) { status } }", json!({ "id": plan })).await;
        assert_eq!(status["executionPlan"]["status"], "PENDING_APPROVAL");
    }

    async fn services_report_what_models_cost(app) {
        let owner = app.owner().await;
        let (service, _) = service(&app, &owner, "Caller", "MEMBER").await;
        let projects = owner.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let project = &projects["projects"]["nodes"][0]["id"];
        let reserve = "mutation($input: ReserveBudgetInput!) { reserveBudget(input: $input) {
            reservation { id roleSlug projectId settledAt } refusedBy { __typename } } }";
        let record = "mutation($input: RecordUsageInput!) { recordUsage(input: $input) { apiUsage { id roleSlug projectId ticketId costMicros } } }";
        let call = |more: Value| {
            let mut input = json!({ "roleSlug": "dev_agent", "projectId": project, "provider": "ANTHROPIC", "model": "claude-sonnet-4",
                "inputTokens": 1000, "outputTokens": 100 });
            input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({ "input": input })
        };
        let before = head(&owner).await;
        let reserved = service.data(reserve, call(json!({ "idempotencyKey": "r" }))).await["reserveBudget"].clone();
        let id = &reserved["reservation"]["id"];
        assert_eq!(reserved["reservation"], json!({ "id": id, "roleSlug": "dev_agent", "projectId": project, "settledAt": null }));
        assert_eq!(service.data(reserve, call(json!({ "idempotencyKey": "r" }))).await["reserveBudget"], reserved);
        let made = call(json!({ "operation": "SPECIALIST", "reservationId": id, "idempotencyKey": "u" }));
        let recorded = service.data(record, made.clone()).await;
        assert_eq!(service.data(record, made).await, recorded, "it is repeated");
        let beside = call(json!({ "operation": "SPECIALIST", "projectId": null, "idempotencyKey": "v" }));
        let recorded = service.data(record, beside.clone()).await;
        assert_eq!(service.data(record, beside).await, recorded, "also what its role does not read");
        assert_eq!(head(&owner).await, before, "calls are counted, and not told of");
        let seen = "query($id: ID!) { budgetReservation(id: $id) { settledAt serviceToken { name } agentToken { id } } }";
        let seen = owner.data(seen, json!({ "id": id })).await["budgetReservation"].clone();
        assert!(seen["settledAt"].is_string() && seen["serviceToken"]["name"] == "Caller" && seen["agentToken"].is_null(), "{seen}");
        // Neither what agents do nor what others set aside is theirs.
        let worker = app.worker(&owner).await;
        let others = worker.data(reserve, call(json!({ "projectId": null }))).await["reserveBudget"]["reservation"]["id"].clone();
        for (more, field) in [
            (json!({ "operation": "SPECIALIST", "jobId": "nowhere", "roleSlug": null, "projectId": null }), Some("jobId")),
            (json!({ "operation": "SPECIALIST", "roleSlug": "nobody" }), Some("roleSlug")),
            (json!({ "operation": "SPECIALIST", "roleSlug": null }), Some("roleSlug")),
            (json!({ "operation": "SPECIALIST", "reservationId": others }), None),
            (json!({ "operation": "SPECIALIST", "projectId": "nowhere" }), None),
        ] {
            let answer = service.send(record, call(more.clone())).await;
            let told = answer.body["errors"][0]["extensions"]["field"].as_str();
            assert_eq!((answer.code().as_str(), told), (if field.is_some() { "BAD_USER_INPUT" } else { "NOT_FOUND" }, field), "{more}");
        }
        let worker_of_service = worker.code(record, call(json!({ "operation": "SPECIALIST", "projectId": null, "reservationId": id }))).await;
        assert_eq!(worker_of_service, "NOT_FOUND");
        crate::agents::must_be_counted_right(&app).await;
    }

    async fn a_service_that_is_revoked_is_out(app) {
        let owner = app.owner().await;
        let (service, id) = service(&app, &owner, "Out", "ADMIN").await;
        let foreign = app.client(ACME, "owner").await;
        assert_eq!(foreign.code(REVOKE, json!({ "id": id })).await, "NOT_FOUND");
        assert_eq!(app.client(DEMO, "member").await.code(REVOKE, json!({ "id": id })).await, "FORBIDDEN");
        service.data("{ feedCursor }", json!({})).await;
        let revoked = app.client(DEMO, "admin").await.data(REVOKE, json!({ "id": id })).await["revokeServiceToken"].clone();
        assert_eq!(service.code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
        assert_eq!(owner.data(REVOKE, json!({ "id": id })).await["revokeServiceToken"], revoked, "once more changes nothing");
    }

    async fn streams_of_a_service_end_with_its_token_on_every_server(app) {
        let owner = app.owner().await;
        let follow = "subscription { activity { position event { action } } }";
        for expires in [false, true] {
            let input = json!({ "name": "Follower", "role": "VIEWER", "expiresAt": expires.then(|| (app.now() + Duration::from_secs(4)).to_rfc3339()) });
            let made = owner.data(CREATE, json!({ "input": input })).await["createServiceToken"].clone();
            let token = made["token"].as_str().expect("a token");
            let mut sockets = Vec::new();
            for url in [app.url.clone(), app.elsewhere().await] {
                let mut socket = Socket::signed_in(&url, token).await;
                socket.subscribe("a", follow, json!({})).await;
                sockets.push(socket);
            }
            let begun = Instant::now();
            if !expires {
                owner.data(REVOKE, json!({ "id": made["serviceToken"]["id"] })).await;
            }
            for socket in &mut sockets {
                let left = Duration::from_secs(if expires { 9 } else { 5 }).saturating_sub(begun.elapsed());
                assert_eq!(timeout(left, socket.closed()).await.expect("within 5 s"), 4403);
            }
        }
    }

    async fn nothing_is_written_with_a_token_after_its_revocation_is_answered(app) {
        let owner = &app.owner().await;
        let (mut written, mut cut) = (0, 0);
        for round in 0..30_u32 {
            let (service, id) = service(&app, owner, &format!("Round {round}"), "MEMBER").await;
            let (service, answered) = (&service, &AtomicU32::new(0));
            let writers = join_all((0..4).map(|writer| async move {
                let mut count = 0;
                loop {
                    let name = format!("{round} {writer} {count}");
                    let answer = service.send(PROJECT, json!({ "name": name })).await;
                    if answer.body.get("errors").is_some() {
                        assert_eq!(answer.code(), "UNAUTHENTICATED", "{:#}", answer.body);
                        return count;
                    }
                    count += 1;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }));
            let revoking = async {
                let waiting = Waiting::until("some of it is written");
                while answered.load(Ordering::Relaxed) < round % 10 {
                    waiting.a_moment().await;
                }
                owner.data(REVOKE, json!({ "id": id })).await
            };
            let (counts, _) = tokio::join!(writers, revoking);
            let entries = told(owner, &id).await;
            assert_eq!(entries.len(), counts.iter().sum::<usize>(), "what was answered was written, and nothing else");
            let revoked = owner.data("query($id: ID!) { activity(first: 1, filter: { targetId: { eq: $id } }) { nodes { seq action } } }", json!({ "id": id })).await;
            let revoked = &revoked["activity"]["nodes"][0];
            assert_eq!(revoked["action"], "service_token.revoked");
            let seq = |entry: &Value| entry["seq"].as_str().and_then(|seq| seq.parse::<i64>().ok()).expect("a number");
            assert!(entries.iter().all(|entry| seq(entry) < seq(revoked)), "round {round}: {entries:#?} after {revoked}");
            written += entries.len();
            cut += usize::from(!entries.is_empty());
        }
        assert!(written > 30 && cut > 10, "{written} in {cut} rounds");
        app.verify_ledger(DEMO).await;
    }
}

/// On SQLite no mutation runs beside another one.
#[test]
fn a_service_that_writes_without_end_does_not_hold_its_revocation_off() {
    const CALL: &str = "mutation($id: ID!) { recordUsage(input: { projectId: $id, roleSlug: \"dev_agent\", provider: ANTHROPIC,
        model: \"claude-sonnet-4\", operation: SPECIALIST, inputTokens: 1, outputTokens: 1 }) { apiUsage { id } } }";
    crate::support::run(async {
        let app = TestApp::start(Database::Postgres).await;
        let owner = app.owner().await;
        for writing in [RENAME, CALL] {
            let (service, id) = service(&app, &owner, "Busy", "MEMBER").await;
            must_be_overtaken(&app, service, writing, async {
                owner.data(REVOKE, json!({ "id": id })).await;
            })
            .await;
        }
    });
}
