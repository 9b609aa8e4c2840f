//! What can be written, by whom, and what is refused.

use crate::support::{ACME, Client, DEMO, Field, Schema, TestApp};
use entity::Owned;
use sea_orm::{ConnectionTrait, IdenStatic, Iterable, Statement};
use serde_json::{Value, json};
use std::collections::HashSet;

/// An input that the mutation accepts, for tests that try all mutations.
pub async fn sample(client: &Client, mutation: &str) -> Value {
    let data = client
        .data(
            "{ projects(first: 1, filter: { isArchived: { eq: false }, goals: { some: {} } }) {
                nodes { id goals(first: 1) { nodes { id } } } }
              meetings(first: 1) { nodes { id } }
              agentTokens(first: 1, filter: { revokedAt: { isNull: true } }) { nodes { id } }
              users(first: 1, filter: { role: { eq: VIEWER } }) { nodes { id } }
              prds(first: 1, filter: { status: { eq: DRAFT }, executionPlans: { none: {} } }) { nodes { id version } }
              approved: prds(first: 1, filter: { status: { eq: APPROVED },
                executionPlans: { none: { status: { in: [PENDING_APPROVAL, ACTIVE] } } } }) { nodes { id } } }",
            json!({}),
        )
        .await;
    let project = &data["projects"]["nodes"][0];
    let goal = &project["goals"]["nodes"][0]["id"];
    let (project, meeting) = (&project["id"], &data["meetings"]["nodes"][0]["id"]);
    let prd = &data["prds"]["nodes"][0];
    match mutation {
        "createProject" => json!({ "name": "Sample" }),
        "updateProject" => json!({ "id": project, "description": "changed" }),
        "createGoal" => json!({ "projectId": project, "title": "Sample", "parentGoalId": goal }),
        "updateGoal" => json!({ "id": goal, "outcome": "changed" }),
        "createMeeting" => json!({
            "projectId": project, "goalId": goal, "title": "Sample", "transcript": { "text": "Ann: hello\nBob: hi" },
        }),
        "editTranscript" => {
            json!({ "meetingId": meeting, "transcript": { "text": "Ann: hello again" } })
        }
        "createPrd" => {
            json!({ "projectId": project, "goalId": goal, "meetingId": meeting, "title": "Sample" })
        }
        "updatePrd" => {
            json!({ "id": prd["id"], "expectedVersion": prd["version"], "title": "changed" })
        }
        "createExecutionPlan" => json!({
            "prdId": data["approved"]["nodes"][0]["id"], "channelSummary": "Two steps", "steps": [
                { "title": "Build", "roleSlug": "dev_agent" },
                { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0] },
            ],
        }),
        "createTicket" => {
            json!({ "projectId": project, "goalId": goal, "title": "Sample", "roleSlug": "dev_agent" })
        }
        "createAgentToken" => {
            json!({ "name": "Sample", "roleSlugs": ["dev_agent"], "projectIds": [project] })
        }
        "revokeAgentToken" => json!({ "id": data["agentTokens"]["nodes"][0]["id"] }),
        "signOutEverywhere" => json!({ "userId": data["users"]["nodes"][0]["id"] }),
        other => panic!("which input does {other} accept?"),
    }
}

/// A new brief, approved beside the server: the API cannot do that yet.
pub async fn approved_brief(app: &TestApp, owner: &Client) -> Value {
    let input = sample(owner, "createPrd").await;
    let create = "mutation($input: CreatePRDInput!) { createPrd(input: $input) { prd { id } } }";
    let made = owner.data(create, json!({ "input": input })).await;
    let id = made["createPrd"]["prd"]["id"].clone();
    approve(app, &id).await;
    id
}

