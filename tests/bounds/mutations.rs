//! Mutations whose time is up.

use crate::{
    live::heavy::{lock, make_heavy, never_found, start},
    sessions::sign_in,
    support::{Client, DEMO},
};
use serde_json::json;

on_both_databases! {
    async fn what_mutations_did_is_answered_though_another_ones_time_is_up(app) {
        let app = start(app.database).await;
        let owner = app.owner().await;
        let create = "mutation { createProject(input: { name: \"Heavy\" }) { project { id } } }";
        let project = owner.data(create, json!({})).await["createProject"]["project"]["id"].clone();
        make_heavy(&owner, project.as_str().expect("an id"), app.database).await;
        let session = sign_in(&app, "member").await;
        let query = format!(
            "mutation($refresh: String!, $project: ID!) {{
                first: refreshSession(input: {{ refreshToken: $refresh }}) {{ accessToken refreshToken }}
                second: createGoal(input: {{ projectId: $project, title: \"Slow\" }}) {{
                    goal {{ project {{ tickets(filter: {}) {{ totalCount }} agentJobs {{ totalCount }} }} }}
                }}
                third: createGoal(input: {{ projectId: $project, title: \"Late\" }}) {{ goal {{ id }} }}
            }}",
            never_found(0)
        );
        let locked = lock(&app).await;
        let member = app.client(DEMO, "member").await;
        let variables = json!({ "refresh": session["refreshToken"], "project": project });
        let answer = member.send(&query, variables).await;
        drop(locked);
        let errors = answer.body["errors"].as_array().expect("errors");
        let told: Vec<_> = errors
            .iter()
            .map(|error| (&error["path"][0], &error["extensions"]["code"], error["extensions"].get("committed")))
            .collect();
        let code = json!("DEADLINE_EXCEEDED");
        let expected = [
            (&json!("second"), &code, Some(&json!(true))),
            (&json!("third"), &code, None),
        ];
        assert_eq!(told, expected, "{:#}", answer.body);
        // The new session came with the answer, and goes on.
        let new = answer.body["data"]["first"].clone();
        let renewed = Client::new(&app.url, new["accessToken"].as_str().expect("a token"));
        renewed.data("{ viewer { user { id } } }", json!({})).await;
        let refresh = "mutation($refresh: String!) { refreshSession(input: { refreshToken: $refresh }) { accessToken } }";
        renewed.data(refresh, json!({ "refresh": new["refreshToken"] })).await;
        let goals = "query($project: ID!) { goals(filter: { projectId: { eq: $project } }) { nodes { title } } }";
        let made = owner.data(goals, json!({ "project": project })).await;
        assert_eq!(made["goals"]["nodes"], json!([{ "title": "Slow" }]));
        app.verify_ledger(DEMO).await;
    }
}
