//! Requests that are sent again: what makes two of them the same, and how the second is answered.

use super::{head, operation, sample, sender};
use crate::support::{Field, Schema};
use serde_json::{Value, json};

on_both_databases! {
    async fn the_same_key_gets_the_first_answer(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        for mutation in schema.writes() {
            let sender = sender(&app, &client, &mutation.name).await;
            let mut input = sample(&app, &client, &mutation.name).await;
            input["idempotencyKey"] = json!(format!("once-{}", mutation.name));
            let query = operation(mutation);
            let first = sender.data(&query, json!({ "input": input })).await;
            let after = head(&client).await;
            let again = sender.data(&query, json!({ "input": input })).await;
            assert_eq!(first, again, "{}", mutation.name);
            assert_eq!(after, head(&client).await, "{} was done twice", mutation.name);
            let text = input.as_object_mut().expect("an object").iter_mut().find(|(name, _)| {
                ["title", "name", "outcome", "description", "channelSummary"].contains(&name.as_str())
            });
            let Some((_, text)) = text else { continue };
            *text = json!("another");
            let code = sender.code(&query, json!({ "input": input })).await;
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
            let sender = sender(&app, &client, &mutation.name).await;
            let sample = sample(&app, &client, &mutation.name).await;
            let left_out = |field: &&Field| !field.of.required && field.name != "idempotencyKey" && sample.get(&field.name).is_none();
            let nullable: Vec<_> = input.inputs.iter().filter(left_out).collect();
            let mut once = sample.clone();
            once["idempotencyKey"] = json!(format!("sent-{}", mutation.name));
            let first = sender.data(&query, json!({ "input": once })).await;
            for field in nullable {
                let mut input = once.clone();
                input[&field.name] = Value::Null;
                let code = sender.code(&query, json!({ "input": input })).await;
                assert_eq!(code, "IDEMPOTENCY_MISMATCH", "{}.{} left out and null", mutation.name, field.name);
                tried += 1;
            }
            assert_eq!(first, sender.data(&query, json!({ "input": once })).await, "{}", mutation.name);
        }
        assert!(tried >= 20, "only {tried} fields");
    }

    async fn how_a_request_is_written_down_does_not_matter(app) {
        let client = app.owner().await;
        let project = sample(&app, &client, "updateProject").await["id"].clone();
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
        let input = sample(&app, &client, "createGoal").await;
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
}
