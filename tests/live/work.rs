//! What agents are told of.

use crate::{
    agents::{Daemon, cleared, tickets},
    support::{ACME, DEMO, Socket},
};
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

    async fn how_far_a_job_has_come_is_shown_while_it_comes_that_far(app) {
        let (owner, token) = (cleared(&app).await, app.token(DEMO, "owner").await);
        tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        daemon.run("startJob", &claimed, json!({})).await;
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let follow = "subscription($id: ID!) { jobProgress(jobId: $id, heartbeatSeconds: 5) { job { status progressPercent progressMessage } } }";
        socket.subscribe("p", follow, json!({ "id": claimed["job"]["id"] })).await;
        let first = socket.data("p").await["jobProgress"]["job"].clone();
        assert_eq!(first, json!({ "status": "IN_PROGRESS", "progressPercent": null, "progressMessage": null }));
        daemon.run("reportJobProgress", &claimed, json!({ "seq": 1, "percent": 40, "message": "Building" })).await;
        let now = socket.data("p").await["jobProgress"]["job"].clone();
        assert_eq!(now, json!({ "status": "IN_PROGRESS", "progressPercent": 40, "progressMessage": "Building" }));
        daemon.run("completeJob", &claimed, json!({})).await;
        while socket.data("p").await["jobProgress"]["job"]["status"] != "DONE" {}
        let mut foreign = Socket::signed_in(&app.url, &app.token(ACME, "owner").await).await;
        foreign.subscribe("p", follow, json!({ "id": claimed["job"]["id"] })).await;
        let refused = foreign.receive().await;
        assert_eq!((&refused["type"], &refused["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("NOT_FOUND")), "{refused}");
    }

    async fn the_agents_that_are_connected_are_shown(app) {
        let (owner, token) = (cleared(&app).await, app.token(DEMO, "viewer").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let follow = "subscription { agentPresence(heartbeatSeconds: 5) { sessions { id activeJobs } } }";
        socket.subscribe("a", follow, json!({})).await;
        let shows = |frame: &serde_json::Value, id: &serde_json::Value| {
            let sessions = frame["agentPresence"]["sessions"].as_array().expect("sessions").clone();
            sessions.into_iter().find(|session| session["id"] == *id)
        };
        socket.data("a").await;
        tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        while shows(&socket.data("a").await, &daemon.session).is_none() {}
        daemon.claim().await;
        while shows(&socket.data("a").await, &daemon.session).expect("is there")["activeJobs"] != 1 {}
        let leave = "mutation($id: ID!) { disconnectAgent(input: { sessionId: $id }) { feedCursor } }";
        daemon.client.data(leave, json!({ "id": daemon.session })).await;
        while shows(&socket.data("a").await, &daemon.session).is_some() {}
    }
}
