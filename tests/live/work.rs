//! What agents are told of.

use crate::support::{DEMO, Socket};
use serde_json::json;

on_both_databases! {
    async fn a_created_ticket_is_work_for_the_sessions_of_its_role(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let page = client.data(
            "{ agentSessions(first: 20) { nodes { id roles agentToken { projectIds } } }
               projects(first: 1, filter: { isArchived: { eq: false } }) { nodes { id } } }",
            json!({}),
        ).await;
        let sessions = page["agentSessions"]["nodes"].as_array().expect("sessions");
        let session = sessions.iter().find(|session| session["roles"][0].is_string()).expect("one with a role");
        let projects = &session["agentToken"]["projectIds"];
        let project = if projects[0].is_string() { &projects[0] } else { &page["projects"]["nodes"][0]["id"] };
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let follow = "subscription($id: ID!) { workAvailable(sessionId: $id) { ticketId roleSlug priority } }";
        socket.subscribe("w", follow, json!({ "id": session["id"] })).await;
        assert!(socket.data("w").await["workAvailable"]["ticketId"].is_null());
        let create = "mutation($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id } } }";
        let input = json!({ "projectId": project, "title": "New", "roleSlug": session["roles"][0], "priority": 7 });
        let made = client.data(create, json!({ "input": input })).await;
        let told = loop {
            let frame = socket.data("w").await["workAvailable"].clone();
            if !frame["ticketId"].is_null() {
                break frame;
            }
        };
        assert_eq!(told, json!({
            "ticketId": made["createTicket"]["ticket"]["id"], "roleSlug": session["roles"][0], "priority": 7,
        }));
    }
}
