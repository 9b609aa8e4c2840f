//! Archived projects: what is in them stays, and nothing new is begun.

use crate::{support::Schema, writes};
use serde_json::json;

on_both_databases! {
    async fn nothing_new_is_begun_in_an_archived_project(app) {
        let owner = app.owner().await;
        let schema = Schema::of(&owner).await;
        let begins = |name: &str| match name {
            "createProject" | "createAgentToken" | "createServiceToken" | "createReplyToken" | "createSkill" | "createAgentRole" => false,
            "approvePrd" | "revisePrd" => true,
            name => name.starts_with("create"),
        };
        let mut inputs = Vec::new();
        for mutation in schema.writes().filter(|mutation| begins(&mutation.name)) {
            inputs.push((mutation, writes::sample(&app, &owner, &mutation.name).await));
        }
        // The default project takes what names none.
        let (meeting, mut input) = inputs.iter().find(|(mutation, _)| mutation.name == "createMeeting").cloned().expect("is one of them");
        for named in ["projectId", "goalId"] {
            input.as_object_mut().expect("an input").remove(named);
        }
        inputs.push((meeting, input));
        app.execute("UPDATE projects SET \"isArchived\" = TRUE").await;
        for (mutation, input) in inputs {
            let answer = owner.send(&writes::operation(mutation), json!({ "input": input })).await;
            assert_eq!(answer.code(), "CONFLICT", "{} {input}: {:#}", mutation.name, answer.body);
            let message = answer.body["errors"][0]["message"].as_str().expect("text");
            assert!(message.contains("is archived"), "{}: {message}", mutation.name);
        }
    }

    async fn nothing_is_begun_in_a_project_after_it_was_archived_at_the_same_moment(app) {
        let owner = &app.owner().await;
        let (mut begun, mut refused) = (0, 0);
        for round in 0..60 {
            let create = "mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }";
            let project = owner.data(create, json!({ "name": format!("Round {round}") })).await;
            let id = &project["createProject"]["project"]["id"];
            let archive = "mutation($id: ID!) { archiveProject(input: { id: $id }) { feedCursor } }";
            let goal = "mutation($id: ID!) { createGoal(input: { projectId: $id, title: \"A goal\" }) { goal { id } } }";
            let goal = async || owner.send(goal, json!({ "id": id })).await;
            let archiving = owner.data(archive, json!({ "id": id }));
            let (a, b, c, _) = tokio::join!(goal(), goal(), goal(), archiving);
            for answer in [a, b, c] {
                match answer.body["errors"][0]["extensions"]["code"].as_str() {
                    None => begun += 1,
                    Some(code) => {
                        assert_eq!(code, "CONFLICT", "{:#}", answer.body);
                        refused += 1;
                    }
                }
            }
            let ledger = "query($id: ID!) { activity(filter: { projectId: { eq: $id } }, orderBy: { field: SEQ }) { nodes { action } } }";
            let ledger = owner.data(ledger, json!({ "id": id })).await;
            let last = ledger["activity"]["nodes"].as_array().and_then(|entries| entries.last());
            assert_eq!(last.map(|entry| &entry["action"]), Some(&json!("project.archived")), "{ledger:#}");
        }
        assert!(begun > 0 && refused > 0, "{begun} were begun and {refused} refused");
    }
}
