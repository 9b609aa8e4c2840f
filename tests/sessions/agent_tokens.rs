//! Agent tokens: shown once, what they see, and how they end.

use crate::support::{ACME, Client, Waiting};
use serde_json::{Value, json};
use std::time::Duration;

on_both_databases! {
    async fn an_agent_token_is_shown_once_and_sees_its_own_work(app) {
        let owner = app.owner().await;
        let create = "mutation { createAgentToken(input: { name: \"Builder\", roleSlugs: [\"dev_agent\"], idempotencyKey: \"t\" }) {
            token agentToken { id tokenHint revokedAt } } }";
        let made = owner.data(create, json!({})).await["createAgentToken"].clone();
        let token = made["token"].as_str().expect("it is shown").to_owned();
        assert!(token.starts_with("wga_") && token.ends_with(made["agentToken"]["tokenHint"].as_str().expect("a hint")));
        assert_eq!(owner.data(create, json!({})).await["createAgentToken"]["token"], Value::Null);
        let agent = Client::new(&app.url, &token);
        let seen = "{ viewer { user { id } agentToken { name lastUsedAt } } tickets { totalCount } agentJobs { totalCount } }";
        let mut before = agent.data(seen, json!({})).await;
        // That it is used is noted beside the answer.
        let waiting = Waiting::until("its use is noted");
        while before["viewer"]["agentToken"]["lastUsedAt"].is_null() {
            waiting.a_moment().await;
            before = agent.data(seen, json!({})).await;
        }
        assert_eq!(before["viewer"], json!({ "user": null, "agentToken": { "name": "Builder", "lastUsedAt": before["viewer"]["agentToken"]["lastUsedAt"] } }));
        assert_eq!((&before["tickets"]["totalCount"], &before["agentJobs"]["totalCount"]), (&json!(0), &json!(0)));
        let ticket = owner.data("{ tickets(first: 2) { nodes { id } } }", json!({})).await["tickets"]["nodes"].clone();
        let (own, other) = (ticket[0]["id"].as_str().expect("an id"), ticket[1]["id"].as_str().expect("an id"));
        let id = made["agentToken"]["id"].as_str().expect("an id");
        app.execute(&format!("UPDATE tickets SET \"claimedByTokenId\" = '{id}' WHERE id = '{own}'")).await;
        let by_id = "query($own: ID!, $other: ID!) { own: ticket(id: $own) { id } other: ticket(id: $other) { id }
            node(id: $other) { id } tickets { totalCount } filtered: tickets(filter: { not: { id: { eq: $own } } }) { totalCount } }";
        let answer = agent.data(by_id, json!({ "own": own, "other": other })).await;
        assert_eq!(answer, json!({
            "own": { "id": own }, "other": null, "node": null, "tickets": { "totalCount": 1 }, "filtered": { "totalCount": 0 },
        }));
        // What it may not see it cannot ask about either.
        let through = "query($own: ID!) { tickets(filter: { id: { eq: $own }, project: { name: { startsWith: \"\" } } }) { totalCount }
            ticket(id: $own) { project { name } } }";
        let answer = agent.send(through, json!({ "own": own })).await;
        assert_eq!((answer.code().as_str(), &answer.body["data"]["tickets"]["totalCount"]), ("FORBIDDEN", &json!(0)));
        owner.data("mutation($id: ID!) { revokeAgentToken(input: { id: $id }) { agentToken { revokedAt } } }", json!({ "id": id })).await;
        assert_eq!(agent.code("{ viewer { agentToken { id } } }", json!({})).await, "UNAUTHENTICATED");
    }

    async fn a_revoked_agent_token_ends_its_sessions_with_it(app) {
        let owner = app.owner().await;
        let agent = Client::new(&app.url, &app.agent(&owner).await);
        app.execute("UPDATE agent_sessions SET \"disconnectedAt\" = NULL").await;
        let seen = "{ viewer { agentToken { id } } agentSessions { nodes { id disconnectedAt } } }";
        let data = agent.data(seen, json!({})).await;
        let (token, session) = (&data["viewer"]["agentToken"]["id"], &data["agentSessions"]["nodes"][0]["id"]);
        let sessions = "{ agentSessions(first: 200) { nodes { id disconnectedAt isConnected } } }";
        let before = owner.data(sessions, json!({})).await["agentSessions"]["nodes"].clone();
        let revoke = "mutation($id: ID!) { revokeAgentToken(input: { id: $id }) { feedCursor agentToken { sessions { nodes { id disconnectedAt } } } } }";
        let revoked = owner.data(revoke, json!({ "id": token })).await["revokeAgentToken"].clone();
        let ended = revoked["agentToken"]["sessions"]["nodes"].as_array().expect("rows");
        assert!(ended.iter().all(|session| session["disconnectedAt"].is_string()) && ended[0]["id"] == *session, "{ended:#?}");
        // Others go on.
        let after = owner.data(sessions, json!({})).await["agentSessions"]["nodes"].clone();
        let others = |nodes: &Value| nodes.as_array().expect("rows").iter().filter(|node| node["id"] != *session).cloned().collect::<Vec<_>>();
        assert!(others(&before) == others(&after) && !others(&after).is_empty());
        let told = owner.data("{ activity(first: 2) { nodes { action targetId seq createdAt } } }", json!({})).await["activity"]["nodes"].clone();
        let entry = |place: usize, field: &str| told[place][field].clone();
        assert_eq!((entry(1, "action"), entry(1, "targetId")), (json!("agent_token.revoked"), token.clone()));
        assert_eq!((entry(0, "action"), entry(0, "targetId")), (json!("agent.disconnected"), session.clone()));
        assert_eq!(entry(0, "createdAt"), entry(1, "createdAt"), "it is one transaction");
        // Once more changes nothing.
        let again = owner.data(revoke, json!({ "id": token })).await["revokeAgentToken"].clone();
        assert_eq!(again["feedCursor"], revoked["feedCursor"]);
    }

    async fn an_agent_token_expires_and_its_scope_is_checked(app) {
        let owner = app.owner().await;
        let create = "mutation($input: CreateAgentTokenInput!) { createAgentToken(input: $input) { token } }";
        let acme = app.client(ACME, "owner").await.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        let input = |more: Value| {
            let mut input = json!({ "name": "x", "roleSlugs": ["dev_agent"] });
            input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({ "input": input })
        };
        for (more, code) in [
            (json!({ "roleSlugs": ["nonsense"] }), "BAD_USER_INPUT"),
            (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "BAD_USER_INPUT"),
            (json!({ "name": "" }), "BAD_USER_INPUT"),
            (json!({ "projectIds": [acme["projects"]["nodes"][0]["id"]] }), "NOT_FOUND"),
        ] {
            assert_eq!(owner.code(create, input(more.clone())).await, code, "{more}");
        }
        let made = owner.data(create, input(json!({ "expiresAt": "2100-01-01T00:00:00Z" }))).await;
        let agent = Client::new(&app.url, made["createAgentToken"]["token"].as_str().expect("a token"));
        agent.data("{ feedCursor }", json!({})).await;
        app.wait(Duration::from_secs(100 * 366 * 24 * 3600));
        assert_eq!(agent.code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
    }
}
