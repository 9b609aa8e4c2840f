//! From a meeting to its brief, the brief's plan and the plan's tickets: the rules of each.

use super::{Made, head, sample};
use crate::support::DEMO;
use serde_json::{Value, json};

on_both_databases! {
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
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("approvePrd", json!({ "id": prd["id"], "expectedVersion": 1 })).await;
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

    async fn notes_are_read_as_files_of_notes_are(app) {
        let client = app.owner().await;
        let notes = "# Harbour meeting, 3 March 2026\n\n| Name | Abbreviation | Organization |\n|---|---|---|\n\
            | Ann Lee | ALE | Harbour |\n| Bob Ray | BRY | Harbour |\n\n## Cranes\n\nALE: Two of them stand still.\n\nBRY: Since Monday.\n";
        let create = "mutation($input: CreateMeetingInput!) { createMeeting(input: $input) { meeting { projectId startTime participants { name }
            currentTranscript { speakers segments { nodes { speaker text } } } } } }";
        let input = json!({ "title": "Harbour", "transcript": { "text": notes, "format": "NOTES" } });
        let meeting = client.data(create, json!({ "input": input })).await["createMeeting"]["meeting"].clone();
        assert_eq!(meeting["participants"], json!([{ "name": "Ann Lee" }, { "name": "Bob Ray" }]));
        assert!(meeting["startTime"].as_str().expect("a moment").starts_with("2026-03-03"), "{meeting}");
        assert_eq!(meeting["currentTranscript"]["segments"]["nodes"], json!([
            { "speaker": "Ann Lee", "text": "Two of them stand still." }, { "speaker": "Bob Ray", "text": "Since Monday." },
        ]));
        let none = json!({ "title": "Harbour", "transcript": { "text": "nothing", "format": "NOTES" } });
        assert_eq!(client.code(create, json!({ "input": none })).await, "BAD_USER_INPUT");
    }

    async fn a_brief_is_for_the_project_of_its_meeting(app) {
        let client = app.owner().await;
        let meetings = "{ meetings(first: 1, filter: { project: { slug: { ne: \"default\" }, isArchived: { eq: false } } }) { nodes { id projectId } }
            projects(filter: { slug: { eq: \"default\" } }) { nodes { id } } }";
        let data = client.data(meetings, json!({})).await;
        let meeting = &data["meetings"]["nodes"][0];
        let create = "mutation($input: CreatePRDInput!) { createPrd(input: $input) { prd { projectId requirements { id } } } }";
        let of_meeting = json!({ "meetingId": meeting["id"], "title": "x", "content": { "requirements": [{ "title": "a" }, { "id": "own", "title": "b" }] } });
        let made = client.data(create, json!({ "input": of_meeting })).await;
        assert_eq!(made["createPrd"]["prd"], json!({ "projectId": meeting["projectId"], "requirements": [{ "id": "REQ-1" }, { "id": "own" }] }));
        let made = client.data(create, json!({ "input": { "title": "x" } })).await;
        assert_eq!(made["createPrd"]["prd"]["projectId"], data["projects"]["nodes"][0]["id"]);
        let wrong = client.send(create, json!({ "input": { "title": "x", "content": { "requirements": [{ "title": "" }] } } })).await;
        assert_eq!(wrong.body["errors"][0]["extensions"]["field"], "content.requirements[0].title", "{}", wrong.body);
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

    async fn a_brief_is_edited_only_at_the_version_that_was_read(app) {
        let client = app.owner().await;
        let input = sample(&app, &client, "updatePrd").await;
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

    async fn only_an_approved_brief_gets_a_plan(app) {
        let client = app.owner().await;
        let prds = client.data("{ prds(first: 50) { nodes { id status } } }", json!({})).await;
        let mut refused = std::collections::BTreeSet::new();
        let plan = "mutation($input: CreateExecutionPlanInput!) { createExecutionPlan(input: $input) { executionPlan { id } } }";
        let mut input = sample(&app, &client, "createExecutionPlan").await;
        for prd in prds["prds"]["nodes"].as_array().expect("rows").iter().filter(|prd| prd["status"] != "APPROVED") {
            let before = head(&client).await;
            input["prdId"] = prd["id"].clone();
            let answer = client.send(plan, json!({ "input": input })).await;
            assert_eq!(answer.code(), "CONFLICT", "{prd}");
            assert_eq!(head(&client).await, before);
            refused.insert(prd["status"].to_string());
        }
        assert_eq!(refused.len(), 5, "{refused:?}");
        input["prdId"] = Made { app: &app, client: &client }.approved().await;
        client.data(plan, json!({ "input": input })).await;
    }

    async fn what_is_named_must_be_there_and_active(app) {
        let client = app.owner().await;
        let ticket = "mutation($input: CreateTicketInput!) { createTicket(input: $input) { ticket { status roleSlug } } }";
        let plan = "mutation($input: CreateExecutionPlanInput!) { createExecutionPlan(input: $input) { executionPlan { id } } }";
        let of_ticket = sample(&app, &client, "createTicket").await;
        let of_plan = sample(&app, &client, "createExecutionPlan").await;
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
}
