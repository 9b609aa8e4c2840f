//! What can be written, by whom, and what is refused.

mod faults;
mod made;
mod planning;
mod projects;
mod recorded;
mod repeated;

pub use made::Made;

use crate::support::{Client, DEMO, Field, Schema, TestApp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// An input that the mutation accepts, for tests that try all mutations. What it is about is made for it.
pub async fn sample(app: &TestApp, client: &Client, mutation: &str) -> Value {
    let data = client
        .data(
            "{ projects(first: 1, filter: { isArchived: { eq: false }, goals: { some: {} } }) {
                nodes { id goals(first: 1) { nodes { id } } } }
              viewer { tenant { settings { approvalThresholds { autoApproveAbove } } } }
              meetings(first: 1) { nodes { id } }
              agentTokens(first: 1, filter: { revokedAt: { isNull: true } }) { nodes { id } }
              members: users(first: 1, filter: { role: { eq: MEMBER } }) { nodes { id } }
              users(first: 1, filter: { role: { eq: VIEWER } }) { nodes { id } }
              prds(first: 1, filter: { status: { eq: DRAFT }, executionPlans: { none: {} } }) { nodes { id version } } }",
            json!({}),
        )
        .await;
    let project = &data["projects"]["nodes"][0];
    let goal = &project["goals"]["nodes"][0]["id"];
    let (project, meeting) = (&project["id"], &data["meetings"]["nodes"][0]["id"]);
    let prd = &data["prds"]["nodes"][0];
    let made = Made { app, client };
    match mutation {
        "createProject" => json!({ "name": "Sample" }),
        "updateProject" => json!({ "id": project, "description": another() }),
        "archiveProject" | "deleteProject" => json!({ "id": made.project().await }),
        "restoreProject" => {
            let id = made.project().await;
            made.run("archiveProject", json!({ "id": id })).await;
            json!({ "id": id })
        }
        "setBriefTemplate" => json!({
            "projectId": project, "guidance": another(), "fields": [{ "key": "rolloutPlan", "label": "Roll-out plan" }],
        }),
        "deleteGoal" => {
            let above = made
                .run(
                    "createGoal",
                    json!({ "projectId": project, "title": "Above" }),
                )
                .await;
            let below = json!({ "projectId": project, "title": "Below", "parentGoalId": above });
            made.run("createGoal", below).await;
            json!({ "id": above })
        }
        "createSkill" => json!({
            "name": format!("Sample {}", number()), "body": "Do it.", "configSchema": [{ "key": "where" }],
            "supportingFiles": [{ "name": "list.md", "content": "- [ ] done" }],
        }),
        "updateSkill" => json!({ "id": made.skill().await, "description": another() }),
        "deleteSkill" => json!({ "id": made.skill().await }),
        "createAgentRole" => json!({
            "displayName": format!("Sample {}", number()), "category": "EXECUTION", "systemPromptTemplate": "Do {{ticket.title}}.",
            "parentRoleSlug": "chief_of_staff", "monthlyBudgetTokens": "1000000",
        }),
        "overrideAgentRole" => json!({ "slug": "qa_agent", "description": another() }),
        "resetAgentRole" => json!({ "id": made.role().await }),
        "restoreAgentRoleVersion" => {
            let id = made.role().await;
            let slug = made.slug_of("agentRole", &id).await;
            let change = json!({ "slug": slug, "description": another() });
            made.run("overrideAgentRole", change).await;
            json!({ "roleId": id, "version": 1 })
        }
        "importSkillPackage" | "importSubagent" => json!({ "text": definition() }),
        "decideSkillPackage" | "decideSubagent" => {
            let (id, hash) = made.imported(&mutation.replace("decide", "import")).await;
            json!({ "id": id, "expectedContentHash": hash, "decision": "APPROVE" })
        }
        "setSkillPackageStatus" | "setSubagentStatus" => {
            json!({ "id": made.offered(mutation).await, "status": "DISABLED" })
        }
        "resetSkillPackage" | "resetSubagent" => {
            json!({ "id": made.imported(&mutation.replace("reset", "import")).await.0 })
        }
        "overrideSkillPackage" | "overrideSubagent" => {
            json!({ "slug": made.shared(mutation).await, "description": another() })
        }
        "createGoal" => json!({ "projectId": project, "title": "Sample", "parentGoalId": goal }),
        "updateGoal" => json!({ "id": goal, "outcome": another() }),
        "createMeeting" => json!({
            "projectId": project, "goalId": goal, "title": "Sample", "transcript": { "text": "Ann: hello\nBob: hi" },
        }),
        "editTranscript" => {
            json!({ "meetingId": meeting, "transcript": { "text": "Ann: hello again" } })
        }
        "cancelMeeting" => {
            made.set("meetings", meeting, "status = 'scheduled'").await;
            json!({ "id": meeting })
        }
        "revokeInvitation" | "resendInvitation" => {
            json!({ "id": made.invitation().await.0 })
        }
        "inviteUser" => json!({ "email": format!("sample{}@demo.example", number()) }),
        "updateProfile" => json!({ "name": another() }),
        "changeUserRole" => json!({ "userId": made.person("member").await.id, "role": "VIEWER" }),
        "removeUser" | "transferOwnership" => {
            json!({ "userId": made.person("member").await.id })
        }
        "updateApprovalRules" => {
            let now =
                &data["viewer"]["tenant"]["settings"]["approvalThresholds"]["autoApproveAbove"];
            json!({ "autoApproveAbove": now.as_f64().expect("a number") / 2.0 + 0.25 })
        }
        "setDelegate" => {
            // The demo begins with somebody else's.
            let end = "mutation { setDelegate(input: { userId: null }) { feedCursor } }";
            client.data(end, json!({})).await;
            json!({ "userId": data["members"]["nodes"][0]["id"], "until": format!("{}-01-01T00:00:00Z", 2100 + number()) })
        }
        "createPrd" => {
            json!({ "projectId": project, "goalId": goal, "meetingId": meeting, "title": "Sample" })
        }
        "updatePrd" => {
            json!({ "id": prd["id"], "expectedVersion": prd["version"], "title": another() })
        }
        "markNotificationsRead" | "dismissNotifications" => {
            let admin = app.client(DEMO, "admin").await;
            Made {
                app,
                client: &admin,
            }
            .submitted()
            .await;
            let asked = client.data("{ notifications(first: 1, filter: { kind: { eq: APPROVAL_REQUEST }, readAt: { isNull: true } }) { nodes { id } } }", json!({})).await;
            json!({ "ids": [asked["notifications"]["nodes"][0]["id"]] })
        }
        "createReplyToken" => json!({
            "subjectType": "BRIEF", "subjectId": made.submitted().await, "channel": "SLACK", "channelIdentity": "U1",
        }),
        "submitPrd" => json!({ "id": made.draft().await, "expectedVersion": 1 }),
        "approvePrd" | "regeneratePrd" => {
            json!({ "id": made.submitted().await, "expectedVersion": 1 })
        }
        "rejectPrd" | "redirectPrd" => {
            json!({ "id": made.submitted().await, "expectedVersion": 1, "reason": "Not so." })
        }
        "pausePrd" => json!({ "id": made.draft().await }),
        "resumePrd" => {
            let id = made.draft().await;
            made.run("pausePrd", json!({ "id": id })).await;
            json!({ "id": id })
        }
        "revisePrd" => json!({ "id": made.approved().await, "title": "Revised" }),
        "deletePrd" => json!({ "id": made.approved().await }),
        "linkSymbol" => {
            let (brief, symbol) = made.brief_and_symbol().await;
            json!({ "prdId": brief, "symbolId": symbol })
        }
        "unlinkSymbol" => {
            let (brief, symbol) = made.brief_and_symbol().await;
            let link = made.run("linkSymbol", json!({ "prdId": brief, "symbolId": symbol }));
            json!({ "id": link.await })
        }
        "askClarification" => {
            json!({ "prdId": made.draft().await, "question": "Which?", "routeTo": "PRODUCT_LEAD" })
        }
        "answerClarification" => json!({ "id": made.question().await, "response": "That one." }),
        "createExecutionPlan" => json!({
            "prdId": made.approved().await, "channelSummary": "Two steps", "steps": [
                { "title": "Build", "roleSlug": "dev_agent" },
                { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0] },
            ],
        }),
        "approvePlan" => json!({ "id": made.plan().await, "expectedVersion": 1 }),
        "rejectPlan" | "redirectPlan" => {
            json!({ "id": made.plan().await, "expectedVersion": 1, "reason": "Not so." })
        }
        "pausePlan" | "cancelPlan" => json!({ "id": made.plan().await }),
        "resumePlan" => {
            let id = made.plan().await;
            made.run("pausePlan", json!({ "id": id })).await;
            json!({ "id": id })
        }
        "replan" => json!({ "id": made.plan().await, "reason": "Otherwise." }),
        "retryPlan" => {
            let id = made.plan().await;
            made.set("execution_plans", &id, "status = 'failed'").await;
            json!({ "id": id })
        }
        "createTicket" => {
            json!({ "projectId": project, "goalId": goal, "title": "Sample", "roleSlug": "dev_agent" })
        }
        "cancelTicket" => json!({ "id": made.ticket().await }),
        "retryTicket" => {
            let id = made.ticket().await;
            made.set("tickets", &id, "status = 'failed'").await;
            json!({ "id": id })
        }
        "approveTicket" | "rejectTicket" => {
            let id = made.ticket().await;
            made.hand_in(&id).await;
            json!({ "id": id, "expectedVersion": 1, "reason": "Seen." })
        }
        "updateTicket" => json!({ "id": made.ticket().await, "title": another() }),
        "commentOnTicket" => json!({ "id": made.ticket().await, "text": "Mind the gap." }),
        "mirrorTicket" => json!({
            "id": made.ticket().await, "externalSystem": "LINEAR", "externalKey": format!("TEST-{}", number()),
        }),
        "requeueTicket" => json!({ "id": made.claimed().await["ticket"]["id"] }),
        "registerAgent" => json!({ "repos": ["acme/shop"], "roles": ["dev_agent"] }),
        "disconnectAgent" | "drainAgent" => json!({ "sessionId": made.session().await }),
        "claimNextTicket" => {
            made.ticket().await;
            json!({ "sessionId": made.session().await })
        }
        "cancelJob" => json!({ "id": made.claimed().await["job"]["id"] }),
        "startJob" | "releaseTicket" => made.job().await,
        "completeJob" => with(made.job().await, json!({ "result": { "testsRun": 3 } })),
        "failJob" => with(made.job().await, json!({ "error": "It cannot be built." })),
        "recordUsage" => json!({
            "roleSlug": "dev_agent", "provider": "ANTHROPIC", "model": "claude-sonnet-4", "operation": "SPECIALIST",
            "inputTokens": 1000, "outputTokens": 100,
        }),
        "reserveBudget" => json!({
            "roleSlug": "dev_agent", "provider": "ANTHROPIC", "model": "claude-sonnet-4", "inputTokens": 1000, "outputTokens": 100,
        }),
        "setModelPrice" => json!({
            "provider": "OPENAI", "modelPrefix": format!("sample-{}", number()),
            "inputMicrosPerMillion": 1_000_000, "outputMicrosPerMillion": 2_000_000,
        }),
        "deleteModelPrice" => {
            let price = json!({
                "provider": "OPENAI", "modelPrefix": format!("sample-{}", number()), "inputMicrosPerMillion": 1, "outputMicrosPerMillion": 2,
            });
            json!({ "id": made.run("setModelPrice", price).await })
        }
        "repriceUsage" => {
            let from = app.now() - chrono::TimeDelta::days(3);
            json!({ "from": from.to_rfc3339() })
        }
        "updateWorkspace" => {
            json!({ "name": another(), "quietHours": { "start": "22:00", "end": "07:00" } })
        }
        "completeSetupStep" => {
            let begun = "UPDATE tenants SET settings = '{}'";
            app.execute(begun).await;
            json!({ "step": "FINISH" })
        }
        "updateBudgets" => json!({ "dailyTokenBudget": format!("{}", 3_000_000 + number()) }),
        "setCredential" => {
            json!({ "kind": "OTHER", "name": format!("sample {}", number()), "value": "a secret of the tests" })
        }
        "rotateCredential" | "deleteCredential" => {
            let input = Box::pin(sample(app, client, "setCredential")).await;
            let id = made.run("setCredential", input).await;
            match mutation {
                "rotateCredential" => json!({ "id": id, "value": "another secret of the tests" }),
                _ => json!({ "id": id }),
            }
        }
        "setChannelRoute" => json!({
            "projectId": project, "channel": "EMAIL", "target": format!("team{}@example.com", number()),
        }),
        "deleteChannelRoute" => {
            let input = Box::pin(sample(app, client, "setChannelRoute")).await;
            json!({ "id": made.run("setChannelRoute", input).await })
        }
        "connectIntegration" => json!({
            "service": "GITHUB", "label": format!("Sample {}", number()), "values": [{ "key": "token", "value": "github-token-of-tests" }],
        }),
        "retestIntegration" | "disconnectIntegration" | "setWebhookSecret" => {
            let input = Box::pin(sample(app, client, "connectIntegration")).await;
            json!({ "id": made.run("connectIntegration", input).await })
        }
        "addAiProvider" => {
            let of_demo = format!("(SELECT id FROM tenants WHERE slug = '{DEMO}')");
            app.execute(&format!(
                "DELETE FROM credential_vault WHERE name = 'google' AND \"tenantId\" = {of_demo}"
            ))
            .await;
            json!({ "provider": "GOOGLE", "apiKey": "google-key-of-tests" })
        }
        "rotateAiProvider" | "probeAiProvider" | "removeAiProvider" => {
            let input = Box::pin(sample(app, client, "addAiProvider")).await;
            let id = made.run("addAiProvider", input).await;
            match mutation {
                "rotateAiProvider" => json!({ "id": id, "apiKey": "another-key-of-tests" }),
                _ => json!({ "id": id }),
            }
        }
        "createAgentToken" => {
            json!({ "name": "Sample", "roleSlugs": ["dev_agent"], "projectIds": [project] })
        }
        "revokeAgentToken" => json!({ "id": data["agentTokens"]["nodes"][0]["id"] }),
        "createServiceToken" => json!({ "name": "Sample", "role": "MEMBER" }),
        "revokeServiceToken" => {
            let input = json!({ "name": "Sample", "role": "VIEWER" });
            json!({ "id": made.run("createServiceToken", input).await })
        }
        "signOutEverywhere" => json!({ "userId": data["users"]["nodes"][0]["id"] }),
        other => panic!("which input does {other} accept?"),
    }
}

