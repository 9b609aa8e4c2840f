//! Agents that fall silent, at each point of a ticket's life: nothing is lost, and nothing is done twice.

use super::{Daemon, LONG, cleared, is_stale, must_be_counted_right, tend, tickets};
use crate::{
    support::{DEMO, Socket},
    writes::head,
};
use serde_json::{Value, json};
use std::time::Duration;

on_both_databases! {
    async fn what_a_silent_agent_had_is_done_by_another(app) {
        let owner = cleared(&app).await;
        for step in ["claimed", "started", "journal", "checkpoint"] {
            let (_, made) = tickets(&owner, step, 1).await;
            let silent = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
            let claimed = silent.claim().await;
            if step != "claimed" {
                silent.run("startJob", &claimed, json!({})).await;
            }
            if step == "journal" {
                silent.run("recordJobEvents", &claimed, json!({ "events": [{ "seq": 1, "kind": "ACTION", "text": "begun" }] })).await;
            }
            if step == "checkpoint" {
                silent.run("saveCheckpoint", &claimed, json!({ "checkpoint": { "at": 3 } })).await;
            }
            app.wait(LONG);
            let other = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
            assert_eq!(other.claim().await["reason"], "NONE_READY", "until somebody looks");
            // Late, and before anybody looked.
            let before = head(&owner).await;
            is_stale(silent.send("completeJob", &claimed, json!({ "result": { "late": true } })).await);
            assert_eq!(head(&owner).await, before);
            tend(&app).await;
            let again = other.claim().await;
            assert_eq!((&again["ticket"]["id"], &again["job"]["id"], &again["job"]["attempt"]), (&made[0], &claimed["job"]["id"], &json!(2)));
            if step == "checkpoint" {
                assert_eq!(again["job"]["checkpoint"], json!({ "at": 3 }));
            }
            // Late, and somebody else has it.
            is_stale(silent.send("completeJob", &claimed, json!({ "result": { "late": true } })).await);
            if step == "journal" {
                // Each try counts its own.
                other.run("recordJobEvents", &again, json!({ "events": [{ "seq": 1, "kind": "ACTION", "text": "taken over" }] })).await;
                let of = "query($id: ID!) { agentJob(id: $id) { events(orderBy: [{ field: ATTEMPT }, { field: SEQ }]) { nodes { attempt text } } } }";
                let journal = owner.data(of, json!({ "id": again["job"]["id"] })).await["agentJob"]["events"]["nodes"].clone();
                assert_eq!(journal, json!([{ "attempt": 1, "text": "begun" }, { "attempt": 2, "text": "taken over" }]));
            }
            other.work(&again).await;
            is_stale(silent.send("failJob", &claimed, json!({ "error": "late" })).await);
            let of = "query($id: ID!) { ticket(id: $id) { status result jobs { nodes { status session { id } } } } }";
            let now = owner.data(of, json!({ "id": made[0] })).await["ticket"].clone();
            assert_eq!((&now["status"], &now["result"]), (&json!("DONE"), &json!({ "testsRun": 3 })), "{step}");
            assert_eq!(now["jobs"]["nodes"], json!([{ "status": "DONE", "session": { "id": other.session } }]));
            must_be_counted_right(&app).await;
        }
        app.verify_ledger(DEMO).await;
    }

    async fn a_ticket_that_kills_whoever_takes_it_has_failed_in_the_end(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Poison", 1).await;
        for _ in 0..3 {
            let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
            assert_eq!(daemon.claim().await["ticket"]["id"], made[0]);
            app.wait(LONG);
            tend(&app).await;
        }
        let of = "query($id: ID!) { ticket(id: $id) { status error latestJob { status error } } }";
        let now = owner.data(of, json!({ "id": made[0] })).await["ticket"].clone();
        assert_eq!((&now["status"], &now["latestJob"]["status"]), (&json!("FAILED"), &json!("FAILED")));
        assert!(now["error"].as_str().is_some_and(|error| error.starts_with("The last of its tries was lost.")), "{now}");
        // It is in no plan, so a person is told.
        let told = "{ notifications(first: 1, filter: { kind: { eq: ESCALATION } }) { nodes { targetId } } }";
        let told = app.client(DEMO, "admin").await.data(told, json!({})).await;
        assert_eq!(told["notifications"]["nodes"][0]["targetId"], made[0]);
        must_be_counted_right(&app).await;
    }

    async fn who_leaves_in_order_has_not_failed(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let leave = "mutation($id: ID!) { disconnectAgent(input: { sessionId: $id }) { agentSession { activeJobs } } }";
        for _ in 0..5 {
            let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
            assert_eq!(daemon.claim().await["ticket"]["id"], made[0]);
            let left = daemon.client.data(leave, json!({ "id": daemon.session })).await;
            assert_eq!(left["disconnectAgent"]["agentSession"]["activeJobs"], 0);
        }
        must_be_counted_right(&app).await;
    }

    async fn a_claim_that_is_sent_again_after_its_loss_is_no_claim(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let claim = "mutation($id: ID!) { claimNextTicket(input: { sessionId: $id, idempotencyKey: \"k\" }) { job { id attempt } } }";
        let first = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let second = Daemon::register(first.client.clone(), json!({})).await;
        first.client.data(claim, json!({ "id": first.session })).await;
        app.wait(LONG);
        tend(&app).await;
        // The same token has it, in another session and another try.
        let second = Daemon::register(second.client.clone(), json!({ "sessionId": second.session })).await;
        let again = second.claim().await;
        assert_eq!((&again["ticket"]["id"], &again["job"]["attempt"]), (&made[0], &json!(2)));
        let replayed = first.client.send(claim, json!({ "id": first.session })).await;
        assert_eq!(replayed.body["errors"][0]["extensions"]["reason"], "STALE_LEASE");
        second.work(&again).await;
        must_be_counted_right(&app).await;
    }

    async fn signs_of_life_keep_what_an_agent_has(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        daemon.run("startJob", &claimed, json!({})).await;
        for _ in 0..8 {
            app.wait(Duration::from_secs(60));
            let beat = daemon.beat(&[&claimed["job"]["id"]]).await;
            assert_eq!((&beat["lostJobIds"], &beat["agentSession"]["isConnected"]), (&json!([]), &json!(true)));
            tend(&app).await;
        }
        daemon.run("completeJob", &claimed, json!({})).await;
        // It comes back under the same id after it was lost.
        app.wait(LONG);
        tend(&app).await;
        let beat = "mutation($id: ID!) { agentHeartbeat(input: { sessionId: $id }) { lostJobIds } }";
        assert_eq!(daemon.client.code(beat, json!({ "id": daemon.session })).await, "CONFLICT");
        let back = Daemon::register(daemon.client.clone(), json!({ "sessionId": daemon.session })).await;
        assert_eq!(back.beat(&[]).await["agentSession"]["isConnected"], true);
    }

    async fn what_is_not_begun_or_takes_too_long_is_seen_to(app) {
        let owner = cleared(&app).await;
        let status = async |id: &Value| {
            let of = "query($id: ID!) { ticket(id: $id) { status error } }";
            app.owner().await.data(of, json!({ "id": id })).await["ticket"].clone()
        };
        let alive = async |daemon: &Daemon, claimed: &Value, minutes: u32| {
            for _ in 0..minutes {
                app.wait(Duration::from_secs(60));
                daemon.beat(&[&claimed["job"]["id"]]).await;
                tend(&app).await;
            }
        };
        // Its daemon is alive and does not begin.
        let (_, lazy) = tickets(&owner, "Lazy", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        alive(&daemon, &claimed, 6).await;
        assert_eq!(status(&lazy[0]).await["status"], "READY");
        is_stale(daemon.send("startJob", &claimed, json!({})).await);
        // It takes longer than its role allows: 2,400 seconds in the demo.
        let claimed = daemon.claim().await;
        daemon.run("startJob", &claimed, json!({})).await;
        alive(&daemon, &claimed, 41).await;
        assert_eq!(status(&lazy[0]).await, json!({ "status": "FAILED", "error": "timeout" }));
        // Longer than it allows itself.
        let owner = app.owner().await;
        let (_, short) = tickets(&owner, "Short", 1).await;
        owner.data("mutation($id: ID!) { updateTicket(input: { id: $id, timeoutSeconds: 86400 }) { feedCursor } }", json!({ "id": short[0] })).await;
        let claimed = daemon.claim().await;
        daemon.run("startJob", &claimed, json!({})).await;
        alive(&daemon, &claimed, 50).await;
        assert_eq!(status(&short[0]).await["status"], "CLAIMED");
        // And nothing is said of it for an hour.
        alive(&daemon, &claimed, 12).await;
        assert_eq!(status(&short[0]).await["error"], "Nothing was reported for 60 minutes.");
        must_be_counted_right(&app).await;
    }

    async fn a_job_that_nobody_takes_for_a_day_has_failed_and_its_ticket_waits(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        daemon.run("releaseTicket", &claimed, json!({ "reason": "Not now" })).await;
        app.wait(Duration::from_secs(25 * 3600));
        tend(&app).await;
        let owner = app.owner().await;
        let of = "query($id: ID!) { ticket(id: $id) { status latestJob { status error } } }";
        let now = owner.data(of, json!({ "id": made[0] })).await["ticket"].clone();
        assert_eq!(now, json!({ "status": "READY", "latestJob": { "status": "FAILED", "error": "No agent took it within 24 hours." } }));
        let back = Daemon::register(daemon.client.clone(), json!({ "sessionId": daemon.session })).await;
        assert_ne!(back.claim().await["job"]["id"], claimed["job"]["id"]);
    }

    async fn journals_are_kept_for_thirty_days(app) {
        let entries = async || app.owner().await.data("{ agentJobEvents(first: 1) { totalCount } }", json!({})).await["agentJobEvents"]["totalCount"].clone();
        assert!(entries().await.as_u64() > Some(0));
        app.wait(Duration::from_secs(31 * 24 * 3600));
        tend(&app).await;
        assert_eq!(entries().await, 0);
    }

    async fn a_token_that_is_revoked_ends_all_that_was_begun_with_it(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        let mut commands = Socket::signed_in(&app.url, daemon.client.token()).await;
        commands.subscribe("commands", "subscription($id: ID!) { agentCommands(sessionId: $id) { action } }", json!({ "id": daemon.session })).await;
        commands.data("commands").await;
        let of = "query($id: ID!) { agentSession(id: $id) { agentToken { id } disconnectedAt } ticket(id: \"TICKET\") { status } }".replace("TICKET", made[0].as_str().expect("an id"));
        let token = owner.data(&of, json!({ "id": daemon.session })).await["agentSession"]["agentToken"]["id"].clone();
        owner.data("mutation($id: ID!) { revokeAgentToken(input: { id: $id }) { feedCursor } }", json!({ "id": token })).await;
        let now = owner.data(&of, json!({ "id": daemon.session })).await;
        assert!(now["agentSession"]["disconnectedAt"].is_string(), "{now}");
        assert_eq!(now["ticket"]["status"], "READY");
        let refused = daemon.send("completeJob", &claimed, json!({})).await.expect_err("is refused");
        assert_eq!(refused["extensions"]["code"], "UNAUTHENTICATED");
        must_be_counted_right(&app).await;
    }
}
