//! What agents and approvers follow.

use super::{World, code, frame, raw};
use crate::auth::{AGENT, Actor, hash, mint};
use entity::{
    Id, Json, Secret, agent_session, agent_token, project,
    ticket::{self, TicketStatus, WaitingReason},
};
use sea_orm::ActiveValue::Set;
use serde_json::json;

impl World {
    /// An agent whose token is for these projects, and its session.
    async fn agent(&self, projects: &[&project::Model]) -> (Actor, Id) {
        let secret = mint(AGENT);
        let projects = projects.iter().map(|project| project.id.clone());
        let token = agent_token::ActiveModel {
            name: Set("agent".to_owned()),
            token_hash: Set(Secret::new(hash(&secret))),
            token_hint: Set("hint".to_owned()),
            role_slugs: Set(Json(vec!["dev_agent".to_owned()])),
            project_ids: Set(Some(Json(projects.collect()))),
            ..Default::default()
        };
        let token = self.insert::<agent_token::Entity, _>(token, "agent_token.created");
        let session = agent_session::ActiveModel {
            agent_token_id: Set(token.await.id),
            repos: Set(Json(Vec::new())),
            roles: Set(Json(vec!["dev_agent".to_owned()])),
            capabilities: Set(Json(Vec::new())),
            connected_at: Set(self.scope().now()),
            last_ping_at: Set(self.scope().now()),
            instance_id: Set("server-1".to_owned()),
            ..Default::default()
        };
        let session = self.insert::<agent_session::Entity, _>(session, "agent_session.created");
        let session = session.await;
        let system = self.store.system();
        let actor = self.tokens.authenticate(&system, &secret).await.unwrap();
        (actor, session.id)
    }

    async fn ticket(
        &self,
        project: &project::Model,
        role: &str,
        status: TicketStatus,
    ) -> ticket::Model {
        let row = ticket::ActiveModel {
            project_id: Set(project.id.clone()),
            role_slug: Set(role.to_owned()),
            title: Set("A ticket".to_owned()),
            status: Set(status),
            waiting_reason: Set(None),
            created_by: Set("system:test".to_owned()),
            ..Default::default()
        };
        self.insert::<ticket::Entity, _>(row, "ticket.created")
            .await
    }
}

as_the_server_runs! {
    async fn work_is_offered_to_sessions_of_its_role_and_project_only() {
        let world = World::new().await;
        let (here, there) = (world.project("here").await, world.project("there").await);
        let (agent, session) = world.agent(&[&here]).await;
        let query = "subscription($session: ID!) { workAvailable(sessionId: $session) { ticketId roleSlug } }";
        let variables = json!({ "session": session.as_str() });
        let mut offered = world.open(&agent, query, variables.clone()).await;
        raw(&mut offered).await;
        world.ticket(&there, "dev_agent", TicketStatus::Ready).await;
        world.ticket(&here, "qa_agent", TicketStatus::Ready).await;
        world.ticket(&here, "dev_agent", TicketStatus::Blocked).await;
        let ready = world.ticket(&here, "dev_agent", TicketStatus::Ready).await;
        let next = frame(&mut offered, "workAvailable").await;
        assert_eq!(next, json!({ "ticketId": ready.id.as_str(), "roleSlug": "dev_agent" }));
        let (other, _) = world.agent(&[&here]).await;
        let refused = world.try_open(&other, query, variables, None).await;
        assert_eq!(code(&refused.err().expect("it is another's")), "NOT_FOUND");
    }

    async fn an_agent_hears_of_its_own_session_and_of_no_ticket_that_it_does_not_hold() {
        let world = World::new().await;
        let here = world.project("here").await;
        let (agent, session) = world.agent(&[&here]).await;
        let commands = "subscription($session: ID!) { agentCommands(sessionId: $session) { action session { id activeJobs } job { id } } }";
        let mut told = world.open(&agent, commands, json!({ "session": session.as_str() })).await;
        raw(&mut told).await;
        let tickets = "subscription { ticketChanged { ticket { id } } }";
        let mut held = world.open(&agent, tickets, json!({})).await;
        raw(&mut held).await;
        world.agent(&[&here]).await;
        world.ticket(&here, "dev_agent", TicketStatus::Ready).await;
        let mine = ticket::ActiveModel { claimed_by_token_id: Set(agent.agent_token_id().cloned()), ..Default::default() };
        let ticket = world.ticket(&here, "dev_agent", TicketStatus::Ready).await;
        let scope = world.scope();
        let mut tx = scope.begin().await.unwrap();
        tx.update::<ticket::Entity, _>(&ticket, mine, "ticket.claimed").await.unwrap();
        let row = tx.get::<agent_session::Entity>(&session).await.unwrap();
        let busy = agent_session::ActiveModel { active_jobs: Set(1), ..Default::default() };
        tx.update::<agent_session::Entity, _>(&row, busy, "agent_session.edited").await.unwrap();
        tx.commit().await.unwrap();
        let next = frame(&mut told, "agentCommands").await;
        let expected = json!({ "action": "agent_session.edited", "session": { "id": session.as_str(), "activeJobs": 1 }, "job": null });
        assert_eq!(next, expected);
        assert_eq!(frame(&mut held, "ticketChanged").await["ticket"]["id"], ticket.id.as_str());
    }

    async fn the_approval_queue_tells_how_much_waits() {
        let world = World::new().await;
        let (here, there) = (world.project("here").await, world.project("there").await);
        let query = "subscription($project: ID) { approvalQueueChanged(projectId: $project) { waiting } }";
        let mut queue = world.open(&world.owner(), query, json!({ "project": here.id.as_str() })).await;
        assert_eq!(frame(&mut queue, "approvalQueueChanged").await, json!({ "waiting": null }));
        let ticket = world.ticket(&here, "dev_agent", TicketStatus::Ready).await;
        assert_eq!(frame(&mut queue, "approvalQueueChanged").await, json!({ "waiting": 0 }));
        world.ticket(&there, "dev_agent", TicketStatus::Ready).await;
        let scope = world.scope();
        let mut tx = scope.begin().await.unwrap();
        let renamed = ticket::ActiveModel { title: Set("Renamed".to_owned()), ..Default::default() };
        let ticket = tx.update::<ticket::Entity, _>(&ticket, renamed, "ticket.edited").await.unwrap();
        let held = ticket::ActiveModel {
            status: Set(TicketStatus::Waiting),
            waiting_reason: Set(Some(WaitingReason::Approval)),
            requires_approval: Set(true),
            ..Default::default()
        };
        tx.update::<ticket::Entity, _>(&ticket, held, "ticket.waiting").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(frame(&mut queue, "approvalQueueChanged").await, json!({ "waiting": 1 }));
    }
}
