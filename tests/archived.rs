//! Archived projects: what is in them stays, and nothing new is begun.

use crate::{support::Schema, writes};
use serde_json::json;

on_both_databases! {
    async fn nothing_new_is_begun_in_an_archived_project(app) {
        let owner = app.owner().await;
        let schema = Schema::of(&owner).await;
        let begins = |name: &str| name.starts_with("create") && !["createProject", "createAgentToken"].contains(&name);
        let mut inputs = Vec::new();
        for mutation in schema.writes().filter(|mutation| begins(&mutation.name)) {
            inputs.push((mutation, writes::sample(&owner, &mutation.name).await));
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
}
