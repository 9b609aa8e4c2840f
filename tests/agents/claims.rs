//! Which ticket is next, for whom, and why there is none.

use super::{Daemon, cleared, concurrency, must_be_counted_right, ticket, tickets};
use serde_json::{Value, json};

on_both_databases! {
    async fn the_most_urgent_comes_first_then_the_oldest(app) {
        let owner = cleared(&app).await;
        concurrency(&app, 32).await;
        let (project, made) = tickets(&owner, "Shop", 2).await;
        let urgent = ticket(&owner, &project, "Urgent", json!({ "priority": 400 })).await;
        let low = ticket(&owner, &project, "Low", json!({ "priority": 50 })).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 10).await;
        for expected in [&urgent, &made[0], &made[1], &low] {
            assert_eq!(daemon.claim().await["ticket"]["id"], *expected);
        }
        must_be_counted_right(&app).await;
    }

    async fn a_project_with_many_tickets_does_not_starve_one_with_few(app) {
        let owner = cleared(&app).await;
        let (many, _) = tickets(&owner, "Many", 12).await;
        let (few, _) = tickets(&owner, "Few", 3).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let mut served = Vec::new();
        for _ in 0..8 {
            let claimed = daemon.claim().await;
            served.push(claimed["ticket"]["projectId"].clone());
            daemon.work(&claimed).await;
            app.wait(std::time::Duration::from_secs(1));
        }
        let of = |project: &Value| served.iter().filter(|served| *served == project).count();
        assert_eq!((of(&many), of(&few)), (5, 3), "{served:?}");
        assert_ne!(served[0], served[1], "they take turns");
    }

    async fn what_is_to_be_tried_again_has_its_place_among_the_others(app) {
        let owner = cleared(&app).await;
        concurrency(&app, 32).await;
        let (project, made) = tickets(&owner, "Shop", 2).await;
        let urgent = ticket(&owner, &project, "Urgent", json!({ "priority": 400, "targetRepo": "acme/shop" })).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 10).await;
        let first = daemon.claim().await;
        assert_eq!(first["ticket"]["id"], urgent);
        daemon.run("failJob", &first, json!({ "error": "x", "transient": true })).await;
        assert_eq!(daemon.claim().await["ticket"]["id"], made[0], "it waits, and hides nothing");
        let elsewhere = Daemon::register(daemon.client.clone(), json!({ "repos": ["acme/elsewhere"] })).await;
        let of_role = async |role: &str| {
            let set = format!("UPDATE tickets SET \"roleSlug\" = '{role}' WHERE id = '{}'", urgent.as_str().expect("an id"));
            app.execute(&set).await;
        };
        app.wait(std::time::Duration::from_secs(6));
        // Due, and not for everybody.
        of_role("qa_agent").await;
        assert_eq!(daemon.claim().await["ticket"]["id"], made[1]);
        assert_eq!(daemon.claim().await["reason"], "NONE_READY");
        of_role("dev_agent").await;
        assert_eq!(elsewhere.claim().await["reason"], "REPOSITORY");
        let later = ticket(&owner, &project, "Later", json!({})).await;
        assert_eq!(daemon.claim().await["ticket"]["id"], urgent);
        assert_eq!(daemon.claim().await["ticket"]["id"], later);
        must_be_counted_right(&app).await;
    }

    async fn who_is_told_that_nothing_goes_on_is_told_so_of_its_own_work(app) {
        let owner = cleared(&app).await;
        let (project, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let held = async |open: i32, role: &str| {
            app.execute(&format!(
                "UPDATE tickets SET status = 'blocked', \"openDependencyCount\" = {open}, \"roleSlug\" = '{role}' WHERE id = '{}'",
                made[0].as_str().expect("an id")
            )).await;
            daemon.claim().await["reason"].clone()
        };
        assert_eq!(held(0, "dev_agent").await, "HELD");
        assert_eq!(held(1, "dev_agent").await, "NONE_READY");
        assert_eq!(held(0, "architect").await, "NONE_READY");
        let there = ticket(&owner, &project, "There", json!({})).await;
        assert_eq!(daemon.claim().await["ticket"]["id"], there);
    }

    async fn an_agent_gets_only_what_it_can_do_and_is_told_why_nothing(app) {
        let owner = cleared(&app).await;
        let (project, _) = tickets(&owner, "Shop", 0).await;
        let (other, _) = tickets(&owner, "Other", 0).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent", "qa_agent"], 2).await;
        let reason = async |daemon: &Daemon| daemon.claim().await["reason"].clone();
        assert_eq!(reason(&daemon).await, "NONE_READY");
        // A repository that it has not checked out.
        ticket(&owner, &project, "Elsewhere", json!({ "targetRepo": "acme/elsewhere" })).await;
        assert_eq!(reason(&daemon).await, "REPOSITORY");
        // A role that its token is not for.
        ticket(&owner, &project, "Plan", json!({ "roleSlug": "architect" })).await;
        assert_eq!(reason(&daemon).await, "REPOSITORY");
        // As many as the role may have.
        let mine = ticket(&owner, &project, "Mine", json!({ "targetRepo": "acme/shop" })).await;
        app.execute("UPDATE agent_roles SET \"defaultConcurrency\" = 1 WHERE slug = 'dev_agent'").await;
        let claimed = daemon.claim().await;
        assert_eq!(claimed["ticket"]["id"], mine);
        let second = ticket(&owner, &project, "Second", json!({})).await;
        assert_eq!(reason(&daemon).await, "CONCURRENCY");
        // As many as the session has room for.
        let test = ticket(&owner, &project, "Test", json!({ "roleSlug": "qa_agent" })).await;
        let tested = daemon.claim().await;
        assert_eq!(tested["ticket"]["id"], test);
        assert_eq!(reason(&daemon).await, "SESSION_FULL");
        daemon.work(&claimed).await;
        // Of one role.
        let offered = daemon.claim_of(json!("qa_agent")).await;
        assert_eq!(offered["reason"], "NONE_READY");
        let claimed = daemon.claim_of(json!("dev_agent")).await;
        assert_eq!(claimed["ticket"]["id"], second);
        daemon.work(&claimed).await;
        let foreign = "mutation($id: ID!) { claimNextTicket(input: { sessionId: $id, roleSlug: \"architect\" }) { reason } }";
        let refused = daemon.client.send(foreign, json!({ "id": daemon.session })).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["field"], "roleSlug");
        // A project that its token is not for.
        let create = "mutation($p: ID!) { createAgentToken(input: { name: \"One\", roleSlugs: [\"dev_agent\"], projectIds: [$p] }) { token } }";
        let token = owner.data(create, json!({ "p": other })).await["createAgentToken"]["token"].clone();
        let client = crate::support::Client::new(&app.url, token.as_str().expect("a token"));
        let narrow = Daemon::register(client, json!({})).await;
        ticket(&owner, &project, "Not there", json!({})).await;
        assert_eq!(reason(&narrow).await, "NONE_READY");
        let there = ticket(&owner, &other, "There", json!({})).await;
        assert_eq!(narrow.claim().await["ticket"]["id"], there);
        // A role that is not active any more.
        app.execute("UPDATE agent_roles SET \"isActive\" = FALSE WHERE slug = 'dev_agent'").await;
        assert_eq!(reason(&narrow).await, "NO_SUCH_ROLE");
        must_be_counted_right(&app).await;
    }

    async fn a_ticket_says_what_it_waits_for(app) {
        let owner = cleared(&app).await;
        app.execute("UPDATE agent_sessions SET \"disconnectedAt\" = \"connectedAt\" WHERE \"disconnectedAt\" IS NULL").await;
        let (project, made) = tickets(&owner, "Shop", 2).await;
        let why = async |id: &Value| {
            let of = "query($id: ID!) { ticket(id: $id) { whyUnclaimed } }";
            owner.data(of, json!({ "id": id })).await["ticket"]["whyUnclaimed"].clone()
        };
        assert_eq!(why(&made[0]).await, "NO_AGENT");
        let elsewhere = ticket(&owner, &project, "Elsewhere", json!({ "targetRepo": "acme/elsewhere" })).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        assert_eq!((why(&made[0]).await, why(&elsewhere).await), (json!("NOTHING"), json!("NO_AGENT")));
        let claimed = daemon.claim().await;
        assert_eq!((why(&made[0]).await, why(&made[1]).await), (Value::Null, json!("AGENTS_BUSY")));
        concurrency(&app, 1).await;
        assert_eq!(why(&made[1]).await, "CONCURRENCY");
        daemon.run("failJob", &claimed, json!({ "error": "x", "transient": true })).await;
        assert_eq!((why(&made[0]).await, why(&made[1]).await), (json!("BACKING_OFF"), json!("NOTHING")));
        app.execute("UPDATE agent_roles SET \"isActive\" = FALSE WHERE slug = 'dev_agent'").await;
        assert_eq!(why(&made[1]).await, "NO_SUCH_ROLE");
        app.execute("UPDATE agent_roles SET \"isActive\" = TRUE").await;
        // Many tickets are asked about in as many statements as few.
        let page = async |first: i32| owner.send("query($n: Int!) { tickets(first: $n, filter: { status: { in: [READY, BLOCKED] } }) { nodes { whyUnclaimed } } }", json!({ "n": first })).await;
        tickets(&owner, "Many", 30).await;
        assert_eq!(page(20).await.statements(), page(30).await.statements());
    }

    async fn one_token_does_not_keep_the_others_out(app) {
        let limits = workgraph::http::Limits { workspace_agents: 10, ..crate::support::limits() };
        let app = crate::support::TestApp::start_with(app.database, limits).await;
        let owner = cleared(&app).await;
        app.execute("UPDATE agent_sessions SET \"disconnectedAt\" = \"connectedAt\" WHERE \"disconnectedAt\" IS NULL").await;
        let greedy = app.agent_for(&owner, &["dev_agent"]).await;
        let register = "mutation { registerAgent(input: {}) { agentSession { id } } }";
        for _ in 0..5 {
            greedy.data(register, json!({})).await;
        }
        assert_eq!(greedy.code(register, json!({})).await, "LIMIT_EXCEEDED");
        for _ in 0..5 {
            Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        }
        let late = app.agent_for(&owner, &["dev_agent"]).await;
        assert_eq!(late.code(register, json!({})).await, "LIMIT_EXCEEDED");
    }

    async fn nothing_begins_in_an_archived_project(app) {
        let owner = cleared(&app).await;
        let (project, _) = tickets(&owner, "Old", 1).await;
        let archive = "mutation($id: ID!) { archiveProject(input: { id: $id }) { feedCursor } }";
        owner.data(archive, json!({ "id": project })).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        assert_eq!(daemon.claim().await["reason"], "NONE_READY");
    }

    async fn a_claim_that_is_sent_again_is_the_same_one(app) {
        let owner = cleared(&app).await;
        concurrency(&app, 32).await;
        let (_, made) = tickets(&owner, "Shop", 2).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 5).await;
        let claim = "mutation($id: ID!, $key: String!) { claimNextTicket(input: { sessionId: $id, idempotencyKey: $key }) { ticket { id } job { id } instructions { rolePrompt } feedCursor } }";
        let first = daemon.client.data(claim, json!({ "id": daemon.session, "key": "one" })).await;
        let again = daemon.client.data(claim, json!({ "id": daemon.session, "key": "one" })).await;
        assert_eq!(first, again);
        assert_eq!(first["claimNextTicket"]["ticket"]["id"], made[0]);
        let next = daemon.client.data(claim, json!({ "id": daemon.session, "key": "two" })).await;
        assert_eq!(next["claimNextTicket"]["ticket"]["id"], made[1]);
        // Nothing is no answer that is kept.
        let none = daemon.client.data(claim, json!({ "id": daemon.session, "key": "three" })).await;
        assert_eq!(none["claimNextTicket"]["ticket"], Value::Null);
        let (_, later) = tickets(&owner, "Later", 1).await;
        let found = daemon.client.data(claim, json!({ "id": daemon.session, "key": "three" })).await;
        assert_eq!(found["claimNextTicket"]["ticket"]["id"], later[0]);
    }

    async fn who_is_asked_to_leave_gets_nothing_new(app) {
        let owner = cleared(&app).await;
        concurrency(&app, 32).await;
        tickets(&owner, "Shop", 2).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 5).await;
        let claimed = daemon.claim().await;
        let drain = "mutation($id: ID!) { drainAgent(input: { sessionId: $id, reason: \"Maintenance\" }) { agentSession { drainingAt } } }";
        owner.data(drain, json!({ "id": daemon.session })).await;
        assert_eq!(daemon.claim().await["reason"], "DRAINING");
        // A hiccup undoes nothing of that.
        let daemon = Daemon::register(daemon.client.clone(), json!({ "sessionId": daemon.session })).await;
        assert_eq!(daemon.claim().await["reason"], "DRAINING");
        assert!(daemon.beat(&[]).await["agentSession"]["drainingAt"].is_string());
        daemon.work(&claimed).await;
        let leave = "mutation($id: ID!) { disconnectAgent(input: { sessionId: $id }) { agentSession { disconnectedAt activeJobs } } }";
        let left = daemon.client.data(leave, json!({ "id": daemon.session })).await;
        assert!(left["disconnectAgent"]["agentSession"]["disconnectedAt"].is_string());
        assert_eq!(owner.code(drain, json!({ "id": daemon.session })).await, "CONFLICT");
        // It may come back, and work again.
        let back = Daemon::register(daemon.client.clone(), json!({ "sessionId": daemon.session, "repos": [] })).await;
        assert_eq!(back.session, daemon.session);
        assert!(back.claim().await["ticket"]["id"].is_string());
        must_be_counted_right(&app).await;
    }

    async fn people_take_work_out_of_an_agents_hands(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let requeue = "mutation($id: ID!) { requeueTicket(input: { id: $id, reason: \"Somebody else\" }) { ticket { status } } }";
        let stop = "mutation($id: ID!) { cancelJob(input: { id: $id }) { agentJob { status } } }";
        let cancel = "mutation($id: ID!) { cancelTicket(input: { id: $id }) { ticket { status } } }";
        let claimed = daemon.claim().await;
        assert_eq!(owner.data(requeue, json!({ "id": made[0] })).await["requeueTicket"]["ticket"]["status"], "READY");
        assert_eq!(daemon.beat(&[&claimed["job"]["id"]]).await["lostJobIds"], json!([claimed["job"]["id"]]));
        super::is_stale(daemon.send("completeJob", &claimed, json!({})).await);

        let claimed = daemon.claim().await;
        daemon.run("startJob", &claimed, json!({})).await;
        assert_eq!(owner.data(stop, json!({ "id": claimed["job"]["id"] })).await["cancelJob"]["agentJob"]["status"], "CANCELLED");
        super::is_stale(daemon.send("completeJob", &claimed, json!({})).await);

        let claimed = daemon.claim().await;
        daemon.run("startJob", &claimed, json!({})).await;
        assert_eq!(owner.data(cancel, json!({ "id": made[0] })).await["cancelTicket"]["ticket"]["status"], "CANCELLED");
        super::is_stale(daemon.send("completeJob", &claimed, json!({})).await);
        let of = "query($id: ID!) { agentJob(id: $id) { status session { activeJobs } } }";
        let job = owner.data(of, json!({ "id": claimed["job"]["id"] })).await["agentJob"].clone();
        assert_eq!(job, json!({ "status": "CANCELLED", "session": { "activeJobs": 0 } }));
        must_be_counted_right(&app).await;
    }
}
