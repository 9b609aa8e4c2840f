//! What inputs may hold: what is judged before anything runs, what null means, and what cannot be.

use crate::{
    support::{Schema, Type},
    writes::{head, operation, sample, sender},
};
use serde_json::{Value, json};

on_both_databases! {
    async fn nothing_runs_when_an_argument_of_a_later_mutation_does_not_fit(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for mutation in schema.writes() {
            let sender = sender(&app, &client, &mutation.name).await;
            let mut input = sample(&app, &client, &mutation.name).await;
            let before = head(&client).await;
            let (name, kind) = (&mutation.name, &mutation.args[0].of.name);
            let query = format!("mutation($input: {kind}!) {{
                first: createProject(input: {{ name: \"First\" }}) {{ feedCursor }}
                second: {name}(input: $input) {{ feedCursor }}
            }}");
            for key in [String::new(), "ü".repeat(201)] {
                input["idempotencyKey"] = json!(key);
                let answer = sender.send(&query, json!({ "input": input })).await;
                assert_eq!(answer.code(), "BAD_USER_INPUT", "{name}");
                assert_eq!(answer.body["errors"][0]["extensions"]["field"], "idempotencyKey", "{name}");
                assert!(answer.body.get("data").is_none(), "{name}: {:#}", answer.body);
            }
            assert_eq!(head(&client).await, before, "{name}");
        }
    }

    async fn null_clears_what_may_be_missing_and_is_refused_elsewhere(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let (mut cleared, mut refused) = (Vec::new(), Vec::new());
        for mutation in schema.writes().filter(|mutation| mutation.name.starts_with("update")) {
            let (name, kind) = (&mutation.name, &mutation.args[0].of.name);
            let row = schema.get(&mutation.of.name).fields.iter().find(|field| field.name != "feedCursor").expect("a row");
            let shown = &schema.get(&row.of.name).fields;
            let input = schema.get(kind);
            let content = input.inputs.iter().find(|field| field.name == "content").map(|field| &schema.get(&field.of.name).inputs);
            let within = content.into_iter().flatten().map(|field| (Some("content"), field));
            let fields = input.inputs.iter().map(|field| (None, field)).chain(within);
            for (around, field) in fields.filter(|(_, field)| !field.of.required && field.name != "idempotencyKey") {
                let sample = sample(&app, &client, name).await;
                let required = input.inputs.iter().filter(|field| field.of.required);
                let mut sent: Value = required.map(|field| (field.name.clone(), sample[&field.name].clone())).collect::<serde_json::Map<_, _>>().into();
                match around {
                    Some(around) => sent[around] = json!({ &field.name: null }),
                    None => sent[&field.name] = Value::Null,
                }
                let column = shown.iter().find(|column| {
                    column.name == field.name && !column.of.required && schema.get(&column.of.name).fields.is_empty()
                });
                let shown = column.map_or("id", |column| column.name.as_str());
                let query = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ {} {{ now: {shown} }} }} }}", row.name);
                let answer = client.send(&query, json!({ "input": sent })).await;
                if answer.body.get("errors").is_none() {
                    // What is kept within a workspace's settings is no column.
                    let now = if column.is_some() || !["updateApprovalRules", "updateSkill"].contains(&name.as_str()) { Value::Null } else {
                        answer.body["data"][name][&row.name]["now"].clone()
                    };
                    assert_eq!(answer.body["data"][name][&row.name], json!({ "now": now }), "{name}.{}", field.name);
                    cleared.push(field.name.clone());
                } else {
                    assert_eq!(answer.code(), "BAD_USER_INPUT", "{name}.{}", field.name);
                    let path = around.map_or(field.name.clone(), |around| format!("{around}.{}", field.name));
                    assert_eq!(answer.body["errors"][0]["extensions"]["field"], path.as_str());
                    refused.push(field.name.clone());
                }
            }
        }
        cleared.sort();
        refused.sort();
        assert_eq!(cleared, [
            "approvalDueHours", "autoApprovalProjectIds", "color", "configSchema", "dailyTokenBudget", "description", "goalId", "goalText",
            "monthlySpendCapMicros", "monthlySpendCapMicros", "mostPlanCostMicros", "nonScope", "parentGoalId", "scope", "successMetrics", "supportingFiles", "targetDate", "targetRepo",
            "targetRepo", "targetUsers", "timeline", "timeoutSeconds",
        ]);
        assert_eq!(refused, [
            "acceptanceCriteria", "assumptions", "autoApproval", "autoApproveAbove", "body", "content", "description", "description", "description", "disabled", "name", "name", "objectives", "outOfScope",
            "outcome", "platforms", "priority", "requireHumanBelow", "requiredBriefApprovals", "requiredPlanApprovals", "requiredTicketApprovals",
            "requirements", "requiresApproval", "risks", "status", "summary", "title", "title", "title",
        ]);
    }

    async fn what_cannot_be_is_refused(app) {
        let client = app.owner().await;
        for (mutation, path, value) in [
            ("createTicket", "targetRepo", json!("not a repository")),
            ("createTicket", "targetRepo", json!("")),
            ("createPrd", "content.targetRepo", json!("https://git.example/acme/website")),
            ("updatePrd", "content.targetRepo", json!("website")),
            ("createMeeting", "endTime", json!("2020-05-04T09:30:00Z")),
            ("createMeeting", "transcript.language", json!("the one we speak")),
            ("createMeeting", "participants", json!([{ "name": "" }])),
            ("editTranscript", "transcript.language", json!("")),
            ("createAgentToken", "roleSlugs", json!([])),
            ("createAgentToken", "projectIds", json!([])),
        ] {
            let schema = Schema::of(&client).await;
            let field = schema.writes().find(|field| field.name == mutation).expect("a mutation");
            let mut input = sample(&app, &client, mutation).await;
            let mut place = &mut input;
            for name in path.split('.') {
                place = &mut place[name];
            }
            *place = value.clone();
            let before = head(&client).await;
            let answer = client.send(&operation(field), json!({ "input": input })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{mutation} {path} {value}");
            let told = answer.body["errors"][0]["extensions"]["field"].as_str().expect("a field").to_owned();
            assert!(told.starts_with(path) || path.ends_with(&told), "{path}: {told}");
            assert_eq!(head(&client).await, before);
        }
    }

    async fn no_text_of_an_input_may_be_of_any_length(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let mut bounded = 0;
        for mutation in schema.writes() {
            let kind = schema.get(&mutation.args[0].of.name);
            for path in texts(&schema, kind, 0) {
                let what = format!("{}.{}", mutation.name, path.join("."));
                // What was said in a meeting is as long as the meeting.
                if what.ends_with("transcript.text") {
                    continue;
                }
                let sender = sender(&app, &client, &mutation.name).await;
                let mut input = sample(&app, &client, &mutation.name).await;
                // What agents are told may be as long as a chapter.
                let long = ["body", "systemPrompt", "content"].contains(&path[path.len() - 1].as_str());
                put(&schema, kind, &mut input, &path, &"x".repeat(if long { 100_001 } else { 20_001 }));
                let before = head(&client).await;
                let answer = sender.send(&operation(mutation), json!({ "input": input })).await;
                assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&answer.code().as_str()), "{what}: {}", answer.body);
                let told = answer.body["errors"][0].to_string();
                assert!(told.contains(path.last().expect("a field")), "{what}: {told}");
                assert_eq!(head(&client).await, before, "{what}");
                bounded += 1;
            }
        }
        assert!(bounded > 80, "only {bounded}");
    }
}

