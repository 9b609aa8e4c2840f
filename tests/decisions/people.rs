//! How many people decide, who stands in for whom, and who is told.

use super::{allowed, because, brief, version};
use crate::{
    support::{Client, DEMO, TestApp},
    writes::{Made, head},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Ends the delegation that the demo begins with.
async fn end_delegation(made: &Made<'_>) {
    made.run("setDelegate", json!({ "userId": null })).await;
}

/// This time tomorrow.
fn tomorrow(app: &TestApp) -> String {
    (app.now() + chrono::TimeDelta::days(1)).to_rfc3339()
}

async fn user(client: &Client) -> Value {
    client.data("{ viewer { user { id } } }", json!({})).await["viewer"]["user"]["id"].clone()
}

async fn clients(app: &TestApp) -> [Client; 4] {
    let of = async |role| app.client(DEMO, role).await;
    [
        of("owner").await,
        of("admin").await,
        of("member").await,
        of("viewer").await,
    ]
}

on_both_databases! {
    async fn several_people_approve_the_same_version(app) {
        let [owner, admin, ..] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        let other = Made { app: &app, client: &admin };
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;
        let id = made.submitted().await;
        made.run("approvePrd", version(&id, 1)).await;
        let before = head(&owner).await;
        made.run("approvePrd", version(&id, 1)).await;
        assert_eq!(head(&owner).await, before, "the same person counts once");
        let now = brief(&owner, &id).await;
        assert_eq!((&now["status"], now["approvals"]["nodes"].as_array().map(Vec::len)), (&json!("PENDING_APPROVAL"), Some(1)));
        // What is changed meanwhile was approved by nobody.
        made.run("updatePrd", json!({ "id": id, "expectedVersion": 1, "title": "Another" })).await;
        assert_eq!(other.code("approvePrd", version(&id, 1)).await, "CONFLICT");
        other.run("approvePrd", version(&id, 2)).await;
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL");
        made.run("approvePrd", version(&id, 2)).await;
        let now = brief(&owner, &id).await;
        assert_eq!(now["status"], "APPROVED");
        let digests: Vec<_> = now["approvals"]["nodes"].as_array().expect("approvals").iter().map(|made| made["subjectDigest"].clone()).collect();
        assert_eq!(digests.len(), 3);
        assert_eq!(digests[1], digests[2], "both saw the same");
        assert_ne!(digests[0], digests[1], "and the first another thing");
    }

    async fn what_has_approvals_enough_goes_ahead_when_fewer_are_asked_for(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2, "requiredPlanApprovals": 2 })).await;
        let draft = made.draft().await;
        assert_eq!(made.code("approvePrd", version(&draft, 1)).await, "CONFLICT", "nobody would hear that another must");
        let id = made.submitted().await;
        made.run("approvePrd", version(&id, 1)).await;
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 1 })).await;
        let progress = owner.data("query($id: ID!) { prd(id: $id) { allowedSteps approvalProgress { given required byViewer } } }", json!({ "id": id })).await;
        assert_eq!(progress["prd"]["approvalProgress"], json!({ "given": 1, "required": 1, "byViewer": true }));
        made.run("approvePrd", version(&id, 1)).await;
        let now = brief(&owner, &id).await;
        assert_eq!((&now["status"], now["approvals"]["nodes"].as_array().map(Vec::len)), (&json!("APPROVED"), Some(1)));
    }

    async fn an_approval_that_others_had_to_join_decided_nothing(app) {
        let [owner, admin, ..] = clients(&app).await;
        let (made, other) = (Made { app: &app, client: &owner }, Made { app: &app, client: &admin });
        made.run("updateApprovalRules", json!({ "requiredPlanApprovals": 2, "requiredTicketApprovals": 2 })).await;
        let (plan, ticket) = (made.plan().await, made.ticket().await);
        made.hand_in(&ticket).await;
        for (approve, cancel, reject, id) in [
            ("approvePlan", "cancelPlan", "rejectPlan", &plan),
            ("approveTicket", "cancelTicket", "rejectTicket", &ticket),
        ] {
            made.run(approve, version(id, 1)).await;
            made.run(cancel, json!({ "id": id })).await;
            for client in [&made, &other] {
                assert_eq!(client.code(approve, version(id, 1)).await, "ILLEGAL_TRANSITION", "{approve}");
                assert_eq!(client.code(reject, because(id, 1)).await, "ILLEGAL_TRANSITION", "{reject}");
            }
        }
        // One that was enough is answered again, whatever became of it.
        made.run("updateApprovalRules", json!({ "requiredPlanApprovals": 1 })).await;
        let plan = made.plan().await;
        made.run("approvePlan", version(&plan, 1)).await;
        made.run("cancelPlan", json!({ "id": plan })).await;
        made.run("approvePlan", version(&plan, 1)).await;
        assert_eq!(other.code("rejectPlan", because(&plan, 1)).await, "CONFLICT");
    }

    async fn who_was_asked_about_a_brief_is_asked_again_when_it_says_something_else(app) {
        let [owner, admin, member, _] = clients(&app).await;
        let (made, writer) = (Made { app: &app, client: &owner }, Made { app: &app, client: &member });
        end_delegation(&made).await;
        let id = writer.submitted().await;
        let unread = async || {
            let query = "query($id: ID!) { notifications(filter: { targetId: { eq: $id }, readAt: { isNull: true } }) { nodes { title } } }";
            admin.data(query, json!({ "id": id })).await["notifications"]["nodes"].clone()
        };
        let first = unread().await;
        writer.run("updatePrd", json!({ "id": id, "expectedVersion": 1, "title": "Said otherwise" })).await;
        assert_eq!(unread().await, json!([{ "title": "Approve the brief \"Said otherwise\"?" }]));
        assert_ne!(unread().await, first);
        // What says nothing new asks nobody.
        writer.run("updatePrd", json!({ "id": id, "expectedVersion": 2, "title": "Said otherwise" })).await;
        assert_eq!(unread().await.as_array().expect("notices").len(), 1);
    }

    async fn who_wrote_a_brief_is_told_what_was_decided(app) {
        let [owner, _, member, _] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        for (mutation, kind) in [("approvePrd", "SUCCESS"), ("rejectPrd", "WARNING"), ("redirectPrd", "WARNING")] {
            let id = Made { app: &app, client: &member }.submitted().await;
            made.run(mutation, because(&id, 1)).await;
            let query = "query($id: ID!) { notifications(filter: { targetId: { eq: $id } }) { nodes { kind message } } }";
            let told = member.data(query, json!({ "id": id })).await;
            assert_eq!(told["notifications"]["nodes"], json!([{ "kind": kind, "message": "Not so." }]));
        }
    }

    async fn one_rejection_is_enough(app) {
        let [owner, admin, ..] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 3 })).await;
        let id = made.submitted().await;
        made.run("approvePrd", version(&id, 1)).await;
        Made { app: &app, client: &admin }.run("rejectPrd", because(&id, 1)).await;
        assert_eq!(brief(&owner, &id).await["status"], "REJECTED");
        assert_eq!(made.code("approvePrd", version(&id, 1)).await, "CONFLICT");
    }

    async fn a_delegate_decides_for_somebody_until_a_day(app) {
        let [owner, admin, member, viewer] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        let delegate = Made { app: &app, client: &member };
        end_delegation(&made).await;
        let id = made.submitted().await;
        assert_eq!(delegate.code("approvePrd", version(&id, 1)).await, "FORBIDDEN");
        assert_eq!(allowed(&app, "member", "prd", &id).await, json!(["UPDATE"]));
        let until = tomorrow(&app);
        for (input, code) in [
            (json!({ "userId": user(&member).await }), "BAD_USER_INPUT"),
            (json!({ "until": until }), "BAD_USER_INPUT"),
            (json!({}), "BAD_USER_INPUT"),
            (json!({ "userId": user(&member).await, "until": "2020-01-01T00:00:00Z" }), "BAD_USER_INPUT"),
            (json!({ "userId": user(&viewer).await, "until": until }), "BAD_USER_INPUT"),
            (json!({ "userId": user(&owner).await, "until": until }), "BAD_USER_INPUT"),
        ] {
            assert_eq!(made.code("setDelegate", input.clone()).await, code, "{input}");
        }
        Made { app: &app, client: &admin }.run("setDelegate", json!({ "userId": user(&member).await, "until": until })).await;
        assert_eq!(allowed(&app, "member", "prd", &id).await, json!(["UPDATE", "APPROVE", "REJECT", "REDIRECT", "REGENERATE", "PAUSE"]));
        // Who stands in for the admin adds no word to the admin's.
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;
        delegate.run("approvePrd", version(&id, 1)).await;
        assert_eq!(Made { app: &app, client: &admin }.code("approvePrd", version(&id, 1)).await, "CONFLICT");
        let now = brief(&owner, &id).await;
        assert_eq!(now["status"], "PENDING_APPROVAL", "{now:#}");
        assert_eq!(now["approvals"]["nodes"][0]["onBehalfOf"]["role"], "ADMIN");
        // Nor does one person give two words by standing in for two.
        assert_eq!(made.code("setDelegate", json!({ "userId": user(&member).await, "until": until })).await, "CONFLICT", "it is another's");
        end_delegation(&made).await;
        made.run("setDelegate", json!({ "userId": user(&member).await, "until": until })).await;
        delegate.run("approvePrd", version(&id, 1)).await;
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL", "the member has approved it already");
        made.run("approvePrd", version(&id, 1)).await;
        assert_eq!(brief(&owner, &id).await["status"], "APPROVED");
        let other = made.submitted().await;
        app.wait(Duration::from_secs(25 * 3600));
        // The old token has ended with the day.
        let member = app.client(DEMO, "member").await;
        assert_eq!(Made { app: &app, client: &member }.code("approvePrd", version(&other, 1)).await, "FORBIDDEN");
    }

    async fn who_lost_the_right_has_no_delegate(app) {
        let [owner, admin, member, _] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        end_delegation(&made).await;
        let until = tomorrow(&app);
        Made { app: &app, client: &admin }.run("setDelegate", json!({ "userId": user(&member).await, "until": until })).await;
        let id = made.submitted().await;
        let admin = user(&admin).await;
        made.set("users", &admin, "role = 'viewer'").await;
        assert_eq!(Made { app: &app, client: &member }.code("approvePrd", version(&id, 1)).await, "FORBIDDEN");
        assert_eq!(allowed(&app, "member", "prd", &id).await, json!(["UPDATE"]));
    }

    async fn viewers_and_agents_decide_nothing(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let id = made.submitted().await;
        assert_eq!(allowed(&app, "viewer", "prd", &id).await, json!([]));
        let agent = Client::new(&app.url, &app.agent(&owner).await);
        let viewer = app.client(DEMO, "viewer").await;
        for client in [&agent, &viewer] {
            for mutation in ["approvePrd", "rejectPrd", "redirectPrd", "submitPrd"] {
                let code = Made { app: &app, client }.code(mutation, if mutation == "submitPrd" { version(&id, 1) } else { because(&id, 1) }).await;
                assert_eq!(code, "FORBIDDEN", "{mutation}");
            }
        }
        assert_eq!(brief(&owner, &id).await["status"], "PENDING_APPROVAL");
    }

    async fn those_who_decide_are_told_once_and_no_longer_than_it_matters(app) {
        let [owner, admin, member, viewer] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        end_delegation(&made).await;
        let id = made.submitted().await;
        let of = async |client: &Client, id: &Value| {
            let query = "query($id: ID!) { notifications(filter: { targetId: { eq: $id } }) { nodes { kind title readAt target { id } } }
                viewer { unreadNotificationCount } }";
            client.data(query, json!({ "id": id })).await
        };
        let told = of(&admin, &id).await;
        let notices = told["notifications"]["nodes"].as_array().expect("notices");
        assert_eq!(notices.len(), 1);
        assert_eq!((&notices[0]["kind"], &notices[0]["target"]["id"]), (&json!("APPROVAL_REQUEST"), &id));
        for other in [&owner, &member, &viewer] {
            assert_eq!(of(other, &id).await["notifications"]["nodes"], json!([]), "nobody else is told, nor who did it");
        }
        let unread = told["viewer"]["unreadNotificationCount"].as_i64().expect("a number");
        made.run("approvePrd", version(&id, 1)).await;
        let told = of(&admin, &id).await;
        assert!(told["notifications"]["nodes"][0]["readAt"].is_string());
        assert_eq!(told["viewer"]["unreadNotificationCount"], unread - 1);
        // A question goes to whom it is put to.
        let question = made.question().await;
        let all = owner.data("query($id: ID!) { clarificationRequest(id: $id) { prd { createdBy { id } } } }", json!({ "id": question })).await;
        assert!(all["clarificationRequest"]["prd"]["createdBy"]["id"].is_string());
        let mut asked = 0;
        for client in [&owner, &admin, &member] {
            asked += of(client, &question).await["notifications"]["nodes"].as_array().map_or(0, Vec::len);
        }
        assert!(asked > 0, "somebody is asked");
        assert_eq!(of(&viewer, &question).await["notifications"]["nodes"], json!([]));
    }

    async fn people_put_their_own_notifications_away(app) {
        let [owner, admin, ..] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        let (one, other) = (made.submitted().await, made.submitted().await);
        let query = "query($ids: [ID!]) { notifications(filter: { targetId: { in: $ids } }, orderBy: [{ field: CREATED_AT }]) { nodes { id readAt dismissedAt } }
            viewer { unreadNotificationCount } }";
        let bell = async |client: &Client| client.data(query, json!({ "ids": [one, other] })).await;
        let told = bell(&admin).await;
        let unread = told["viewer"]["unreadNotificationCount"].as_i64().expect("a count");
        // The bell is one, whichever project one is at work in.
        let project = owner.data("mutation { createProject(input: { name: \"Elsewhere\" }) { project { id } } }", json!({})).await;
        let elsewhere = admin.in_project(project["createProject"]["project"]["id"].as_str().expect("an id"));
        assert_eq!(bell(&elsewhere).await["viewer"]["unreadNotificationCount"], unread);
        let first = &told["notifications"]["nodes"][0]["id"];
        let read = "mutation($ids: [ID!]) { markNotificationsRead(input: { ids: $ids }) { user { role } } }";
        assert_eq!(owner.code(read, json!({ "ids": [first] })).await, "NOT_FOUND", "it is another's");
        for _ in 0..2 {
            admin.data(read, json!({ "ids": [first] })).await;
        }
        let told = bell(&admin).await;
        assert!(told["notifications"]["nodes"][0]["readAt"].is_string() && told["notifications"]["nodes"][1]["readAt"].is_null(), "{told}");
        assert_eq!(told["viewer"]["unreadNotificationCount"], unread - 1);
        admin.data("mutation { dismissNotifications(input: {}) { user { id } } }", json!({})).await;
        let told = bell(&admin).await;
        assert_eq!(told["viewer"]["unreadNotificationCount"], 0);
        assert!(told["notifications"]["nodes"][1]["dismissedAt"].is_string());
        // However many there are, they are put away a few hundred at a time.
        let many = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) \
             INSERT INTO notifications (id, \"tenantId\", \"userId\", title, message, \"createdAt\", \"updatedAt\") \
             SELECT 'many' || i, '{}', '{}', 'x', 'x', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00' FROM n",
            app.tenant(DEMO).await, app.user(DEMO, "admin").await.id,
        );
        app.execute(&many).await;
        for left in [200, 0] {
            admin.data("mutation { markNotificationsRead(input: {}) { user { id } } }", json!({})).await;
            assert_eq!(bell(&admin).await["viewer"]["unreadNotificationCount"], left);
        }
    }

    async fn an_approval_that_would_not_count_is_not_offered(app) {
        let [owner, admin, member, _] = clients(&app).await;
        let made = Made { app: &app, client: &owner };
        end_delegation(&made).await;
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;
        let deputy = json!(app.user(DEMO, "member").await.id);
        made.run("setDelegate", json!({ "userId": deputy, "until": "2100-01-01T00:00:00Z" })).await;
        let id = made.submitted().await;
        let offered = async |client: &Client| {
            let query = "query($id: ID!) { prd(id: $id) { allowedSteps approvalProgress { given byViewer } } approvalQueue(first: 200) { nodes { subjectId allowedSteps } } }";
            let told = client.data(query, json!({ "id": id })).await;
            let steps = |steps: &Value| steps.as_array().expect("steps").contains(&json!("APPROVE"));
            let queue = told["approvalQueue"]["nodes"].as_array().expect("entries").iter().find(|entry| entry["subjectId"] == id).expect("waits").clone();
            assert_eq!(steps(&told["prd"]["allowedSteps"]), steps(&queue["allowedSteps"]));
            (steps(&told["prd"]["allowedSteps"]), told["prd"]["approvalProgress"]["byViewer"] == true)
        };
        Made { app: &app, client: &member }.run("approvePrd", version(&id, 1)).await;
        assert_eq!(offered(&member).await, (false, true));
        assert_eq!(offered(&owner).await, (false, true), "in whose place it was given");
        assert_eq!(offered(&admin).await, (true, false));
        // However often it was held up since, what was given stays.
        let pauses: String = (0..40).map(|place| format!("p{place}: pausePrd(input: {{ id: $id }}) {{ feedCursor }} r{place}: resumePrd(input: {{ id: $id }}) {{ feedCursor }} ")).collect();
        for half in 0..2 {
            let aliases: String = pauses.split_inclusive("} ").skip(half * 40).take(40).collect();
            admin.data(&format!("mutation($id: ID!) {{ {aliases} }}"), json!({ "id": id })).await;
        }
        assert_eq!(offered(&owner).await, (false, true));
        Made { app: &app, client: &admin }.run("approvePrd", version(&id, 1)).await;
        assert_eq!(brief(&owner, &id).await["status"], "APPROVED");
    }

    async fn how_somebody_answered_is_for_admins(app) {
        let query = "{ approvals(first: 200) { nodes { externalActorRef messageLink } } }";
        for (role, expected) in [("owner", true), ("admin", true), ("member", false), ("viewer", false)] {
            let told = app.client(DEMO, role).await.data(query, json!({})).await;
            let told = told["approvals"]["nodes"].as_array().expect("decisions").iter().any(|made| made["externalActorRef"].is_string() || made["messageLink"].is_string());
            assert_eq!(told, expected, "{role}");
        }
    }
}