/// What agents send; all else is for people.
const OF_AGENTS: [&str; 13] = [
    "registerAgent",
    "agentHeartbeat",
    "disconnectAgent",
    "claimNextTicket",
    "startJob",
    "reportJobProgress",
    "recordJobEvents",
    "saveCheckpoint",
    "completeJob",
    "failJob",
    "releaseTicket",
    "recordUsage",
    "reserveBudget",
];

/// What is counted, and not told of in the ledger.
const UNTOLD: [&str; 2] = ["recordUsage", "reserveBudget"];

/// Whether the ledger came as far as it must by a mutation, from where it was.
fn told(mutation: &str, before: i64, after: i64) -> bool {
    match UNTOLD.contains(&mutation) {
        true => after == before,
        false => after > before,
    }
}

/// Whether agents send a mutation.
pub fn is_for_agents(mutation: &str) -> bool {
    OF_AGENTS.contains(&mutation)
}

/// Who sends a mutation: this person, or an agent where it is for agents.
pub async fn sender(app: &TestApp, person: &Client, mutation: &str) -> Client {
    match mutation {
        mutation if is_for_agents(mutation) => app.worker(person).await,
        // Who hands a workspace over is no owner any more.
        "transferOwnership" => {
            let made = Made {
                app,
                client: person,
            };
            Client::new(&app.url, &app.token_of(&made.person("owner").await))
        }
        _ => person.clone(),
    }
}

