//! What the workspace's rules decide, and what they do not.

use super::{brief, statuses, version};
use crate::{support::DEMO, writes::Made};
use serde_json::json;

on_both_databases! {
    async fn a_rule_approves_what_is_sure_enough_and_says_why(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let sure = async |confidence: f64| {
            let id = made.draft().await;
            made.set("prds", &id, &format!("confidence = {confidence}")).await;
            made.submit(&id, 1).await;
            brief(&client, &id).await
        };
        assert_eq!(sure(0.99).await["status"], "PENDING_APPROVAL", "no rule stands unless somebody sets it");
        made.run("updateApprovalRules", json!({ "autoApproval": true, "autoApproveAbove": 0.9, "requireHumanBelow": 0.95 })).await;
        assert_eq!(sure(0.93).await["status"], "PENDING_APPROVAL", "below what a person must see");
        let approved = sure(0.96).await;
        assert_eq!(approved["status"], "APPROVED");
        assert!(approved["decidedBy"].is_null());
        assert_eq!(statuses(&approved, "chief_of_staff"), ["READY"]);
        let made_by_rule = &approved["approvals"]["nodes"][0];
        assert_eq!(made_by_rule["actor"], "system:auto_approve");
        assert_eq!(made_by_rule["ruleMatched"], "The confidence 0.96 is at least 0.95.");
        let told = client.data("{ activity(first: 1, filter: { action: { eq: \"brief.approved\" } }) { nodes { actor actorType user { id } } } }", json!({})).await;
        assert_eq!(told["activity"]["nodes"][0], json!({ "actor": "system:auto_approve", "actorType": "SYSTEM", "user": null }));
        app.verify_ledger(crate::support::DEMO).await;
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;
        assert_eq!(sure(0.99).await["status"], "PENDING_APPROVAL", "it takes no person's place among several");
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 1, "autoApprovalProjectIds": [] })).await;
        assert_eq!(sure(0.99).await["status"], "PENDING_APPROVAL", "nor where it does not stand");
    }

    async fn no_rule_is_sure_of_what_a_person_wrote(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("updateApprovalRules", json!({ "autoApproval": true, "autoApproveAbove": -0.0, "requireHumanBelow": 0 })).await;
        let kept = owner.data("{ viewer { tenant { settings { approvalThresholds { autoApproveAbove } } } } }", json!({})).await;
        assert!(kept["viewer"]["tenant"]["settings"]["approvalThresholds"]["autoApproveAbove"].as_f64().is_some_and(f64::is_sign_positive), "{kept}");
        let member = app.client(DEMO, "member").await;
        let id = Made { app: &app, client: &member }.submitted().await;
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL");
        app.verify_ledger(DEMO).await;
    }

    async fn a_rule_believes_nobody_who_may_not_decide(app) {
        let owner = app.owner().await;
        let member = app.client(crate::support::DEMO, "member").await;
        let (made, by_member) = (Made { app: &app, client: &owner }, Made { app: &app, client: &member });
        made.run("setDelegate", json!({ "userId": null })).await;
        made.run("updateApprovalRules", json!({ "autoApproval": true, "autoApproveAbove": 0.9, "mostPlanCostMicros": "1000" })).await;
        // How sure a model was says nothing of what a person wrote afterwards.
        let id = made.draft().await;
        made.set("prds", &id, "confidence = 0.99").await;
        by_member.run("updatePrd", json!({ "id": id, "expectedVersion": 1, "content": { "objectives": ["Something else"] } })).await;
        by_member.submit(&id, 2).await;
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL");
        let approved = made.approved().await;
        made.set("prds", &approved, "confidence = 0.99").await;
        let revision = by_member.run("revisePrd", json!({ "id": approved, "title": "Something else" })).await;
        by_member.submit(&revision, 1).await;
        assert_eq!(brief(&owner, &revision).await["status"], "PENDING_APPROVAL");
        // Nor is a cost that a member states.
        let roles = owner.data("{ agentRoles(first: 1, filter: { autoApprove: { eq: true } }) { nodes { slug } } }", json!({})).await;
        let role = &roles["agentRoles"]["nodes"][0]["slug"];
        let input = json!({ "prdId": approved, "channelSummary": "x", "estimatedCostMicros": "0", "steps": [{ "title": "x", "roleSlug": role }] });
        let plan = by_member.run("createExecutionPlan", input).await;
        assert_eq!(super::plans::plan(&owner, &plan).await["status"], "PENDING_APPROVAL");
    }

    async fn a_rule_approves_nothing_in_an_archived_project(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("updateApprovalRules", json!({ "autoApproval": true, "autoApproveAbove": 0.5, "requireHumanBelow": 0.5 })).await;
        let id = made.draft().await;
        made.set("prds", &id, "confidence = 0.99").await;
        app.execute("UPDATE projects SET \"isArchived\" = TRUE").await;
        assert_eq!(made.code("submitPrd", version(&id, 1)).await, "CONFLICT");
    }

    async fn a_rule_approves_a_cheap_plan_for_roles_that_ship_nothing(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        made.run("updateApprovalRules", json!({ "autoApproval": true, "mostPlanCostMicros": "1000" })).await;
        let plan = async |role: &str, cost: serde_json::Value| {
            let prd = made.approved().await;
            let input = json!({ "prdId": prd, "channelSummary": "One step", "estimatedCostMicros": cost,
                "steps": [{ "title": "Think", "roleSlug": role }] });
            let id = made.run("createExecutionPlan", input).await;
            super::plans::plan(&client, &id).await
        };
        let roles = client.data("{ agentRoles(first: 50) { nodes { slug autoApprove } } }", json!({})).await;
        let of = |may: bool| roles["agentRoles"]["nodes"].as_array().expect("roles").iter()
            .find(|role| role["autoApprove"] == may).map(|role| role["slug"].as_str().expect("a slug").to_owned());
        let (may, may_not) = (of(true).expect("a role"), of(false).expect("a role"));
        let approved = plan(&may, json!("1000")).await;
        assert_eq!((&approved["status"], &approved["tickets"]["nodes"][0]["status"]), (&json!("ACTIVE"), &json!("READY")));
        for (role, cost) in [(&may, json!("1001")), (&may, json!(null)), (&may_not, json!("1"))] {
            assert_eq!(plan(role, cost.clone()).await["status"], "PENDING_APPROVAL", "{role} {cost}");
        }
    }

    async fn rules_are_within_bounds(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        for input in [
            json!({ "requiredBriefApprovals": 0 }),
            json!({ "requiredPlanApprovals": 6 }),
            json!({ "requiredTicketApprovals": null }),
            json!({ "autoApproveAbove": 1.01 }),
            json!({ "requireHumanBelow": -0.1 }),
            json!({ "mostPlanCostMicros": "-1" }),
            json!({ "autoApprovalProjectIds": vec!["nowhere"; 101] }),
        ] {
            assert_eq!(made.code("updateApprovalRules", input.clone()).await, "BAD_USER_INPUT", "{input}");
        }
        let id = made.submitted().await;
        assert_eq!(made.code("approvePrd", version(&id, 1)).await, "");
    }
}
