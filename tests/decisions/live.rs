//! What those who follow see of decisions.

use super::version;
use crate::{
    support::{DEMO, Socket},
    writes::Made,
};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Several streams over one socket, each in its order.
struct Streams {
    socket: Socket,
    waiting: VecDeque<Value>,
}

impl Streams {
    async fn subscribe(&mut self, name: &str, query: &str, id: &Value) {
        self.socket
            .subscribe(name, query, json!({ "id": id }))
            .await;
        self.frame(name).await;
    }

    /// A stream's next frame.
    async fn frame(&mut self, name: &str) -> Value {
        if let Some(place) = self
            .waiting
            .iter()
            .position(|message| message["id"] == name)
        {
            return self.waiting.remove(place).expect("is there")["payload"]["data"].clone();
        }
        loop {
            let message = self.socket.receive().await;
            assert_eq!(message["type"], "next", "{message}");
            if message["id"] == name {
                return message["payload"]["data"].clone();
            }
            self.waiting.push_back(message);
        }
    }

    /// What the next frame tells that tells something.
    async fn next(&mut self, name: &str, field: &str, told: &str) -> Value {
        loop {
            let frame = self.frame(name).await[field].clone();
            if !frame[told].is_null() {
                return frame[told].clone();
            }
        }
    }
}

on_both_databases! {
    async fn each_stream_has_its_cause(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        made.run("updateApprovalRules", json!({ "requiredBriefApprovals": 2 })).await;
        let id = made.draft().await;
        let socket = Socket::signed_in(&app.url, &app.token(DEMO, "admin").await).await;
        let mut streams = Streams { socket, waiting: VecDeque::new() };
        for (name, query) in [
            ("prd", "subscription($id: ID) { prdChanged(id: $id) { prd { status version } } }"),
            ("queue", "subscription { approvalQueueChanged { waiting } }"),
            ("bell", "subscription { unreadNotificationsChanged { unread } }"),
            ("notice", "subscription { notificationAdded { notification { kind target { id } } } }"),
            ("numbers", "subscription { dashboardChanged { dashboard { briefs { pendingApproval } } } }"),
            ("life", "subscription($id: ID) { activity(filter: { prdId: $id }) { event { action } } }"),
        ] {
            streams.subscribe(name, query, &id).await;
        }
        let before = app.client(DEMO, "admin").await.data("{ approvalQueue { totalCount } viewer { unreadNotificationCount } dashboard { briefs { pendingApproval } } }", json!({})).await;
        let (waiting, unread) = (before["approvalQueue"]["totalCount"].as_i64().expect("a count"), before["viewer"]["unreadNotificationCount"].as_i64().expect("a count"));
        let pending = before["dashboard"]["briefs"]["pendingApproval"].as_i64().expect("a count");

        made.submit(&id, 1).await;
        assert_eq!(streams.next("prd", "prdChanged", "prd").await, json!({ "status": "PENDING_APPROVAL", "version": 1 }));
        assert_eq!(streams.next("queue", "approvalQueueChanged", "waiting").await, waiting + 1);
        assert_eq!(streams.next("bell", "unreadNotificationsChanged", "unread").await, unread + 1);
        assert_eq!(streams.next("notice", "notificationAdded", "notification").await, json!({ "kind": "APPROVAL_REQUEST", "target": { "id": id } }));
        assert_eq!(streams.next("numbers", "dashboardChanged", "dashboard").await["briefs"]["pendingApproval"], pending + 1);
        assert_eq!(streams.next("life", "activity", "event").await["action"], "brief.submitted");

        // The first of two approvals moves nothing, and is told of all the same.
        made.run("approvePrd", version(&id, 1)).await;
        assert_eq!(streams.next("queue", "approvalQueueChanged", "waiting").await, waiting + 1);
        for action in ["approval.created", "brief.approval_counted"] {
            assert_eq!(streams.next("life", "activity", "event").await["action"], action);
        }
        let query = "query($id: ID!) { prd(id: $id) { approvalProgress { given required } } approvalQueue(first: 200) { nodes { subjectId approvalProgress { given required } } } }";
        let progress = owner.data(query, json!({ "id": id })).await;
        let one_of_two = json!({ "given": 1, "required": 2 });
        assert_eq!(progress["prd"]["approvalProgress"], one_of_two);
        let entry = progress["approvalQueue"]["nodes"].as_array().expect("entries").iter().find(|entry| entry["subjectId"] == id).expect("waits").clone();
        assert_eq!(entry["approvalProgress"], one_of_two);

        let admin = app.client(DEMO, "admin").await;
        Made { app: &app, client: &admin }.run("approvePrd", version(&id, 1)).await;
        assert_eq!(streams.next("queue", "approvalQueueChanged", "waiting").await, waiting);
        assert_eq!(streams.next("bell", "unreadNotificationsChanged", "unread").await, unread);
        assert_eq!(streams.next("numbers", "dashboardChanged", "dashboard").await["briefs"]["pendingApproval"], pending);
        let plan = made.run("createExecutionPlan", json!({ "prdId": id, "channelSummary": "x", "steps": [{ "title": "x", "roleSlug": "dev_agent" }] })).await;
        streams.subscribe("plan", "subscription($id: ID) { planChanged(id: $id) { plan { status } } }", &plan).await;
        made.run("approvePlan", version(&plan, 1)).await;
        assert_eq!(streams.next("plan", "planChanged", "plan").await["status"], "ACTIVE");
    }

    async fn a_frame_names_what_is_gone(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let id = made.draft().await;
        let socket = Socket::signed_in(&app.url, &app.token(DEMO, "member").await).await;
        let mut streams = Streams { socket, waiting: VecDeque::new() };
        streams.subscribe("prd", "subscription { prdChanged { prdId prd { id } } }", &id).await;
        made.run("deletePrd", json!({ "id": id })).await;
        let frame = streams.frame("prd").await;
        assert_eq!(frame["prdChanged"], json!({ "prdId": id, "prd": null }));
    }
}