/// Where texts are within an input.
fn texts(schema: &Schema, kind: &Type, depth: usize) -> Vec<Vec<String>> {
    assert!(depth < 5, "{} holds itself", kind.name);
    let mut found = Vec::new();
    for field in &kind.inputs {
        let within = match field.of.name.as_str() {
            "String" => vec![Vec::new()],
            _ if field.of.kind == "INPUT_OBJECT" => {
                texts(schema, schema.get(&field.of.name), depth + 1)
            }
            _ => Vec::new(),
        };
        found.extend(within.into_iter().map(|mut path| {
            path.insert(0, field.name.clone());
            path
        }));
    }
    found
}

/// Puts a text into an input, with what must be around it.
fn put(schema: &Schema, kind: &Type, input: &mut Value, path: &[String], text: &str) {
    let field = { kind.inputs.iter() }.find(|field| field.name == path[0]);
    let of = &field.expect("a field").of;
    let place = &mut input[&path[0]];
    if path.len() == 1 {
        *place = if of.list { json!([text]) } else { json!(text) };
        return;
    }
    let kind = schema.get(&of.name);
    if place.is_null() || *place == json!([]) {
        let least = least(schema, kind);
        *place = if of.list { json!([least]) } else { least };
    }
    let place = if of.list { &mut place[0] } else { place };
    put(schema, kind, place, &path[1..], text);
}

/// The least that an input object must have.
fn least(schema: &Schema, kind: &Type) -> Value {
    let required = kind.inputs.iter().filter(|field| field.of.required);
    let field = required.map(|field| {
        let of = schema.get(&field.of.name);
        let value = match (field.of.list, of.name.as_str()) {
            (true, _) => json!([]),
            (_, "Int" | "Float") => json!(1),
            (_, "Boolean") => json!(true),
            _ if !of.values.is_empty() => json!(of.values[0].name),
            _ if !of.inputs.is_empty() => least(schema, of),
            _ => json!("x"),
        };
        (field.name.clone(), value)
    });
    Value::Object(field.collect())
}