/// A text that was not there before.
fn another() -> String {
    format!("changed {}", number())
}

/// The text of a skill or a specialist that was not there before.
pub fn definition() -> String {
    let name = format!("sample-{}", number());
    format!("---\nname: {name}\ndescription: A sample.\ntools: Read, Bash\n---\n\nDo it.\n")
}

/// An object with the fields of another one.
fn with(mut object: Value, more: Value) -> Value {
    let fields = object.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    object
}

/// A number that was not there before.
fn number() -> u64 {
    static MADE: AtomicU64 = AtomicU64::new(0);
    MADE.fetch_add(1, Ordering::Relaxed)
}

/// The operation that runs a mutation with `$input` and answers with the row's id.
pub fn operation(mutation: &Field) -> String {
    let input = &mutation.args[0].of.name;
    let name = &mutation.name;
    format!("mutation($input: {input}!) {{ {name}(input: $input) {{ __typename feedCursor }} }}")
}

on_both_databases! {
    async fn every_mutation_writes_and_its_ledger_entries_stand(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for mutation in schema.writes() {
            let sender = sender(&app, &client, &mutation.name).await;
            let input = sample(&app, &client, &mutation.name).await;
            let before = head(&client).await;
            sender.data(&operation(mutation), json!({ "input": input })).await;
            let after = head(&client).await;
            assert!(told(&mutation.name, before, after), "{}: {before} to {after}", mutation.name);
        }
        let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded");
        let entries = app.store.verify_ledger(&tenant.id, None).await.expect("the chain holds");
        assert_eq!(entries.seq, head(&client).await);
    }

    async fn one_refused_mutation_does_not_take_back_the_answers_of_others(app) {
        let client = app.owner().await;
        let before = head(&client).await;
        let answer = client.send("mutation {
            a: createProject(input: { name: \"First\" }) { project { name } }
            b: createProject(input: { name: \"\" }) { project { name } }
            c: createProject(input: { name: \"Third\" }) { project { name } }
            d: signIn(input: { workspace: \"nowhere\", email: \"nobody@example.com\", password: \"wrong\" }) { accessToken }
            e: createGoal(input: { projectId: \"nowhere\", title: \"x\" }) { goal { id } }
        }", json!({})).await;
        assert_eq!(answer.body["data"], json!({
            "a": { "project": { "name": "First" } }, "b": null, "c": { "project": { "name": "Third" } }, "d": null, "e": null,
        }));
        let errors: Vec<_> = answer.body["errors"].as_array().expect("errors").iter()
            .map(|error| (error["path"].clone(), error["extensions"]["code"].clone()))
            .collect();
        assert_eq!(errors, [
            (json!(["b"]), json!("BAD_USER_INPUT")),
            (json!(["d"]), json!("UNAUTHENTICATED")),
            (json!(["e"]), json!("NOT_FOUND")),
        ]);
        assert_eq!(head(&client).await - before, 2, "what was refused left nothing");
    }

    async fn what_is_wrong_is_named(app) {
        let client = app.owner().await;
        let refusals = [
            ("createProject(input: { name: \"\" })", "name"),
            ("createProject(input: { name: \"x\", slug: \"settings\" })", "slug"),
            ("createProject(input: { name: \"x\", slug: \"No Slug\" })", "slug"),
            ("createProject(input: { name: \"x\", color: \"red\" })", "color"),
            ("createMeeting(input: { title: \"x\", transcript: { text: \"  \" } })", "transcript.text"),
            ("createMeeting(input: { title: \"x\", transcript: { text: \"WEBVTT\\n\\n0:x --> 1\\nhi\" } })", "transcript.text"),
        ];
        for (mutation, field) in refusals {
            let answer = client.send(&format!("mutation {{ {mutation} {{ feedCursor }} }}"), json!({})).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{mutation}");
            let extensions = &answer.body["errors"][0]["extensions"];
            assert_eq!(extensions["field"], field, "{mutation}");
            assert!(extensions["requestId"].is_string());
        }
    }
}

/// The position of the newest entry of the asker's ledger.
pub async fn head(client: &Client) -> i64 {
    let data = client
        .data("{ activity(first: 1) { nodes { seq } } }", json!({}))
        .await;
    let last = data["activity"]["nodes"][0]["seq"].as_str();
    last.and_then(|seq| seq.parse().ok()).expect("a number")
}
