//! What becomes of what an agent could not do.

use super::{Daemon, cleared, must_be_counted_right, tend, tickets};
use crate::writes::{Made, head};
use serde_json::json;
use std::time::Duration;

on_both_databases! {
    async fn what_fails_in_passing_is_tried_again_a_little_later(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let fails = json!({ "error": "The provider answered 503.", "transient": true });
        let mut waits = Vec::new();
        for _ in 0..2 {
            let claimed = daemon.claim().await;
            daemon.run("startJob", &claimed, json!({})).await;
            let failed = daemon.run("failJob", &claimed, fails.clone()).await;
            // The ticket is its no longer.
            assert_eq!((&failed["status"], &failed["ticket"]), (&json!("FAILED"), &json!(null)));
            // Sent again, it is the same failure.
            let before = head(&owner).await;
            assert_eq!(daemon.run("failJob", &claimed, fails.clone()).await["status"], "FAILED");
            assert_eq!(head(&owner).await, before);
            let mut waited = 0;
            let back = loop {
                let claimed = daemon.claim().await;
                if claimed["ticket"]["id"].is_string() {
                    break claimed;
                }
                assert_eq!(claimed["reason"], "BACKING_OFF");
                app.wait(Duration::from_secs(1));
                waited += 1;
            };
            waits.push(waited);
            // What is given back waits a moment, and is no failed try.
            daemon.run("releaseTicket", &back, json!({ "reason": "Busy" })).await;
            assert_eq!(daemon.claim().await["reason"], "BACKING_OFF");
            app.wait(Duration::from_secs(6));
            daemon.beat(&[]).await;
        }
        // Five seconds, and twice as long the next time.
        assert!((4..=5).contains(&waits[0]) && (9..=10).contains(&waits[1]), "{waits:?}");
        let of = "query($id: ID!) { ticket(id: $id) { status error attemptCount maxAttempts jobs { totalCount } } }";
        let now = owner.data(of, json!({ "id": made[0] })).await["ticket"].clone();
        assert_eq!((&now["status"], &now["error"]), (&json!("READY"), &json!("The provider answered 503.")));
        assert_eq!((&now["attemptCount"], &now["maxAttempts"]), (&json!(4), &json!(5)));
        // The third time it has failed for good.
        let claimed = daemon.claim().await;
        let failed = daemon.run("failJob", &claimed, fails).await;
        assert_eq!(failed["ticket"]["status"], "FAILED");
        must_be_counted_right(&app).await;
    }

    async fn what_was_tried_a_while_ago_is_told_of_when_it_is_due(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        daemon.run("failJob", &claimed, json!({ "error": "x", "transient": true })).await;
        let mut work = crate::support::Socket::signed_in(&app.url, daemon.client.token()).await;
        work.subscribe("work", "subscription($id: ID!) { workAvailable(sessionId: $id) { ticketId roleSlug } }", json!({ "id": daemon.session })).await;
        work.data("work").await;
        app.wait(Duration::from_secs(6));
        tend(&app).await;
        let frame = work.data("work").await;
        assert_eq!(frame["workAvailable"], json!({ "ticketId": made[0], "roleSlug": "dev_agent" }));
    }

    async fn what_cannot_be_done_is_planned_anew_and_then_a_person_is_told(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        let plan = made.plan().await;
        owner.data("mutation($id: ID!) { approvePlan(input: { id: $id, expectedVersion: 1 }) { feedCursor } }", json!({ "id": plan })).await;
        let builder = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let chief = Daemon::connect(&app, &owner, &["chief_of_staff"], 1).await;
        let error = json!({ "error": "src/main.rs:10:5: the library has no such function" });
        let claimed = builder.claim().await;
        builder.run("startJob", &claimed, json!({})).await;
        let failed = builder.run("failJob", &claimed, error).await;
        assert_eq!(failed["ticket"]["status"], "FAILED");
        // The chief of staff is asked for another attempt, and told why.
        let planning = chief.claim().await;
        assert_eq!((&planning["job"]["action"], &planning["job"]["payload"]["reason"]), (&json!("plan_brief"), &json!("src/main.rs:10:5: the library has no such function")));
        let steps = json!([{ "title": "Otherwise", "roleSlug": "dev_agent" }]);
        let refused = chief.send("completeJob", &planning, json!({ "result": {} })).await;
        assert_eq!(refused.expect_err("no plan")["extensions"]["field"], "plan");
        let wrong = json!({ "plan": { "channelSummary": "Again", "steps": [{ "title": "x", "roleSlug": "nobody" }] } });
        let refused = chief.send("completeJob", &planning, wrong).await;
        assert_eq!(refused.expect_err("no such role")["extensions"]["field"], "steps[0].roleSlug");
        let planned = chief.run("completeJob", &planning, json!({ "plan": { "channelSummary": "Again", "steps": steps, "model": "gpt-large" } })).await;
        assert_eq!(planned["status"], "DONE");
        // Sent again it is the same; another one is not.
        let same = json!({ "plan": { "channelSummary": "Again", "steps": steps, "model": "gpt-large" } });
        assert_eq!(chief.run("completeJob", &planning, same).await["status"], "DONE");
        for other in [json!({ "plan": { "channelSummary": "Another", "steps": steps } }), json!({}), json!({ "brief": { "title": "x" } })] {
            let refused = chief.send("completeJob", &planning, other).await.expect_err("it is done otherwise");
            assert_eq!(refused["extensions"]["code"], "CONFLICT");
        }
        let of = "query($id: ID!) { executionPlan(id: $id) { status parentTicket { status } prd { executionPlans(orderBy: [{ field: ATTEMPT }]) { nodes { id attempt status replanReason model } } } } }";
        let plans = owner.data(of, json!({ "id": plan })).await["executionPlan"]["prd"]["executionPlans"]["nodes"].clone();
        assert_eq!((&plans[0]["status"], &plans[1]["status"], &plans[1]["model"]), (&json!("SUPERSEDED"), &json!("PENDING_APPROVAL"), &json!("gpt-large")));
        // What an agent plans, an agent does not approve.
        let approve = "mutation($id: ID!) { approvePlan(input: { id: $id, expectedVersion: 2 }) { feedCursor } }";
        assert_eq!(chief.client.code(approve, json!({ "id": plans[1]["id"] })).await, "FORBIDDEN");
        owner.data(approve, json!({ "id": plans[1]["id"] })).await;
        // It fails of the same, and those who decide are told.
        let claimed = builder.claim().await;
        let failed = builder.run("failJob", &claimed, json!({ "error": "src/lib.rs:77:1: the library has no such function" })).await;
        assert_eq!(failed["ticket"]["status"], "FAILED");
        let plans = owner.data(of, json!({ "id": plan })).await["executionPlan"]["prd"]["executionPlans"]["nodes"].clone();
        assert_eq!(plans[1]["status"], "FAILED", "{plans}");
        assert_eq!(chief.claim().await["reason"], "NONE_READY");
        let told = "{ notifications(first: 1, filter: { kind: { eq: ESCALATION }, readAt: { isNull: true } }) { nodes { targetId } } }";
        let told = app.client(crate::support::DEMO, "admin").await.data(told, json!({})).await;
        assert_eq!(told["notifications"]["nodes"][0]["targetId"], plans[1]["id"]);
        must_be_counted_right(&app).await;
    }

    async fn what_a_person_wrote_meanwhile_is_not_overwritten(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        owner.data("mutation { updateApprovalRules(input: { autoApproval: true, autoApproveAbove: 0.5, requireHumanBelow: 0.1 }) { feedCursor } }", json!({})).await;
        let brief = made.submitted().await;
        owner.data("mutation($id: ID!) { redirectPrd(input: { id: $id, expectedVersion: 1, reason: \"Otherwise\" }) { feedCursor } }", json!({ "id": brief })).await;
        let analyst = Daemon::connect(&app, &owner, &["ba_agent"], 1).await;
        let claimed = analyst.claim().await;
        owner.data("mutation($id: ID!) { updatePrd(input: { id: $id, expectedVersion: 2, title: \"As I want it\" }) { feedCursor } }", json!({ "id": brief })).await;
        let draft = json!({ "confidence": 1.0, "brief": { "summary": "Drafted" } });
        let refused = analyst.send("completeJob", &claimed, draft.clone()).await.expect_err("somebody was faster");
        assert_eq!(refused["extensions"]["code"], "CONFLICT");
        analyst.run("releaseTicket", &claimed, json!({})).await;
        app.wait(Duration::from_secs(6));
        let again = analyst.claim().await;
        assert_eq!(again["job"]["payload"]["brief"]["title"], "As I want it");
        analyst.run("completeJob", &again, draft).await;
        // However sure it is of itself: a person sent it back, and a person reads it again.
        let now = "query($id: ID!) { prd(id: $id) { title summary status activity(first: 3) { nodes { action actorType } } } }";
        let now = owner.data(now, json!({ "id": brief })).await["prd"].clone();
        assert_eq!((&now["title"], &now["summary"], &now["status"]), (&json!("As I want it"), &json!("Drafted"), &json!("PENDING_APPROVAL")));
        let edited = "query($id: ID!) { activity(first: 1, filter: { targetId: { eq: $id }, action: { eq: \"brief.submitted\" } }) { nodes { actorType } } }";
        let edited = owner.data(edited, json!({ "id": brief })).await;
        assert_eq!(edited["activity"]["nodes"][0]["actorType"], "AGENT", "who drafted it is told");
    }

    async fn a_brief_is_drafted_and_handed_in(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        let brief = made.submitted().await;
        let redirect = "mutation($id: ID!) { redirectPrd(input: { id: $id, expectedVersion: 1, reason: \"For members only\" }) { feedCursor } }";
        owner.data(redirect, json!({ "id": brief })).await;
        let analyst = Daemon::connect(&app, &owner, &["ba_agent"], 1).await;
        let claimed = analyst.claim().await;
        let payload = &claimed["job"]["payload"];
        assert_eq!((&claimed["job"]["action"], &payload["redirect"]), (&json!("draft_brief"), &json!("For members only")));
        assert_eq!(payload["brief"]["title"], "Sample");
        assert!(payload["transcript"].as_str().is_some_and(|text| !text.is_empty()), "{payload}");
        let nothing = json!({ "brief": {}, "confidence": 1.0 });
        assert_eq!(analyst.send("completeJob", &claimed, nothing).await.expect_err("no word")["extensions"]["field"], "brief");
        let empty = json!({ "brief": { "title": "" } });
        assert_eq!(analyst.send("completeJob", &claimed, empty).await.expect_err("no title")["extensions"]["field"], "brief.title");
        let draft = json!({ "confidence": 0.5, "brief": { "title": "Members' invoices", "content": { "objectives": ["Only members"] } } });
        analyst.run("completeJob", &claimed, draft).await;
        let now = "query($id: ID!) { prd(id: $id) { title status version confidence objectives tickets { nodes { status } } } }";
        let now = owner.data(now, json!({ "id": brief })).await["prd"].clone();
        assert_eq!((&now["title"], &now["status"], &now["confidence"]), (&json!("Members' invoices"), &json!("PENDING_APPROVAL"), &json!(0.5)));
        assert_eq!((&now["objectives"], &now["tickets"]["nodes"]), (&json!(["Only members"]), &json!([{ "status": "DONE" }])));
        must_be_counted_right(&app).await;
    }
}