/// Approves a brief beside the server.
pub async fn approve(app: &TestApp, brief: &Value) {
    let id = brief.as_str().expect("an id");
    app.execute(&format!(
        "UPDATE prds SET status = 'approved' WHERE id = '{id}'"
    ))
    .await;
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
            let before = head(&client).await;
            let input = sample(&client, &mutation.name).await;
            client.data(&operation(mutation), json!({ "input": input })).await;
            assert!(head(&client).await > before, "{} left no entry", mutation.name);
        }
        let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded");
        let entries = app.store.verify_ledger(&tenant.id, None).await.expect("the chain holds");
        assert_eq!(entries.seq, head(&client).await);
    }

    async fn the_same_key_gets_the_first_answer(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for mutation in schema.writes() {
            let mut input = sample(&client, &mutation.name).await;
            input["idempotencyKey"] = json!(format!("once-{}", mutation.name));
            let query = operation(mutation);
            let first = client.data(&query, json!({ "input": input })).await;
            let after = head(&client).await;
            let again = client.data(&query, json!({ "input": input })).await;
            assert_eq!(first, again, "{}", mutation.name);
            assert_eq!(after, head(&client).await, "{} was done twice", mutation.name);
            let text = input.as_object_mut().expect("an object").iter_mut().find(|(name, _)| {
                ["title", "name", "outcome", "description", "channelSummary"].contains(&name.as_str())
            });
            let Some((_, text)) = text else { continue };
            *text = json!("another");
            let code = client.code(&query, json!({ "input": input })).await;
            assert_eq!(code, "IDEMPOTENCY_MISMATCH", "{}", mutation.name);
        }
    }

    async fn a_request_is_known_by_what_was_sent(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let mut tried = 0;
        for mutation in schema.writes() {
            let input = schema.get(&mutation.args[0].of.name);
            let query = operation(mutation);
            let sample = sample(&client, &mutation.name).await;
            let left_out = |field: &&Field| !field.of.required && field.name != "idempotencyKey" && sample.get(&field.name).is_none();
            let nullable: Vec<_> = input.inputs.iter().filter(left_out).collect();
            let mut once = sample.clone();
            once["idempotencyKey"] = json!(format!("sent-{}", mutation.name));
            let first = client.data(&query, json!({ "input": once })).await;
            for field in nullable {
                let mut input = once.clone();
                input[&field.name] = Value::Null;
                let code = client.code(&query, json!({ "input": input })).await;
                assert_eq!(code, "IDEMPOTENCY_MISMATCH", "{}.{} left out and null", mutation.name, field.name);
                tried += 1;
            }
            assert_eq!(first, client.data(&query, json!({ "input": once })).await, "{}", mutation.name);
        }
        assert!(tried >= 20, "only {tried} fields");
    }

    async fn how_a_request_is_written_down_does_not_matter(app) {
        let client = app.owner().await;
        let project = sample(&client, "updateProject").await["id"].clone();
        let create = async |document: String, variables: Value| {
            let data = client.data(&format!("mutation{document} {{ meeting {{ id }} }} }}"), variables).await;
            data["createMeeting"]["meeting"]["id"].clone()
        };
        let first = create(format!(
            "{{ createMeeting(input: {{ projectId: {project}, title: \"One\", transcript: {{ text: \"Ann: hi\", format: PLAIN, language: \"en\" }}, idempotencyKey: \"k\" }})"
        ), json!({})).await;
        let turned = create(format!(
            "{{ createMeeting(input: {{ idempotencyKey: \"k\", transcript: {{ language: \"en\", format: PLAIN, text: \"Ann: hi\" }}, title: \"One\", projectId: {project} }})"
        ), json!({})).await;
        let whole = json!({ "projectId": project, "title": "One", "idempotencyKey": "k",
            "transcript": { "text": "Ann: hi", "format": "PLAIN", "language": "en" } });
        let as_variable = create("($i: CreateMeetingInput!) { createMeeting(input: $i)".to_owned(), json!({ "i": whole })).await;
        let in_parts = "($p: ID, $t: TranscriptInput!, $c: String, $k: String = \"k\") { createMeeting(input: {
            projectId: $p, title: \"One\", context: $c, transcript: $t, idempotencyKey: $k })";
        let parts = json!({ "p": project, "t": whole["transcript"] });
        let by_parts = create(in_parts.to_owned(), parts.clone()).await;
        assert_eq!([&turned, &as_variable, &by_parts], [&first; 3]);
        let mut with_null = parts;
        with_null["c"] = Value::Null;
        let code = client.code(&format!("mutation{in_parts} {{ meeting {{ id }} }} }}"), with_null).await;
        assert_eq!(code, "IDEMPOTENCY_MISMATCH");
    }

    async fn a_repeated_request_is_answered_with_the_row_as_it_is_now(app) {
        let client = app.owner().await;
        let input = sample(&client, "createGoal").await;
        let create = "mutation($input: CreateGoalInput!) { createGoal(input: $input) { goal { id title } feedCursor } }";
        let mut input = input;
        input["idempotencyKey"] = json!("now");
        let first = client.data(create, json!({ "input": input })).await["createGoal"].clone();
        let id = first["goal"]["id"].as_str().expect("an id");
        let rename = "mutation($id: ID!) { updateGoal(input: { id: $id, title: \"Renamed\" }) { goal { id } } }";
        client.data(rename, json!({ "id": id })).await;
        let again = client.data(create, json!({ "input": input })).await["createGoal"].clone();
        assert_eq!(again["goal"], json!({ "id": id, "title": "Renamed" }));
        assert_eq!(again["feedCursor"], first["feedCursor"]);
        app.execute(&format!("DELETE FROM goals WHERE id = '{id}'")).await;
        let before = head(&client).await;
        let gone = client.send(create, json!({ "input": input })).await;
        assert_eq!(gone.code(), "CONFLICT");
        let said = gone.body["errors"][0]["message"].as_str().expect("a message");
        assert!(said.contains("its Goal is gone") && said.contains("Nothing was done again"), "{said}");
        assert_eq!(head(&client).await, before);
    }

    async fn what_is_created_is_in_the_ledger_as_it_was_written(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let mut kinds = std::collections::BTreeSet::new();
        for mutation in schema.writes().filter(|mutation| mutation.name.starts_with("create")) {
            let before = head(&client).await;
            let input = sample(&client, &mutation.name).await;
            client.data(&operation(mutation), json!({ "input": input })).await;
            let entries = client.data(
                "query($after: BigInt!) { activity(first: 50, filter: { seq: { gt: $after } }, orderBy: [{ field: SEQ }]) { nodes {
                    action targetType targetId diff { before after } } } }",
                json!({ "after": before.to_string() }),
            ).await;
            let entries = entries["activity"]["nodes"].as_array().expect("entries").clone();
            for (place, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry["diff"]["after"].is_null() && entry["diff"]["before"].is_null()) {
                let later: Vec<_> = entries[place + 1..].iter().filter(|later| later["targetId"] == entry["targetId"]).collect();
                let mut compared = 0;
                macro_rules! compare {
                    ($($table:ident),*) => { $(
                        compared += compare_after::<entity::$table::Entity>(&app, entry, &later).await;
                    )* };
                }
                entity::for_each_table!(compare);
                assert!(compared > 0, "{entry:#}");
                kinds.insert(entry["targetType"].to_string());
            }
        }
        assert!(kinds.len() >= 9, "{kinds:?}");
    }

    async fn what_is_named_must_be_there_and_active(app) {
        let client = app.owner().await;
        let ticket = "mutation($input: CreateTicketInput!) { createTicket(input: $input) { ticket { status roleSlug } } }";
        let plan = "mutation($input: CreateExecutionPlanInput!) { createExecutionPlan(input: $input) { executionPlan { id } } }";
        let of_ticket = sample(&client, "createTicket").await;
        let of_plan = sample(&client, "createExecutionPlan").await;
        let field = async |query: &str, input: Value| {
            let answer = client.send(query, json!({ "input": input })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{input}");
            answer.body["errors"][0]["extensions"]["field"].clone()
        };
        let (demo, at) = (app.tenant(DEMO).await, "'2026-01-01T00:00:00+00:00'");
        // The workspace's own role counts in place of the global one, also when it is switched off.
        app.execute(&format!(
            "INSERT INTO agent_roles (id, \"tenantId\", slug, \"displayName\", description, category, \"systemPromptTemplate\", \"isActive\", \"createdAt\", \"updatedAt\") \
             SELECT 'own', '{demo}', slug, \"displayName\", description, category, \"systemPromptTemplate\", false, {at}, {at} FROM agent_roles WHERE slug = 'architect'"
        )).await;
        for slug in ["nobody", "", "DEV_AGENT", "dev_agent ", "architect"] {
            let mut input = of_ticket.clone();
            input["roleSlug"] = json!(slug);
            assert_eq!(field(ticket, input).await, "roleSlug", "{slug}");
            let mut input = of_plan.clone();
            input["steps"][1]["roleSlug"] = json!(slug);
            assert_eq!(field(plan, input).await, "steps[1].roleSlug", "{slug}");
        }
        app.execute("UPDATE skill_packages SET status = 'disabled' WHERE slug = 'api-contract'").await;
        for (name, value) in [
            ("subagentSlug", json!("nobody")),
            ("skills", json!(["test-first", "nothing"])),
            ("skills", json!(["api-contract"])),
        ] {
            let mut input = of_plan.clone();
            input["steps"][0][name] = value.clone();
            assert_eq!(field(plan, input).await, format!("steps[0].{name}"), "{value}");
        }
        let mut input = of_plan;
        input["steps"][0]["skills"] = json!(["test-first", "small-migrations"]);
        input["steps"][0]["subagentSlug"] = json!("test-writer");
        client.data(plan, json!({ "input": input })).await;
        let made = client.data(ticket, json!({ "input": of_ticket })).await;
        assert_eq!(made["createTicket"]["ticket"], json!({ "status": "READY", "roleSlug": "dev_agent" }));
    }

    async fn only_an_approved_brief_gets_a_plan(app) {
        let client = app.owner().await;
        let prds = client.data("{ prds(first: 50) { nodes { id status } } }", json!({})).await;
        let mut refused = std::collections::BTreeSet::new();
        let plan = "mutation($input: CreateExecutionPlanInput!) { createExecutionPlan(input: $input) { executionPlan { id } } }";
        let mut input = sample(&client, "createExecutionPlan").await;
        for prd in prds["prds"]["nodes"].as_array().expect("rows").iter().filter(|prd| prd["status"] != "APPROVED") {
            let before = head(&client).await;
            input["prdId"] = prd["id"].clone();
            let answer = client.send(plan, json!({ "input": input })).await;
            assert_eq!(answer.code(), "CONFLICT", "{prd}");
            assert_eq!(head(&client).await, before);
            refused.insert(prd["status"].to_string());
        }
        assert_eq!(refused.len(), 5, "{refused:?}");
        input["prdId"] = approved_brief(&app, &client).await;
        client.data(plan, json!({ "input": input })).await;
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

    async fn equal_requests_at_once_are_done_once(app) {
        let client = app.owner().await;
        let before = head(&client).await;
        let query = "mutation { createProject(input: { name: \"Race\", idempotencyKey: \"race\" }) { project { id } } }";
        let sent: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.data(query, json!({})).await })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in sent {
            answers.push(answer.await.expect("runs"));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(head(&client).await, before + 1);
    }

    async fn projects_of_one_name_made_at_once_have_slugs_of_their_own(app) {
        let client = app.owner().await;
        for round in 0..10 {
            let query = format!("mutation {{ createProject(input: {{ name: \"Same {round}\" }}) {{ project {{ slug }} }} }}");
            let made = futures_util::future::join_all((0..8).map(|_| client.data(&query, json!({})))).await;
            let slugs: HashSet<_> = made.iter().map(|made| made["createProject"]["project"]["slug"].to_string()).collect();
            assert_eq!(slugs.len(), 8, "{slugs:?}");
        }
    }

    async fn a_meeting_becomes_a_brief_a_plan_and_tickets(app) {
        let client = app.client(DEMO, "member").await;
        let project = client.data("mutation { createProject(input: { name: \"Chain!\" }) { project { id slug } } }", json!({})).await;
        let project = &project["createProject"]["project"];
        assert_eq!(project["slug"], "chain");
        let project = &project["id"];
        let vtt = "WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ann>We need exports.\n\n00:02.000 --> 00:05.000\n<v Bob>As CSV.\n";
        let meeting = client.data(
            "mutation($input: CreateMeetingInput!) { createMeeting(input: $input) { meeting {
                id status source participantCount currentTranscript { version wordCount duration speakers
                    segments { nodes { speaker text startTime } } } } } }",
            json!({ "input": { "projectId": project, "title": "Exports", "transcript": { "text": vtt } } }),
        ).await;
        let meeting = &meeting["createMeeting"]["meeting"];
        assert_eq!(meeting["status"], "COMPLETED");
        assert_eq!(meeting["participantCount"], 2);
        assert_eq!(meeting["currentTranscript"], json!({
            "version": 1, "wordCount": 5, "duration": 5, "speakers": ["Ann", "Bob"], "segments": { "nodes": [
                { "speaker": "Ann", "text": "We need exports.", "startTime": 0.0 },
                { "speaker": "Bob", "text": "As CSV.", "startTime": 2.0 },
            ] },
        }));
        let prd = client.data(
            "mutation($input: CreatePRDInput!) { createPrd(input: $input) { prd {
                id version status requirementCount requirements { title priority } meeting { title } } } }",
            json!({ "input": { "projectId": project, "meetingId": meeting["id"], "title": "CSV export", "content": {
                "requirements": [{ "title": "One click", "priority": "HIGH" }] } } }),
        ).await;
        let prd = &prd["createPrd"]["prd"];
        assert_eq!(prd["requirementCount"], 1);
        assert_eq!(prd["requirements"], json!([{ "title": "One click", "priority": "HIGH" }]));
        assert_eq!(prd["meeting"]["title"], "Exports");
        approve(&app, &prd["id"]).await;
        let plan = client.data(
            "mutation($input: CreateExecutionPlanInput!) { createExecutionPlan(input: $input) { executionPlan {
                attempt status stepCount steps { title dependsOn }
                tickets(orderBy: [{ field: STEP_INDEX }]) { nodes { title status roleSlug openDependencyCount
                    dependencies { nodes { dependsOn { title } } } parentTicket { roleSlug } } } } } }",
            json!({ "input": { "prdId": prd["id"], "channelSummary": "Build, then test", "steps": [
                { "title": "Build", "roleSlug": "dev_agent" },
                { "title": "Test", "roleSlug": "qa_agent", "dependsOn": [0] } ] } }),
        ).await;
        let parent = json!({ "roleSlug": "chief_of_staff" });
        assert_eq!(plan["createExecutionPlan"]["executionPlan"], json!({
            "attempt": 1, "status": "PENDING_APPROVAL", "stepCount": 2,
            "steps": [{ "title": "Build", "dependsOn": [] }, { "title": "Test", "dependsOn": [0] }],
            "tickets": { "nodes": [
                { "title": "Build", "status": "BLOCKED", "roleSlug": "dev_agent", "openDependencyCount": 0,
                  "dependencies": { "nodes": [] }, "parentTicket": parent },
                { "title": "Test", "status": "BLOCKED", "roleSlug": "qa_agent", "openDependencyCount": 1,
                  "dependencies": { "nodes": [{ "dependsOn": { "title": "Build" } }] }, "parentTicket": parent },
            ] },
        }));
        let second = "mutation($id: ID!) { createExecutionPlan(input: { prdId: $id, channelSummary: \"Again\",
            steps: [{ title: \"x\", roleSlug: \"dev_agent\" }] }) { feedCursor } }";
        assert_eq!(client.code(second, json!({ "id": prd["id"] })).await, "CONFLICT");
    }

    async fn each_edit_of_a_transcript_is_a_new_version(app) {
        let client = app.owner().await;
        let meeting = client.data("{ meetings(first: 1, filter: { status: { eq: COMPLETED } }) { nodes { id transcripts { totalCount } } } }", json!({})).await;
        let meeting = &meeting["meetings"]["nodes"][0];
        let count = meeting["transcripts"]["totalCount"].as_i64().expect("a count");
        let data = client.data(
            "mutation($input: EditTranscriptInput!) { editTranscript(input: $input) { meeting {
                wordCount currentTranscript { version source editNote editedBy { role } fullText } transcripts { totalCount } } } }",
            json!({ "input": { "meetingId": meeting["id"], "note": "typo", "transcript": { "text": "Ann: three words here" } } }),
        ).await;
        let meeting = &data["editTranscript"]["meeting"];
        assert_eq!(meeting["transcripts"]["totalCount"], count + 1);
        assert_eq!(meeting["wordCount"], 3);
        assert_eq!(meeting["currentTranscript"], json!({
            "version": count + 1, "source": "EDIT", "editNote": "typo", "editedBy": { "role": "OWNER" },
            "fullText": "Ann: three words here",
        }));
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

    async fn a_goal_keeps_to_its_project_and_its_states(app) {
        let client = app.owner().await;
        let create = "mutation($input: CreateGoalInput!) { createGoal(input: $input) { goal { id } } }";
        let update = "mutation($input: UpdateGoalInput!) { updateGoal(input: $input) { goal { status outcome targetDate } } }";
        let projects = client.data("mutation { a: createProject(input: { name: \"A\" }) { project { id } }
            b: createProject(input: { name: \"B\" }) { project { id } } }", json!({})).await;
        let (a, b) = (&projects["a"]["project"]["id"], &projects["b"]["project"]["id"]);
        let goal = async |input: Value| client.data(create, json!({ "input": input })).await["createGoal"]["goal"]["id"].clone();
        let top = goal(json!({ "projectId": a, "title": "top", "targetDate": "2027-01-01T00:00:00Z" })).await;
        let below = goal(json!({ "projectId": a, "title": "below", "parentGoalId": top })).await;
        let circle = json!({ "input": { "id": top, "parentGoalId": below } });
        assert_eq!(client.code(update, circle).await, "BAD_USER_INPUT");
        let elsewhere = json!({ "input": { "projectId": b, "title": "x", "parentGoalId": top } });
        assert_eq!(client.code(create, elsewhere).await, "BAD_USER_INPUT");
        let achieved = client.data(update, json!({ "input": { "id": top, "status": "ACHIEVED", "targetDate": null } })).await;
        assert_eq!(achieved["updateGoal"]["goal"], json!({ "status": "ACHIEVED", "outcome": "", "targetDate": null }));
        let answer = client.send(update, json!({ "input": { "id": top, "status": "ABANDONED" } })).await;
        assert_eq!(answer.code(), "ILLEGAL_TRANSITION");
        assert_eq!(answer.body["errors"][0]["extensions"]["allowed"], json!(["ACTIVE"]));
    }

    async fn a_brief_is_edited_only_at_the_version_that_was_read(app) {
        let client = app.owner().await;
        let input = sample(&client, "updatePrd").await;
        let query = "mutation($input: UpdatePRDInput!) { updatePrd(input: $input) { prd { version } } }";
        let edited = client.data(query, json!({ "input": input })).await;
        assert_eq!(edited["updatePrd"]["prd"]["version"], input["expectedVersion"].as_i64().expect("a number") + 1);
        assert_eq!(client.code(query, json!({ "input": input })).await, "CONFLICT");
        // What changes nothing is no version: who is about to approve this one has seen all there is.
        let version = edited["updatePrd"]["prd"]["version"].clone();
        for same in [json!({}), json!({ "title": input["title"] })] {
            let mut nothing = json!({ "id": input["id"], "expectedVersion": version });
            nothing.as_object_mut().expect("an input").extend(same.as_object().expect("fields").clone());
            let answered = client.data(query, json!({ "input": nothing })).await;
            assert_eq!(answered["updatePrd"]["prd"]["version"], version, "{same}");
        }
    }

    async fn slugs_are_unique_within_a_workspace_only(app) {
        let (demo, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let query = "mutation { createProject(input: { name: \"Same\", slug: \"same\" }) { project { slug } } }";
        demo.data(query, json!({})).await;
        acme.data(query, json!({})).await;
        assert_eq!(demo.code(query, json!({})).await, "CONFLICT");
        let numbered = demo.data("mutation { createProject(input: { name: \"Same\" }) { project { slug } } }", json!({})).await;
        assert_eq!(numbered["createProject"]["project"]["slug"], "same-2");
    }

    async fn only_admins_archive_a_project(app) {
        let input = sample(&app.owner().await, "updateProject").await;
        let query = "mutation($id: ID!) { updateProject(input: { id: $id, isArchived: true }) { project { isArchived } } }";
        let id = json!({ "id": input["id"] });
        assert_eq!(app.client(DEMO, "member").await.code(query, id.clone()).await, "FORBIDDEN");
        app.client(DEMO, "admin").await.data(query, id).await;
        let goal = json!({ "id": input["id"] });
        let create = "mutation($id: ID!) { createGoal(input: { projectId: $id, title: \"late\" }) { feedCursor } }";
        assert_eq!(app.owner().await.code(create, goal).await, "CONFLICT");
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

/// Holds the entry of a new row against the row: every column that has a value is in `after` and equal to it, unless a
/// later entry of the same mutation changed it. Returns how many columns it looked at; none when the row is of another
/// table.
async fn compare_after<E: Owned>(app: &TestApp, entry: &Value, later: &[&Value]) -> usize {
    if entry["targetType"] != E::KIND {
        return 0;
    }
    let connection = app.connection.across_tenants().await;
    let has =
        |columns: &[E::Column], name: &str| columns.iter().any(|column| column.as_str() == name);
    let after = &entry["diff"]["after"];
    let mut compared = 0;
    for column in E::Column::iter() {
        let name = column.as_str();
        let changed = later
            .iter()
            .any(|entry| entry["diff"]["after"].get(name).is_some());
        if [E::ID.as_str(), E::TENANT.as_str(), "createdAt", "updatedAt"].contains(&name) || changed
        {
            continue;
        }
        let sql = format!(
            "SELECT CAST(\"{name}\" AS text) AS text FROM \"{}\" WHERE \"{}\" = '{}'",
            E::default().table_name(),
            E::ID.as_str(),
            entry["targetId"].as_str().expect("an id"),
        );
        let row = connection
            .query_one_raw(Statement::from_string(
                connection.get_database_backend(),
                sql,
            ))
            .await;
        let written: Option<String> = row
            .expect("reads")
            .expect("is there")
            .try_get("", "text")
            .expect("a text");
        let told = after.get(name);
        compared += 1;
        let (Some(written), Some(told)) = (&written, told) else {
            // A secret that the database's default decides is nothing to tell of.
            let untold = has(E::SECRET, name) && told.is_none();
            assert!(
                untold || written.is_none() && told.is_none(),
                "{}.{name} is {written:?}, and {told:?} in {entry:#}",
                E::KIND
            );
            continue;
        };
        let is_same = match told {
            _ if has(E::SECRET, name) => told == "[redacted]",
            _ if has(E::LARGE, name) => told["sha256"].is_string(),
            Value::String(told) => told == written || same_moment(told, written),
            Value::Bool(told) => ["1", "true"].contains(&written.as_str()) == *told,
            Value::Number(told) => written.parse::<f64>().ok() == told.as_f64(),
            told => serde_json::from_str::<Value>(written).ok().as_ref() == Some(told),
        };
        assert!(
            is_same,
            "{}.{name} is {written}, and {told} in {entry:#}",
            E::KIND
        );
    }
    compared
}

/// Whether two texts are the same time, written differently.
fn same_moment(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let text = text.replacen(' ', "T", 1);
        let text = if text.ends_with("+00") {
            format!("{text}:00")
        } else {
            text
        };
        chrono::DateTime::parse_from_rfc3339(&text).ok()
    };
    read(one).is_some() && read(one) == read(other)
}
