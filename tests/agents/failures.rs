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
            while daemon.claim().await["reason"] == "BACKING_OFF" {
                app.wait(Duration::from_secs(1));
                waited += 1;
                let back = daemon.claim().await;
                if back["ticket"]["id"].is_string() {
                    daemon.run("releaseTicket", &back, json!({})).await;
                    break;
                }
            }
            waits.push(waited);
            daemon.beat(&[]).await;
        }
        // Five seconds, and twice as long the next time. What is given back is no failed try.
        assert!((4..=5).contains(&waits[0]), "{waits:?}");
        assert!(waits[1] > waits[0], "{waits:?}");
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
