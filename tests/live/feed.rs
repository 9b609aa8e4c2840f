//! What the ledger tells: every change once, in order, after a break too.

use super::{ACTIVITY, create, created, follow};
use crate::support::{ACME, DEMO, Socket};
use serde_json::json;

on_both_databases! {
    async fn each_change_comes_once_and_in_order(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "viewer").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let first = follow(&mut socket, "a", json!({})).await;
        let mut made = Vec::new();
        for turn in 0..6 {
            made.push(create(&client, &format!("live {turn}")).await);
        }
        let (seen, _) = created(&mut socket, "a", first, made.len()).await;
        assert_eq!(seen, made);
    }

    async fn who_comes_back_misses_nothing_and_sees_nothing_twice(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let first = follow(&mut socket, "a", json!({})).await;
        let before = [create(&client, "before 1").await, create(&client, "before 2").await];
        let (seen, last) = created(&mut socket, "a", first, 2).await;
        assert_eq!(seen, before);
        drop(socket);
        let away = [create(&client, "away 1").await, create(&client, "away 2").await];
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let again = follow(&mut socket, "b", json!({ "after": last["cursor"] })).await;
        assert_eq!(again["position"], last["position"]);
        let (seen, _) = created(&mut socket, "b", again, 2).await;
        assert_eq!(seen, away);
    }

    async fn a_page_goes_on_from_where_it_was_loaded(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let page = client.data("{ feedCursor projects { totalCount } }", json!({})).await;
        let made = create(&client, "between loading and following").await;
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let first = follow(&mut socket, "a", json!({ "after": page["feedCursor"] })).await;
        let (seen, _) = created(&mut socket, "a", first, 1).await;
        assert_eq!(seen, [made]);
        socket.subscribe("b", ACTIVITY, json!({ "after": "nowhere" })).await;
        let refused = socket.receive().await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "CURSOR_MISMATCH", "{refused}");
    }

    async fn a_filter_leaves_out_what_it_does_not_name(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let mut socket = Socket::signed_in(&app.url, &token).await;
        let noise = create(&client, "noise").await;
        let filter = json!({ "filter": { "actionPrefix": ["goal."] } });
        let first = follow(&mut socket, "a", filter).await;
        create(&client, "more noise").await;
        let goal = "mutation($project: ID!) { createGoal(input: { projectId: $project, title: \"Heard\" }) { goal { id } } }";
        let goal = client.data(goal, json!({ "project": noise })).await["createGoal"]["goal"]["id"].clone();
        let mut last = first;
        let event = loop {
            let frame = socket.data("a").await["activity"].clone();
            assert_eq!(frame["previous"], last["position"]);
            if !frame["event"].is_null() {
                break frame["event"].clone();
            }
            last = frame;
        };
        assert_eq!((&event["action"], &event["targetId"]), (&json!("goal.created"), &goal));
    }

    async fn nothing_of_another_workspace_comes(app) {
        let (demo, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let mut socket = Socket::signed_in(&app.url, &app.token(ACME, "owner").await).await;
        let first = follow(&mut socket, "a", json!({})).await;
        create(&demo, "not yours").await;
        let made = create(&acme, "yours").await;
        let (seen, _) = created(&mut socket, "a", first, 1).await;
        assert_eq!(seen, [made]);
        let foreign = demo.data("{ feedCursor }", json!({})).await;
        socket.subscribe("b", ACTIVITY, json!({ "after": foreign["feedCursor"] })).await;
        let refused = socket.receive().await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "CURSOR_MISMATCH", "{refused}");
    }
}
